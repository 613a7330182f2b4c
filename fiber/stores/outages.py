"""What layers do when the store that they use fails: count it, and tell of it once in a while."""

from __future__ import annotations

from threading import Lock

from fiber._chain import Call
from fiber.transports.base import wall

_QUIET_SECONDS = 60.0
"""So long nothing is told of a store that goes on failing."""


class Outages:
    """
    Failures of one store.

    Args:
        event: What is told of them.

    Attributes:
        count: How many there were.
    """

    def __init__(self, event: str) -> None:
        self.count = 0
        self._event = event
        self._lock = Lock()
        self._quiet_until = 0.0

    def add(self, call: Call, error: Exception) -> None:
        """Count *error*, which *call* met."""
        now = wall(call.transport)
        with self._lock:
            self.count += 1
            is_first = now >= self._quiet_until
            self._quiet_until = now + _QUIET_SECONDS if is_first else self._quiet_until
        if is_first:
            call.tell(self._event, error_kind=type(error).__name__)
