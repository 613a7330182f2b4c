"""
One more try for an answer that is whole but not the JSON that was asked for.

What is asked then is the operation's business: it shows the model its own answer and the error. Both exchanges are
one call: one deadline and one log line, every attempt in the receipt, the usage of both in the result.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import msgspec

from fiber._chain import Call, Handler
from fiber._errors import FiberError
from fiber._reply import Reply, ending_of
from fiber.types.sums import sum_usage

_WARNING = "The first answer did not fit what was asked for and was asked for once more; usage counts both."


def repair(call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
    """Handle *call*, and once more when it asks for repair and its answer needs it."""
    # No coroutine of its own, so that a call that does not ask for repair pays for one look at a flag.
    return _repair(call, next) if call.repair else next(call)


async def _repair(call: Call, next: Handler) -> Reply:
    first = await next(call)
    operation = call.operation.repaired(first.value)
    if operation is None:
        return first
    await first.end(ending_of(first.value))
    call.tell("repair", attempt=len(call.journal.attempts))
    try:
        second = await next(call.replace(operation=operation))
    except FiberError as error:
        error.partial = error.partial or first.value
        raise
    # Ended here too: the layers below count what each exchange used, those above what the call did.
    await second.end(ending_of(second.value))
    return Reply(
        msgspec.structs.replace(
            second.value,
            usage=sum_usage(first.value.usage, second.value.usage),
            warnings=(*second.value.warnings, _WARNING),
        )
    )
