"""
Retries do not make an outage worse (goal G4): how many requests does a call cost, and how many calls get an answer?

On the virtual clock of `FakeTransport`, so that a thousand calls with their waits take a second.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator

from figure import Figure, script

from fiber import Fiber, FiberError
from fiber.testing import FakeReply, FakeTransport, json_reply
from fiber.transports.base import HTTPResponse
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest

MESSAGE = {"role": "assistant", "content": "Hello"}
GOOD = json_reply({"choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}]})
BUSY = json_reply({"error": {"message": "no capacity", "code": "overloaded"}}, 503)
START_ALLOWANCE = 10
OUTAGE_GOAL, FAILURES_GOAL, UNANSWERED_GOAL = 1.1, 1.13, 0.2


class Failing(FakeTransport):
    """A provider that is busy for a share of the requests, drawn by lot."""

    def __init__(self, share: float, lot: random.Random) -> None:
        super().__init__()
        self._share = share
        self._lot = lot

    def _reply(self) -> FakeReply:
        return BUSY if self._lot.random() < self._share else GOOD

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Answer, or be busy."""
        self._script.append(self._reply())
        return await super().open(request, timeouts, until)


def run(share: float, calls: int, seed: int) -> tuple[int, int]:
    """Make *calls* to a provider that fails for *share* of the requests; return requests and answered calls."""
    transport = Failing(share, random.Random(seed))
    fiber = Fiber(api_keys={"openai": "not-a-real-key"}, transport=transport)
    answered = 0
    for _ in range(calls):
        try:
            fiber.sync.chat("Hi", model="openai:m")
            answered += 1
        except FiberError:
            pass
    return len(transport.requests), answered


def measure(smoke: bool) -> Iterator[Figure]:
    """Measure an outage, and failures at random."""
    calls = 1000
    requests, _ = run(1.0, calls, 0)
    yield Figure(
        f"full outage, requests per call less {START_ALLOWANCE} to start with",
        (requests - START_ALLOWANCE) / calls,
        "",
        OUTAGE_GOAL,
        f"{requests} requests, {calls} calls",
    )
    # Many clients, for one run of a thousand fails for 8 to 12 % of its requests, by chance.
    runs = [run(0.1, calls, seed) for seed in range(10 if smoke else 50)]
    made = calls * len(runs)
    yield Figure(
        "10 % failures at random, requests per call",
        sum(requests for requests, _ in runs) / made,
        "",
        FAILURES_GOAL,
        f"{sum(requests for requests, _ in runs)} requests, {made} calls",
    )
    unanswered = made - sum(answered for _, answered in runs)
    yield Figure("10 % failures at random, calls without an answer", 100 * unanswered / made, "%", UNANSWERED_GOAL)
    for share in (0.3, 0.5):
        requests, answered = run(share, calls, 0)
        yield Figure(
            f"{share:.0%} failures, requests per call", requests / calls, note=f"{answered} of {calls} answered"
        )


if __name__ == "__main__":
    sys.exit(script("amplification", measure))
