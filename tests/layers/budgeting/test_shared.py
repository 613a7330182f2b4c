"""Processes that share a budget through a real Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from fiber import Budget, Budgets, RedisStore
from tests.stores.server import free_port, needs_redis, running

PROGRAM = """
import sys
import anyio
from fiber import Budget, Budgets, Fiber, FiberBudgetError, RedisStore
from fiber.testing.fake import FakeTransport
from fiber.transports.choice import for_loops
from tests.kit import KEY, MODEL, whole

real = for_loops(lambda: "", lambda: "", lambda scheme, place: "")
transport = FakeTransport(*(whole() for _ in range(100)))
transport.aside, transport.detach, transport.wall = real.aside, real.detach, lambda: 1_800_000_000.0
store = RedisStore(sys.argv[1], timeout_seconds=30)
budgets = Budgets([Budget(name="b", requests=150, tokens=10**6)], ledger=store, on_failure="refuse")
names = {"api_keys": {"openai": KEY}, "default_model": MODEL, "default_max_tokens": 10}
fiber = Fiber(transport=transport, budgets=budgets, **names)
refused = []

async def one():
    try:
        await fiber.chat("Hi")
    except FiberBudgetError:
        refused.append(1)

async def main():
    async with anyio.create_task_group() as group:
        for _ in range(100):
            group.start_soon(one)

anyio.run(main)
assert budgets.failures == 0
print(len(transport.requests), len(refused))
"""


@needs_redis
def test_processes_share_a_budget_exactly(tmp_path: Path) -> None:
    """Eight with a hundred calls at once each: as many are sent as the limit has room for, each counted once."""
    port = free_port()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])}
    with running(tmp_path, port):
        url = f"redis://127.0.0.1:{port}"
        command = [sys.executable, "-c", PROGRAM, url]
        processes = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(8)]
        said = [process.communicate(timeout=120)[0].split() for process in processes]
        store = RedisStore(url, timeout_seconds=30)
        budgets = Budgets([Budget(name="b", requests=150, tokens=10**6)], ledger=store)
        counted = [(found.kind, found.used, found.held) for found in budgets.status(now=1_800_000_000.0)]
        store._client.close()

    assert sum(int(sent) for sent, _ in said) == 150
    assert sum(int(refused) for _, refused in said) == 650
    assert counted == [("tokens", 150 * 8, 0), ("requests", 150, 0)]
