"""
What is shared is shared exactly: budgets by processes and threads, answers by those who ask for them at once.

The server counts the requests that reach it, so that nothing is taken on trust.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anyio
from figure import Figure, script
from raw import RawServer
from redis_server import MISSING, RedisServer
from spender import TOKENS, budgets_of, spend
from worlds import client

from fiber import Budgets, Cache, EncryptedStore, Fiber, FileStore, RedisStore

PROCESSES = 8
STAMPEDE = 100
TOTAL_SECONDS = 5
"""Of the calls of a process that is killed: until then, and a minute more, they hold what they reserved."""

HERE = Path(__file__).parent
KEY = b"thirty-two bytes of a secret key"


def measure(smoke: bool) -> Iterator[Figure]:
    """Yield what was too much, for each way to share."""
    calls = 100 if smoke else 1000
    with RawServer() as server:
        yield from _in_one_process(server, calls)
        if MISSING:
            yield Figure("processes that share a budget", None, note=MISSING)
        else:
            with RedisServer() as redis:
                yield from _in_processes(server, redis, calls)
            with RedisServer() as redis:
                yield from _killed(server, redis, calls, after=0 if smoke else 60)
        for world in ("asyncio", "trio", "sync"):
            yield from _stampede(server, world)
    yield from _writers(20 if smoke else 500)


# -- budgets -----------------------------------------------------------------------------------------------------------


def counted(what: str, budgets: Budgets, limit: int, found: Counter[str], sent: int, note: str) -> Iterator[Figure]:
    """Yield what is wrong with *budgets* after calls of which *sent* reached the server."""
    status = {each.kind: each for each in budgets.status()}
    yield Figure(f"{what}: requests beyond the limit", max(0, sent - limit), "", 0, note)
    yield Figure(f"{what}: calls refused though there was room", max(0, limit - found["answered"]), "", 0)
    wrong = abs(int(status["requests"].used) - sent) + abs(int(status["tokens"].used) - TOKENS * sent)
    yield Figure(f"{what}: counted wrongly, or not once", wrong, "", 0, f"{status['tokens'].used} tokens")
    yield Figure(f"{what}: still reserved", float(sum(each.held for each in status.values())), "", 0)


def _in_one_process(server: RawServer, calls: int) -> Iterator[Figure]:
    limit = PROCESSES * calls // 2
    budgets = budgets_of(limit, "")
    server.report()
    started = time.monotonic()
    with ThreadPoolExecutor(PROCESSES) as pool:
        work = [pool.submit(spend, server.base_url("hold"), budgets, calls) for _ in range(PROCESSES)]
        found = sum((each.result() for each in work), Counter[str]())
    note = f"{PROCESSES} x {calls} calls, {found['refused']} refused, {time.monotonic() - started:.1f} s"
    sent = server.report()["counts"].get("asked", 0)
    yield from counted("one process, 8 loops", budgets, limit, found, sent, note)


def _in_processes(server: RawServer, redis: RedisServer, calls: int) -> Iterator[Figure]:
    limit = PROCESSES * calls // 2
    server.report()
    started = time.monotonic()
    found = _said([_spender(server, redis, limit, calls) for _ in range(PROCESSES)])
    note = f"{PROCESSES} x {calls} calls, {found['refused']} refused, {time.monotonic() - started:.1f} s"
    sent = server.report()["counts"].get("asked", 0)
    yield from counted("8 processes, Redis", budgets_of(limit, redis.url), limit, found, sent, note)
    yield Figure("8 processes, Redis: uses of the ledger that failed", found["failures"], "", 0)


def _killed(server: RawServer, redis: RedisServer, calls: int, after: int) -> Iterator[Figure]:
    """Kill a process in the middle of its calls, and have others use what it leaves."""
    limit = 2 * calls
    budgets = budgets_of(limit, redis.url)
    ends_after = TOTAL_SECONDS + after
    dead = _spender(server, redis, limit, calls, (TOTAL_SECONDS, after))
    while not (before := _requests(budgets)).used or not before.held:
        assert dead.poll() is None, "it was done before it could be killed"
        time.sleep(0.01)
    dead.kill()
    dead.communicate()
    died = time.monotonic()
    held = _requests(budgets).held
    yield Figure("killed with -9: reserved by the dead process", float(held), note=f"of {calls} calls at once")
    while _requests(budgets).held and time.monotonic() < died + 2 * ends_after + 10:
        time.sleep(0.05)
    took = time.monotonic() - died
    yield Figure("killed with -9: still reserved after its time", float(_requests(budgets).held), "", 0)
    yield Figure("killed with -9: free again after", took, "s", ends_after + 1.0)
    left = limit - int(_requests(budgets).used)
    found = _said([_spender(server, redis, limit, calls) for _ in range(2)])
    yield Figure("killed with -9: calls that others were refused wrongly", left - found["answered"], "", 0)


def _requests(budgets: Budgets) -> Any:
    return next(each for each in budgets.status() if each.kind == "requests")


def _spender(
    server: RawServer, redis: RedisServer, limit: int, calls: int, ends: tuple[int, int] = (120, 60)
) -> subprocess.Popen[str]:
    words = [server.base_url("hold"), redis.url, *map(str, (limit, calls, *ends))]
    return subprocess.Popen([sys.executable, str(HERE / "spender.py"), *words], stdout=subprocess.PIPE, text=True)


def _said(processes: list[subprocess.Popen[str]]) -> Counter[str]:
    found: Counter[str] = Counter()
    for process in processes:
        answered, refused, failures = map(int, process.communicate()[0].split())
        found += Counter(answered=answered, refused=refused, failures=failures)
    return found


# -- caches ------------------------------------------------------------------------------------------------------------


def _stampede(server: RawServer, world: str) -> Iterator[Figure]:
    """Have a hundred ask the same at once."""
    server.report()
    cache = Cache()
    fiber = client(server.base_url("hold"), cache=cache, cache_policy="write_through")
    if world == "sync":
        with ThreadPoolExecutor(STAMPEDE) as pool:
            said = list(pool.map(lambda _: fiber.sync.ask("nonce-1"), range(STAMPEDE)))
        fiber.sync.close()
    else:
        said = anyio.run(_at_once, fiber, backend=world)
    asked = server.report()["counts"].get("asked", 0)
    note = f"{cache.stats.coalesced} waited for another, {cache.stats.hits} hits"
    yield Figure(f"{STAMPEDE} calls at once, {world}: requests", asked, "", 1, note)
    yield Figure(f"{STAMPEDE} calls at once, {world}: wrong answers", sum(each != "nonce-1" for each in said), "", 0)


async def _at_once(fiber: Fiber) -> list[str]:
    said: list[str] = []

    async def one() -> None:
        said.append(await fiber.ask("nonce-1"))

    async with fiber, anyio.create_task_group() as group:
        for _ in range(STAMPEDE):
            group.start_soon(one)
    return [*said, *[""] * (STAMPEDE - len(said))]


def _writers(times: int) -> Iterator[Figure]:
    """Have eight threads over stores of their own write one value, and read meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        yield _torn("files", lambda: FileStore(folder), times)
        yield _torn("files, encrypted", lambda: EncryptedStore(FileStore(folder), KEY), times)
    if not MISSING:
        with RedisServer() as redis:
            yield _torn("Redis", lambda: RedisStore(redis.url, timeout_seconds=5), times)


def _torn(what: str, made: Any, times: int) -> Figure:
    values = [bytes([number]) * 20_000 for number in range(PROCESSES)]
    over = threading.Event()
    seen: Counter[bytes | None] = Counter()

    def write(value: bytes) -> None:
        store = made()
        for _ in range(times):
            store.set("one", value, seconds=1e6, now=time.time())

    def read() -> None:
        store = made()
        while not over.is_set():
            seen[store.get("one", now=time.time())] += 1

    made().set("one", values[0], seconds=1e6, now=time.time())
    reader = threading.Thread(target=read)
    reader.start()
    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(write, values))
    over.set()
    reader.join()
    wrong = sum(count for value, count in seen.items() if value not in values)
    note = f"{PROCESSES * times} writes, {seen.total()} reads"
    return Figure(f"8 writers of one value in {what}: reads of another", wrong, "", 0, note)


if __name__ == "__main__":
    sys.exit(script("sharing", measure))
