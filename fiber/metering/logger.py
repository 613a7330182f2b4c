"""The logger of all lines, which stays silent until the host sets up a handler."""

from __future__ import annotations

import logging

LOGGER = logging.getLogger("fiber")
_SILENT = logging.NullHandler()
LOGGER.addHandler(_SILENT)


def is_heard(level: int) -> bool:
    """Say whether anybody writes a line of *level*: a host that set up no handler shall not pay for making it."""
    return LOGGER.isEnabledFor(level) and (LOGGER.handlers != [_SILENT] or bool(logging.root.handlers))
