"""
What was asked and answered, in the log, of a sample of the calls; only where the application asks for it.

Each text is what the client's `redact` leaves of it. The lines go to a logger of their own, `fiber.content`, so that a
host can keep them elsewhere, and for as long as it may.
"""

from __future__ import annotations

import logging
from collections.abc import Coroutine
from typing import Any

from fiber._chain import Call, Handler
from fiber._errors import FiberValidationError
from fiber._reply import Ending, Reply
from fiber.layers.telemetry import bound_fields
from fiber.layers.tracing.content import captured

_LOGGER = logging.getLogger("fiber.content")


class ContentLog:
    """
    Log content; a layer, for `Fiber(log_content=...)`.

    Args:
        share: Of the calls: 1.0 for all of them, 0.01 for one in a hundred.

    Raises:
        FiberValidationError: *share* is no number from 0 to 1.
    """

    def __init__(self, share: float) -> None:
        if type(share) not in (int, float) or not 0 <= share <= 1:
            raise FiberValidationError(
                f"The argument log_content is {share!r}: say which share of the calls is logged, from 0 to 1.",
                parameter="log_content",
                outcome="not_sent",
            )
        self._below = share * 2**32

    def __call__(self, call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
        """Handle *call*; whether it is logged, its id says, which is random."""
        is_sampled = int(call.journal.id[:8], 16) < self._below
        return _logged(call, next) if is_sampled and _LOGGER.isEnabledFor(logging.INFO) else next(call)


async def _logged(call: Call, next: Handler) -> Reply:
    try:
        reply = await next(call)
    except BaseException as error:
        _log(call, call.journal.ending(error), Reply(getattr(error, "partial", None)))
        raise

    async def finish(ending: Ending) -> None:
        _log(call, ending, reply)

    reply.on_end(finish)
    return reply


def _log(call: Call, ending: Ending, reply: Reply) -> None:
    # A broken handler of the host must not break the call.
    try:
        if content := captured(call, reply):
            fields = {
                "call_id": call.journal.id,
                "provider": call.target.provider,
                "model": call.target.model,
                "outcome": ending.outcome,
                "label": call.label,
                **content,
            }
            _LOGGER.info("content", extra={**fields, **bound_fields(call, fields)})
    except Exception:  # noqa: S110 - there is nobody else to tell
        pass
