"""What a call gives back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias, TypeVar, overload

import msgspec

from fiber._errors import FiberParsingError
from fiber.types.content import Opaque, ToolCall
from fiber.types.jsons import parse_json
from fiber.types.limits import RateLimits, rate_limits
from fiber.types.messages import ChatMessage
from fiber.types.receipt import Receipt, Usage
from fiber.types.showing import repr_of, size_of

T = TypeVar("T")

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "content_filter", "refusal", "error", "other"]


class TokenLogprob(msgspec.Struct, frozen=True, omit_defaults=True):
    """Natural-log probability of one output token, with the alternatives that were asked for."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top: tuple[TokenLogprob, ...] = ()


class Citation(msgspec.Struct, frozen=True, kw_only=True, tag="citation", tag_field="type", omit_defaults=True):
    """
    A source of a piece of the answer; also the stream event that brings it.

    Attributes:
        start, end: Offsets into the answer's text or the document as the provider counts them; see `native`.
        cited_text: Words of the source.
        native: The provider's own record.
    """

    url: str | None = None
    title: str | None = None
    cited_text: str | None = None
    file_id: str | None = None
    document_index: int | None = None
    start: int | None = None
    end: int | None = None
    index: int = 0
    native: Opaque | None = None

    @property
    def type(self) -> str:
        """The event's tag."""
        return "citation"


class Choice(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer; there are several only when `n` was above 1."""

    index: int = 0
    message: ChatMessage = ChatMessage("assistant")
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None

    @property
    def text(self) -> str:
        """All text of the answer."""
        return self.message.text

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls of the answer, in order."""
        return self.message.tool_calls


class ChatResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    A decoded answer.

    Attributes:
        choices: The answers; `text`, `message`, `tool_calls` and so on are those of the first.
        usage: Token counts.
        model: Model as the provider named it.
        provider: Row that answered.
        request_id: The provider's request id.
        response_id: The provider's id of the answer, for `previous_response_id`.
        citations: Sources, in order of appearance.
        parsed: The answer as a value, when `response_format` asked for JSON and the answer is whole.
        json_member: Member of the JSON object in `text` that holds the value asked for, where the provider gives
            objects only; empty when the text is the value.
        cached: Came from a cache of ours.
        warnings: What was dropped, changed or assumed, in words.
        receipt: What the call took.
        body: The provider's answer, unmodified; of a stream only with `keep_raw`. A `repr` shows only its length.
        headers: Response headers, lower-case; cookies removed.
    """

    choices: tuple[Choice, ...] = (Choice(),)
    usage: Usage = Usage()
    model: str = ""
    provider: str = ""
    request_id: str | None = None
    response_id: str | None = None
    citations: tuple[Citation, ...] = ()
    parsed: Any = None
    json_member: str = ""
    cached: bool = False
    warnings: tuple[str, ...] = ()
    receipt: Receipt = Receipt()
    body: bytes = b""
    headers: Mapping[str, str] = {}

    def __repr__(self) -> str:
        return repr_of(self, body=size_of(self.body))

    @property
    def rate_limits(self) -> RateLimits | None:
        """The typed rate-limit headers; None when the provider sends none."""
        return rate_limits(self.headers)

    @property
    def message(self) -> ChatMessage:
        """The answer, to append to the history as it is."""
        return self.choices[0].message

    @property
    def text(self) -> str:
        """All text of the answer; empty when the model only calls tools."""
        return self.choices[0].message.text

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return self.choices[0].message.tool_calls

    @property
    def reasoning(self) -> str:
        """Visible reasoning, joined; never part of `text`."""
        return self.choices[0].message.reasoning

    @property
    def finish_reason(self) -> FinishReason | None:
        """Why the answer ended, in the words of this library; None when the provider did not say."""
        return self.choices[0].finish_reason

    @property
    def raw_finish_reason(self) -> str | None:
        """Why the answer ended, in the provider's words."""
        return self.choices[0].raw_finish_reason

    @property
    def logprobs(self) -> tuple[TokenLogprob, ...] | None:
        """Token probabilities of the answer, when asked for and given."""
        return self.choices[0].logprobs

    @property
    def latency_ms(self) -> float | None:
        """Milliseconds of the whole call."""
        return None if self.receipt.seconds is None else self.receipt.seconds * 1000

    @property
    def raw(self) -> Any:
        """
        The provider's JSON, decoded from `body`; None when there is no body.

        Raises:
            FiberParsingError: The body is not JSON; that of a stream is frames, to be read from `body`.
        """
        if not self.body.strip():
            return None
        try:
            return msgspec.json.decode(self.body)
        except (ValueError, RecursionError):
            pass
        try:
            # As tolerant as the adapters were: a lone surrogate, invalid UTF-8, a byte-order mark, NaN.
            return json.loads(self.body.decode("utf-8-sig", "replace"))
        except (ValueError, RecursionError) as error:
            raise FiberParsingError(f"The provider's answer is not JSON: {error}. See result.body.") from None

    @overload
    def json(self, *, lenient: bool = False) -> Any: ...
    @overload
    def json(self, parse: type[T], *, lenient: bool = False) -> T: ...
    @overload
    def json(self, parse: Mapping[str, Any], *, lenient: bool = False) -> Any: ...
    def json(self, parse: Any = None, *, lenient: bool = False) -> Any:
        """
        Decode the text of the answer as JSON; the value in `json_member`, where there is one.

        Args:
            parse: A msgspec Struct, dataclass, TypedDict, builtin generic or pydantic model to make of it; or a JSON
                Schema as dict that it must conform to, which needs the extra `jsonschema`.
            lenient: Also take JSON in a code fence or in prose, with trailing commas: the first object or array that
                fits *parse*.

        Raises:
            FiberParsingError: The text is not JSON, or does not fit *parse*; or the extra is missing.
            FiberValidationError: The JSON Schema cannot be used.
        """
        return parse_json(self.text, parse, lenient=lenient, member=self.json_member)
