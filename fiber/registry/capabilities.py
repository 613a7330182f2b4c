"""What is known about one model, and which models meet requirements."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

import msgspec

from fiber._errors import FiberValidationError
from fiber.registry.entries import Entry
from fiber.types.numbers import is_number

Order: TypeAlias = Literal["cost", "context", "output"]


class ModelCapabilities(msgspec.Struct, frozen=True, kw_only=True):
    """
    One model; None is unknown, and never a guess.

    Attributes:
        kind: `chat`, or `embedding`, `rerank`, `completion`, `image_generation`, ..., or `other`.
        context_tokens: Input and output together, where that is told beside the two.
        vision, audio, video, documents: It reads images, sound, film, PDF.
        audio_output: It speaks.
        forced_tools: `tool_choice` may require a call, or name a tool.
        json_schema: It holds to a JSON Schema.
        reasoning, reasoning_always: It can think; it cannot do without.
        caching: It reads prompts from a cache.
        web_search, computer_use: The provider has such a tool for it.
        sampling: It takes temperature and the like.
        prefill: It goes on from a last message of the assistant.
        streaming: It streams.
        input_usd, output_usd: USD per million tokens, standard tier, short prompt, on the day that was asked for.
        deprecated: The provider says so.
        shutdown: Day on which the provider ends it.
    """

    provider: str
    model: str
    name: str = ""
    kind: str = "chat"
    context_tokens: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    vision: bool | None = None
    audio: bool | None = None
    audio_output: bool | None = None
    video: bool | None = None
    documents: bool | None = None
    tools: bool | None = None
    parallel_tools: bool | None = None
    forced_tools: bool | None = None
    json_schema: bool | None = None
    reasoning: bool | None = None
    reasoning_always: bool | None = None
    caching: bool | None = None
    web_search: bool | None = None
    computer_use: bool | None = None
    sampling: bool | None = None
    prefill: bool | None = None
    streaming: bool | None = None
    input_usd: Decimal | None = None
    output_usd: Decimal | None = None
    deprecated: bool | None = None
    shutdown: date | None = None

    @property
    def reference(self) -> str:
        """`provider:model`, as calls take it."""
        return f"{self.provider}:{self.model}"


_WORDS = ("provider", "kind")
_MOST = ("input_usd", "output_usd")
_LEAST = ("context_tokens", "max_input_tokens", "max_output_tokens")
FLAGS = tuple(
    name
    for name, said in ModelCapabilities.__annotations__.items()
    if str(said) == "bool | None" and name != "deprecated"
)
"""Names of capabilities that a model has or has not."""
REQUIREMENTS = (*_WORDS, *_LEAST, *_MOST, *FLAGS, "deprecated")


def described(provider: str, model: str, entry: Entry, usd: Mapping[str, Decimal]) -> ModelCapabilities:
    """Return *entry* as a value, with standard rates *usd*."""
    can, cannot = entry.can.split(), entry.cannot.split()
    flags = {name: True if name in can else False if name in cannot else None for name in FLAGS}
    return ModelCapabilities(
        provider=provider,
        model=model,
        name=entry.name or model,
        kind=entry.kind or "chat",
        context_tokens=entry.context or entry.max_input,
        max_input_tokens=entry.max_input,
        max_output_tokens=entry.max_output,
        input_usd=usd.get("input"),
        output_usd=usd.get("output"),
        deprecated=entry.deprecated or None,
        shutdown=entry.shutdown,
        **flags,
    )


def meets(model: ModelCapabilities, requirements: Mapping[str, Any]) -> bool:
    """Say whether *model* is known to meet all *requirements*; False is met by what is unknown too."""
    for name, wanted in requirements.items():
        value = getattr(model, name)
        if name in _LEAST:
            met = value is not None and value >= wanted
        elif name in _MOST:
            met = value is not None and value <= wanted
        elif wanted is False:
            met = not value
        else:
            met = value == wanted
        if not met:
            return False
    return True


def checked(requirements: Mapping[str, Any]) -> Mapping[str, Any]:
    """
    Return *requirements*, exact.

    Raises:
        FiberValidationError: A name is not known, or a value has the wrong type.
    """
    exact = {}
    for name, wanted in requirements.items():
        known(name, REQUIREMENTS)
        number = is_number(wanted) or isinstance(wanted, Decimal)
        if name in _WORDS:
            fits = isinstance(wanted, str)
        else:
            fits = number if name in (*_LEAST, *_MOST) else isinstance(wanted, bool)
        if not fits:
            raise FiberValidationError(
                f"The requirement {name!r} cannot be {wanted!r}: say"
                f" {'a name' if name in _WORDS else 'a number' if name in (*_LEAST, *_MOST) else 'True or False'}.",
                parameter=name,
                outcome="not_sent",
            )
        exact[name] = Decimal(str(wanted)) if name in _MOST else wanted
    return exact


def known(name: str, names: Iterable[str]) -> None:
    """
    Check a name of a capability.

    Raises:
        FiberValidationError: It is none of *names*.
    """
    if name not in names:
        near = get_close_matches(name, names, 1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise FiberValidationError(
            f"{name!r} is no known capability: use one of {', '.join(sorted(names))}.{hint}",
            parameter=name,
            outcome="not_sent",
        )


def ranked(models: Iterable[ModelCapabilities], order: Order) -> list[ModelCapabilities]:
    """
    Sort *models*, best first: by `cost` the cheapest, by `context` and `output` the largest; the unknown come last.

    Cost is that of three tokens of input for one of output, about what chats have.
    """

    def rank(model: ModelCapabilities) -> tuple[bool, Decimal, str]:
        value: Decimal | int | None
        if order == "cost":
            value = None
            if model.input_usd is not None and model.output_usd is not None:
                value = 3 * model.input_usd + model.output_usd
        elif order == "context":
            value = None if model.max_input_tokens is None else -model.max_input_tokens
        else:
            value = None if model.max_output_tokens is None else -model.max_output_tokens
        return value is None, Decimal(value or 0), model.reference

    if order not in ("cost", "context", "output"):
        raise FiberValidationError(
            f"order must be 'cost', 'context' or 'output', not {order!r}.", parameter="order", outcome="not_sent"
        )
    return sorted(models, key=rank)
