"""The keywords of a call that are not part of its request, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

import msgspec

from fiber._errors import FiberValidationError
from fiber.types.config import AliasOrder, CachePolicy, OpenAIAPI
from fiber.types.request import ChatRequest

_FLAGS = ("emulate_tools", "keep_raw", "forget_text", "heartbeats", "repair")


class Keywords(msgspec.Struct, frozen=True, kw_only=True):
    """What a call said beside its request; what each means is said at `fiber.types.calls.ChatOptions`."""

    alias_order: AliasOrder = "listed"
    cache_policy: CachePolicy = "off"
    idempotency_key: str = ""
    emulate_tools: bool = False
    keep_raw: bool = False
    forget_text: bool = False
    heartbeats: bool = False
    repair: bool = False


NOTHING = Keywords()
_CHECKED = frozenset(Keywords.__struct_fields__)


def checked(options: Mapping[str, Any], *, caches: bool) -> Keywords:
    """
    Return those of *options* that can be checked by themselves.

    Args:
        caches: The client has a cache.

    Raises:
        FiberValidationError: One of them is wrong.
    """
    if _CHECKED.isdisjoint(options):
        return NOTHING
    return Keywords(
        alias_order=_one_of("alias_order", options.get("alias_order") or "listed", get_args(AliasOrder)),
        cache_policy=_cache_policy(options.get("cache_policy"), caches=caches),
        idempotency_key=_idempotency_key(options.get("idempotency_key")),
        **{name: _flag(name, options.get(name) or False) for name in _FLAGS},
    )


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


def _flag(name: str, value: Any) -> bool:
    if value is not True and value is not False:
        raise FiberValidationError(f"{name} must be True or False, not {value!r}.", parameter=name, outcome="not_sent")
    return value is True


def _cache_policy(policy: Any, *, caches: bool) -> CachePolicy:
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


def _one_of(name: str, value: Any, accepted: tuple[str, ...]) -> Any:
    if value not in accepted:
        raise FiberValidationError(
            f"{name} {value!r}: use one of {', '.join(accepted)}.", parameter=name, outcome="not_sent"
        )
    return value


def _idempotency_key(key: Any) -> str:
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
