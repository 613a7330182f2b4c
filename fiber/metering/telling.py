"""From a call, and what is heard of it, to business events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from msgspec.structs import asdict

from fiber._chain import Call, new_id
from fiber._reply import Ending
from fiber.transports.base import utc
from fiber.types.business import (
    BusinessEvent,
    CacheHit,
    CacheWrite,
    CallCompleted,
    CallFailed,
    CallStarted,
    EventPayload,
    EventScope,
    ProviderCall,
    TokenUsage,
)

_SCOPE = {"request_id": "request", "session_id": "session", "user_id": "user"}
"""Bound fields that say whom a call is for."""
_INSIDE: dict[str, Callable[..., EventPayload]] = {"cache_hit": CacheHit, "cache_write": CacheWrite}
"""What layers tell that is an event."""
_TOKENS = {"input_tokens": "tokens_in", "output_tokens": "tokens_out", "total_tokens": "tokens_total"}
"""Members of such an event, and how layers call them."""
_KNOWN = ("input_tokens", "output_tokens", "total_tokens", "cost_usd")
"""Members of a usage that says something."""


class Teller:
    """
    Tell of one call; an observer of what happens inside it.

    Args:
        owner: Whose it is.
        put: Takes what is told.
    """

    __slots__ = ("_event", "_put", "_transport", "owner")

    def __init__(self, owner: object, call: Call, put: Callable[[BusinessEvent], None]) -> None:
        self.owner = owner
        self._transport = call.transport
        bound = call.context
        self._event = partial(
            BusinessEvent,
            call_id=call.journal.id,
            scope=EventScope(
                **{word: str(bound[name]) for name, word in _SCOPE.items() if bound.get(name) is not None}
            ),
            label=call.label,
            metadata={name: value for name, value in bound.items() if name not in _SCOPE},
        )
        self._put = put

    def __call__(self, call: Call, event: str, facts: Mapping[str, Any]) -> None:
        if (kind := _INSIDE.get(event)) is not None:
            tokens = {name: facts.get(said) for name, said in _TOKENS.items()}
            self.tell(kind(provider=call.target.provider, model=call.target.model, **tokens))

    def tell(self, payload: EventPayload) -> None:
        """Tell *payload*, now."""
        told = utc(self._transport)
        self._put(self._event(event_id=new_id(), timestamp=told, payload=payload))


def started(call: Call) -> EventPayload:
    """Return what is told when *call* begins."""
    target = call.target
    return CallStarted(
        provider=target.provider,
        model=target.model,
        operation=call.operation.name,
        stream=call.stream,
        alias=call.alias,
    )


def ended(call: Call, ending: Ending) -> list[EventPayload]:
    """
    Return what is told when *call* has ended: its attempts, what it used up, and how it ended.

    Attempts are told only now, for until then one that began well may still break.
    """
    attempts, usage = call.journal.attempts, ending.usage
    provider, model = call.target.key if not attempts else (attempts[-1].provider, attempts[-1].model)
    told: list[EventPayload] = [ProviderCall(**asdict(attempt)) for attempt in attempts]
    if usage is not None and any(getattr(usage, name) is not None for name in _KNOWN):
        told.append(TokenUsage(provider=provider, model=model, **asdict(usage)))
    return [*told, _outcome(call, ending, provider, model)]


def _outcome(call: Call, ending: Ending, provider: str, model: str) -> EventPayload:
    journal, error = call.journal, ending.error
    seconds = call.transport.now() - journal.started
    if ending.outcome == "complete":
        return CallCompleted(
            provider=provider,
            model=model,
            seconds=seconds,
            first_event_seconds=None if journal.first_event is None else journal.first_event - journal.started,
            attempts=len(journal.attempts),
            finish_reason=ending.finish_reason,
            cached=ending.cached,
            request_id=ending.request_id,
        )
    return CallFailed(
        provider=provider,
        model=model,
        seconds=seconds,
        attempts=len(journal.attempts),
        outcome=ending.outcome,
        error_kind=None if error is None else type(error).__name__,
        http_status=getattr(error, "status_code", None),
        reason=getattr(error, "provider_code", None),
    )
