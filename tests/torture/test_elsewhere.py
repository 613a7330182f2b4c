"""Tests of the grading of other people's servers; the cells are played by `python -m tests.torture.elsewhere`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from fiber import FiberConnectionError, FiberTimeoutError
from fiber.testing import FAULTS, Failure, MockServer
from tests.torture.elsewhere import __main__ as runner
from tests.torture.elsewhere import aimock, fault_server, litellm, nginx
from tests.torture.elsewhere.playing import ROWS, WORLDS, Cell, Lane, graded, is_severe, play, shared, ways
from tests.torture.grade import WORDS
from tests.torture.peers.installing import SkippedError
from tests.torture.test_torture import seen

RESULT = seen().result
TABLES = [table for part in (aimock, fault_server, litellm, nginx) for table in (part.WHOLE, part.STREAM)]


def cell(want: str = "ok", **more: Any) -> Cell:
    """Make a cell."""
    usual: dict[str, Any] = {"name": "x", "format": "chat", "stream": False, "world": "sync", "url": "http://x"}
    return Cell(want=want, **{**usual, **more})


@pytest.mark.parametrize("table", TABLES)
def test_words_of_the_tables_mean_something(table: dict[str, str]) -> None:
    """They are those of the torture."""
    words = {word.partition(":")[0] for want in table.values() for word in want.split("|") if want}

    assert words <= {"ok", "timeout", *WORDS}


def test_names_of_the_tables_are_played() -> None:
    """Each has what the server needs to do it."""
    asked = {*litellm.WHOLE, *litellm.STREAM}
    listened = {"tls", "tls-expired", "tls-untrusted", "tls-wrong-host", "tls-asked-in-plain", "plain-asked-by-tls"}

    assert {*aimock.WHOLE, *aimock.STREAM} == {*aimock.FIXTURES, "wrong-key"}
    assert {*nginx.WHOLE, *nginx.STREAM} == {*nginx.LOCATIONS, *listened}
    assert asked - {*FAULTS} == {*litellm.KEYS, "unknown-model"}
    assert {*aimock.FORMATS, *fault_server.FORMATS, *litellm.FORMATS, *nginx.FORMATS} <= {*ROWS}


def test_ways_go_through_every_world() -> None:
    """What is about streams alone is asked of streams alone."""
    found = list(ways({"a": "ok", "c": "ok"}, {"a": "parsing", "b": "interrupted", "c": ""}))

    assert len(found) == 4 * len(WORLDS)
    assert ("a", False, "trio", "ok") in found
    assert ("a", True, "sync", "parsing") in found
    assert {name for name, stream, *_ in found if not stream} == {"a", "c"}


@pytest.mark.parametrize(
    ("asked", "came", "reason"),
    [
        (cell(), RESULT, ""),
        (cell(text="You said: x"), RESULT, ""),
        (cell(text="You said: xyz"), RESULT, "silent loss: 'You said: x' instead of"),
        (cell("parsing"), RESULT, "silent success"),
        (cell(), KeyError("x"), "foreign: KeyError"),
        (cell("connection"), FiberConnectionError("x"), ""),
        (cell("connection", key="sk-123"), FiberConnectionError("with sk-123"), "leak"),
        (cell("connection"), FiberTimeoutError("x", timer="read"), "timeout:read instead of connection"),
    ],
)
def test_miss_says_why(asked: Cell, came: Any, reason: str) -> None:
    """What is as expected has no reason."""
    why = graded(asked, came)

    assert why.startswith(reason)
    assert bool(why) is bool(reason)
    assert is_severe(why) is reason.startswith(("silent", "foreign", "leak"))


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("stream", [False, True])
def test_cells_are_played(world: Any, *, stream: bool) -> None:
    """As often as asked, in every world."""
    with MockServer() as server:
        asked = cell(world=world, stream=stream, url=server.url, text="You said: Hi", calls=2)

        assert play(asked) == ""
        server.enqueue(*[Failure(503)] * 3)
        assert play(asked).startswith("overloaded instead of ok")
        assert str(asked) == f"x: chat/{'stream' if stream else 'whole'}/{world}"


def test_lanes_share_the_cells() -> None:
    """None is lost."""
    cells = [cell(name=str(number)) for number in range(5)]

    assert sorted([each for lane in shared(cells, 2) for each in lane], key=str) == cells


@contextmanager
def _missing() -> Iterator[list[list[Lane]]]:
    raise SkippedError("there is none")
    yield []


@pytest.mark.parametrize(("environment", "code", "words"), [("", 0, "skipped"), ("true", 1, "not to be had")])
def test_a_server_that_is_missing_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], environment: str, code: int, words: str
) -> None:
    """It is skipped on a desk, and a failure in CI."""
    monkeypatch.setenv("CI", environment)
    monkeypatch.setattr(runner, "PARTS", {"moon": _missing})

    assert runner.main([]) == code
    assert f"moon: {words}: there is none" in capsys.readouterr().out


def test_unknown_servers_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The command knows its servers."""
    with pytest.raises(SystemExit):
        runner.main(["--servers", "meteor"])

    assert "no such server: meteor" in capsys.readouterr().err
