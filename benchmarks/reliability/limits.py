"""
Calls use what a provider allows and are hardly ever refused, also where its limits are other than the client thinks.

On the virtual clock of trio, so that half an hour of fifty callers takes seconds; only the processes that share a limit
through a `redis-server` take the time that they take.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio
from figure import Figure, script
from redis_server import MISSING, RedisServer
from trio.testing import MockClock

from fiber import NO_RETRY, Fiber, FiberError, RateLimit, RateLimiter
from fiber.testing import FakeTransport, json_reply
from fiber.testing.fake import EPOCH
from fiber.transports.base import HTTPResponse
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest

MINUTE = 60.0
UNUSED_GOAL, REFUSED_GOAL, SHARED_GOAL = 5.0, 1.0, 1.0
PROCESSES, SHARED_RATE, WARM_SECONDS = 8, 50.0, 15.0


@dataclass
class Bucket:
    """So much a minute, that comes all the time."""

    limit: float
    level: float
    at: float = 0.0

    def there(self, now: float) -> float:
        """Return how much there is."""
        self.level = min(self.limit, self.level + self.limit / MINUTE * (now - self.at))
        self.at = now
        return self.level


class Provider(FakeTransport):
    """
    Refuses what is above its limits.

    Args:
        requests, tokens: Its limits, by the minute.
        tells: It has headers about them.
        strict: It counts the requests of the last sixty seconds, instead of letting them come all the time.
    """

    def __init__(self, requests: float, tokens: float, *, tells: bool, strict: bool, lot: random.Random) -> None:
        super().__init__()
        self._requests, self._tokens = Bucket(requests, requests), Bucket(tokens, tokens)
        self._tells, self._strict, self._lot = tells, strict, lot
        self.log: list[tuple[float, int, int]] = []

    def now(self) -> float:
        """Return trio's time."""
        return trio.current_time()

    def wall(self) -> float:
        """Return it as a date."""
        return EPOCH + trio.current_time()

    async def sleep(self, seconds: float) -> None:
        """Let others go on."""
        await trio.sleep(seconds)

    def _missing(self, tokens: int) -> float:
        """Return for how many seconds a call has to wait."""
        now = self.now()
        waits = [
            (1 - self._requests.there(now)) / self._requests.limit * MINUTE,
            (tokens - self._tokens.there(now)) / self._tokens.limit * MINUTE,
        ]
        if self._strict:
            good = [moment for moment, status, _ in self.log[-int(self._requests.limit) * 2 :] if status == 200]
            recent = [moment for moment in good if moment > now - MINUTE + 1e-6]
            waits.append(recent[0] + MINUTE - now if len(recent) >= self._requests.limit else 0.0)
        return max(waits)

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Answer after a while, or refuse at once."""
        output = self._lot.randint(20, 180)
        given = len(request.body) // 4
        missing = self._missing(given + output)
        headers: dict[str, str] = {}
        if missing <= 0:
            self._requests.level -= 1
            self._tokens.level -= given + output
        if self._tells:
            for name, bucket in (("requests", self._requests), ("tokens", self._tokens)):
                headers[f"x_ratelimit_limit_{name}"] = str(int(bucket.limit))
                headers[f"x_ratelimit_remaining_{name}"] = str(max(0, int(bucket.level)))
        self.log.append((self.now(), 429 if missing > 0 else 200, given + output))
        if missing > 0:
            error = {"error": {"message": "too fast", "code": "rate_limit_exceeded"}}
            self._script.append(json_reply(error, 429, retry_after=f"{missing:.3f}", **headers))
        else:
            await trio.sleep(self._lot.uniform(0.2, 2.0))
            usage = {"prompt_tokens": given, "completion_tokens": output, "total_tokens": given + output}
            choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
            self._script.append(json_reply({"choices": [choice], "usage": usage}, **headers))
        return await super().open(request, timeouts, until)


CASES: dict[str, tuple[RateLimit, dict[str, Any]]] = {
    # What the client is told, and what the provider is like.
    "the limit is known": (RateLimit(requests=300), {}),
    "the limit is known, counted by the last minute": (RateLimit(requests=300), {"strict": True}),
    "half of what is configured, told in headers": (RateLimit(requests=600, tokens=1e9), {"tells": True}),
    "half of what is configured, told by refusals only": (RateLimit(requests=600), {}),
    "tokens, the limit is known": (RateLimit(tokens=36_000), {"tokens": 36_000}),
    "tokens, a third, told in headers": (RateLimit(tokens=108_000), {"tokens": 36_000, "tells": True}),
}


def run(case: str, minutes: int, warm: int, callers: int = 50, seed: int = 0) -> tuple[float, float]:
    """Return which share of what is allowed was used, and of the requests was refused, after *warm* minutes."""
    limit, traits = CASES[case]
    traits = {"requests": 300, "tokens": 1e9, "tells": False, "strict": False, **traits}
    lot = random.Random(seed)
    provider = Provider(**traits, lot=lot)
    fiber = Fiber(
        api_keys={"openai": "not-a-real-key"}, transport=provider, rate_limits={"openai": limit}, retry=NO_RETRY
    )

    async def caller() -> None:
        while trio.current_time() - began < (minutes + warm) * MINUTE:
            try:
                await fiber.chat("Hi " * lot.randint(1, 200), model="openai:m")
            except FiberError:
                await trio.sleep(lot.uniform(0.0, 1.0))

    async def main() -> None:
        nonlocal began
        began = trio.current_time()
        async with trio.open_nursery() as nursery:
            for _ in range(callers):
                nursery.start_soon(caller)

    began = 0.0
    trio.run(main, clock=MockClock(autojump_threshold=0))
    whole = warm * MINUTE, (warm + minutes) * MINUTE
    seen = [(status, tokens) for moment, status, tokens in provider.log if whole[0] <= moment - began < whole[1]]
    answered = [tokens for status, tokens in seen if status == 200]
    used = max(
        len(answered) / (traits["requests"] * minutes),
        sum(answered) / (traits["tokens"] * minutes),
    )
    return used, 1 - len(answered) / len(seen)


def one_process(url: str, seconds: float) -> None:
    """Make calls as fast as they may be, and print when each was sent."""
    from fiber import RedisStore

    class Instant(FakeTransport):
        """Answers at once, in real time."""

        def now(self) -> float:
            return time.monotonic()

        def wall(self) -> float:
            return time.time()

        async def sleep(self, seconds: float) -> None:
            time.sleep(seconds)  # noqa: ASYNC251 - it serves blocking code only

        async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
            sent.append(time.time())
            choice = {"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}
            self._script.append(json_reply({"choices": [choice]}))
            return await super().open(request, timeouts, until)

    sent: list[float] = []
    store = RedisStore(url, timeout_seconds=5)
    limiter = RateLimiter({"openai": RateLimit(requests=SHARED_RATE * MINUTE)}, store=store, on_failure="refuse")
    fiber = Fiber(api_keys={"openai": "not-a-real-key"}, transport=Instant(), rate_limits=limiter)
    print("ready", flush=True)
    sys.stdin.readline()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        fiber.sync.chat("Hi", model="openai:m")
    print(*sent)


def shared(seconds: float) -> tuple[float, list[int]]:
    """Run processes over one server; return calls as a share of what is allowed, and those of each process."""
    with RedisServer() as redis:
        program = f"import limits; limits.one_process({redis.url!r}, {seconds})"
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path])}
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": environment, "text": True}
        processes = [subprocess.Popen([sys.executable, "-c", program], **pipes) for _ in range(PROCESSES)]
        for process in processes:
            process.stdout.readline()
        begin = time.time() + WARM_SECONDS
        for process in processes:
            process.stdin.write("go\n")
            process.stdin.flush()
        sent = [[float(moment) for moment in process.communicate()[0].split()] for process in processes]
    # What came together at the beginning is used up by then; and nobody has stopped yet.
    end = min(moments[-1] for moments in sent)
    counts = [sum(begin <= moment < end for moment in moments) for moments in sent]
    return sum(counts) / (SHARED_RATE * (end - begin)), counts


def measure(smoke: bool) -> Iterator[Figure]:
    """Measure each case, and processes that share a limit."""
    minutes, warm = (4, 2) if smoke else (30, 10)
    for case in CASES:
        used, refused = run(case, minutes, warm)
        yield Figure(f"{case}: unused", 100 * (1 - used), "%", UNUSED_GOAL, f"{minutes} minutes after {warm}")
        yield Figure(f"{case}: refused", 100 * refused, "%", REFUSED_GOAL)
    what = f"{PROCESSES} processes over Redis, difference from what is allowed"
    if MISSING:
        yield Figure(what, None, note=MISSING)
        return
    share, counts = shared(25 if smoke else 60)
    yield Figure(what, 100 * abs(share - 1), "%", SHARED_GOAL, f"each {min(counts)} to {max(counts)} calls")


if __name__ == "__main__":
    sys.exit(script("limits", measure))
