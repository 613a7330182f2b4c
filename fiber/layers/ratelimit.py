"""
Calls wait for their turn, so that a provider need not refuse them.

Each attempt takes what it will use from the meters of its line (one for each provider or model family, and key), and
is told at once how long it has to wait; when that is longer than it may live, it is refused, before a byte is sent. At
the end what it really used is settled. Answers teach: the limits that the provider tells are kept, and after a refusal
the whole line waits for as long as the provider says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Coroutine, Mapping
from threading import Lock
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from fiber._chain import Call, Handler
from fiber._errors import FiberError, FiberRateLimitError, FiberValidationError
from fiber._reply import Ending, Reply
from fiber.layers.limiting.estimates import expected, spent
from fiber.layers.limiting.lessons import Lessons
from fiber.layers.limiting.lines import Queue, queue_of
from fiber.stores.base import Flow, Pacer, Spent, Turn
from fiber.stores.holding import dispatch, secured
from fiber.stores.memory import MemoryStore
from fiber.stores.outages import Outages
from fiber.transports.base import wall
from fiber.types.pace import RateLimit

__all__ = ["RateLimit", "RateLimiter"]

_BURST_SECONDS = 10.0
"""So much comes together while nobody calls: after a pause a minute sees at most a sixth more than its limit."""

_AFTER_SECONDS = 60.0
_LONGEST_CALL_SECONDS = 6 * 3600.0
_LONGEST_PAUSE_SECONDS = 120.0
"""A longer one is asked for again by the next call, for it may be a mistake."""

_MANY = 1024


class _Place(NamedTuple):
    """One attempt in its line."""

    queue: Queue
    name: str
    flows: tuple[Flow, ...]


class RateLimiter:
    """
    Let calls go no faster than *limits*; a layer, for `Fiber(rate_limits=...)`.

    Args:
        limits: By provider (`openai`), or provider and beginning of the model's name (`openai:gpt-6`); the longest
            beginning wins. Each key of a provider has lines of its own.
        store: Where the lines are; in this process when not given. A `RedisStore` holds them for a fleet.
        on_failure: What becomes of calls while the store fails: `allow` them unlimited, or `refuse` them.
        learn: Go slower when the provider's headers and refusals say so.

    Attributes:
        limits: The same.
    """

    def __init__(
        self,
        limits: Mapping[str, RateLimit],
        *,
        store: Pacer | None = None,
        on_failure: Literal["allow", "refuse"] = "allow",
        learn: bool = True,
    ) -> None:
        for name, limit in limits.items():
            if not name.partition(":")[0] or not isinstance(limit, RateLimit):
                raise _wrong(f"{name!r}: {limit!r} is no limit; say for instance {{'openai:gpt-6': RateLimit(...)}}")
        if on_failure not in ("allow", "refuse"):
            raise _wrong("on_failure is 'allow' or 'refuse'")
        self.limits: Mapping[str, RateLimit] = dict(limits)
        self._store: Pacer = MemoryStore() if store is None else store
        self._on_failure = on_failure
        self._learns = learn
        self._lessons: OrderedDict[str, Lessons] = OrderedDict()
        self._lock = Lock()
        self._outages = Outages("rate_limit_error")

    @property
    def failures(self) -> int:
        """Uses of the store that failed."""
        return self._outages.count

    def __call__(self, call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
        """Handle *call* when it is its turn."""
        # No coroutine of its own, so that a call without a limit pays for one look at them.
        queue = queue_of(call, self.limits)
        return next(call) if queue is None else self._limited(call, next, queue)

    async def _limited(self, call: Call, next: Handler, queue: Queue) -> Reply:
        place = self._place(call, queue)
        if not await self._wait(call, place):
            return await next(call)
        attempts, sent = len(call.journal.attempts), wall(call.transport)
        try:
            reply = await next(call)
        except BaseException as error:
            self._failed(call, place, error, sent if len(call.journal.attempts) > attempts else None)
            raise

        async def ended(ending: Ending) -> None:
            self._answered(call, place, reply, ending, sent)

        reply.on_end(ended)
        return reply

    def _place(self, call: Call, queue: Queue) -> _Place:
        """Return what *call* takes of the line of *queue*."""
        with self._lock:
            lessons = self._lessons_of(queue)
            amounts = expected(call, lessons.output)
            rates = {meter: lessons.limit(meter, limit) / 60.0 for meter, limit in queue.limit.meters.items()}
        flows = [
            # A bucket that holds less than one request would never let it through at the full rate.
            Flow(meter, amounts[meter], rate, max(1.0, rate * _BURST_SECONDS))
            for meter, rate in rates.items()
        ]
        return _Place(queue, uuid4().hex, tuple(flows))

    async def _wait(self, call: Call, place: _Place) -> bool:
        """Wait for the turn of *call*; return whether it has one that must be ended."""
        transport, started = call.transport, call.transport.now()
        try:
            while True:
                turn = await self._take(call, place)
                if turn is None:
                    return False
                if turn.refused:
                    raise _too_late(call, place.queue, turn.wait)
                if call.journal.cancelled:  # by another task or thread, meanwhile
                    self._leave(call, place, _nothing(place))
                    raise _refusal(call, "The stream was cancelled while it waited for its turn.")
                if not turn.wait:
                    break
                await transport.sleep(turn.wait)
        except FiberError:
            raise
        except BaseException:
            self._leave(call, place, _nothing(place))
            raise
        if (waited := transport.now() - started) > 0:
            call.journal.waited += waited
            call.tell("rate_limited", limit=place.queue.name, wait_ms=round(waited * 1000, 3))
        return True

    async def _take(self, call: Call, place: _Place) -> Turn | None:
        """Ask the store; return None when it fails and calls go on all the same."""
        now = wall(call.transport)
        left = None if call.deadline is None else max(0.0, call.deadline - call.transport.now())
        lives = (_LONGEST_CALL_SECONDS if left is None else left) + _AFTER_SECONDS
        key, limit = place.queue.key, place.queue.limit
        try:
            return await secured(
                call.transport,
                lambda: self._store.take(
                    key, place.name, place.flows, places=limit.concurrency, seconds=lives, longest=left, now=now
                ),
                lambda: self._store.leave(key, place.name, place.flows, _nothing(place), now=now),
                quick=self._store.quick,
            )
        except Exception as error:
            self._outages.add(call, error)
            if self._on_failure == "allow":
                return None
            reason = type(error).__name__
        raise _refusal(
            call,
            f"The rate limits cannot be checked, for their store fails ({reason}), and on_failure='refuse' was chosen.",
        )

    def _failed(self, call: Call, place: _Place, error: BaseException, sent: float | None) -> None:
        """Settle an attempt that ended in *error*; it was not *sent* when that is None."""
        if sent is None or (isinstance(error, FiberError) and error.outcome == "not_sent"):
            self._leave(call, place, _nothing(place))
        elif not isinstance(error, FiberError) or error.outcome == "unknown":
            self._leave(call, place, Spent())  # as was expected
        else:
            now = wall(call.transport)
            used = {**_nothing(place).used, "requests": 1.0}
            left: Mapping[str, float] = {}
            pause = None
            if self._learns:
                with self._lock:
                    lessons = self._lessons_of(place.queue)
                    left = lessons.told(error.rate_limits)
                    if isinstance(error, FiberRateLimitError):
                        lessons.refused(sent, now)
                        pause = min(error.retry_after or 0.0, _LONGEST_PAUSE_SECONDS)
            self._leave(call, place, Spent(used, left, now - sent, pause))

    def _answered(self, call: Call, place: _Place, reply: Reply, ending: Ending, sent: float) -> None:
        """Settle an attempt that was answered, to whichever end."""
        used = spent(ending.usage)
        is_whole = ending.outcome == "complete"
        if not is_whole:  # what was told until then may not be all
            used = {flow.meter: max(flow.amount, used.get(flow.meter, 0.0)) for flow in place.flows}
        left: Mapping[str, float] = {}
        with self._lock:
            lessons = self._lessons_of(place.queue)
            if is_whole:
                lessons.answered(used.get("output_tokens"))
            if self._learns:
                result = reply.value if reply.stream is None else reply.stream.result()
                left = lessons.told(getattr(result, "rate_limits", None))
        self._leave(call, place, Spent(used, left, wall(call.transport) - sent))

    def _leave(self, call: Call, place: _Place, spent: Spent) -> None:
        """End the turn; nobody may be able to wait for that."""
        now = wall(call.transport)

        def work() -> None:
            try:
                self._store.leave(place.queue.key, place.name, place.flows, spent, now=now)
            except Exception as error:
                self._outages.add(call, error)

        dispatch(call.transport, work, quick=self._store.quick)

    def _lessons_of(self, queue: Queue) -> Lessons:
        lessons = self._lessons.pop(queue.key, None) or Lessons()
        self._lessons[queue.key] = lessons
        if len(self._lessons) > _MANY:
            self._lessons.popitem(last=False)
        return lessons


def _nothing(place: _Place) -> Spent:
    return Spent({flow.meter: 0.0 for flow in place.flows})


def _too_late(call: Call, queue: Queue, wait: float) -> FiberRateLimitError:
    return _refusal(
        call,
        f"The limit of our own for {queue.name!r} lets this call go in {wait:.3g} s, after its deadline: try again"
        " then, give it more time, raise the limit, or name other models with fallback=[...].",
        wait,
    )


def _refusal(call: Call, message: str, wait: float | None = None) -> FiberRateLimitError:
    return FiberRateLimitError(
        message,
        provider=call.target.provider,
        model=call.target.model,
        retry_after=wait,
        parameter="rate_limits",
        outcome="not_sent",
        should_retry=False,
    )


def _wrong(what: str) -> FiberValidationError:
    return FiberValidationError(f"RateLimiter: {what}.", parameter="rate_limits", outcome="not_sent")
