"""The frame of stream decoders over the binary event stream of AWS; what events mean is said by the format."""

from __future__ import annotations

from base64 import b64decode

import msgspec

from fiber._errors import FiberError, FiberParsingError
from fiber.adapters import jsons
from fiber.adapters.aws_errors import parse_exception
from fiber.adapters.decoder import SSEStreamDecoder
from fiber.adapters.failures import unreadable
from fiber.framing.event_stream import EventStreamDecoder, Message
from fiber.framing.sse import Frame
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead
from fiber.types.target import Target

CONTENT_TYPE = "application/vnd.amazon.eventstream"


class EventStreamed(SSEStreamDecoder):
    """
    Put before a decoder over server-sent events, it feeds that from an event stream.

    Each event is read as a frame of its type and payload; a message that is no event is the stream's error.
    """

    def __init__(self, head: HTTPHead, target: Target) -> None:
        super().__init__(head, target)
        self._messages = EventStreamDecoder()
        self._taken = False

    def frame_of(self, message: Message) -> Frame:
        """Return the frame that an event stands for; a `FiberError` raised here becomes `error`."""
        return Frame(str(message.headers.get(":event-type", "")), message.payload)

    def _is_over(self) -> bool:
        return self.done or self.error is not None

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Take the next bytes, return the events they complete."""
        if self._is_over():
            return []
        for message in self._messages.feed(chunk):
            self._take(message)
            if self._is_over():
                return self.assembly.take()
        if (broken := self._messages.failure) is not None:
            self._break(broken if self._taken else self._foreign())
        return self.assembly.take()

    def finish(self) -> list[StreamEvent]:
        """The body ended: give out the last events, or set `error`."""
        if self._is_over():
            return []
        self._read_all(self._rejoiner.finish())
        if self._messages.finish():
            self._judge()
        elif not self._is_over():
            self.cut("it ended within a message")
        return self.assembly.take()

    def _take(self, message: Message) -> None:
        self._taken = True
        try:
            if message.headers.get(":message-type", "event") != "event":
                raise parse_exception(self.head, message, self.target)
            self._read_all(self._rejoiner.feed([self.frame_of(message)]))
        except FiberError as error:
            self._break(error)

    def _break(self, error: FiberError) -> None:
        """Nothing more can be read: what was held back comes first."""
        self._read_all(self._rejoiner.finish())
        if not self._is_over():
            self.fail(self._named(error))

    def _foreign(self) -> FiberError:
        return unreadable(self.head, self.target, self._messages.stray, "a body that is no event stream")


class Chunked(EventStreamed):
    """
    Events that carry a vendor's own event as base64, as `InvokeModelWithResponseStream` sends them.

    Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_PayloadPart.html, read 2026-11-21.
    """

    def frame_of(self, message: Message) -> Frame:
        """Unpack `{"bytes": ...}`."""
        return Frame("", unpacked(message.payload))


class _Part(msgspec.Struct):
    bytes: str = ""


_PART = msgspec.json.Decoder(_Part)


def unpacked(payload: bytes) -> bytes:
    """
    Return the vendor's event in the payload of a chunk.

    Raises:
        FiberParsingError: There is none.
    """
    try:
        return b64decode(_PART.decode(payload).bytes, validate=True)
    except ValueError:
        raise FiberParsingError(
            "A chunk of the event stream does not fit its format.",
            raw_response=jsons.excerpt(payload),
            outcome="unknown",
        ) from None
