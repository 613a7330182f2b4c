"""
Streams: `data:` lines with a reply each, and no terminal marker.

What tells a whole stream from a cut one is the `finishReason` of every candidate: the body may end
once it is there (a last chunk with only the usage may still follow). Without `alt=sse`, which some
proxies lose, the body is one JSON array, and an error may come as bare JSON behind the events.

Documentation: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent.
Facts as of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

from fiber._errors import FiberError, FiberParsingError
from fiber.adapters.decoder import SSEStreamDecoder
from fiber.adapters.gemini.errors import error_of
from fiber.adapters.gemini.reading import Reader
from fiber.adapters.gemini.schema import replies
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target

MAX_EVENT_BYTES = 64 * 1024 * 1024
"""A picture comes as base64 in one event; large ones are above the general limit of 4 MiB."""


class GeminiStreamDecoder(SSEStreamDecoder):
    """Decoder of one stream."""

    max_event_bytes = MAX_EVENT_BYTES

    def __init__(self, head: HTTPHead, target: Target) -> None:
        super().__init__(head, target)
        self._reader = Reader(self.assembly)
        self._started = False
        self._bare: list[bytes] | None = None
        self._size = 0
        self._ending = False
        self._torn = False

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Take the next bytes; a body that is bare JSON is only kept, for `finish` to read."""
        if not self._started and (start := chunk.lstrip()):
            self._started = True
            if start[:1] in (b"[", b"{"):
                self._bare = []
        if self._bare is None:
            return super().feed(chunk)
        self._size += len(chunk)
        if self.error is None and self._size > MAX_EVENT_BYTES:
            words = f"The answer is longer than {MAX_EVENT_BYTES} bytes."
            self.fail(self._named(FiberParsingError(words, outcome="unknown")))
        elif self.error is None:
            self._bare.append(chunk)
        return []

    def finish(self) -> list[StreamEvent]:
        """The body ended."""
        self._ending = True
        if self._bare is not None and self.error is None and not self.done:
            body, self._bare = b"".join(self._bare), None
            try:
                self.read("", body)
            except FiberParsingError:
                pass  # cut off: `read` remembers it
            except FiberError as error:
                self.fail(self._named(error))
        return super().finish()

    def read(self, event: str, data: bytes) -> None:
        """Take one event; its name, which Google never gives, does not matter."""
        if data.strip() in (b"", b"[DONE]"):
            # A proxy's heartbeat or end mark; at the end of the body it is a line that was cut off.
            self._torn = self._ending and not data.strip()
            return
        if self._reader.take_words(data):
            return
        try:
            pieces = replies(data)
        except FiberParsingError:
            self._torn = True
            raise
        for reply in pieces:
            if reply.error is not None:
                raise error_of({"error": reply.error}, self.head, data, self.target)
            self._reader.take(reply)

    def at_eof(self) -> str | None:
        """The stream is whole when every candidate said why it ended, or the prompt was blocked."""
        self._reader.settle()
        if self._torn:
            # Older models say STOP in every event, so a finish reason alone proves nothing.
            return "its last event is cut off"
        return None if self.assembly.finished else super().at_eof()

    def stray(self, data: bytes) -> FiberError | None:
        """Read bare JSON behind the events: an error, or something cut off."""
        if data.lstrip()[:1] not in (b"{", b"["):
            last = data.strip().rpartition(b"\n")[2]
            self._torn = self._torn or (last != b"" and b"data".startswith(last))
            return None
        try:
            self.read("", data)
        except FiberParsingError:
            return None  # cut off: `read` remembers it
        except FiberError as error:
            return self._named(error)
        return None

    def fail(self, error: FiberError) -> None:
        """An error was seen; what was counted so far goes with it."""
        self._reader.settle()
        super().fail(error)

    def result(self) -> ChatResult:
        """Return the result so far."""
        self._reader.settle()
        return super().result()


def stream_decoder(head: HTTPHead, target: Target) -> GeminiStreamDecoder:
    """Make the decoder of one stream."""
    return GeminiStreamDecoder(head, target)
