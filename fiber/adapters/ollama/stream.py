"""
Decode a stream: a line of JSON for each piece, the last of them `"done": true`.

Documentation: https://docs.ollama.com/api/streaming, read 2026-11-21. A failure is a line
`{"error": ...}` under the status 200. There are no signs of life: a model that is being loaded is
silent.
"""

from __future__ import annotations

from fiber.adapters.decoder import LineStreamDecoder
from fiber.adapters.failures import unreadable
from fiber.adapters.jsons import decode
from fiber.adapters.ollama.answer import Answer
from fiber.adapters.ollama.errors import parse_error
from fiber.adapters.ollama.schema import REPLY
from fiber.types.http import HTTPHead
from fiber.types.target import Target


class OllamaDecoder(LineStreamDecoder):
    """The state machine of one stream."""

    def __init__(self, head: HTTPHead, target: Target) -> None:
        super().__init__(head, target)
        self._answer = Answer(self.assembly)

    def read(self, event: str, data: bytes) -> None:
        """Take one line."""
        if not self.assembly.started and not data.startswith(b"{"):
            self.fail(unreadable(self.head, self.target, data, "a body that is no lines of JSON"))
            return
        reply = decode(data, REPLY)
        if reply.error:
            raise parse_error(self.head, data, self.target)
        if self._answer.read(reply):
            self.complete()
