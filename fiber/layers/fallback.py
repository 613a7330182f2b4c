"""
The next target, when one fails for reasons of its own.

Each target has its own retries, for this layer is outside of them; all share the deadline and the journal. What does
not move on is the caller's: a request that was refused, a key that is wrong, a deadline that is over.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from fiber._chain import Alternative, Call, Handler
from fiber._errors import (
    FiberAuthError,
    FiberCapabilityError,
    FiberCircuitOpenError,
    FiberConnectionError,
    FiberError,
    FiberFallbackError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
    FiberValidationError,
    is_server_failure,
)
from fiber._reply import Reply
from fiber.types.http import Note

MOVES_ON = (
    FiberCircuitOpenError,
    FiberConnectionError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
    FiberQuotaError,
    FiberRateLimitError,
)
"""Failures for which another target is asked; besides them those of `is_server_failure`, and what may pass."""

UNFIT = (FiberAuthError, FiberCapabilityError, FiberValidationError)
"""Refusals of our own, before anything is sent: a mistake at the first target, a target to be left out later."""


def fallback(call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
    """Handle *call*, at one target after another until one answers."""
    # No coroutine of its own, so that a call without alternatives pays for one look at them.
    return _fallback(call, next) if call.fallbacks else next(call)


async def _fallback(call: Call, next: Handler) -> Reply:
    errors: list[FiberError] = []
    asked, left = call, list(call.fallbacks)
    while True:
        try:
            return await next(asked)
        except FiberError as error:
            errors.append(error)
            if not left or not _moves_on(asked, error, is_first=asked is call):
                break
            asked = _moved(asked, left.pop(0), error)
    if len(errors) == 1:
        raise errors[0]
    raise _exhausted(errors) from errors[-1]


def _moves_on(call: Call, error: FiberError, *, is_first: bool) -> bool:
    if call.journal.cancelled or (call.deadline is not None and call.transport.now() >= call.deadline):
        return False
    if error.outcome == "not_sent" and isinstance(error, UNFIT):
        return not is_first
    passing = type(error) is FiberProviderError and error.is_retryable
    return passing or is_server_failure(error) or isinstance(error, MOVES_ON)


def _moved(call: Call, alternative: Alternative, error: FiberError) -> Call:
    """Return *call* as it is for *alternative*, after *error*."""
    journal, target = call.journal, alternative.target
    if error.outcome == "unknown":
        journal.possible_duplicate_charge = True
    why = Note("warned", "model", f"{call.target.name} failed with {type(error).__name__}, {target.name} was asked")
    journal.layer_notes = (*journal.layer_notes, why)
    call.tell(
        "fallback",
        attempt=len(journal.attempts),
        next=target.name,
        error_kind=type(error).__name__,
        http_status=error.status_code,
        reason=error.provider_code,
    )
    return call.replace(
        operation=alternative.operation,
        row=alternative.row,
        target=target,
        credential=alternative.credential,
        # What was done to the call for another target does not hold for this one.
        notes=(*(note for note in call.notes if note.kind == "warned"), *alternative.notes),
    )


def _exhausted(errors: list[FiberError]) -> FiberFallbackError:
    said = "; ".join(
        f"{error.provider}:{error.model}: {type(error).__name__}"
        + (f" {error.status_code}" if error.status_code is not None else "")
        for error in errors
    )
    outcomes = {error.outcome for error in errors}
    waits = [error.retry_after for error in errors if error.retry_after is not None]
    last = errors[-1]
    return FiberFallbackError(
        f"All {len(errors)} targets that were asked failed: {said}. error.errors has what each of them said.",
        errors=tuple(errors),
        provider=last.provider,
        model=last.model,
        status_code=last.status_code,
        retry_after=min(waits, default=None),
        partial=next((error.partial for error in reversed(errors) if error.partial is not None), None),
        outcome=next(outcome for outcome in ("unknown", "rejected", "not_sent") if outcome in outcomes),
    )
