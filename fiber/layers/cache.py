"""
Answers kept for those who ask the same again.

A hit is marked, costs nothing and counts for nothing; for a stream it is played as events. Whatever fails in the store
is counted, and the call goes on without it. Whole calls that ask the same at the same time share one request.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from copy import copy
from threading import Lock
from typing import Any, TypeVar

import msgspec

from fiber._chain import Call, Handler, Journal
from fiber._errors import FiberClosedError, FiberError, FiberTimeoutError, FiberValidationError
from fiber._reply import Ending, Reply, ending_of
from fiber.layers.caching.entry import Entry, counts, packed, replied, unpacked
from fiber.layers.caching.flights import Flight, Flights
from fiber.layers.caching.key import cache_key
from fiber.stores.base import Store
from fiber.stores.holding import dispatch, perform
from fiber.stores.memory import MemoryStore
from fiber.stores.outages import Outages
from fiber.transports.base import later, wall
from fiber.types.result import ChatResult

T = TypeVar("T")

_RENEWAL_SECONDS = 60.0
"""So long a renewal without a deadline keeps others from renewing the same."""

_LONGEST = 1e9


class CacheStats(msgspec.Struct, frozen=True, kw_only=True):
    """
    What a cache did so far.

    Attributes:
        hits: Answers from the store, stale ones included.
        stale_hits: Those that were over and are being renewed.
        misses: Calls that found nothing.
        coalesced: Calls that got the answer of another one that was on its way.
        writes: Answers that were stored.
        refreshes: Renewals that were begun beside a stale hit.
        damaged: Times that an entry was found that could not be read.
        errors: Uses of the store, and renewals, that failed.
    """

    hits: int = 0
    stale_hits: int = 0
    misses: int = 0
    coalesced: int = 0
    writes: int = 0
    refreshes: int = 0
    damaged: int = 0
    errors: int = 0


class Cache:
    """
    Keep whole answers; a layer, for `Fiber(cache=...)`.

    Args:
        store: Where; a `MemoryStore` of its own when not given.
        ttl_seconds: How long an answer is fresh.
        stale_seconds: How much longer it is still given out, while one call beside renews it (*write_through* only).
        tools: Cache requests with tools too.
        coalesce: Let whole calls that ask the same at the same time share one request.
        tenant: Bound field whose value separates answers; without it the key of the provider does.
    """

    caches = True

    def __init__(
        self,
        store: Store | None = None,
        *,
        ttl_seconds: float = 3600.0,
        stale_seconds: float = 0.0,
        tools: bool = False,
        coalesce: bool = True,
        tenant: str = "tenant",
    ) -> None:
        for name, seconds in (("ttl_seconds", ttl_seconds), ("stale_seconds", stale_seconds)):
            if type(seconds) not in (int, float) or not 0 <= seconds < _LONGEST:
                raise FiberValidationError(
                    f"Cache({name}=...) must be a number from 0, not {seconds!r}.", parameter=name
                )
        self._store: Store = MemoryStore() if store is None else store
        self._ttl = ttl_seconds
        self._stale = stale_seconds
        self._tools = tools
        self._coalesce = coalesce
        self._tenant = tenant
        self._flights = Flights()
        self._renewing: dict[str, float] = {}
        self._counts: dict[str, int] = {}
        self._outages = Outages("cache_error")
        self._evictions: int = getattr(self._store, "evictions", 0)
        self._lock = Lock()

    @property
    def stats(self) -> CacheStats:
        """What it did so far."""
        with self._lock:
            return CacheStats(**self._counts)

    def __call__(self, call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
        """Handle *call*; one that does not ask for the cache pays for one look at its policy."""
        return next(call) if call.cache_policy == "off" else self._cached(call, next)

    async def _cached(self, call: Call, next: Handler) -> Reply:
        key = cache_key(call, tools=self._tools, tenant=self._tenant)
        if key is None:
            return await next(call)
        if call.cache_policy != "refresh":
            if (found := await self._found(call, key, next)) is not None:
                return replied(call, found)
            if self._coalesce and not call.stream:
                return await self._together(call, key, next)
            self._missed(call)
        return await self._asked(call, key, next)

    async def _found(self, call: Call, key: str, next: Handler) -> ChatResult | None:
        entry = await self._read(call, key)
        if entry is None:
            return None
        if wall(call.transport) >= entry.fresh_until:
            if call.cache_policy != "write_through":
                return None
            self._count("stale_hits")
            await self._renew(call, key, next)
        self._count("hits")
        call.tell("cache_hit", **counts(entry.result))
        return entry.result

    async def _asked(self, call: Call, key: str, next: Handler) -> Reply:
        """Return the answer of the layers below, stored if it may be."""
        reply = await next(call)
        if call.cache_policy == "read_through" or not _is_own(call):
            return reply
        stream = reply.stream
        if stream is None:
            await self._write(call, key, reply.value)
            return reply

        async def ended(ending: Ending) -> None:
            # Nobody can wait here when a stream was dropped, so the store is written without waiting.
            if ending.outcome != "complete":
                return
            result = stream.result()
            if (content := self._packed(call, key, result)) is not None:
                dispatch(call.transport, lambda: self._put(call, key, content, result), quick=self._store.quick)

        reply.on_end(ended)
        return reply

    async def _together(self, call: Call, key: str, next: Handler) -> Reply:
        """Ask for the answer, unless another call is asking for it: then wait for that one."""
        while True:
            flight, leads = self._flights.join(key)
            if leads:
                return await self._lead(call, key, next, flight)
            await flight.wait(call)
            if flight.result is not None:
                self._count("coalesced")
                call.tell("cache_hit", **counts(flight.result))
                return replied(call, flight.result)
            if flight.error is not None:
                self._count("coalesced")
                raise copy(flight.error)

    async def _lead(self, call: Call, key: str, next: Handler, flight: Flight) -> Reply:
        try:
            # Once more: the answer may have come between our look and our turn.
            if (found := await self._found(call, key, next)) is not None:
                flight.result = found
                return replied(call, found)
            self._missed(call)
            reply = await self._asked(call, key, next)
            flight.result = reply.value
            return reply
        except FiberError as error:
            if not isinstance(error, FiberTimeoutError | FiberClosedError):  # these are limits of this call alone
                flight.error = error
            raise
        finally:
            self._flights.land(key, flight)

    async def _renew(self, call: Call, key: str, next: Handler) -> None:
        """Begin to renew what is stale, beside *call*, unless that has begun."""
        now = call.transport.now()
        total = call.timeouts.total
        deadline = None if total is None else now + total
        with self._lock:
            if now < self._renewing.get(key, now):
                return
            # With an end, for a task of a loop that is over may never begin, and then nobody takes it out.
            self._renewing[key] = deadline or now + _RENEWAL_SECONDS
        self._count("refreshes")
        fresh = call.replace(stream=False, keep_raw=False, deadline=deadline, journal=Journal(started=now))

        async def renew() -> None:
            try:
                reply = await self._asked(fresh, key, next)
                await reply.end(ending_of(reply.value))
            except Exception:
                self._count("errors")
            finally:
                with self._lock:
                    self._renewing.pop(key, None)

        await later(call.transport, renew)

    async def _read(self, call: Call, key: str) -> Entry | None:
        now, begun = wall(call.transport), call.transport.now()
        content = await self._use(call, lambda: self._store.get(key, now=now))
        call.tell("cache_get", latency_ms=_since(call, begun))
        if content is None:
            return None
        entry = unpacked(content, key)
        if entry is None:
            self._count("damaged")
        return entry

    async def _write(self, call: Call, key: str, result: Any) -> None:
        if (content := self._packed(call, key, result)) is not None:
            await perform(call.transport, lambda: self._put(call, key, content, result), quick=self._store.quick)

    def _packed(self, call: Call, key: str, result: Any) -> bytes | None:
        return packed(call, key, result, fresh_until=wall(call.transport) + self._ttl)

    def _put(self, call: Call, key: str, content: bytes, result: ChatResult) -> None:
        now, begun = wall(call.transport), call.transport.now()
        try:
            self._store.set(key, content, seconds=self._ttl + self._stale, now=now)
        except Exception as error:
            self._failed(call, error)
            return
        self._count("writes")
        call.tell("cache_set", latency_ms=_since(call, begun))
        call.tell("cache_write", **counts(result))
        total = getattr(self._store, "evictions", 0)
        with self._lock:
            made_room, self._evictions = total - self._evictions, total
        if made_room > 0:
            call.tell("cache_evict", entries=made_room)

    async def _use(self, call: Call, work: Callable[[], T]) -> T | None:
        try:
            return await perform(call.transport, work, quick=self._store.quick)
        except Exception as error:
            self._failed(call, error)
            return None

    def _failed(self, call: Call, error: Exception) -> None:
        self._count("errors")
        self._outages.add(call, error)

    def _missed(self, call: Call) -> None:
        self._count("misses")
        call.tell("cache_miss")

    def _count(self, name: str) -> None:
        with self._lock:
            self._counts[name] = self._counts.get(name, 0) + 1


def _since(call: Call, begun: float) -> float:
    return round((call.transport.now() - begun) * 1000, 3)


def _is_own(call: Call) -> bool:
    """Say whether the answer is that of the target that was asked for, and not of a fallback."""
    last = call.journal.attempts[-1] if call.journal.attempts else None
    return last is None or (last.provider, last.model) == call.target.key
