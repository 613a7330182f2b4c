"""The pure parts of the measurements in benchmarks/reliability; the figures themselves are never asserted here."""

from __future__ import annotations

import gzip
import json
import random
import runpy
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fiber import FiberOverloadedError, FiberParsingError, FiberTimeoutError
from fiber.types.result import ChatResult
from tests.scripts import Load, scripts_of

FOLDER = Path(__file__).parent.parent / "benchmarks" / "reliability"

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the benchmarks are not part of this distribution")


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import scripts as they import each other."""
    with scripts_of(FOLDER, monkeypatch) as load:
        yield load


@pytest.mark.parametrize(
    ("value", "goal", "said"),
    [
        (3, 3, "3 ms (goal 3): met"),
        (3.25, 3, "3.25 ms (goal 3): MISSED"),
        (3.25, None, "3.25 ms"),
        (float("inf"), 3, "inf ms (goal 3): MISSED"),
        (None, 3, "skipped: no reason"),
    ],
)
def test_a_figure_tells_whether_its_goal_is_met(load: Load, value: float | None, goal: float | None, said: str) -> None:
    """What could not be measured is skipped and says why, and is neither."""
    figure = load("figure").Figure("time", value, "ms", goal, "no reason" if value is None else "")

    assert str(figure).endswith(said)
    assert figure.is_missed is ("MISSED" in said)


def test_a_missed_goal_is_an_exit_code(load: Load, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """A script ends with 0 when all goals are met, with 1 when one is missed, and with 2 when it breaks."""
    figure = load("figure")
    monkeypatch.setattr(sys, "argv", ["script"])

    def measure(value: float) -> Callable[[bool], Iterator[Any]]:
        return lambda smoke: iter([figure.Figure("share", 1 / value, "", 1)])

    codes = [figure.script("name", measure(2)), figure.script("name", measure(0.5))]
    broken = figure.script("name", lambda smoke: iter([figure.Figure("share", int("x"))]))

    assert (codes, broken) == ([0, 1], 2)
    assert "name: " in capsys.readouterr().out


def test_every_script_is_there() -> None:
    """The runner names scripts of its folder, and gives each the environment of its transport alone."""
    runner = runpy.run_path(str(FOLDER / "__main__.py"), run_name="reliability")

    assert [name for name in runner["SCRIPTS"] if not (FOLDER / f"{name}.py").exists()] == []
    assert runner["environment"]("direct").get("FIBER_HTTP") is None
    assert runner["environment"]("httpx2")["FIBER_HTTP"] == "httpx2"


def test_an_outage_and_failures_at_random_are_drawn_by_lot(load: Load) -> None:
    """A provider that always fails answers nobody, one that never fails answers everybody at once."""
    run = load("amplification").run

    assert run(0.0, 5, 0) == (5, 5)
    assert run(1.0, 5, 0) == (15, 0)  # ten retries to start with: three calls of four attempts, one of two, one


def test_a_provider_is_used_to_its_limit_and_hardly_refuses(load: Load) -> None:
    """Of two virtual minutes after one; longer ones are measured by the script."""
    used, refused = load("limits").run("tokens, a third, told in headers", minutes=2, warm=1, callers=12)

    assert used > 0.95
    assert refused < 0.01


# -- parsers -----------------------------------------------------------------------------------------------------------


def test_the_decoder_keeps_every_rule_of_the_table(load: Load) -> None:
    """So does the slow parser, which is held to the same table."""
    cases = load("sse_cases")
    bodies = [text if isinstance(text, bytes) else text.encode() for _, text, _ in cases.CASES]

    assert load("parsing").broken_rules() == []
    assert [cases.by_the_book(body) for body in bodies] == [expected for _, _, expected in cases.CASES]


def test_a_broken_rule_is_found(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """The table is compared and not only run."""
    monkeypatch.setattr(load("sse_cases"), "CASES", (("wrong", "data: a\n\n", [("", "b")]),))

    assert load("parsing").broken_rules() == ["wrong"]


@pytest.mark.parametrize("format", ["openai_chat", "openai_responses", "anthropic", "gemini"])
def test_mixed_tool_calls_come_out_as_they_went_in(load: Load, format: str) -> None:
    """For the first few of the mixtures that the benchmark makes."""
    assert [seed for seed in range(40) if load("parsing").assembled_wrongly(format, seed)] == []


def test_pieces_make_the_text_again(load: Load) -> None:
    """Whatever the cuts, and empty pieces among them."""
    chance = random.Random(1)

    assert {"".join(load("interleavings").pieces("abcdefgh", chance)) for _ in range(50)} == {"abcdefgh"}


def test_mixed_rows_keep_their_order(load: Load) -> None:
    """A row begins after the one before it, and none of its items overtakes another."""
    mixed = list(load("interleavings").mixed([["a1", "a2"], ["b1", "b2"], ["c1"]], random.Random(2)))

    assert [[item for item in mixed if item[0] == row] for row in "abc"] == [["a1", "a2"], ["b1", "b2"], ["c1"]]
    assert [item for item in mixed if item[1] == "1"] == ["a1", "b1", "c1"]


# -- servers -----------------------------------------------------------------------------------------------------------


def test_the_bomb_is_as_large_as_it_says(load: Load) -> None:
    """Packed it is small."""
    packed = load("ways").packed(3 * 2**20)

    assert (len(gzip.decompress(packed)), len(packed) < 10_000) == (3 * 2**20, True)


def test_answers_are_of_the_format(load: Load) -> None:
    """A whole answer, a stream and the framing of chunks."""
    wire = load("wire")
    head, _, body = wire.full(wire.JSON, wire.answer("Hi"), retry_after="1").partition(b"\r\n\r\n")

    assert json.loads(body)["choices"][0]["message"]["content"] == "Hi"
    assert b"retry-after: 1" in head
    assert wire.stream("a").endswith(wire.DONE)
    assert wire.chunk(b"0123456789abcdef") == b"10\r\n0123456789abcdef\r\n"


# -- timers ------------------------------------------------------------------------------------------------------------


def test_each_cell_is_about_one_timer(load: Load) -> None:
    """That one is near, and the others are far away."""
    jobs = load("deadlines").jobs({"raw": "http://127.0.0.1:1/WAY"}, 0.25)
    near = [
        (job.name.split()[1], [name for name in job.options["timeouts"].__struct_fields__ if _seconds(job, name) < 1])
        for job in jobs
    ]

    assert [names for timer, names in near if names != [timer]] == []
    assert {timer for timer, _ in near} == {"connect", "read", "first_event", "stall", "total"}


def _seconds(job: Any, name: str) -> float:
    seconds: float = getattr(job.options["timeouts"], name)
    return seconds


@pytest.mark.parametrize(
    ("name", "error", "seconds", "right"),
    [
        ("stall stall stream", FiberTimeoutError("late", timer="stall"), 0.31, True),
        ("stall stall stream", FiberTimeoutError("late", timer="read"), 0.31, False),
        ("stall stall stream", FiberTimeoutError("early", timer="stall"), 0.1, False),
        ("busy total whole", FiberOverloadedError("no time left"), 0.1, True),
        ("stall total stream", FiberOverloadedError("no"), 0.3, False),
    ],
)
def test_only_the_timer_itself_is_right(load: Load, name: str, error: Exception, seconds: float, right: bool) -> None:
    """And not before its time, except where a retry would come too late."""
    worlds = load("worlds")
    outcome = worlds.Outcome(worlds.Job(name, ""), None, error, seconds)

    assert load("deadlines").is_right(outcome, 0.3) is right


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_a_word_is_found_wherever_it_is(load: Load) -> None:
    """In text and bytes; and only the words that are asked for."""
    sinks = load("sinks")
    found = sinks.Found()

    found.search("logs", "here", f"key={sinks.KEY_WORD} {sinks.PROMPT_WORD}", "key")
    found.search("spans", "there", sinks.PROMPT_WORD.encode() * 2)

    assert found.bytes == {
        ("key", "logs"): len(sinks.KEY_WORD),
        ("prompt", "spans"): 2 * len(sinks.PROMPT_WORD),
    }
    assert found.places == {("key", "logs"): ["here"], ("prompt", "spans"): ["there"]}


def test_an_error_is_searched_but_for_what_the_caller_holds(load: Load) -> None:
    """The answer may repeat the prompt, the error may not; neither may hold the key, nor may a cause of it."""
    sinks = load("sinks")
    found = sinks.Found()
    partial = ChatResult(model=sinks.PROMPT_WORD)
    error = FiberParsingError("cut", partial=partial, raw_response=sinks.PROMPT_WORD)
    error.__cause__ = ValueError(sinks.KEY_WORD)

    sinks.search_error(found, "here", error, is_repeated=False, has_variables=True)

    assert {word for word, _ in found.bytes} == {"key"}
    assert ("key", "tracebacks with causes") in found.bytes
    assert ("key", "members of errors") in found.bytes


# -- what is shared ----------------------------------------------------------------------------------------------------


def test_calls_are_later_by_the_slowest_but_one_in_a_hundred(load: Load) -> None:
    """Of calls with Redis and of those without, which met the same pauses of the machine."""
    outages = load("redis_outages")
    paused = outages.Run(plain=[1.0] * 100, shared=[80.0] * 100)
    good = outages.Run(plain=[1.0] * 99 + [900.0], shared=[1.0] * 98 + [31.0, 900.0])
    figure = outages.told("dead", [paused, good])

    assert (figure.value, figure.goal, figure.is_missed) == (30.0, 50.0, False)


def test_what_goes_beyond_a_budget_is_found(load: Load) -> None:
    """Requests beyond the limit, calls refused wrongly, what was not counted and what stays reserved."""
    budgets = load("spender").budgets_of(5, "")
    said = [figure.value for figure in load("sharing").counted("two", budgets, 5, Counter(answered=3), 7, "")]

    assert said == [2, 2, 7 + 8 * 7, 0]


def test_what_is_wrong_with_records_is_found(load: Load) -> None:
    """Missing, there twice or nobody's, or lost; and what they add to the slowest call but one in a hundred."""
    ledger = load("ledger")
    whole = Counter({(str(process), 0): 1 for process in range(8)})
    found = Counter({**whole, ("0", 0): 2, ("1", 0): 0, ("9", 0): 1})
    counts = [[figure.value for figure in ledger.counted(records, 1, 3)] for records in (whole, +found)]
    slowest, usual = ledger.added([1.0] * 200, [1.5] * 197 + [4.0] * 3, 1.0)

    assert counts == [[0, 0, 3], [1, 2, 3]]
    assert (slowest.value, slowest.is_missed, usual.value) == (3.0, True, 0.5)
