"""`python -m fiber.cli`."""

from __future__ import annotations

import sys

from fiber.cli.main import main

sys.exit(main())
