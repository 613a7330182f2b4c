"""The store in Redis, against a real server where there is one."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fiber import Budget, Budgets, Cache, FiberBudgetError, FiberConnectionError, FiberValidationError, RedisStore
from fiber.stores.base import Claim, Standing
from tests.kit import eventually, scripted, whole
from tests.stores.server import free_port, needs_redis, running

CLAIM = Claim("c", 5, 7, 60)


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


@needs_redis
def test_a_value_lives_as_long_as_the_server_lets_it(store: RedisStore) -> None:
    """The server's clock decides, not the caller's."""
    store.set("a", b"1", seconds=100, now=0)
    store.set("b", b"2", seconds=0.001, now=0)
    eventually(lambda: store.get("b", now=0) is None)

    assert store.get("a", now=1e9) == b"1"
    assert store._client.ttl(store._value_key("a")) in (99, 100)


@needs_redis
def test_a_reservation_holds_all_or_nothing(store: RedisStore) -> None:
    """As in memory."""
    wide = Claim("wide", 5, None, 60)
    granted = store.reserve([wide, CLAIM], "one", seconds=30, now=0)
    refused = store.reserve([wide, CLAIM], "two", seconds=30, now=0)

    assert granted.refused is None
    assert (refused.refused, refused.standings) == (1, (Standing(0, 5), Standing(0, 5)))
    store.settle([wide, CLAIM], [3, 4], "one", now=0)
    assert store.standings(["wide", "c"], now=0) == (Standing(3, 0), Standing(4, 0))
    store.reset(["c"], now=0)
    assert store.standings(["wide", "c"], now=0) == (Standing(3, 0), Standing(0, 0))


@needs_redis
def test_a_reservation_of_the_dead_ends(store: RedisStore) -> None:
    """Also one of nothing; a settlement that comes later still counts."""
    free = Claim("c", 0, 7, 60)
    store.reserve([CLAIM], "dead", seconds=0.01, now=0)
    store.reserve([free], "free", seconds=0.01, now=0)
    store.reserve([Claim("c", 1, 7, 60)], "alive", seconds=60, now=0)
    eventually(lambda: store.standings(["c"], now=0) == (Standing(0, 1),))

    store.settle([CLAIM, free], [4, 0], "dead", now=0)
    assert store.standings(["c"], now=0) == (Standing(4, 1),)


@needs_redis
def test_large_numbers_are_exact(store: RedisStore) -> None:
    """A thousand million and more nano-dollars."""
    claim = Claim("c", 2**52 - 1, 2**52, 60)
    store.reserve([claim], "one", seconds=30, now=0)
    store.settle([claim], [2**52 - 3], "one", now=0)

    assert store.standings(["c"], now=0) == (Standing(2**52 - 3, 0),)
    assert store.reserve([Claim("c", 4, 2**52, 60)], "two", seconds=30, now=0).refused == 0
    assert store.reserve([Claim("c", 3, 2**52, 60)], "two", seconds=30, now=0).refused is None


@needs_redis
def test_forgotten_scripts_are_sent_again(store: RedisStore) -> None:
    """A server that was restarted, or flushed, knows none."""
    store.reserve([CLAIM], "one", seconds=30, now=0)
    store._client.script_flush()

    store.settle([CLAIM], [1], "one", now=0)
    assert store.standings(["c"], now=0) == (Standing(1, 0),)


@needs_redis
def test_a_counter_of_another_type_is_an_error_of_ours(store: RedisStore) -> None:
    """Somebody else's key under our name."""
    store._client.set(store._counter_keys(["c"])[0], b"x")

    with pytest.raises(FiberConnectionError, match="ResponseError"):
        store.reserve([CLAIM], "one", seconds=30, now=0)
    assert store.failures == 1


@needs_redis
def test_threads_share_a_counter_exactly(store: RedisStore) -> None:
    """300 claims of one on a limit of 100: 100 are granted."""

    def claim(number: int) -> bool:
        return store.reserve([Claim("c", 1, 100, 60)], str(number), seconds=30, now=0).refused is None

    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(claim, range(300)))

    assert granted == 100


@needs_redis
def test_a_killed_process_leaves_no_stuck_reservation(store: RedisStore, port: int) -> None:
    """What it held is free after the time of the reservation."""
    program = (
        "import sys, os, signal\nfrom fiber import RedisStore\nfrom fiber.stores.base import Claim\n"
        "store = RedisStore(sys.argv[1], prefix=sys.argv[2], timeout_seconds=5)\n"
        "store.reserve([Claim('c', 5, 7, 60)], 'dead', seconds=1, now=0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program, f"redis://127.0.0.1:{port}", store._prefix]
    died = subprocess.run(command, env=environment, check=False).returncode

    assert died == -signal.SIGKILL
    eventually(lambda: store.standings(["c"], now=0) == (Standing(0, 0),))
    assert store.reserve([CLAIM], "next", seconds=30, now=0).refused is None


@needs_redis
def test_a_slow_server_is_waited_for_only_once(port: int) -> None:
    """The timer expires, then the store rests: uses fail at once, until it is asked again."""
    store = RedisStore(f"redis://127.0.0.1:{port}", prefix="slow", timeout_seconds=0.02)
    store.set("a", b"1", seconds=100, now=0)
    store._client.client_pause(400)
    for _ in range(50):
        with pytest.raises(FiberConnectionError):
            store.get("a", now=0.5)
    failures = store.failures

    def answers() -> bool:
        try:
            return store.get("a", now=time.monotonic() + 1e6) == b"1"
        except FiberConnectionError:
            return False

    eventually(answers)
    store._client.close()

    assert failures == 1


@needs_redis
def test_a_server_that_comes_back_is_used_again(tmp_path: Path) -> None:
    """Refused, then found."""
    port = free_port()
    store = RedisStore(f"redis://127.0.0.1:{port}", timeout_seconds=5)
    with pytest.raises(FiberConnectionError) as caught:
        store.set("a", b"1", seconds=100, now=0)
    with running(tmp_path, port):
        with pytest.raises(FiberConnectionError, match="a moment ago"):
            store.get("a", now=0.9)
        store.set("a", b"1", seconds=100, now=1)
        value = store.get("a", now=1)
        store._client.close()

    assert caught.value.outcome == "unknown"
    assert value == b"1"
    assert threading.active_count() < 50


def test_a_url_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the library would not know is refused when the store is made, and so is a missing library."""
    with pytest.raises(FiberValidationError) as caught:
        RedisStore("localhost")
    monkeypatch.setattr("fiber.stores.redis.find_spec", lambda name: None)
    with pytest.raises(FiberValidationError, match=r"fiber-llm\[redis\]"):
        RedisStore("redis://localhost")

    assert caught.value.parameter == "url"


@pytest.mark.skipif(importlib.util.find_spec("redis") is None, reason="needs the package redis")
def test_a_repr_shows_no_password() -> None:
    """Nor the URL that holds it, and a port that is no number is an error of ours."""
    store: Any = RedisStore("redis://:hunter2@localhost:nonsense")

    assert "hunter2" not in repr(store)
    with pytest.raises(FiberConnectionError, match="ValueError") as caught:
        store.get("a", now=0)
    assert "hunter2" not in str(caught.value)


@needs_redis
def test_one_finds_out_whether_the_server_is_back(port: int) -> None:
    """The others need not wait for the same timer: they fail at once while that one asks."""
    store = RedisStore(f"redis://127.0.0.1:{port}", prefix="one", timeout_seconds=5)
    store._rested = 1.0
    meanwhile: list[FiberConnectionError] = []

    def asks() -> str:
        with pytest.raises(FiberConnectionError, match="a moment ago") as caught:
            store.get("a", now=1.5)
        meanwhile.append(caught.value)
        return "back"

    said = store._do(1.5, asks)
    afterwards = store.get("a", now=1.5)
    store._client.close()

    assert (said, afterwards, store.failures) == ("back", None, 0)
    assert [error.outcome for error in meanwhile] == ["not_sent"]


@pytest.mark.skipif(importlib.util.find_spec("redis") is None, reason="needs the package redis")
def test_calls_go_on_without_their_server() -> None:
    """Uncached and uncounted, or refused where that was chosen; the counters say so."""
    counted = []
    for on_failure in ("allow", "refuse"):
        store = RedisStore(f"redis://127.0.0.1:{free_port()}", timeout_seconds=5)
        cache = Cache(store)
        budgets = Budgets([Budget(name="b", requests=1)], ledger=store, on_failure=on_failure)  # type: ignore[arg-type]
        options: Any = {"cache": cache, "cache_policy": "write_through", "budgets": budgets}
        fiber, transport = scripted(whole(), whole(), **options)
        said = []
        for _ in range(2):
            try:
                said.append(fiber.sync.ask("Hi"))
            except FiberBudgetError as error:
                said.append(error.outcome)
        counted.append((said, len(transport.requests), cache.stats.errors, budgets.failures, store.failures))

    # Of the uses of the store only the first one tries; each is counted where it was wanted.
    assert counted == [(["Hello", "Hello"], 2, 6, 2, 1), (["not_sent", "not_sent"], 0, 4, 2, 1)]
