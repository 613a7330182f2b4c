"""The total timer as an absolute deadline."""

from __future__ import annotations

import pytest

from fiber import Timeouts
from fiber._chain import Call
from fiber._engine import run_sync
from fiber._reply import Reply
from fiber.layers.deadline import deadline
from tests.kit import watched, whole


@pytest.mark.parametrize(("total", "given", "expected"), [(5, None, 105), (None, None, None), (5, 50, 50)])
def test_a_call_gets_its_deadline_once(total: float | None, given: float | None, expected: float | None) -> None:
    """From its start; one that an outer layer gave is kept."""
    fiber, _, watch = watched(whole(), timeouts=Timeouts(total=total))
    fiber.sync.chat("Hi")
    call = watch.calls[0].replace(deadline=given)
    call.journal.started = 100
    seen: list[Call] = []

    async def core(call: Call) -> Reply:
        seen.append(call)
        return Reply()

    run_sync(deadline(call, core))

    assert seen[0].deadline == expected
