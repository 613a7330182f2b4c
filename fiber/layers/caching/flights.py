"""
Calls with one question at one time: one of them asks, the others wait for it.

They may live in several tasks, threads and event loops, so they wait by looking: a few milliseconds are nothing beside
the answer of a model, and nobody has to be woken on a loop that is not his.
"""

from __future__ import annotations

from threading import Lock

from fiber._chain import Call
from fiber._errors import FiberError, FiberTimeoutError
from fiber.types.result import ChatResult

_FIRST_WAIT, _LONGEST_WAIT = 0.001, 0.02


class Flight:
    """A call that others wait for: what it got, or why it failed; neither when it was cancelled."""

    __slots__ = ("error", "over", "result")

    def __init__(self) -> None:
        self.over = False
        self.result: ChatResult | None = None
        self.error: FiberError | None = None

    async def wait(self, call: Call) -> None:
        """
        Wait until it is over.

        Raises:
            FiberTimeoutError: The deadline of *call* came first.
        """
        seconds = _FIRST_WAIT
        while not self.over:
            if call.deadline is not None and call.transport.now() >= call.deadline:
                raise FiberTimeoutError(
                    "The total timer expired while another call with the same question was on its way: raise"
                    " Timeouts(total=...).",
                    timer="total",
                    seconds=call.timeouts.total,
                    provider=call.target.provider,
                    model=call.target.model,
                    outcome="not_sent",
                )
            await call.transport.sleep(seconds)
            seconds = min(seconds * 1.5, _LONGEST_WAIT)


class Flights:
    """The flights of one cache, by key."""

    def __init__(self) -> None:
        self._flights: dict[str, Flight] = {}
        self._lock = Lock()

    def join(self, key: str) -> tuple[Flight, bool]:
        """Return the flight of *key*, and whether the caller leads it and has to land it."""
        with self._lock:
            flight = self._flights.get(key)
            if flight is not None:
                return flight, False
            flight = self._flights[key] = Flight()
            return flight, True

    def land(self, key: str, flight: Flight) -> None:
        """Have *flight* over."""
        with self._lock:
            del self._flights[key]
        flight.over = True
