"""Who hears of calls and hands their records on."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from fiber import Fiber, FiberValidationError, JSONLUsage, UsageLog, UsageRecord
from tests.kit import KEY, eventually, scripted, whole
from tests.layers.test_budget import Flat
from tests.usage.kit import flushed, recorded


class Broken:
    """A sink that raises."""

    def __init__(self) -> None:
        self.closed = 0

    def write(self, records: list[UsageRecord], /) -> None:
        """Raise."""
        raise OSError("canary: no space")

    def close(self) -> None:
        """Raise too."""
        self.closed += 1
        raise OSError("canary")


def test_nothing_is_written_unless_it_is_asked_for() -> None:
    """A client has no log of its own."""
    fiber, _ = scripted(whole())

    fiber.sync.chat("Hi")

    assert fiber.usage is None
    assert fiber.sync.usage is None


@pytest.mark.parametrize("nothing", [None, [], ()])
def test_no_sinks_are_no_log(nothing: Any) -> None:
    """Said as None or as an empty list."""
    assert Fiber(usage=nothing).usage is None


def test_several_sinks_get_each_record(tmp_path: Path) -> None:
    """Paths, sinks and functions, side by side."""
    seen: list[UsageRecord] = []
    first, second = tmp_path / "a.jsonl", tmp_path / "b.sqlite3"
    fiber, _ = scripted(whole(), usage=[seen.append, JSONLUsage(first), str(second)], prices=Flat())

    fiber.sync.chat("Hi")
    fiber.sync.close()

    assert len(seen) == 1
    assert [list(UsageLogReader.read(path)) for path in (first, second)] == [seen, seen]


class UsageLogReader:
    """Reads what is at a path."""

    @staticmethod
    def read(path: Path) -> list[UsageRecord]:
        """Return it."""
        from fiber.usage.places import sink_at

        return list(sink_at(path).records())


@pytest.mark.parametrize("close", ["async", "sync"])
def test_closing_the_client_writes_what_waits(close: str, tmp_path: Path) -> None:
    """Also behind a pause of an hour, on a loop and without one."""
    path = tmp_path / "usage.jsonl"
    log = UsageLog(path, every=3600)
    fiber = Fiber(
        api_keys={"openai": KEY},
        default_model="openai:gpt-test",
        usage=log,
        transport=scripted(*(whole() for _ in range(3)))[1],
    )

    async def on_loop() -> None:
        async with fiber:
            for _ in range(3):
                await fiber.chat("Hi")

    if close == "async":
        anyio.run(on_loop)
    else:
        for _ in range(3):
            fiber.sync.chat("Hi")
        fiber.sync.close()

    assert len(list(JSONLUsage(path).records())) == 3


def test_clients_may_share_a_log() -> None:
    """A close of one of them does not close it for the others."""
    seen: list[UsageRecord] = []
    log = UsageLog(seen.append)
    first, _ = scripted(whole(), usage=log)
    second, _ = scripted(whole(), usage=log)

    first.sync.chat("Hi")
    first.sync.close()
    second.sync.chat("Hi")
    second.sync.close()

    assert first.usage is second.usage is log
    assert len(seen) == 2


def test_views_write_into_the_log_of_their_client() -> None:
    """With the fields that they bind."""
    fiber, records = recorded(whole(), whole())

    fiber.bind(tenant="a").sync.chat("Hi")
    fiber.with_options(temperature=1).sync.chat("Hi")
    flushed(fiber)

    assert [record.tenant for record in records] == ["a", ""]


def test_a_sink_that_raises_costs_its_records_alone(caplog: pytest.LogCaptureFixture) -> None:
    """The call and the other sink hear nothing of it; the loss is counted, and told once in a minute."""
    seen: list[UsageRecord] = []
    broken = Broken()
    fiber, transport = scripted(*(whole() for _ in range(4)), usage=UsageLog(broken, seen.append, every=0))

    with caplog.at_level(logging.WARNING, logger="fiber"):
        for _ in range(3):
            assert fiber.sync.ask("Hi") == "Hello"
            flushed(fiber)
        told = [record for record in caplog.records if record.message == "usage_error"]
        transport.clock += 60
        fiber.sync.ask("Hi")
        again = [record for record in caplog.records if record.message == "usage_error"]
    fiber.sync.close()

    assert fiber.usage is not None
    assert (fiber.usage.lost, len(seen), broken.closed) == (4, 4, 1)
    assert [(vars(record)["error_kind"], vars(record)["lost"]) for record in again] == [("OSError", 1), ("OSError", 3)]
    assert len(told) == 1
    assert "canary" not in caplog.text


def test_a_sink_that_hangs_costs_records_and_no_call(caplog: pytest.LogCaptureFixture) -> None:
    """What finds no room is counted; a close gives up and leaves the sink alone."""
    gate = threading.Event()
    entered = threading.Event()

    class Slow:
        closed = False

        def write(self, records: list[UsageRecord], /) -> None:
            entered.set()
            gate.wait(20)

        def close(self) -> None:
            self.closed = True

    slow = Slow()
    log = UsageLog(slow, limit=2, every=0)
    fiber, _ = scripted(*(whole() for _ in range(6)), usage=log)

    with caplog.at_level(logging.WARNING, logger="fiber"):
        fiber.sync.chat("Hi")
        assert entered.wait(10)
        for _ in range(5):
            fiber.sync.chat("Hi")
    is_flushed = log.flush(0.001)
    was_closed = slow.closed
    gate.set()

    assert (log.lost, is_flushed, was_closed) == (3, False, False)
    assert "usage_error" in caplog.text
    assert log.close()
    eventually(lambda: slow.closed)


def test_a_sink_that_hangs_is_not_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may still be at work."""
    monkeypatch.setattr("fiber.metering.courier._CLOSE_SECONDS", 0.001)
    gate = threading.Event()
    closed: list[bool] = []

    class Slow:
        def write(self, records: list[UsageRecord], /) -> None:
            gate.wait(20)

        def close(self) -> None:
            closed.append(True)

    fiber, _ = scripted(whole(), usage=Slow())

    fiber.sync.chat("Hi")
    assert fiber.usage is not None
    first = fiber.usage.close()
    before = list(closed)
    gate.set()
    eventually(fiber.usage.close)

    assert (first, before, closed[:1]) == (False, [], [True])


def test_what_cannot_be_written_down_is_lost_alone() -> None:
    """A bound field that cannot be shown does not break the call."""

    class Unshown:
        def __str__(self) -> str:
            raise ValueError("canary")

    fiber, records = recorded(whole(), whole())

    fiber.bind(odd=Unshown()).sync.chat("Hi")
    fiber.sync.chat("Hi")
    flushed(fiber)

    assert fiber.usage is not None
    assert (fiber.usage.lost, len(records)) == (1, 1)


@pytest.mark.parametrize("sink", [7, object(), [7]])
def test_a_sink_must_be_one(sink: Any) -> None:
    """The message says what there is."""
    with pytest.raises(FiberValidationError, match="SQLiteUsage") as caught:
        Fiber(usage=sink)

    assert caught.value.parameter == "usage"


@pytest.mark.parametrize(
    ("name", "value"),
    [("limit", 0), ("limit", 1.5), ("limit", True), ("every", -1), ("every", "1"), ("every", 3601), ("every", True)],
)
def test_bounds_must_be_in_their_range(name: str, value: Any) -> None:
    """The message names the argument."""
    with pytest.raises(FiberValidationError, match=name):
        UsageLog(**{name: value})


def test_the_environment_may_say_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For clients that are made from it; the keyword wins."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("FIBER_USAGE", str(tmp_path / "usage.jsonl"))
    seen: list[UsageRecord] = []

    said = Fiber.from_env(usage=seen.append, transport=scripted(whole())[1])
    unsaid = Fiber.from_env(transport=scripted(whole())[1])
    said.sync.chat("Hi")
    unsaid.sync.chat("Hi")
    said.sync.close()
    unsaid.sync.close()

    assert len(seen) == 1
    assert len(list(JSONLUsage(tmp_path / "usage.jsonl").records())) == 1
    assert Fiber().usage is None
