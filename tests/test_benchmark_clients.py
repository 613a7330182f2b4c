"""The server and the clients of benchmarks/: every client does its work, and one that does not has no figure."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scripts import Load, scripts_of

FOLDER = Path(__file__).parent.parent / "benchmarks"
FORMATS = ("openai_chat", "openai_responses", "anthropic", "gemini")

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the benchmarks are not part of this distribution")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import scripts as they import each other."""
    with scripts_of(FOLDER, monkeypatch) as load:
        yield load


# -- the server --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", FORMATS)
def test_a_stream_has_as_many_deltas_as_are_asked_for(load: Load, format: str) -> None:
    """Each of the size asked for; the floors read them, and the text of a whole answer."""
    wire = load("wire").WIRES[format]
    datas = [event[event.index(b"data: ") + 6 :] for event in load("replies").events(format, 11, 30)]
    texts = [text for data in datas if data != b"[DONE]\n\n" and (text := wire.delta(data))]
    _, _, body = load("replies").whole(format).partition(b"\r\n\r\n")

    assert [len(text) for text in texts] == [30] * 11
    assert len(set(texts)) == 8
    assert len(wire.text(body)) == load("client").WHOLE_BYTES


@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_the_floor_reads_a_stream_however_it_is_cut(load: Load, data: st.DataObject) -> None:
    """Chunks and events may end anywhere."""
    replies = load("replies")
    events = list(replies.events("anthropic", 3, 5))
    body = b"".join(map(replies.chunk, events)) + b"0\r\n\r\n"
    cuts = sorted({0, len(body), *data.draw(st.lists(st.integers(0, len(body))))})
    cutter = load("bare_socket").Cutter()

    found = [event for a, b in pairwise(cuts) for event in cutter.cut(body[a:b])]

    assert found == [event[event.index(b"data: ") + 6 :].rstrip() for event in events]
    assert cutter.is_over


def test_the_path_says_how_the_server_answers(load: Load) -> None:
    """A paced answer has a part for each event, any other is one block; a path alone may ask for a stream."""
    answer = load("server").answer
    paced = answer("/count=7,size=5,gap=1500,latency=20/v1/messages", streams=True)
    at_once = answer("/count=7,size=5/v1/messages", streams=True)
    whole = answer("/plain=1/v1/responses", streams=False)
    asked = answer("/count=7/v1/models/m:streamGenerateContent?alt=sse", streams=False)

    assert (paced.gap, paced.latency) == (0.0015, 0.02)
    assert b"".join(paced.parts) == b"".join(at_once.parts)
    assert (len(paced.parts), len(at_once.parts)) == (15, 1)
    assert whole.parts == (load("replies").whole("openai_responses"),)
    assert asked.parts[0].count(b'candidates"') == 7


def test_long_answers_are_sent_in_blocks(load: Load) -> None:
    """None of which is much longer than what a socket takes."""
    parts = [b"x" * 100_000] * 10
    found = list(load("server").blocks(parts))

    assert b"".join(found) == b"".join(parts)
    assert max(map(len, found)) < 400_000


class Clock:
    """An event loop of which a pacer sees no more than this."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[tuple[float, Any]] = []

    def time(self) -> float:
        """Return now."""
        return self.now

    def call_later(self, seconds: float, function: Any) -> None:
        """Keep a timer."""
        self.timers.append((self.now + seconds, function))

    def run(self) -> int:
        """Run timers until none is left; return how many there were."""
        count = 0
        while self.timers:
            self.now, function = self.timers.pop(0)
            function()
            count += 1
        return count


class Written:
    """A connection that notes what is written, and when."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.is_closed = False
        self.parts: list[tuple[float, bytes]] = []

    def write(self, part: bytes) -> None:
        """Note."""
        self.parts.append((self.clock.now, part))


def test_paced_streams_share_their_timers(load: Load) -> None:
    """Each has its parts in order, none sooner than the gap; one that is closed has no more."""
    server, clock = load("server"), Clock()
    pacer = server.Pacer(clock)
    connections = [Written(clock) for _ in range(50)]
    for connection in connections:
        pacer.add(connection, server.Answer((b"a", b"b", b"c", b"d"), 0.01, 0))
    connections[-1].is_closed = True

    timers = clock.run()

    whole = [connection.parts for connection in connections[:-1]]
    assert [b"".join(part for _, part in parts) for parts in whole] == [b"abcd"] * 49
    assert all(later - sooner >= 0.01 for parts in whole for (sooner, _), (later, _) in pairwise(parts))
    assert connections[-1].parts == [(0.0, b"a")]
    assert timers < 60


# -- clients -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def url(load: Load) -> Iterator[str]:
    """Run the server."""
    with load("server").Server() as server:
        yield server.url


def test_every_client_does_its_work(load: Load, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every format it gets the whole text, and every delta, of which the first is told once."""
    client, worker = load("client"), load("worker")
    expected, found = {}, {}

    async def work(made: Any, firsts: list[int]) -> Any:
        messages = made.history(client.turns(3))
        text = await made.call(messages)
        count = await made.stream(messages, lambda: firsts.append(1))
        await made.close()
        return len(text), count, len(firsts)

    for name, entry in load("roster").ROSTER.items():
        if entry.is_missing:
            continue
        module, _, kind = entry.place.partition(":")
        for variable, value in entry.environment.items():
            monkeypatch.setenv(variable, value)
        for format in FORMATS:
            made = getattr(load(module), kind)(f"{url}/count=20,size=40", format)
            run = worker.finished if entry.blocks else asyncio.run
            expected[name, format] = (client.WHOLE_BYTES, 20, 1)
            found[name, format] = run(work(made, []))
        for variable in entry.environment:
            monkeypatch.delenv(variable)

    assert found == expected


class Liar:
    """A client that reads less than there is."""

    def __init__(self, url: str, format: str) -> None:
        pass

    def history(self, turns: Any) -> Any:
        """Return nothing."""

    async def call(self, messages: Any) -> str:
        """Return some of the text."""
        return "short"

    async def stream(self, messages: Any, first: Any) -> int:
        """Tell some of the deltas."""
        return 3

    async def close(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("scenario", "size", "said"), [("call", 1, "5 of 400 bytes of text"), ("chunk", 10, "3 of 10 deltas")]
)
def test_a_client_that_reads_less_has_no_figure(
    load: Load, scenario: str, size: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line of results says what was missing."""
    worker = load("worker")
    monkeypatch.setattr(load("ours"), "AsyncFiber", Liar)

    code = worker.main("ours:AsyncFiber", "True", "openai_chat", scenario, str(size), "0.01", "http://127.0.0.1:1")

    assert code == 1
    assert json.loads(capsys.readouterr().out) == {"error": f"WrongError: {said}"}


def test_a_blocking_client_must_not_wait_for_a_loop(load: Load) -> None:
    """It would never go on."""
    with pytest.raises(RuntimeError, match="event loop"):
        load("worker").finished(asyncio.sleep(0))


def test_scenarios_give_figures(load: Load, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each that runs in a worker, here in its smallest form and with the cheapest client."""
    worker, scenarios = load("worker"), load("scenarios").SCENARIOS
    names = [name for name, scenario in scenarios.items() if scenario.run]
    codes = [worker.main("bare_socket:BareSocket", "False", "openai_chat", name, "2", "0.001", url) for name in names]
    figures = [json.loads(line)["value"] for line in capsys.readouterr().out.splitlines()]

    assert codes == [0] * len(names)
    assert len(figures) == len(names)
    assert all(value > 0 for name, value in zip(names, figures, strict=True) if name != "memory")
