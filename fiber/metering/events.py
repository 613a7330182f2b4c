"""Business events of all calls, handed to an application's handler while no call waits for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from inspect import iscoroutinefunction
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

from fiber._chain import Call
from fiber._errors import FiberValidationError
from fiber._reply import Ending
from fiber.metering.courier import Courier
from fiber.metering.logger import LOGGER
from fiber.metering.telling import Teller, ended, started
from fiber.transports.base import Transport, aside
from fiber.types.business import BusinessEvent

if TYPE_CHECKING:  # it brings the event loops along
    from fiber.transports.desk import Desks

EventHandler: TypeAlias = Callable[[BusinessEvent], object]

_CLOSE_SECONDS = 2.0
"""So long a close waits for a handler that is a coroutine function; a `Courier` waits as long for any other."""
_QUIET = timedelta(minutes=1)
"""So long nothing is logged of a handler that goes on failing."""


class Events:
    """
    Hand business events to a function; for `Fiber(on_event=...)`, which several clients may share.

    Calls do not wait for it, and do not see what it raises. It is given one event at a time, those of a call in their
    order: a plain function on a thread for it alone, a coroutine function on the event loop of the call.

    Args:
        handler: Takes a `BusinessEvent`. A coroutine function does not serve blocking calls, which have no loop.
        limit: So many events wait at most, of coroutine functions at each loop; all further ones are dropped.

    Raises:
        FiberValidationError: *handler* cannot be called, or *limit* is not a whole number from 1.
    """

    def __init__(self, handler: EventHandler, *, limit: int = 10_000) -> None:
        if not callable(handler):
            raise _wrong(
                "on_event", f"The argument on_event is {handler!r}: pass a function of one event, or Events()."
            )
        if type(limit) is not int or limit < 1:
            raise _wrong("limit", f"Events(limit=...) must be a whole number from 1, not {limit!r}.")
        self._handler: Callable[[BusinessEvent], Any] = handler
        self._courier: Courier[BusinessEvent] = Courier(self._hand_all, limit=limit)
        self._desks: Desks[BusinessEvent] | None = None
        if iscoroutinefunction(handler) or iscoroutinefunction(getattr(handler, "__call__", None)):  # noqa: B004
            from fiber.transports.desk import Desks

            self._desks = Desks(self._hand_over, limit=limit)
        self._failures = 0
        self._quiet_until = datetime.min.replace(tzinfo=UTC)
        self._lock = Lock()

    @property
    def dropped(self) -> int:
        """Events that found too many waiting, or whose loop ended before their turn."""
        return self._courier.dropped + (self._desks.dropped if self._desks else 0)

    @property
    def failures(self) -> int:
        """Events whose handler raised; told in the log as `event_error`, once in a minute."""
        return self._failures

    def begin(self, call: Call) -> None:
        """
        Tell that *call* begins.

        Raises:
            FiberValidationError: The handler is a coroutine function, and no loop runs here.
        """
        teller = Teller(self, call, self._way())
        call.journal.observers.append(teller)
        teller.tell(started(call))

    def end(self, call: Call, ending: Ending) -> None:
        """Tell how *call* ended, and what it took."""
        for teller in call.journal.observers:
            if isinstance(teller, Teller) and teller.owner is self:
                for payload in ended(call, ending):
                    teller.tell(payload)

    async def shut(self, transport: Transport, *, on_loop: bool) -> None:
        """Have what waits handed over, within two seconds; of coroutine functions on the loop of the caller."""
        if self._desks is None:
            await aside(transport, self._courier.close)
        elif on_loop and (desk := self._desks.here()) is not None:
            await desk.flush(_CLOSE_SECONDS)

    def _way(self) -> Callable[[BusinessEvent], None]:
        if self._desks is None:
            return self._courier.put
        if (desk := self._desks.here()) is None:
            raise _wrong(
                "on_event",
                "The handler of on_event is a coroutine function, and no event loop runs here: pass a plain function,"
                " or call from async code.",
            )
        return desk.put

    def _hand_all(self, events: list[BusinessEvent]) -> None:
        for event in events:
            try:
                self._handler(event)
            except BaseException as error:  # also what would end the thread: nobody is there to take it
                self._failed(event, error)

    async def _hand_over(self, event: BusinessEvent) -> None:
        try:
            await self._handler(event)
        except (Exception, SystemExit) as error:  # what would end the loop, too, but not a cancellation
            self._failed(event, error)

    def _failed(self, event: BusinessEvent, error: BaseException) -> None:
        with self._lock:
            self._failures += 1
            if event.timestamp < self._quiet_until:
                return
            self._quiet_until = event.timestamp + _QUIET
        facts = {"error_kind": type(error).__name__, "failures": self._failures, "dropped": self.dropped}
        try:
            LOGGER.warning("event_error", extra=facts)
        except Exception:  # noqa: S110 - a broken handler of the log, and nobody else to tell
            pass


def events_of(said: Events | EventHandler) -> Events:
    """
    Return *said*, or one with it as the handler.

    Raises:
        FiberValidationError: It cannot be called.
    """
    return said if isinstance(said, Events) else Events(said)


def _wrong(parameter: str, message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter=parameter, outcome="not_sent")
