"""
Memory is bounded (goal G6): how much more does a process hold when a server sends too much?

Each case runs in a process of its own, after an ordinary call; what counts is the peak of its resident memory above
what it held before.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.request import urlopen

from figure import Figure, script
from independent import MISSING, faults
from raw import RawServer
from ways import BOMB_BYTES, EVENT_COUNT, MEGABYTE
from worlds import Job, Outcome, run

from fiber import NO_RETRY, FiberError, Timeouts
from fiber.adapters.keeping import MAX_STREAM_BYTES
from fiber.framing.sse import MAX_EVENT_BYTES
from fiber.transports.base import MAX_BODY_BYTES
from fiber.transports.wire import MAX_HEAD_BYTES

LEAST_GOAL_MB = 2.0
"""Below this nothing can be told: the interpreter takes memory by the megabyte, a loop reads 256 KiB at a time."""

AT_ONCE = 2
BODY, EVENT, HEAD, STREAM = MAX_BODY_BYTES, MAX_EVENT_BYTES, MAX_HEAD_BYTES, MAX_STREAM_BYTES
CASES: tuple[tuple[str, bool, int, bool], ...] = (
    # The way; as a stream; the limit of what is too long, in bytes; the call must succeed.
    ("bomb", False, BODY, False),
    ("bomb", True, EVENT, False),
    ("endless_json", False, BODY, False),
    ("endless_json", True, BODY, False),
    ("endless_event", False, BODY, False),
    ("endless_event", True, EVENT, False),
    ("endless_head", False, HEAD, False),
    ("endless_head", True, HEAD, False),
    ("endless_events", False, BODY, False),
    ("endless_events", True, STREAM, False),
    ("endless_comments", True, EVENT, False),
    ("comments", False, BODY, True),
    ("comments", True, EVENT, True),
    ("events", False, BODY, True),
    ("events", True, EVENT, True),
)
BRIEF = {("bomb", False), ("endless_json", False), ("endless_event", True), ("endless_head", True), ("events", True)}
INDEPENDENT: tuple[tuple[str, bool, int], ...] = (
    ("gzip-bomb", False, BODY),
    ("gzip-bomb", True, EVENT),
    ("endless-body", False, BODY),
    ("huge-headers", False, HEAD),
    ("sse-giant-event", True, EVENT),
    ("sse-comment-flood", True, EVENT),
    ("sse-100k", True, EVENT),
)


def measure(smoke: bool) -> Iterator[Figure]:
    """Yield the growth of each case, in blocking code and on asyncio."""
    worlds = ("asyncio",) if smoke else ("asyncio", "trio", "sync")
    with RawServer() as server:
        with urlopen(f"{server.url}/bomb/v1", timeout=60) as response:  # which packs it, once
            assert len(response.read()) < BOMB_BYTES / 500
        cases: list[tuple[str, Job, int, bool | None]] = [
            (world, Job(way, server.base_url(way), stream=stream), limit, succeeds)
            for way, stream, limit, succeeds in CASES
            if not smoke or (way, stream) in BRIEF
            for world in worlds
        ]
        with faults() as others, ThreadPoolExecutor(AT_ONCE) as pool:
            if others is None:
                yield Figure("a second source of faults", None, note=MISSING)
            elif not smoke:
                cases += [
                    ("asyncio", Job(f"fault_server {scenario}", others.base_url(scenario), stream=stream), limit, None)
                    for scenario, stream, limit in INDEPENDENT
                    if scenario in others.scenarios
                ]
            for figures in pool.map(lambda case: list(_case(server.base_url("echo"), *case)), cases):
                yield from figures


def _case(echo: str, world: str, job: Job, limit: int, succeeds: bool | None) -> Iterator[Figure]:
    said = json.dumps([world, job.name, job.base_url, job.stream, echo])
    command = [sys.executable, str(Path(__file__)), "--case", said]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    name = f"{world}: {job.name}, {'stream' if job.stream else 'whole'}"
    if done.returncode:
        yield Figure(name, float("inf"), "MB", 0, f"the process died: {done.stderr[-300:]}")
        return
    extra, seconds, how, is_good = json.loads(done.stdout)
    goal = max(LEAST_GOAL_MB, 2 * limit / MEGABYTE)
    yield Figure(name, extra / MEGABYTE, "MB", goal, f"in {seconds:.2f} s: {how}")
    if succeeds is not None and succeeds is not is_good:
        yield Figure(f"{name}, wrong outcome", 1, "", 0, how)


def case(said: str) -> int:
    """Run one case in this process and print what it took."""
    world, name, url, stream, echo = json.loads(said)
    for shape in (False, True):
        for way in ("echo", "busy"):  # a good call and a bad one, so that whatever they import is there
            run(world, [Job("warm", echo.replace("echo", way), stream=shape, options={"retry": NO_RETRY})])
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak so far
    before = _memory("VmRSS")
    outcome = run(world, [Job(name, url, stream=stream, options={"timeouts": Timeouts(total=20)})])[0]
    extra = _memory("VmHWM") - before
    print(json.dumps([extra, outcome.seconds, _said(outcome), outcome.error is None]))
    return 0


def _said(outcome: Outcome) -> str:
    error, result = outcome.error, outcome.result
    if result is not None:
        pieces = len(result.text.split())
        return f"{pieces} words" if pieces in (1, EVENT_COUNT) else f"{pieces} words, that is wrong"
    told = error.message if isinstance(error, FiberError) else str(error)
    return f"{type(error).__name__}: {told[:60]}"


def _memory(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return 1024 * int(line.split()[1])
    raise LookupError(name)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--case"]:
        sys.exit(case(sys.argv[2]))
    sys.exit(script("G6 memory", measure))
