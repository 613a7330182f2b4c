"""Keywords of a call, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from fiber._errors import FiberValidationError
from fiber.types.config import AliasOrder, CachePolicy, OpenAIAPI
from fiber.types.request import ChatRequest


def check_repair(request: ChatRequest, *, stream: bool) -> None:
    """Raise when *request* has nothing that could be repaired."""
    wanted = request.response_format
    if stream:
        why = "has no place in a stream, whose answer is given out before it can be checked: call chat()"
    elif wanted is None or wanted.kind == "text":
        why = "needs an answer that can be checked: say response_format=..."
    else:
        return
    raise FiberValidationError(f"repair {why}, or leave repair out.", parameter="repair", outcome="not_sent")


def flag(options: Mapping[str, Any], name: str) -> bool:
    """Return the switch *name* of *options*; False when it was not said."""
    value = options.get(name) or False
    if value is not True and value is not False:
        raise FiberValidationError(f"{name} must be True or False, not {value!r}.", parameter=name, outcome="not_sent")
    return value


def cache_policy(options: Mapping[str, Any], *, caches: bool) -> CachePolicy:
    """Return what a call does with the cache; anything but nothing needs a client that *caches*."""
    policy = options.get("cache_policy")
    if policy is None or policy == "off":
        return "off"
    _one_of("cache_policy", policy, get_args(CachePolicy))
    if not caches:
        raise FiberValidationError(
            "This client has no cache: make it with Fiber(cache=Cache()), or leave cache_policy out.",
            parameter="cache_policy",
            outcome="not_sent",
        )
    return cast(CachePolicy, policy)


def openai_api(said: Any) -> OpenAIAPI:
    """Return which API of OpenAI is asked; Chat Completions when nothing was *said*."""
    return cast(OpenAIAPI, _one_of("openai_api", "chat" if said is None else said, get_args(OpenAIAPI)))


def alias_order(options: Mapping[str, Any]) -> AliasOrder:
    """Return which model of an alias is asked first."""
    return cast(AliasOrder, _one_of("alias_order", options.get("alias_order") or "listed", get_args(AliasOrder)))


def _one_of(name: str, value: Any, accepted: tuple[str, ...]) -> Any:
    if value not in accepted:
        raise FiberValidationError(
            f"{name} {value!r}: use one of {', '.join(accepted)}.", parameter=name, outcome="not_sent"
        )
    return value


def idempotency_key(options: Mapping[str, Any]) -> str:
    """Return the idempotency key of *options*; empty when there is none."""
    key = options.get("idempotency_key")
    if key is None:
        return ""
    if not isinstance(key, str) or not key or not (key.isascii() and key.isprintable()):
        # Not quoted: it may be anything that was meant for a header.
        raise FiberValidationError(
            "idempotency_key must be a string of printable ASCII characters.",
            parameter="idempotency_key",
            outcome="not_sent",
        )
    return key
