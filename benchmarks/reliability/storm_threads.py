"""The storm in blocking code: streams that other threads cancel."""

from __future__ import annotations

import gc
import random
import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

from raw import RawServer
from storm import (
    AFTERWARDS,
    LONGEST_SECONDS,
    NEXT_CALLS,
    POOL,
    WORKERS,
    crowded,
    holding,
    nonces,
    open_files,
    resident_bytes,
)

from fiber import Fiber, FiberError


class _Names:
    """Words that no other call has, for all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._names = nonces()

    def next(self) -> str:
        with self._lock:
            return next(self._names)


def storm(server: RawServer, times: int) -> Counter[str]:
    """Cancel so many streams at random moments; return what that left behind."""
    files, threads = open_files(), threading.active_count()
    found = _stormed(server, times)
    gc.collect()
    found["files"], found["tasks"] = open_files() - files, threading.active_count() - threads
    return found


def _stormed(server: RawServer, times: int) -> Counter[str]:
    found: Counter[str] = Counter()
    names = _Names()
    fiber = crowded(server)
    _crowd(fiber, names, times // 10, Counter())
    memory = resident_bytes()
    _crowd(fiber, names, times, found)
    found["bytes"] = max(0, resident_bytes() - memory)
    server.report()
    after = fiber.with_options(timeouts=AFTERWARDS)
    held = holding(after, server)
    _together(lambda: _asked(held, names.next(), Counter()), 2 * POOL)
    found["lost"] = abs(POOL - server.report()["counts"].get("most_held", 0))
    good: Counter[str] = Counter()
    _together(lambda: _asked(after, names.next(), good), NEXT_CALLS)
    found["bad"] = NEXT_CALLS - good["whole"] + good["wrong"]
    fiber.sync.close()
    return found


def _crowd(fiber: Fiber, names: _Names, times: int, found: Counter[str]) -> None:
    left = iter(range(times))

    def work() -> None:
        for _ in left:
            while not _stream_cancelled(fiber, names.next(), found):
                pass

    _together(work, WORKERS)


def _stream_cancelled(fiber: Fiber, nonce: str, found: Counter[str]) -> bool:
    """Read a stream, and cancel it from another thread at a random moment; say whether that came in time."""
    stream = fiber.sync.chat_stream(nonce)
    timer = threading.Timer(random.uniform(0, LONGEST_SECONDS), stream.cancel)
    timer.start()
    try:
        for _ in stream:
            found["wrong"] += not nonce.startswith(stream.text)
        was_whole = getattr(stream.partial, "finish_reason", None) == "stop" and stream.text == nonce
        found["whole"] += was_whole
        return not was_whole
    except FiberError as error:
        found["broken"] += 1
        found[f"broken: {error}"] += 1
        return True
    finally:
        timer.cancel()
        timer.join()
        stream.close()


def _asked(fiber: Fiber, nonce: str, found: Counter[str]) -> None:
    try:
        text = fiber.sync.chat(nonce).text
    except FiberError:
        return
    found["whole"] += 1
    found["wrong"] += text != nonce


def _together(work: Callable[[], Any], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
