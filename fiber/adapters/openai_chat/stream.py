"""Streams: server-sent events of chunks, ended by `data: [DONE]`."""

from __future__ import annotations

from fiber._errors import FiberError, FiberParsingError
from fiber.adapters import jsons
from fiber.adapters.decoder import SSEStreamDecoder
from fiber.adapters.failures import unreadable
from fiber.adapters.openai_chat.answer import Answer
from fiber.adapters.openai_chat.errors import error_of, parse_error
from fiber.adapters.openai_chat.response import says_error
from fiber.adapters.openai_chat.schema import CHUNK
from fiber.types.http import HTTPHead
from fiber.types.target import Target


class OpenAIChatDecoder(SSEStreamDecoder):
    """
    The state machine of one stream.

    A chunk brings pieces of choices, or usage, or an error at any moment. Nothing but `[DONE]` ends
    the stream early: usage comes after the finish reason, and audio after the usage.

    Source: https://platform.openai.com/docs/api-reference/chat-streaming, read 2026-11-20.
    """

    def __init__(self, head: HTTPHead, target: Target) -> None:
        super().__init__(head, target)
        self._answer = Answer(self.assembly)

    def read(self, event: str, data: bytes) -> None:
        """Take one frame."""
        if not data.startswith(b"{"):
            data = data.strip()
            if not data:
                return
            if data.startswith(b"[DONE]"):
                if not self._answer.begun:
                    why = "a stream without an answer"
                    raise unreadable(self.head, self.target, data, why)
                self.complete()
                return
        if event == "error" or data.startswith(b"["):
            raise parse_error(self.head, data, self.target)
        if self._answer.read_words(data):
            return
        chunk = jsons.decode(data, CHUNK)
        if says_error(chunk):
            self._answer.read(chunk, whole=False)  # it may bring a last piece, or the usage so far
            raise parse_error(self.head, data, self.target)
        self._answer.read(chunk, whole=False)
        for choice in chunk.choices or ():
            if choice.error:
                raise error_of({"error": choice.error}, self.head, data, self.target)

    def complete(self) -> None:
        """The answer is whole: seal it and give out the last events."""
        self._answer.close()
        super().complete()

    def stray(self, data: bytes) -> FiberError | None:
        """
        Read a body that is no event stream: an error, or a whole reply from a server that does not
        stream.
        """
        try:
            reply = jsons.decode(data, CHUNK)
        except FiberParsingError:
            return None
        if says_error(reply):
            return parse_error(self.head, data, self.target)
        self._answer.read(reply, whole=True)
        return None
