"""Circuits that processes share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event, get_ident
from typing import Any

import pytest

from fiber import NO_RETRY, Breaker, BreakerPolicy, Fiber, FiberCircuitOpenError, FiberError, MemoryStore, RedisStore
from fiber.testing.fake import FakeTransport
from fiber.transports.choice import for_loops
from tests.kit import KEY, MODEL, eventually, refused, whole
from tests.parity.test_same_everywhere import asyncio_world, blocking_world, trio_world
from tests.stores.server import free_port, needs_redis, running

TWICE = BreakerPolicy(failures=2, open_seconds=10)
BUSY = refused(503)


class Fleet:
    """Clients with one store and one clock, each with a script of its own."""

    def __init__(self, *scripts: tuple[Any, ...], store: Any = None) -> None:
        self.breakers = [Breaker(TWICE, store=self._store(store)) for _ in scripts]
        self.transports = [FakeTransport(*script) for script in scripts]
        self.clients = [
            Fiber(api_keys={"openai": KEY}, default_model=MODEL, retry=NO_RETRY, transport=transport, breaker=breaker)
            for transport, breaker in zip(self.transports, self.breakers, strict=True)
        ]

    def _store(self, store: Any) -> Any:
        self.store = getattr(self, "store", None) or store or MemoryStore()
        return self.store

    def at(self, seconds: float) -> None:
        """Move the clock of all."""
        for transport in self.transports:
            transport.clock = seconds

    def ask(self, number: int, world: Callable[..., Any] = blocking_world) -> str:
        """Have one ask; return its text, or the error and when to try again."""
        try:
            return str(world(self.clients[number], False, {}).text)
        except FiberError as error:
            return f"{type(error).__name__} {error.retry_after}"

    @property
    def sent(self) -> list[int]:
        """How many requests each has sent."""
        return [len(transport.requests) for transport in self.transports]


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
def test_a_circuit_that_one_opens_is_open_for_all(world: Callable[..., Any]) -> None:
    """At once for who did not ask lately; it closes for all when one finds the target well."""
    fleet = Fleet((BUSY, BUSY, whole("A")), (whole("B"),))
    said = [fleet.ask(0, world) for _ in range(2)]
    fleet.at(4)
    said.append(fleet.ask(1, world))
    fleet.at(10)
    said.append(fleet.ask(0, world))
    fleet.at(11)
    said.append(fleet.ask(1, world))

    assert said == ["FiberOverloadedError None"] * 2 + ["FiberCircuitOpenError 6.0", "A", "B"]
    assert fleet.sent == [3, 1]


def test_one_tries_for_all() -> None:
    """While its try is on its way the others wait; when it fails, they wait on."""
    fleet = Fleet((BUSY, BUSY, BUSY), (whole("never"),))
    for _ in range(2):
        fleet.ask(0)
    fleet.ask(1)
    fleet.at(10)
    said = [fleet.ask(0), fleet.ask(1)]
    fleet.at(15)
    said.append(fleet.ask(1))

    assert said == ["FiberOverloadedError None", "FiberCircuitOpenError 10.0", "FiberCircuitOpenError 5.0"]
    assert fleet.sent == [3, 0]


def test_a_try_that_was_never_sent_is_free_again() -> None:
    """For everybody."""
    fleet = Fleet((BUSY, BUSY), (whole("B"),))
    for _ in range(2):
        fleet.ask(0)
    fleet.at(10)
    with pytest.raises(FiberError):
        blocking_world(fleet.clients[0], False, {"seed": 1, "top_k": 3})

    assert fleet.ask(1) == "B"


def test_a_note_is_looked_for_once_a_second() -> None:
    """A store over a network is asked for each call no more often; before a try it always is."""
    store = Counted()
    fleet = Fleet(tuple(whole() for _ in range(9)), store=store)
    for moment in (0, 0.5, 0.9, 1.0, 1.5, 2.1):
        fleet.at(moment)
        fleet.ask(0)

    assert store.looks == 3


class Counted(MemoryStore):
    """A store that counts looks."""

    looks = 0

    def get(self, key: str, *, now: float) -> bytes | None:
        """Count."""
        self.looks += 1
        return super().get(key, now=now)


class Broken(MemoryStore):
    """A store that fails."""

    def get(self, key: str, *, now: float) -> bytes | None:
        """Fail."""
        raise OSError("down")

    def set(self, key: str, value: bytes, *, seconds: float, now: float) -> None:
        """Fail."""
        raise OSError("down")


def test_a_store_that_fails_leaves_each_with_what_it_sees(caplog: pytest.LogCaptureFixture) -> None:
    """Circuits open as without it; failures are counted, and told once in a minute."""
    fleet = Fleet((BUSY, BUSY), (whole("B"),), store=Broken())
    said = [fleet.ask(0) for _ in range(3)]

    assert said == ["FiberOverloadedError None"] * 2 + ["FiberCircuitOpenError 10.0"]
    assert fleet.ask(1) == "B"
    assert [breaker.notices and breaker.notices.failures for breaker in fleet.breakers] == [2, 1]
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == [
        "circuit_error",
        "circuit_open",
        "circuit_error",
    ]


@pytest.mark.parametrize("note", [b"nonsense", b"", b"\xff"])
def test_a_note_that_is_none_is_left_alone(note: bytes) -> None:
    """Whatever stands under its name."""
    fleet = Fleet((whole("A"),))
    fleet.store.set(f"circuit:{MODEL}", note, seconds=100, now=fleet.transports[0].wall())

    assert fleet.ask(0) == "A"


class Slow(MemoryStore):
    """A store that waits, as one over a network does."""

    quick = False

    def __init__(self) -> None:
        super().__init__()
        self.threads: set[int] = set()
        self.gate = Event()

    def get(self, key: str, *, now: float) -> bytes | None:
        """Note where."""
        self.threads.add(get_ident())
        return super().get(key, now=now)

    def set(self, key: str, value: bytes, *, seconds: float, now: float) -> None:
        """Wait for the gate."""
        self.threads.add(get_ident())
        self.gate.wait(10)
        super().set(key, value, seconds=seconds, now=now)


@pytest.mark.parametrize("world", [asyncio_world, trio_world])
def test_a_store_that_waits_holds_no_loop(world: Callable[..., Any]) -> None:
    """It is used in threads, and nobody waits for a note to be written."""
    store = Slow()
    fleet = Fleet((BUSY, BUSY), (whole("B"),), store=store)
    real: Any = for_loops(lambda: "", lambda: "", lambda scheme, place: "")
    for transport in fleet.transports:
        transport.aside, transport.detach = real.aside, real.detach  # type: ignore[attr-defined]
    said = [fleet.ask(0, world) for _ in range(2)]
    store.gate.set()
    eventually(lambda: bool(store._values))

    assert said == ["FiberOverloadedError None"] * 2
    assert fleet.ask(1, world) == "FiberCircuitOpenError 10.0"
    assert get_ident() not in store.threads


def test_what_is_known_of_targets_is_bounded() -> None:
    """Names of models may come from users."""
    fleet = Fleet(tuple(BUSY for _ in range(2200)))
    notices = fleet.breakers[0].notices
    assert notices is not None
    for number in range(1100):
        for _ in range(2):
            with pytest.raises(FiberError):
                fleet.clients[0].sync.chat("Hi", model=f"openai:m{number}")

    assert len(notices._heard) == len(notices._written) == 1024


@needs_redis
def test_a_fleet_shares_circuits_over_redis(tmp_path: Any) -> None:
    """Against a real server."""
    port = free_port()
    with running(tmp_path, port):
        store = RedisStore(f"redis://127.0.0.1:{port}", timeout_seconds=5)
        fleet = Fleet((BUSY, BUSY), (whole("never"),), store=store)
        for _ in range(2):
            fleet.ask(0)
        with pytest.raises(FiberCircuitOpenError):
            fleet.clients[1].sync.chat("Hi")
        store._client.close()

    assert fleet.sent == [2, 0]
