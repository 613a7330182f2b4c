"""
The next target, when one fails for reasons of its own.

Each target has its own retries, for this layer is outside of them; all share the deadline and the journal. What does
not move on is the caller's: a request that was refused, a key that is wrong, a deadline that is over.
"""

from __future__ import annotations

import re
from collections.abc import Coroutine
from typing import Any

from fiber._chain import Alternative, Call, Handler
from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberCapabilityError,
    FiberCircuitOpenError,
    FiberConnectionError,
    FiberContextLengthError,
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

_API = re.compile(r"responses api|v1/responses|chat[/ ]completions", re.IGNORECASE)


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
            other = _next(asked, left, error, is_first=asked is call)
            if other is None or not other.instead:
                errors.append(error)
            if other is None:
                break
            asked = _moved(asked, other, error)
    if len(errors) == 1 or all(isinstance(error, FiberContextLengthError) for error in errors):
        raise errors[-1]  # when it fits no window, the caller has to shorten it, as with one model
    raise _exhausted(errors) from errors[-1]


def _next(call: Call, left: list[Alternative], error: FiberError, *, is_first: bool) -> Alternative | None:
    """Take whom to ask after *error* from those who are *left*; None when nobody is to be asked."""
    if call.journal.cancelled or (call.deadline is not None and call.transport.now() >= call.deadline):
        return None
    if left and left[0].instead:
        instead = left.pop(0)
        if _is_unsupported(error):
            return instead
    return left.pop(0) if left and _moves_on(error, is_first=is_first) else None


def _is_unsupported(error: FiberError) -> bool:
    """
    Say whether a provider told that its API has no such model, or has not for this model what was asked for.

    OpenAI has no code for it, and says it with `model_not_found` as well as with none; its words name one of its APIs.
    A server that only looks like OpenAI's has no such path, or no such method.
    """
    refused = isinstance(error, FiberBadRequestError | FiberModelNotFoundError) and error.outcome == "rejected"
    no_such_path = isinstance(error, FiberBadRequestError) and error.status_code in (404, 405)
    return refused and (no_such_path or _API.search(error.message) is not None)


def _moves_on(error: FiberError, *, is_first: bool) -> bool:
    if error.outcome == "not_sent" and isinstance(error, UNFIT):
        return not is_first
    if error.outcome == "not_sent" and isinstance(error, FiberContextLengthError):
        return True  # a later model whose window is known to be too small refuses it for nothing, as this one did
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
