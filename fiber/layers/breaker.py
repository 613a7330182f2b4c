"""
A target that fails again and again is left alone for a while.

The state of a target is two numbers: failures in a row, and until when its circuit is open. When that time is over,
the call that comes first takes the next such time as a lease and tries; so nobody else does meanwhile, and a try that
is never heard of again ends by itself. Only failures of the provider count: what is the caller's fault, or was never
sent, says nothing about it, and an answer that refuses the caller says that the provider is there.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TypeGuard

from fiber._chain import Call, Handler
from fiber._errors import (
    FiberCircuitOpenError,
    FiberConnectionError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    is_server_failure,
)
from fiber._reply import EndCallback, Ending, Reply
from fiber.layers.breaking.notices import Notices
from fiber.stores.base import Store
from fiber.types.config import BreakerPolicy

__all__ = ["Breaker", "BreakerPolicy"]

FAILURES = (FiberConnectionError, FiberOverloadedError, FiberParsingError)
"""Failures of the provider; besides them those of `is_server_failure`."""

ANSWERS = (FiberProviderError, FiberModelNotFoundError)
"""Other refusals: by them the provider shows that it is there."""

_MANY_TARGETS = 1024


@dataclass(slots=True)
class _Circuit:
    failures: int = 0
    open_until: float | None = None


class Breaker:
    """
    Refuse calls to targets that failed again and again, and let one try after a while.

    Args:
        policy: How many failures, and how long.
        store: Where processes tell each other of open circuits; each goes by what it sees itself when not given.

    Attributes:
        notices: What is told there; None without a store.
    """

    def __init__(self, policy: BreakerPolicy, *, store: Store | None = None) -> None:
        self._policy = policy
        self.notices = None if store is None else Notices(store)
        self._circuits: dict[tuple[str, str], _Circuit] = {}
        self._lock = threading.Lock()

    async def __call__(self, call: Call, next: Handler) -> Reply:
        """Handle *call*, unless the circuit of its target is open."""
        if self.notices is not None:
            await self._hear(call, self.notices)
        is_probe = self._enter(call)
        if is_probe:
            self._tell(call, self._policy.open_seconds)
        try:
            reply = await next(call)
        except BaseException as error:
            self._judge(call, error, is_probe=is_probe)
            raise
        if reply.stream is None or is_probe:
            self._close(call)
        if reply.stream is not None:
            reply.on_end(self._watched(call))
        return reply

    def _watched(self, call: Call) -> EndCallback:
        async def end(ending: Ending) -> None:
            if ending.error is not None:
                self._judge(call, ending.error, is_probe=False)
            elif ending.outcome == "complete":
                self._close(call)

        return end

    async def _hear(self, call: Call, notices: Notices) -> None:
        """Take over what other processes say of the target of *call*."""
        now = call.transport.now()
        with self._lock:
            known = self._circuits.get(call.target.key)
            is_due = known is not None and known.open_until is not None and now >= known.open_until
        left = await notices.hear(call, anew=is_due)
        if left == 0:
            self._forget(call)
        elif left is not None:
            with self._lock:
                circuit = self._circuit(call)
                circuit.failures = max(circuit.failures, self._policy.failures)
                circuit.open_until = max(circuit.open_until or 0.0, now + left)

    def _tell(self, call: Call, seconds: float | None) -> None:
        if self.notices is not None:
            self.notices.tell(call, seconds, keep=self._policy.open_seconds)

    def _enter(self, call: Call) -> bool:
        """Let *call* in, and say whether it tries an open circuit; raise when it may not."""
        with self._lock:
            circuit = self._circuits.get(call.target.key)
            if circuit is None or circuit.open_until is None:
                return False
            now = call.transport.now()
            wait = circuit.open_until - now
            if wait <= 0:
                circuit.open_until = now + self._policy.open_seconds
                return True
        raise FiberCircuitOpenError(
            f"{call.target.name} failed {circuit.failures} times in a row and is left alone: try again in {wait:.3g} s,"
            " or name other models with fallback=[...].",
            provider=call.target.provider,
            model=call.target.model,
            retry_after=wait,
        )

    def _judge(self, call: Call, error: BaseException, *, is_probe: bool) -> None:
        if _is_failure(error) and not call.journal.cancelled:  # else the connection was closed from here
            self._fail(call, error, is_probe=is_probe)
        elif isinstance(error, ANSWERS) and error.outcome != "not_sent":
            self._close(call)
        elif is_probe:  # it was cancelled, or never sent: the next call tries
            with self._lock:
                self._circuit(call).open_until = call.transport.now()
            self._tell(call, 0.0)

    def _fail(self, call: Call, error: FiberError, *, is_probe: bool) -> None:
        policy = self._policy
        with self._lock:
            circuit = self._circuit(call)
            circuit.failures += 1
            opens = is_probe or (circuit.open_until is None and circuit.failures >= policy.failures)
            if opens:
                circuit.open_until = call.transport.now() + policy.open_seconds
            failures = circuit.failures
        if opens:
            self._tell(call, policy.open_seconds)
            call.tell(
                "circuit_open", failures=failures, open_ms=policy.open_seconds * 1000, error_kind=type(error).__name__
            )

    def _close(self, call: Call) -> None:
        if self._forget(call):
            self._tell(call, None)

    def _forget(self, call: Call) -> bool:
        """Forget the failures of the target of *call*, and say whether its circuit was open."""
        with self._lock:
            circuit = self._circuits.pop(call.target.key, None)
        if circuit is None or circuit.open_until is None:
            return False
        call.tell("circuit_closed", failures=circuit.failures)
        return True

    def _circuit(self, call: Call) -> _Circuit:
        key = call.target.key
        circuit = self._circuits.pop(key, None) or _Circuit()
        self._circuits[key] = circuit
        if len(self._circuits) > _MANY_TARGETS:
            del self._circuits[next(iter(self._circuits))]  # the one whose last failure is the oldest
        return circuit


def _is_failure(error: BaseException) -> TypeGuard[FiberError]:
    return is_server_failure(error) or isinstance(error, FAILURES)
