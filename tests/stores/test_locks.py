"""A lock ends with whoever has it."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event, Thread

from fiber.stores.locks import hold


def test_one_at_a_time_has_the_lock(tmp_path: Path) -> None:
    """The next has it when the file of the one before is closed."""
    first, second = (os.open(tmp_path / "x", os.O_RDWR | os.O_CREAT) for _ in range(2))
    has = Event()
    hold(first)

    def wait() -> None:
        hold(second)
        has.set()

    thread = Thread(target=wait)
    thread.start()
    too_early = has.wait(0.05)
    os.close(first)

    assert has.wait(5)
    assert not too_early
    thread.join()
    os.close(second)
