"""Whether a request fits a model, as far as the catalogue knows; what it does not know fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from fiber._errors import FiberContextLengthError
from fiber.registry.capabilities import ModelCapabilities
from fiber.registry.catalog import ModelCatalog
from fiber.registry.tokens import tokens_of
from fiber.types.content import Audio, Document, Image, Text, ToolResult
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_MEDIA = {Image: "vision", Audio: "audio", Document: "documents"}
_SAMPLING = ("temperature", "top_p", "top_k")
CHECKED = ("vision", "audio", "documents", "tools", "json_schema", "streaming")
"""What is checked before every call; for the rest adapters have rules of their own, or the model decides."""

_SURELY = 0.75
"""So many tokens each of the words below is for certain."""

_WORDS = re.compile(r"[^\W\d_]{1,16}|\d{1,3}")
"""What no tokenizer makes less than a token of, nearly: 543 recorded requests have at most 1.1 of these for a token."""

LONG_BYTES = 24_576
"""A body up to here is not looked at: it fits 8192 tokens, and of a hundred known windows one is smaller."""

_BYTES_OF_A_TOKEN = 3
"""A word has about twice as many, with the space before it; so a body with fewer fits, and is not counted."""


class Misfit(NamedTuple):
    """
    Something that a model cannot take.

    Attributes:
        parameter: What of the request: a parameter, or `messages`.
        capability: Field of `ModelCapabilities` that a model needs for it.
        least: What that field must be at least; None for one that must be true.
        why: In words.
    """

    parameter: str
    capability: str
    least: int | None
    why: str


def misfits(request: ChatRequest, model: ModelCapabilities, *, stream: bool) -> Iterator[Misfit]:
    """Say what of *request* the *model* is known not to take."""
    for parameter, capability in _asked(request, stream=stream):
        if getattr(model, capability) is False:
            yield Misfit(parameter, capability, None, f"{model.reference} has no {capability.replace('_', ' ')}")
    limit, wanted = model.max_output_tokens, request.max_tokens
    if limit is not None and wanted is not None and wanted > limit:
        yield Misfit("max_tokens", "max_output_tokens", wanted, f"{model.reference} makes at most {limit} tokens")
    room = model.max_input_tokens or model.context_tokens
    if room is not None and _surely(request) > room:
        tokens = tokens_of(request, model.model)
        why = f"they are about {tokens} tokens, and {model.reference} reads at most {room}"
        yield Misfit("messages", "max_input_tokens" if model.max_input_tokens else "context_tokens", tokens, why)


def _asked(request: ChatRequest, *, stream: bool) -> Iterator[tuple[str, str]]:
    """Return what *request* asks of a model: parameters, each with the capability it needs."""
    kinds = {type(part) for message in request.messages for part in message.parts}
    yield from (("messages", capability) for kind, capability in _MEDIA.items() if kind in kinds)
    if request.messages[-1].role == "assistant":
        yield "messages", "prefill"
    if stream:
        yield "stream", "streaming"
    yield from ((name, "sampling") for name in _SAMPLING if getattr(request, name) is not None)
    if request.tools:
        yield "tools", "tools"
    if request.tool_choice is not None and request.tool_choice.mode in ("required", "named"):
        yield "tool_choice", "forced_tools"
    if request.parallel_tool_calls:
        yield "parallel_tool_calls", "parallel_tools"
    if request.response_format is not None and request.response_format.kind == "json_schema":
        yield "response_format", "json_schema"
    if request.reasoning is not None and (request.reasoning.effort or "none") != "none":
        yield "reasoning", "reasoning"


def check_length(request: ChatRequest, target: Target, catalog: ModelCatalog, size: int) -> None:
    """
    Refuse *request*, whose body has *size* bytes, when it cannot fit into the window that the catalogue knows.

    Only what is certain is refused: words of the text are counted, and a quarter is left. Nothing is, where
    `on_unsupported` is not `raise`, or where members or headers of the caller's own may ask for another window.

    Raises:
        FiberContextLengthError: It is too long.
    """
    room = catalog.room(target.provider, target.model)
    if room is None or size <= _BYTES_OF_A_TOKEN * room or request.on_unsupported != "raise":
        return
    if (least := _surely(request)) > room:
        raise FiberContextLengthError(
            f"The messages are {least} tokens or more, and the catalogue says that {target.name} reads at most {room}:"
            ' shorten them, choose a model with a larger window, or set on_unsupported="warn" to try it.',
            provider=target.provider,
            model=target.model,
            parameter="messages",
            outcome="not_sent",
        )


def _surely(request: ChatRequest) -> int:
    """Return how many tokens *request* has at least; none where its own members may ask for another window."""
    if request.extra_body or request.extra_headers or request.extra_query:
        return 0
    return int(_SURELY * sum(_words(message.parts) for message in request.messages))


def _words(parts: Iterable[Any]) -> int:
    """Count the words of texts and of the results of tools."""
    words = 0
    for part in parts:
        if isinstance(part, Text):
            words += len(_WORDS.findall(part.text))
        elif isinstance(part, ToolResult):
            inner = part.content
            words += len(_WORDS.findall(inner)) if isinstance(inner, str) else _words(inner)
    return words
