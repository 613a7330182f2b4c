"""
Decode a stream: events `output` with plain text, `error`, `logs`, and `done` at the end.

Documentation: https://replicate.com/docs/topics/predictions/streaming, November 2026. Neither the prediction's id nor
what it took is told here.
"""

from __future__ import annotations

from typing import Any

from fiber._errors import FiberParsingError
from fiber.adapters.decoder import SSEStreamDecoder
from fiber.adapters.jsons import decode_any, members, text
from fiber.adapters.replicate.errors import unsuccessful
from fiber.adapters.replicate.response import SUCCEEDED

_STATES = {"error": "failed"}
"""From the reason of `done` to the state of the prediction, where the words differ."""


class ReplicateDecoder(SSEStreamDecoder):
    """The state machine of one stream."""

    is_json = False

    def read(self, event: str, data: bytes) -> None:
        """Take one event."""
        if event == "output":
            self.assembly.text(data.decode("utf-8", "replace"))
        elif event == "error":
            self.fail(unsuccessful(self.head, data, self.target, status="failed", message=_detail(data)))
        elif event == "done":
            self._end(decode_any(data), data)

    def _end(self, said: Any, data: bytes) -> None:
        reason = text(members(said).get("reason"))
        if reason:
            status = _STATES.get(reason, reason)
            self.fail(unsuccessful(self.head, data, self.target, status=status, message=""))
            return
        self.assembly.finish("stop", SUCCEEDED)  # the state that a `done` without a reason stands for
        self.complete()


def _detail(data: bytes) -> str:
    """Read `{"detail": "..."}`, or a text."""
    try:
        said = decode_any(data)
    except FiberParsingError:
        said = None
    return text(said.get("detail")) if isinstance(said, dict) else data.decode("utf-8", "replace")
