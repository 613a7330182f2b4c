"""
What the mock server is told to answer, in words that belong to no provider.

Values only: the rooms in `formats` turn them into each provider's bytes. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

End: TypeAlias = Literal["complete", "drop", "clean", "stall", "error"]
"""
How a reply ends.

`complete`: as it should; `drop`: the connection closes in mid-answer; `clean`: the HTTP message
ends properly, but the rest of the answer is missing; `stall`: nothing more comes, and the
connection stays open; `error`: the provider's error follows inside the answer, after status 200.
"""

Finish: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "refusal"]

Kind: TypeAlias = Literal[
    "bad_request",
    "bad_key",
    "permission",
    "model_not_found",
    "context_length",
    "content_filter",
    "rate_limit",
    "quota",
    "server_error",
    "overloaded",
]
"""Failures that every provider knows; each format says them with its own status, type and code."""

KINDS: frozenset[str] = frozenset(get_args(Kind))

_BY_STATUS: Mapping[int, Kind] = {
    401: "bad_key",
    402: "quota",
    403: "permission",
    404: "model_not_found",
    429: "rate_limit",
    503: "overloaded",
    529: "overloaded",
}


class Tokens(NamedTuple):
    """
    Token counts; a plain tuple of two to four numbers will do in their place.

    `input` includes `cached`, and `output` includes `reasoning`; formats that count otherwise
    convert.
    """

    input: int
    output: int
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class MockCall:
    """
    A tool call of the mock model.

    Attributes:
        arguments: An object, or a text sent as it is (to send broken JSON). Where a format carries
            arguments as an object, a text must hold one.
        id: The call's id; made up when None. Gemini sends an id only when one is given.
    """

    name: str
    arguments: Mapping[str, Any] | str = field(default_factory=dict)
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """
    A refusal in the provider's own shape.

    Attributes:
        status: HTTP status; the provider's usual one for *code* when None.
        code: A `Kind`, or a code of the provider's own; by *status* when None.
        message: The provider's usual words when None.
        retry_after: Seconds to ask for, in the header or (Gemini) in the body.
        parameter: Name of the offending parameter, where the format says it.
        headers: Further response headers.
    """

    status: int | None = None
    code: str | None = None
    _: KW_ONLY
    message: str | None = None
    retry_after: float | None = None
    parameter: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """The `Kind` that the code or else the status stands for."""
        if self.code in KINDS:
            return str(self.code)
        status = self.status or 400
        return _BY_STATUS.get(status, "server_error" if status >= 500 else "bad_request")

    @property
    def own_code(self) -> str | None:
        """The code to send literally, when it is none of the known kinds."""
        return None if self.code in KINDS else self.code


@dataclass(frozen=True, slots=True)
class Reply:
    """
    An answer of the mock model.

    Attributes:
        text: What it says; with finish reason `refusal`, what it says in refusing.
        reasoning: Visible reasoning, sent where the format has a place for it.
        tool_calls: Tools it calls, in order.
        finish_reason: By default `tool_calls` when there are calls, else `stop`.
        usage: See `Tokens`; words are counted when None.
        delay_seconds: Before the first byte; the server's setting when None.
        event_delay_seconds: Between events of a stream; the server's setting when None.
        words_per_event: Words of text in one event of a stream.
        end: See `End`.
        cut_after_events: Events sent before an *end* other than `complete`, as in a slice: -1
            leaves out the last. Half of them when None. Set alone, it means `drop`.
        error: What an *end* of `error` says; overloaded when None.
        status: HTTP status.
        headers: Further response headers.
    """

    text: str = ""
    _: KW_ONLY
    reasoning: str = ""
    tool_calls: Sequence[MockCall] = ()
    finish_reason: Finish | None = None
    usage: tuple[int, int] | tuple[int, int, int] | tuple[int, int, int, int] | None = None
    delay_seconds: float | None = None
    event_delay_seconds: float | None = None
    words_per_event: int = 2
    end: End = "complete"
    cut_after_events: int | None = None
    error: Failure | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ending(self) -> End:
        """How the reply ends, after what *cut_after_events* implies."""
        return "drop" if self.end == "complete" and self.cut_after_events is not None else self.end

    @property
    def finish(self) -> Finish:
        """Why the answer ends."""
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")


class RefusedError(Exception):
    """A request that is not valid for its format; `failure` is what the provider would answer."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure
