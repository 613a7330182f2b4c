"""The keywords of a chat call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from fiber.types.config import AliasOrder, CachePolicy, Timeouts
from fiber.types.request import OnUnsupported
from fiber.types.tools import AnyTool, ReasoningOptions, ResponseFormat, ToolChoice


class RequestOptions(TypedDict, total=False):
    """
    Keywords that end in the provider's request; None means "not said".

    `tools` takes `Tool`, `ServerTool`, `Opaque`, OpenAI-shaped dicts and typed functions; `tool_choice` takes `auto`,
    `none`, `required` or a tool's name; `response_format` takes `text`, `json_object`, a JSON Schema or a type;
    `reasoning` takes an effort, a number of tokens or `ReasoningOptions`.
    """

    model: str | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    max_tokens: int | None
    stop: str | Sequence[str] | None
    seed: int | None
    frequency_penalty: float | None
    presence_penalty: float | None
    n: int | None
    logprobs: bool | None
    top_logprobs: int | None
    logit_bias: Mapping[str, float] | None
    tools: Iterable[AnyTool | Mapping[str, Any] | Callable[..., Any]] | None
    tool_choice: str | ToolChoice | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    response_format: str | ResponseFormat | Mapping[str, Any] | type[Any] | None
    reasoning: str | int | ReasoningOptions | Mapping[str, Any] | None
    user: str | None
    metadata: Mapping[str, str] | None
    store: bool | None
    previous_response_id: str | None
    service_tier: str | None
    safety_settings: Sequence[Mapping[str, Any]] | None
    extra_body: Mapping[str, Any] | None
    extra_headers: Mapping[str, str] | None
    extra_query: Mapping[str, str] | None
    on_unsupported: OnUnsupported | None


class ChatOptions(RequestOptions, total=False):
    """
    All keywords of a chat call.

    `provider` overrules routing; `emulate_tools` tells tools in words to a model that has none of its own;
    `profile` chooses the profile of the lockfile in which aliases are looked up;
    `alias_order` says which model of an alias is asked first: the one `listed` first, or the cheapest (`cost`);
    `fallback` names models to ask when the first fails, in order;
    `repair` asks once more for JSON that does not fit;
    `cost_ceiling_usd` and `token_budget` refuse a call that could cost or use more, before it is sent;
    `cache_policy` says what the client's cache does: `off`, `read_through`, `write_through` or `refresh`;
    `keep_raw` keeps the bytes of a stream in the result's `body`;
    `forget_text` gives the text of a stream out without keeping it, for streams of any length;
    `heartbeats` has a stream tell that the provider is alive;
    `idempotency_key` is sent with every attempt, to providers that document a header for it;
    `timeout` is the total in seconds, or all `Timeouts`;
    `label` and `context` reach logs and spans, never the provider.
    """

    provider: str | None
    profile: str | None
    alias_order: AliasOrder | None
    cache_policy: CachePolicy | None
    cost_ceiling_usd: Decimal | float | str | None
    token_budget: int | None
    fallback: Sequence[str] | None
    emulate_tools: bool | None
    idempotency_key: str | None
    timeout: float | Timeouts | None
    label: str | None
    context: Mapping[str, Any] | None
    keep_raw: bool | None
    forget_text: bool | None
    heartbeats: bool | None
    repair: bool | None


class RawOptions(TypedDict, total=False):
    """
    Keywords of a raw exchange: a body as value (`json`) or as bytes (`content`), headers, and the query (`params`).

    `timeout` is the total in seconds, or all `Timeouts`.
    """

    json: Any
    content: bytes | None
    headers: Mapping[str, str] | None
    params: Mapping[str, str] | None
    timeout: float | Timeouts | None


KNOWN = frozenset(ChatOptions.__annotations__)
"""All keywords of a chat call."""

CALL_OPTIONS = KNOWN - RequestOptions.__annotations__.keys()
"""Keywords of a call that are not part of the request."""

KNOWN_RAW = frozenset(RawOptions.__annotations__)
"""All keywords of a raw exchange."""
