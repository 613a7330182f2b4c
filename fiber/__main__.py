"""`python -m fiber`: the command, also where the scripts of this Python are not in the path."""

from __future__ import annotations

import sys

from fiber.cli.main import main

sys.exit(main())
