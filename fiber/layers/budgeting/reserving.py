"""One reservation, which is never left behind: not even by a task that is cancelled while it waits for the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock

from fiber._chain import Call
from fiber.stores.base import Claim, Ledger, Reserved
from fiber.transports.base import aside, detach, wall


async def reserve(ledger: Ledger, call: Call, claims: Sequence[Claim], hold: str, *, seconds: float) -> Reserved:
    """Hold all of *claims* for *seconds*, or none; what is held while nobody waits any more is let go at once."""
    now = wall(call.transport)
    if ledger.quick:
        return ledger.reserve(claims, hold, seconds=seconds, now=now)
    lock = Lock()
    answers: list[Reserved] = []
    gone: list[bool] = []

    def work() -> Reserved:
        answer = ledger.reserve(claims, hold, seconds=seconds, now=now)
        with lock:
            answers.append(answer)
            is_gone = bool(gone)
        if is_gone:
            let_go()
        return answer

    def let_go() -> None:
        try:
            ledger.settle(claims, [0 for _ in claims], hold, now=now)
        except Exception:  # noqa: S110 - then it ends by itself
            pass

    try:
        return await aside(call.transport, work)
    except Exception:
        raise
    except BaseException:
        with lock:
            gone.append(True)
            is_held = bool(answers)
        if is_held:
            detach(call.transport, let_go)
        raise
