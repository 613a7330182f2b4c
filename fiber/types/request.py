"""What a caller asks for."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Literal, TypeAlias

import msgspec

from fiber.types.messages import ChatMessage
from fiber.types.showing import masked, repr_of
from fiber.types.tools import AnyTool, ReasoningOptions, ResponseFormat, ToolChoice

OnUnsupported: TypeAlias = Literal["raise", "warn", "drop"]


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    One chat request, checked and in canonical form.

    None means "not said": the member is not sent. `0` and `False` are sent. Values are made by
    `fiber.types.options.chat_request`, which accepts every spelling and checks every range.

    Attributes:
        extra_body: Merged deeply into the body last, in the provider's own words; it wins over everything.
        extra_headers: Added to the headers; a `repr` masks the values.
        extra_query: Added to the query string.
        on_unsupported: What happens to a parameter that the target does not have.
    """

    messages: tuple[ChatMessage, ...]
    model: str = ""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    logit_bias: Mapping[str, float] | None = None
    tools: tuple[AnyTool, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning: ReasoningOptions | None = None
    user: str | None = None
    metadata: Mapping[str, str] | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    service_tier: str | None = None
    safety_settings: tuple[Mapping[str, Any], ...] | None = None
    extra_body: Mapping[str, Any] | None = None
    extra_headers: Mapping[str, str] | None = None
    extra_query: Mapping[str, str] | None = None
    on_unsupported: OnUnsupported = "raise"

    def __repr__(self) -> str:
        return repr_of(self, extra_headers=self.extra_headers and dict(masked(self.extra_headers.items())))


PARAMETERS: tuple[str, ...] = tuple(
    name
    for name in ChatRequest.__struct_fields__
    if name not in ("messages", "model", "extra_body", "extra_headers", "extra_query", "on_unsupported")
)
"""Names of the parameters that every adapter must send, map or refuse."""

_VALUES = attrgetter(*PARAMETERS)


def said(request: ChatRequest) -> list[str]:
    """Return the names of the parameters that have a value."""
    values = _VALUES(request)
    if values.count(None) == len(values):
        return []
    return [name for name, value in zip(PARAMETERS, values, strict=True) if value is not None]
