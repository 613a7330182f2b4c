"""The total timer as an absolute deadline on the call."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from fiber._chain import Call, Handler
from fiber._reply import Reply


def deadline(call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
    """Give *call* its deadline, unless an outer layer gave it one."""
    if call.deadline is None and call.timeouts.total is not None:
        call = call.replace(deadline=call.journal.started + call.timeouts.total)
    return next(call)
