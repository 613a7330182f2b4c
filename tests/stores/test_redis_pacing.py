"""The scripts of lines, on a real server: the same scenarios, and what only a server can show."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from fiber import RedisStore
from fiber.stores.base import Flow
from tests.kit import eventually
from tests.stores.lines import SCENARIOS, Stand, flows
from tests.stores.server import free_port, needs_redis, running

pytestmark = needs_redis


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server for this module."""
    port = free_port()
    with running(tmp_path_factory.mktemp("redis"), port):
        yield port


@pytest.fixture
def store(port: int, request: pytest.FixtureRequest) -> Iterator[RedisStore]:
    """A store with a prefix of its own, and with patience for a busy machine."""
    store = RedisStore(f"redis://127.0.0.1:{port}", prefix=request.node.name, timeout_seconds=5)
    yield store
    store._client.close()


def flat(waits: list[Any]) -> list[Any]:
    """Return waits and words in one list."""
    return [item for wait in waits for item in (wait if isinstance(wait, tuple) else (wait,))]


@pytest.mark.parametrize(("scenario", "expected"), SCENARIOS.items(), ids=lambda found: getattr(found, "__name__", ""))
def test_a_line_in_redis(store: RedisStore, scenario: Callable[[Stand], list[Any]], expected: list[Any]) -> None:
    """The scripts say what the line in memory says, but for the moments that the test itself takes."""
    found = flat(scenario(Stand(store)))

    for wait, exact in zip(found, flat(expected), strict=True):
        assert wait == exact if isinstance(exact, str) else wait == pytest.approx(exact, abs=20 if exact >= 1 else 0)


def test_the_dead_lose_their_places(store: RedisStore) -> None:
    """By the clock of the server."""
    line = Stand(store)
    line.take("dead", places=1, seconds=0.05)
    line.take("next", places=1)

    eventually(lambda: line.take("next", places=1) == 0)
    assert line.take("third", places=1) == 0.02


def test_a_line_of_an_idle_name_expires(store: RedisStore) -> None:
    """All its keys, when its calls are dead and its meters full."""
    quick = [Flow("requests", 1, 1000, 1)]
    store.take("line", "a", quick, places=1, seconds=0.05, longest=None, now=0)
    there = store._client.exists(*store._line_keys("line"))
    eventually(lambda: not store._client.exists(*store._line_keys("line")))
    store.take("line", "a", flows(), places=None, seconds=0.05, longest=None, now=0)

    assert there == 3
    assert 900 < store._client.ttl(store._line_keys("line")[0]) <= 1001


PROGRAM = """
import sys
from fiber import RedisStore
from fiber.stores.base import Flow
store = RedisStore(sys.argv[1], prefix="fleet", timeout_seconds=30)
turns = 0
while not store.take("line", f"{sys.argv[2]} {turns}", [Flow("requests", 1, 0.1, 5)],
                     places=None, seconds=1e6, longest=10_000, now=0).refused:
    turns += 1
print(turns)
"""


def test_processes_share_a_line_within_one_percent(port: int) -> None:
    """Eight ask for turns until ten thousand seconds are full: as many as one alone would get, and each gets some."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", PROGRAM, f"redis://127.0.0.1:{port}"]
    processes = [
        subprocess.Popen([*command, str(number)], env=environment, stdout=subprocess.PIPE, text=True)
        for number in range(8)
    ]
    turns = [int(process.communicate(timeout=120)[0]) for process in processes]

    assert sum(turns) == pytest.approx(1005, abs=10)
