"""The frame of every stream decoder, over server-sent events or lines: feed, finish, one error, one end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from fiber._errors import FiberError, FiberParsingError
from fiber.adapters.assembly import Assembly, with_partial
from fiber.adapters.failures import unreadable
from fiber.adapters.keeping import COUNTED_BYTES, MAX_STREAM_BYTES, too_much
from fiber.adapters.surrogates import Rejoiner
from fiber.framing.ndjson import NDJSONDecoder
from fiber.framing.sse import MAX_EVENT_BYTES, Frame, SSEDecoder
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target


class Framing(Protocol):
    """What cuts a body into frames; `stray` is what it has that belongs to none."""

    stray: bytes

    def feed(self, chunk: bytes) -> list[Frame]: ...

    def finish(self) -> list[Frame]: ...


class FramedDecoder(ABC):
    """
    Base of the decoders; a format fills in `read` and, where the end needs judging, `at_eof`.

    `read` tells the assembly what a frame says. It sets `done` (by `self.complete()`) at the terminal marker and
    `error` (by `self.fail()`) at an in-band error.
    """

    max_event_bytes: ClassVar[int] = MAX_EVENT_BYTES
    """Longest event; formats that carry pictures in one event set more."""
    is_json: ClassVar[bool] = True
    """Frames are JSON, where a character may be escaped in halves; in plain text a backslash is one."""

    def __init__(self, head: HTTPHead, target: Target) -> None:
        self.head = head
        self.target = target
        self.assembly = Assembly(head, target)
        self.error: FiberError | None = None
        self.done = False
        self._frames = self.framing()
        self._rejoiner = Rejoiner()
        self._joined = self._rejoiner.feed if self.is_json else _unchanged
        self._uncounted = 0

    @abstractmethod
    def framing(self) -> Framing:
        """Make what cuts the body into frames."""

    @abstractmethod
    def read(self, event: str, data: bytes) -> None:
        """Take one frame; a `FiberError` raised here becomes `error`."""

    def at_eof(self) -> str | None:
        """
        Judge the end of the body when no terminal marker came.

        Returns:
            None when the answer is whole all the same, else why it is not.
        """
        if self.assembly.finished:
            self.assembly.warnings.append("The stream had no terminal marker; its finish reason was taken as the end.")
            return None
        if self.target.quirks.terminal == "eof" and not self.assembly.empty:
            self.assembly.warnings.append(
                "This server sends no terminal marker; the end of the body was taken as the end."
            )
            return None
        return "no finish reason and no terminal marker came" if self.assembly.started else "it was empty"

    def stray(self, data: bytes) -> FiberError | None:
        """Read lines outside the format (some servers end with a bare JSON error); None when they say nothing."""
        return None

    def forget_text(self) -> None:
        """Give the text out in events, and do not keep it for the result."""
        self.assembly.forgets_text = True
        self.assembly.warnings.append("The text was given out and not kept, as forget_text asks.")

    def complete(self) -> None:
        """The terminal marker was seen."""
        self.done = True
        self.assembly.end()

    def fail(self, error: FiberError) -> None:
        """An in-band error was seen."""
        self.error = with_partial(error, self.assembly.result(whole=False))

    def cut(self, why: str) -> None:
        """The stream ended before it was complete."""
        self.error = self.assembly.interrupted(why)

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Take the next bytes, return the events they complete."""
        if self.done or self.error is not None:
            return []
        try:
            frames = self._frames.feed(chunk)
        except FiberParsingError as error:
            self.fail(self._named(error))
            return self.assembly.take()
        self._read_all(self._joined(frames))
        self._uncounted += len(chunk)
        if self._uncounted >= COUNTED_BYTES:
            self._hold_to_limit()
        return self.assembly.take()

    def finish(self) -> list[StreamEvent]:
        """The body ended: give out the last events, or set `error`."""
        if self.done or self.error is not None:
            return []
        # A last event without its empty line may be cut in half: then it is no parsing error but an early end.
        last = self._joined(self._frames.finish())
        self._read_all(last + self._rejoiner.finish(), cut=True)
        self._judge()
        return self.assembly.take()

    def _hold_to_limit(self) -> None:
        self._uncounted = 0
        if self.assembly.pack() > MAX_STREAM_BYTES and self.error is None and not self.done:
            self.fail(self._named(too_much()))

    def _judge(self) -> None:
        if self.done or self.error is not None:
            return
        if self._frames.stray and (error := self.stray(self._frames.stray)) is not None:
            self.fail(error)
        elif not self.assembly.started and _is_foreign(self._frames.stray):
            self.error = unreadable(self.head, self.target, self._frames.stray, "a body that is no event stream")
        elif (why := self.at_eof()) is None:
            self.complete()
        else:
            self.cut(why)

    def result(self) -> ChatResult:
        """Return the result so far; sealed parts only when it is whole."""
        return self.assembly.result(whole=self.done)

    def _read_all(self, frames: list[Frame], *, cut: bool = False) -> None:
        read = self.read
        for event, data in frames:
            if not data and not cut:  # a sign of life
                continue
            try:
                read(event, data)
            except FiberParsingError as error:
                if not cut:
                    self.fail(self._named(error))
            except FiberError as error:
                self.fail(self._named(error))
            if self.done or self.error is not None:
                return

    def _named(self, error: FiberError) -> FiberError:
        error.provider = error.provider or self.target.provider
        error.model = error.model or self.target.model
        error.request_id = error.request_id or self.assembly.request_id
        return error


class SSEStreamDecoder(FramedDecoder):
    """Base of the decoders over server-sent events."""

    def framing(self) -> Framing:
        """Cut the body into events."""
        return SSEDecoder(self.max_event_bytes)


class LineStreamDecoder(FramedDecoder):
    """Base of the decoders over lines of JSON."""

    def framing(self) -> Framing:
        """Cut the body into lines."""
        return NDJSONDecoder(self.max_event_bytes)


def _unchanged(frames: list[Frame]) -> list[Frame]:
    return frames


def _is_foreign(stray: bytes) -> bool:
    """Say whether lines that are no fields belong to another format, and are not one field's name cut in half."""
    line = stray.strip()
    return bool(line) and not any(name.startswith(line) for name in (b"data", b"event", b"id", b"retry"))
