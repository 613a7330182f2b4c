"""
Credentials that expire: kept until shortly before, and fetched by one caller for all.

While what is kept is good nobody waits: one call fetches ahead of the expiry, the others go on with the old one. Only
where there is none, or it has expired, do the others wait for that call; they look again every few milliseconds,
which works alike on asyncio, on trio and across threads, and leaves nothing behind when either side is cancelled.

The two faces of a client fetch for themselves: blocking code that waited for a coroutine of its own thread would wait
for ever.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Awaitable, Callable
from copy import copy
from dataclasses import dataclass
from typing import TypeAlias

from fiber._errors import FiberAuthError, FiberError
from fiber.transports.base import DeadlineReached, Transport, aside, wall
from fiber.types.http import Secret

AHEAD_SECONDS = 300.0
"""How long before its expiry a credential is fetched anew."""
LAST_SECONDS = 10.0
"""How long before its expiry a credential is not used any more: a request needs time to arrive, and clocks differ."""
PAUSE_SECONDS = 30.0
"""Least time between two fetches while what is kept is good: the source may be out of order, or give short ones."""
FLIGHT_SECONDS = 60.0
"""Longest fetch that others wait for; a longer one was lost, in a fork or with its thread."""
LOOK_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Expiring:
    """
    A credential and its expiry.

    Attributes:
        secret: What it is; a string becomes a `Secret`.
        expires_at: Seconds since 1970 (UTC); None for never.
    """

    secret: str | Secret
    expires_at: float | None = None

    def __post_init__(self) -> None:
        if isinstance(self.secret, str):
            object.__setattr__(self, "secret", Secret(self.secret))

    def lasts(self, now: float, seconds: float) -> bool:
        """Say whether it still is good *seconds* after *now*."""
        return self.expires_at is None or now + seconds < self.expires_at


Source: TypeAlias = Callable[[], Expiring | Awaitable[Expiring]]
Ask: TypeAlias = Callable[[Transport, float | None], Awaitable[Expiring]]


@dataclass(frozen=True, slots=True)
class OverTransport:
    """
    A source that is asked over the client's own transport.

    Attributes:
        ask: Given the transport, and the moment on its clock until which the caller waits.
    """

    ask: Ask


class _Flight:
    """One fetch, as those see it who wait for it."""

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.is_over = False
        self.failure: FiberError | None = None


class Refreshing:
    """
    A credential that is fetched when it is first needed, and again shortly before it expires.

    For `api_keys`; one value may serve several rows and clients. Failures are not kept: the next call asks again.

    Args:
        source: Returns an `Expiring`; a plain function may block, for it runs in a thread beside an event loop. Under
            `fiber.sync` an async one must not wait for an event loop.
        ahead_seconds: How long before its expiry the credential is fetched anew.
        region: Region of the credential, for rows that have one in their base URL.
    """

    def __init__(
        self, source: Source | OverTransport, *, ahead_seconds: float = AHEAD_SECONDS, region: str = ""
    ) -> None:
        self.region = region
        self._ask = source.ask if isinstance(source, OverTransport) else _asking(source)
        self._ahead = max(ahead_seconds, LAST_SECONDS)
        self._lock = threading.Lock()
        self._kept: Expiring | None = None
        self._not_before = 0.0
        self._flights: dict[int, _Flight] = {}

    async def fresh(self, transport: Transport, until: float | None) -> str | Secret:
        """
        Return the credential, fetched anew when it is time.

        Raises:
            FiberAuthError: It could not be fetched, and none is left that is good.
            DeadlineReached: The clock of *transport* passed *until*.
        """
        while True:
            now = wall(transport)
            with self._lock:
                kept, flight = self._kept, self._flights.get(id(transport))
                is_good = kept is not None and kept.lasts(now, LAST_SECONDS)
                flies = flight is not None and not _is_lost(flight, transport)
                if kept is not None and is_good and (flies or now < self._not_before or kept.lasts(now, self._ahead)):
                    return kept.secret
                if flight is None or not flies:
                    flight = self._flights[id(transport)] = _Flight(transport.now())
            if not flies:
                return await self._fetch(flight, transport, until)
            await _landing(flight, transport, until)
            if flight.failure is not None:
                raise copy(flight.failure)

    async def _fetch(self, flight: _Flight, transport: Transport, until: float | None) -> str | Secret:
        try:
            self._kept = got = await self._checked(transport, until)
            return got.secret
        except FiberAuthError as error:
            flight.failure = copy(error)  # as it is now: each call writes into its own where it was made
            if (kept := self._kept) is not None and kept.lasts(wall(transport), LAST_SECONDS):
                return kept.secret
            raise
        finally:
            with self._lock:
                self._not_before = wall(transport) + PAUSE_SECONDS
                if self._flights.get(id(transport)) is flight:
                    del self._flights[id(transport)]
            flight.is_over = True

    async def _checked(self, transport: Transport, until: float | None) -> Expiring:
        try:
            got = await self._ask(transport, until)
        except (FiberAuthError, DeadlineReached):
            raise
        except Exception as error:
            # Its words are not quoted: they are another library's, and may hold what must be seen nowhere.
            raise FiberAuthError(
                f"The credential could not be fetched: its source raised {type(error).__name__}.",
                outcome="not_sent",
                should_retry=getattr(error, "is_retryable", None),
            ) from error
        if not isinstance(got, Expiring):
            raise FiberAuthError(
                f"The source of a credential must return an Expiring, not {type(got).__name__}.", outcome="not_sent"
            )
        return got


def _asking(source: Source) -> Ask:
    async def ask(transport: Transport, until: float | None) -> Expiring:
        # In a tuple, for trio takes no function into a thread that returns an awaitable.
        (got,) = await aside(transport, lambda: (source(),))
        return await got if inspect.isawaitable(got) else got

    return ask


async def _landing(flight: _Flight, transport: Transport, until: float | None) -> None:
    """Wait until *flight* is over, or lost."""
    while not flight.is_over and not _is_lost(flight, transport):
        if until is not None and transport.now() >= until:
            raise DeadlineReached
        await transport.sleep(LOOK_SECONDS)


def _is_lost(flight: _Flight, transport: Transport) -> bool:
    return transport.now() >= flight.begun + FLIGHT_SECONDS
