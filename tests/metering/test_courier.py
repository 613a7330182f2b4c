"""Items that are delivered by a thread of their own."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref
from itertools import chain

import pytest

from fiber.metering import courier as module
from fiber.metering.courier import Courier
from tests.kit import eventually

forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No close gives up because a machine is busy."""
    monkeypatch.setattr("fiber.metering.courier._CLOSE_SECONDS", 60.0)


class Gate:
    """A delivery that waits until it may go on, and remembers."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.seen: list[list[int]] = []

    def __call__(self, items: list[int]) -> None:
        self.seen.append(items)
        assert self.open.wait(10)


def test_items_arrive_once_and_in_order() -> None:
    """What one thread puts is delivered in that order, and nothing twice."""
    seen: list[list[int]] = []
    courier = Courier(seen.append)

    for number in range(1000):
        courier.put(number)

    assert courier.flush(10)
    assert list(chain(*seen)) == list(range(1000))
    assert courier.close()


def test_items_that_wait_are_delivered_together() -> None:
    """While one delivery lasts, all that comes becomes the next."""
    gate = Gate()
    courier = Courier(gate)

    courier.put(1)
    eventually(lambda: gate.seen == [[1]])
    courier.put(2)
    courier.put(3)
    gate.open.set()

    assert courier.close()
    assert gate.seen == [[1], [2, 3]]


def test_what_finds_no_room_is_dropped_and_counted() -> None:
    """A delivery that hangs costs items, never a wait."""
    gate = Gate()
    courier = Courier(gate, limit=2)

    courier.put(1)
    eventually(lambda: gate.seen == [[1]])
    for number in range(2, 7):
        courier.put(number)
    gate.open.set()

    assert courier.close()
    assert gate.seen == [[1], [2, 3]]
    assert courier.dropped == 3
    assert courier.failures == 0


@pytest.mark.parametrize("failure", [ValueError("no"), SystemExit(1)])
def test_a_delivery_that_raises_is_counted(failure: BaseException) -> None:
    """And the next one takes place."""
    seen: list[int] = []

    def deliver(items: list[int]) -> None:
        if 1 in items:
            raise failure
        seen.extend(items)

    courier = Courier(deliver)

    courier.put(1)
    flushed = courier.flush(10)
    courier.put(2)

    assert flushed
    assert courier.close()
    assert courier.failures == 1
    assert seen == [2]


def test_a_flush_gives_up_in_time() -> None:
    """It says that something is left, and a later one that nothing is."""
    gate = Gate()
    courier = Courier(gate)

    courier.put(1)
    early = courier.flush(0.001)
    gate.open.set()

    assert not early
    assert courier.flush(10)
    assert courier.close()


def test_a_flush_does_not_wait_for_the_pause() -> None:
    """Deliveries are an hour apart, a flush is at once."""
    seen: list[list[int]] = []
    courier = Courier(seen.append, every=3600)

    courier.put(1)
    eventually(lambda: seen == [[1]])
    courier.put(2)
    courier.put(3)

    assert courier.flush(10)
    assert courier.close()
    assert seen == [[1], [2, 3]]


def test_a_pause_ends_by_itself() -> None:
    """An item that came during the pause is delivered after it."""
    seen: list[list[int]] = []
    courier = Courier(seen.append, every=0.001)

    courier.put(1)
    eventually(lambda: seen == [[1]])
    courier.put(2)

    eventually(lambda: seen == [[1], [2]])
    assert courier.close()


def test_a_courier_without_work_has_no_thread() -> None:
    """Neither before the first item nor after a close, and a flush begins none."""
    threads: list[threading.Thread] = []
    courier = Courier[int](lambda items: threads.append(threading.current_thread()))

    unused = courier.flush(0) and courier.close()
    courier.put(1)
    courier.close()
    eventually(lambda: not threads[0].is_alive())
    courier.put(2)

    assert unused
    assert courier.close()
    assert len(set(threads)) == 2
    assert all(thread.daemon for thread in threads)


def test_a_forgotten_courier_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its thread delivers what waits, is idle for a while, ends, and holds nothing."""
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.01)
    seen: list[list[int]] = []
    courier = Courier(seen.append)
    known = weakref.ref(courier)

    courier.put(1)
    del courier
    eventually(lambda: known() is None)

    assert seen == [[1]]


def test_an_item_that_comes_as_the_thread_ends_is_delivered(monkeypatch: pytest.MonkeyPatch) -> None:
    """However short the idle time is."""
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.0)
    seen: list[int] = []
    courier: Courier[int] = Courier(seen.extend)

    for number in range(500):
        courier.put(number)
        eventually(lambda number=number: seen[-1:] == [number])  # type: ignore[misc]

    assert seen == list(range(500))


def test_an_item_that_no_other_thread_saw_to_is_seen_to() -> None:
    """Put while the thread that ends still seemed to be at work, it stays with that thread."""
    seen: list[int] = []
    courier: Courier[int] = Courier(seen.extend)
    courier._at_work.acquire()  # as a thread whose idle time is over

    courier.put(1)
    goes_on = courier._is_needed()

    assert goes_on
    assert courier._at_work.locked()


def test_many_threads_may_put() -> None:
    """All items arrive, each once."""
    seen: list[int] = []
    courier: Courier[int] = Courier(seen.extend)

    def put(base: int) -> None:
        for number in range(250):
            courier.put(base + number)

    threads = [threading.Thread(target=put, args=(base,)) for base in range(0, 2000, 250)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert courier.close()
    assert sorted(seen) == list(range(2000))


def test_items_put_by_the_garbage_collector_arrive() -> None:
    """Python may collect in the middle of a put, of a delivery and of the count of what was dropped."""
    seen: list[object] = []
    courier: Courier[object] = Courier(seen.extend, limit=50)

    class Ring:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            courier.put("collected")

    before = gc.get_threshold()
    gc.set_threshold(1)
    try:
        for _ in range(2000):
            Ring()
            courier.put([])
    finally:
        gc.set_threshold(*before)
    gc.collect()

    assert courier.close()
    assert len(seen) + courier.dropped == 4000


def test_an_item_waits_for_a_thread_that_cannot_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are too many threads, nothing raises, and the next item tries again."""
    seen: list[int] = []
    courier: Courier[int] = Courier(seen.extend)

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        courier.put(1)
        stuck = courier.flush(0)
    courier.put(2)

    assert not stuck
    assert courier.close()
    assert seen == [1, 2]


@forks
def test_a_forked_process_delivers_its_own_items_only() -> None:
    """What waits in the parent is delivered by the parent, also when the fork finds its locks held."""
    script = """
import os, threading, warnings
from fiber.metering.courier import Courier
warnings.simplefilter("ignore")
gate, begun, seen = threading.Event(), threading.Event(), []
def deliver(items):
    begun.set()
    gate.wait(10)
    seen.extend(items)
courier = Courier(deliver)
courier.put("held")
begun.wait(10)
courier.put("waiting")
courier._counting.acquire()
child = os.fork()
gate.set()
courier.put("child" if child == 0 else "parent")
ended = courier.close()
os.write(1, f"{'child' if child == 0 else 'parent'} {ended} {seen} {courier.dropped}\\n".encode())
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""

    output = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60)

    assert sorted(output.stdout.splitlines()) == [
        "child True ['child'] 0",
        "parent True ['held', 'waiting', 'parent'] 0",
    ]


def test_what_waits_is_delivered_at_the_end_of_the_process() -> None:
    """Also what another function put that runs at the end, and what stands behind a pause."""
    script = """
import atexit, os
from fiber.metering.courier import Courier
courier = Courier(lambda items: os.write(1, "".join(items).encode()), every=3600)
for letter in "abc":
    courier.put(letter)
atexit.register(courier.put, "d")
"""

    output = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True, timeout=60)

    assert output.stdout == "abcd"


def test_a_delivery_that_hangs_does_not_hold_the_process() -> None:
    """The end of the process waits a bounded time."""
    script = """
import threading
from fiber.metering import courier
courier._CLOSE_SECONDS = 0.01
held = courier.Courier(lambda items: threading.Event().wait())
held.put(1)
"""

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False, text=True, timeout=60)

    assert (ended.returncode, ended.stderr) == (0, "")


def test_after_a_fork_a_courier_begins_anew() -> None:
    """Its counts, its locks and what waits are those of the parent."""
    gate = Gate()
    courier = Courier(gate, limit=0)
    courier.put(1)
    courier._counting.acquire()
    courier._at_work.acquire()

    module._after_fork()

    assert courier.dropped == 0
    assert courier.close()
    assert gate.seen == []


def test_at_the_end_of_the_process_couriers_are_closed() -> None:
    """Each one that is still known."""
    seen: list[int] = []
    courier: Courier[int] = Courier(seen.extend)
    courier.put(1)

    module._at_exit()

    assert seen == [1]
    eventually(lambda: not courier._at_work.locked())
