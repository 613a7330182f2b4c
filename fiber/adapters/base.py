"""What an adapter is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from fiber._errors import FiberError
from fiber.adapters.parameters import Parameter
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead, HTTPRequest, Step
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target


class StreamDecoder(Protocol):
    """
    The state machine of one stream.

    `feed` and `finish` never raise for what a provider sent: they return the events that are good and leave the
    failure in `error`, so that nothing received before it is lost. A decoder that keeps content back has a further
    member `holds`, true when content came that no event tells yet: it feeds the timers like an event. One that can do
    without the text it gave out has a method `forget_text`, called before the first byte.

    Attributes:
        error: What went wrong, with `partial` set to the result so far; None while all is well.
        done: The terminal marker was seen and `message-end` given out; later bytes carry nothing.
    """

    error: FiberError | None
    done: bool

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Take the next bytes, return the events they complete."""
        ...

    def finish(self) -> list[StreamEvent]:
        """The body ended: return the last events, or set `error` when the answer is not whole."""
        ...

    def result(self) -> ChatResult:
        """Return the result so far; the whole one once `done`."""
        ...


class BuildRequest(Protocol):
    """Turn a request into HTTP, without credentials; raise `FiberCapabilityError` for what cannot be sent."""

    def __call__(self, request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest: ...


class ParseResponse(Protocol):
    """Decode the body of a 2xx answer; raise a `FiberError` when it is an error or does not fit."""

    def __call__(self, head: HTTPHead, body: bytes, target: Target) -> ChatResult: ...


class ParseError(Protocol):
    """Turn an answer of status 300 or above (or an in-band error) into a typed error; never raise."""

    def __call__(self, head: HTTPHead, body: bytes, target: Target) -> FiberError: ...


class Follow(Protocol):
    """
    Say where the answer is to be had, when a JSON answer of status 2xx only promises it; None when it is the answer.

    Asked again for every JSON answer of the attempt, until it returns None. Never raises: what cannot be read is None,
    and left to `parse_response`.
    """

    def __call__(self, head: HTTPHead, body: bytes, target: Target, *, stream: bool) -> Step | None: ...


class BuildCount(Protocol):
    """Turn a built chat into the request that asks how many tokens its input is; without credentials, as it was."""

    def __call__(self, chat: HTTPRequest, target: Target) -> HTTPRequest: ...


class ParseCount(Protocol):
    """Decode the body of the 2xx answer to it; raise `FiberParsingError` when there is no number in it."""

    def __call__(self, head: HTTPHead, body: bytes, target: Target) -> int: ...


@dataclass(frozen=True, slots=True)
class Counting:
    """How a format has the tokens of an input counted."""

    build: BuildCount
    parse: ParseCount


class MakeDecoder(Protocol):
    """Make the decoder of one stream."""

    def __call__(self, head: HTTPHead, target: Target) -> StreamDecoder: ...


@dataclass(frozen=True, slots=True)
class Adapter:
    """
    A wire format.

    Attributes:
        name: Folder name.
        parameters: One entry for every name in `fiber.types.request.PARAMETERS`.
        follow: For formats whose answer may take more than one exchange; None for the others.
        counting: For formats that have an endpoint which counts tokens; None for the others.
    """

    name: str
    parameters: Mapping[str, Parameter]
    build_request: BuildRequest
    parse_response: ParseResponse
    parse_error: ParseError
    stream_decoder: MakeDecoder
    follow: Follow | None = None
    counting: Counting | None = None
