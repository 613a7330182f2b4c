"""
How stores are used: here when they are quick, else where that holds up nobody.

What is taken from one is never left behind, not even by a task that is cancelled while it waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TypeVar

from fiber.transports.base import Transport, aside, detach

T = TypeVar("T")


async def perform(transport: Transport, work: Callable[[], T], *, quick: bool) -> T:
    """Return what *work* returns, a use of a store, which may block unless that is *quick*."""
    return work() if quick else await aside(transport, work)


def dispatch(transport: Transport, work: Callable[[], None], *, quick: bool) -> None:
    """Have *work* done, which must not raise; the caller, who may not suspend, does not wait for it."""
    if quick:
        work()
    else:
        detach(transport, work)


async def secured(transport: Transport, take: Callable[[], T], let_go: Callable[[], None], *, quick: bool) -> T:
    """
    Return what *take* returns; what it took while nobody waits any more is let go at once.

    Args:
        take: A use of a store, which may block unless it is *quick*.
        let_go: Undoes it; what it raises is left alone, for then what was taken ends by itself.
    """
    if quick:
        return take()
    lock = Lock()
    answers: list[T] = []
    gone: list[bool] = []

    def work() -> T:
        answer = take()
        with lock:
            answers.append(answer)
            is_gone = bool(gone)
        if is_gone:
            undo()
        return answer

    def undo() -> None:
        try:
            let_go()
        except Exception:  # noqa: S110 - then it ends by itself
            pass

    try:
        return await aside(transport, work)
    except Exception:
        raise
    except BaseException:
        with lock:
            gone.append(True)
            is_held = bool(answers)
        if is_held:
            detach(transport, undo)
        raise
