"""
The next key of a pool, when one is refused for itself.

The keys are used in turn. One that the provider refuses rests for a while, and the next one that does not is asked at
once, within the same attempt of the retry layer: so each key is asked at most once in it. What is the provider's
trouble, and not the key's, is raised, for another key would meet the same.
"""

from __future__ import annotations

import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from fiber._chain import Call, Handler
from fiber._errors import FiberAuthError, FiberError, FiberQuotaError, FiberRateLimitError
from fiber._reply import EndCallback, Ending, Reply
from fiber.providers.keys import KeyPool

REFUSALS = (FiberRateLimitError, FiberQuotaError, FiberAuthError)
"""What is said of a key, and not of the provider or the request."""

_SHORT_SECONDS, _LONG_SECONDS, _LONGEST_SECONDS = 5.0, 300.0, 3600.0
"""How long a key rests after a rate limit, and after other refusals, when nobody says; and the most that is obeyed."""

_SOON_SECONDS = 0.001
"""A key that is free so soon is free: a wait until that moment may be over a rounding error before it."""

_MANY_POOLS = 1024
"""So many turns are kept; models may be named by users."""


@dataclass(frozen=True, slots=True)
class _Rest:
    """Until when a key rests, and why."""

    until: float
    kind: type[FiberError]
    status_code: int | None
    provider_code: str | None


@dataclass(slots=True)
class _Turns:
    """Numbers of the key that was used last, and of those that rest."""

    last: int = 0
    rests: dict[int, _Rest] = field(default_factory=dict)


class Keys:
    """Give each attempt one key of the pool of its target; each pool, provider and model has turns of its own."""

    pools = True

    def __init__(self) -> None:
        self._turns: dict[tuple[KeyPool, tuple[str, str]], _Turns] = {}
        self._lock = threading.Lock()

    def __call__(self, call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
        """Handle *call*; one with a single credential pays for one look at it."""
        pool = call.credential
        return self._asked(call, pool, next) if isinstance(pool, KeyPool) else next(call)

    async def _asked(self, call: Call, pool: KeyPool, next: Handler) -> Reply:
        turns = self._turns_of(call, pool)
        failures: dict[int, FiberError] = {}
        while (key := self._taken(call, turns, len(pool), failures)) is not None:
            try:
                reply = await next(call.replace(credential=pool.keys[key - 1], key=key))
            except REFUSALS as error:
                failures[key] = error
                self._lay(call, turns, key, error)
                if error.outcome == "unknown" or call.journal.cancelled or _is_over(call):
                    raise  # another key would begin anew what this one may have begun, or nobody waits for it
            else:
                if reply.stream is not None:
                    reply.on_end(self._watched(call, turns, key))
                return reply
        raise self._refusal(call, turns, len(pool), failures)

    def _watched(self, call: Call, turns: _Turns, key: int) -> EndCallback:
        async def end(ending: Ending) -> None:
            if isinstance(ending.error, REFUSALS):
                self._lay(call, turns, key, ending.error)

        return end

    def _taken(self, call: Call, turns: _Turns, count: int, failures: dict[int, FiberError]) -> int | None:
        """Return the number of the next key that neither rests nor failed in this attempt, and pass the turn on."""
        soon = call.transport.now() + _SOON_SECONDS
        with self._lock:
            for key in ((turns.last + step) % count + 1 for step in range(count)):
                rest = turns.rests.get(key)
                if key not in failures and (rest is None or rest.until <= soon):
                    turns.last = key
                    return key
        return None

    def _lay(self, call: Call, turns: _Turns, key: int, error: FiberError) -> None:
        """Lay *key* to rest, after *error*."""
        seconds = _rest_seconds(error)
        rest = _Rest(call.transport.now() + seconds, type(error), error.status_code, error.provider_code)
        with self._lock:
            turns.rests[key] = rest
        call.tell(
            "key_rest",
            key=key,
            rest_ms=round(seconds * 1000, 3),
            error_kind=type(error).__name__,
            http_status=error.status_code,
            reason=error.provider_code,
        )

    def _refusal(self, call: Call, turns: _Turns, count: int, failures: dict[int, FiberError]) -> FiberError:
        """Return the error of the key that is free first, with the wait until then; all keys rest."""
        with self._lock:
            key, rest = min(turns.rests.items(), key=lambda item: item[1].until)
        wait = max(0.0, rest.until - call.transport.now())
        if key in failures:
            failures[key].retry_after = wait
            return failures[key]
        return rest.kind(
            f"All {count} keys of {call.target.provider} rest, for the provider refused them: the first is asked"
            f" again in {wait:.3g} s. Add keys, or name other models with fallback=[...].",
            provider=call.target.provider,
            model=call.target.model,
            status_code=rest.status_code,
            provider_code=rest.provider_code,
            retry_after=wait,
            outcome="not_sent",
        )

    def _turns_of(self, call: Call, pool: KeyPool) -> _Turns:
        place = (pool, call.target.key)
        with self._lock:
            turns = self._turns.pop(place, None) or _Turns()
            self._turns[place] = turns
            if len(self._turns) > _MANY_POOLS:
                del self._turns[next(iter(self._turns))]  # the one not used for longest
        return turns


def _is_over(call: Call) -> bool:
    return call.deadline is not None and call.transport.now() >= call.deadline


def _rest_seconds(error: FiberError) -> float:
    if error.retry_after is not None:
        return min(error.retry_after, _LONGEST_SECONDS)
    # A key that could not be fetched is no refused one: its source may be back soon.
    short = isinstance(error, FiberRateLimitError) or error.outcome == "not_sent"
    return _SHORT_SECONDS if short else _LONG_SECONDS
