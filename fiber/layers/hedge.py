"""
A second request beside one that is slow; the first good answer wins, and the other is cancelled.

Inside retry: the two are one attempt of it, which fails when both fail, so retries are not multiplied. Second requests
are bounded by a share of the calls (a token bucket). An outage fails before they are due; one that hangs has the bound.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from fiber._chain import Call, Handler, Journal
from fiber._errors import FiberConnectionError, FiberError
from fiber._reply import Ending, Reply
from fiber.transports.base import race
from fiber.types.config import HedgePolicy
from fiber.types.receipt import Attempt

_MOST_TOKENS = 10.0
"""So many second requests may have been saved up."""


class Hedge:
    """
    Send a call a second time when its answer has not begun in time.

    Args:
        policy: After how many seconds, and how often.
    """

    def __init__(self, policy: HedgePolicy) -> None:
        self._policy = policy
        self._tokens = 1.0
        self._lock = threading.Lock()

    def __call__(self, call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
        """Handle *call*; one that must not be repeated blindly, or while nothing is saved up, is only counted."""
        with self._lock:
            self._tokens = min(_MOST_TOKENS, self._tokens + self._policy.max_share)
            may_hedge = self._tokens >= 1.0
        may_hedge = may_hedge and (call.operation.unknown_retries > 0 or call.is_idempotent)
        return self._hedged(call, next) if may_hedge else next(call)

    async def _hedged(self, call: Call, next: Handler) -> Reply:
        journal = call.journal
        first = _Branch(call, next, lambda: True)
        second = _Branch(call, next, lambda: self._begin(call))
        first.journal.waited, journal.waited = journal.waited, 0.0

        def stop() -> None:
            first.stop()
            second.stop()

        journal.opened(stop)
        winner: _Branch | None = None
        try:
            winner = await race(call.transport, first, second, self._policy.after_seconds)
        finally:
            _merge(call, first, second, winner)
        if winner is None:
            raise _failure(first, second)
        await (first if winner is second else second).drop()
        assert winner.reply is not None  # noqa: S101 - that is how it won
        return winner.reply

    def _begin(self, call: Call) -> bool:
        """Spend a token for a second request, and tell it; say whether there is one to be."""
        if call.deadline is not None and call.transport.now() >= call.deadline:
            return False
        with self._lock:
            if self._tokens < 1.0:
                return False
            self._tokens -= 1.0
        call.tell("hedge", after_ms=round(self._policy.after_seconds * 1000, 3))
        return True


class _Branch:
    """One of the two requests, with a journal of its own."""

    def __init__(self, call: Call, next: Handler, may_begin: Callable[[], bool]) -> None:
        journal = call.journal
        self.journal = Journal(
            started=journal.started,
            layer_notes=journal.layer_notes,
            observers=journal.observers,
            tracer=journal.tracer,
            raced=True,
        )
        self._call = call.replace(journal=self.journal)
        self._next = next
        self._may_begin = may_begin
        self.begun: float | None = None
        self.reply: Reply | None = None
        self.error: Exception | None = None
        self.failed = False

    async def run(self) -> bool:
        """Send it and say whether the answer is good; nothing is raised but a cancellation."""
        if self._is_stopped() or not self._may_begin():
            return False
        self.begun = self._call.transport.now()
        try:
            self.reply = await self._next(self._call)
        except Exception as error:
            self.error, self.failed = error, not self._is_stopped()
        if self._is_stopped():
            await self.drop()  # it was good too late: the layers below must hear that it ended
        return self.reply is not None

    def stop(self) -> None:
        """Close its connection, from any thread."""
        self.journal.cancel()

    def _is_stopped(self) -> bool:
        return self.journal.cancelled

    async def drop(self) -> None:
        """End its reply, which nobody wants."""
        reply, self.reply = self.reply, None
        if reply is not None:
            if reply.stream is not None:
                await reply.stream.close()
            await reply.end(Ending("cancelled"))

    def attempts(self, *, lost: bool) -> list[Attempt]:
        """Return what it sent; when it *lost*, the last of that was cancelled, unless it had failed."""
        sent = list(self.journal.attempts)
        if not lost or self.begun is None or self.failed:
            return sent
        target = self._call.target
        last = sent.pop() if sent else Attempt(number=1, provider=target.provider, model=target.model)
        seconds = self._call.transport.now() - self.begun
        return [*sent, msgspec.structs.replace(last, status=None, error="cancelled", request_id=None, seconds=seconds)]


def _merge(call: Call, first: _Branch, second: _Branch, winner: _Branch | None) -> None:
    """Write into the journal of *call* what both did; the attempts of the winner are the last."""
    journal = call.journal
    if second.begun is not None and not call.is_idempotent:
        journal.possible_duplicate_charge = True
    for branch in (second, first) if winner is first else (first, second):
        for attempt in branch.attempts(lost=winner not in (None, branch)):
            journal.attempts.append(msgspec.structs.replace(attempt, number=len(journal.attempts) + 1))
    told = (winner or first).journal
    journal.notes, journal.first_event, journal.closer = told.notes, told.first_event, told.closer


def _failure(*branches: _Branch) -> Exception:
    """Return the failure of the attempt: one after which nobody knows what was done, if there is one."""
    errors = [branch.error for branch in branches if branch.error is not None]
    unknown = (error for error in errors if isinstance(error, FiberError) and error.outcome == "unknown")
    return next(unknown, None) or next(iter(errors), None) or FiberConnectionError("The call was cancelled.")
