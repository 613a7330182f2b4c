"""`fiber batch`, run in this process against a mock server."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fiber.cli import main
from fiber.testing import Failure, MockServer, Reply
from fiber.testing.recorded import MockRequest

PRICED = "openai:gpt-6-luna"
"""A model in the catalogue."""


class Place:
    """Where a batch runs: a folder with its files, and a server that counts what it is asked."""

    def __init__(self, folder: Path, server: MockServer) -> None:
        self.input, self.output, self.server = folder / "in.jsonl", folder / "out.jsonl", server
        self.asked: Counter[str] = Counter()

    def write(self, *lines: Any) -> None:
        """Put *lines* into the input."""
        self.input.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def run(self, *options: str) -> int:
        """Run the command."""
        return main(["batch", str(self.input), str(self.output), *options])

    @property
    def answers(self) -> list[dict[str, Any]]:
        """The lines of the output."""
        return [json.loads(line) for line in self.output.read_bytes().splitlines()]

    @property
    def kinds(self) -> dict[int, str]:
        """What each line has: its text, or the class of its error."""
        return {a["line"]: a["result"]["text"] if "result" in a else a["error"]["type"] for a in self.answers}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Make a place whose server repeats what it is told, and refuses what begins with `bad`."""

    def handle(request: MockRequest) -> Any:
        said = request.view.last_text
        place.asked[said] += 1
        return Failure(400, message=said) if said.startswith("bad") else Reply(said)

    with MockServer(handler=handle) as server:
        place = Place(tmp_path, server)
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        monkeypatch.setenv("FIBER_MODEL", PRICED)
        yield place


def test_every_line_is_answered(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """With its id or its number; a second run has nothing to do."""
    place.write("a", {"id": "b2", "messages": "b"}, {"messages": [{"role": "user", "content": "c"}], "label": "x"})

    code = place.run()
    told = capsys.readouterr()
    again = place.run()

    assert (code, again, told.out) == (0, 0, "")
    assert "3 of 3 lines answered, 0 failed, 0 left; this run: 3 calls, " in told.err
    assert {answer["id"]: answer["result"]["text"] for answer in place.answers} == {1: "a", "b2": "b", 3: "c"}
    assert sum(place.asked.values()) == 3


def test_failed_lines_are_recorded_and_not_asked_again(place: Place) -> None:
    """A wrong line beside one that the provider refuses; exit code 1."""
    place.write("a", "bad", {"messages": "c", "zap": 1}, 7)

    codes = [place.run(), place.run()]

    assert codes == [1, 1]
    assert place.kinds == {1: "a", 2: "FiberBadRequestError", 3: "FiberValidationError", 4: "FiberValidationError"}
    assert place.asked == {"a": 1, "bad": 1}


def test_failed_lines_are_asked_again_when_wanted(place: Place) -> None:
    """And then stand in the output once."""
    place.write("a", "bad", "c")
    place.run()
    place.server.enqueue(Reply("good"))

    code = place.run("--retry-failed")

    assert (code, place.kinds, len(place.answers)) == (0, {1: "a", 2: "good", 3: "c"}, 3)
    assert place.asked == {"a": 1, "bad": 1, "c": 1}


def test_fail_fast_stops_at_the_first_failure(place: Place) -> None:
    """It is recorded, what comes after it is left; the next run goes on behind it."""
    place.write("a", "bad", "c")

    first = place.run("--fail-fast", "--concurrency", "1")
    after = place.kinds
    second = place.run("--fail-fast")

    assert (first, after) == (1, {1: "a", 2: "FiberBadRequestError"})
    assert (second, place.kinds) == (1, {1: "a", 2: "FiberBadRequestError", 3: "c"})


def test_the_input_may_grow(place: Place) -> None:
    """Only the new lines are asked."""
    place.write("a")
    place.run()
    place.write("a", "b")

    assert place.run() == 0
    assert place.asked == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("lines", "words"), [(["a", "x"], "Line 2 of the input is not the one"), (["a"], "answers 1 lines that the input")]
)
def test_another_input_is_refused(
    place: Place, capsys: pytest.CaptureFixture[str], lines: list[str], words: str
) -> None:
    """Before anything is sent."""
    place.write("a", "b")
    place.run()
    before = place.output.read_bytes()
    place.write(*lines)

    assert place.run() == 1
    assert words in capsys.readouterr().err
    assert (place.output.read_bytes(), place.asked["x"]) == (before, 0)


def test_input_and_output_are_two_files(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Or the questions would be lost among the answers."""
    place.write("a")

    assert main(["batch", str(place.input), str(place.input)]) == 1
    assert "are the same file" in capsys.readouterr().err


def test_answers_can_be_ordered(place: Place) -> None:
    """As the input is, at the end of the run."""
    place.write(*(f"p{n}" for n in range(30)))

    assert place.run("--ordered") == 0
    assert [answer["line"] for answer in place.answers] == list(range(1, 31))


def test_options_are_defaults_of_lines(place: Place) -> None:
    """What a line says itself wins."""
    place.write("a", {"messages": "b", "model": "openai:gpt-own", "max_tokens": 7})

    place.run("-m", "openai:gpt-said", "--max-tokens", "5", "--concurrency", "1")

    asked = [(request.model, request.json) for request in place.server.requests]
    assert [model for model, _ in asked] == ["gpt-said", "gpt-own"]
    assert [body.get("max_completion_tokens", body.get("max_tokens")) for _, body in asked] == [5, 7]


def test_no_more_than_the_limit_are_in_flight(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted where they arrive: so many meet there, and never one more."""
    meeting = threading.Barrier(3)
    lock = threading.Lock()
    flying = most = 0

    def handle(request: MockRequest) -> Any:
        nonlocal flying, most
        with lock:
            flying += 1
            most = max(most, flying)
        meeting.wait(10)
        with lock:
            flying -= 1
        return Reply("x")

    with MockServer(handler=handle) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        place.write(*(f"p{n}" for n in range(30)))
        code = place.run("--concurrency", "3")

    assert (code, most, server.errors) == (0, 3, [])


def test_the_summary_may_be_json(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the whole output, and of this run."""
    place.write("a", "bad")
    place.run("--json")
    capsys.readouterr()
    place.write("a", "bad", "c")

    place.run("--json")

    told = json.loads(capsys.readouterr().out)
    assert {name: told[name] for name in ("lines", "answered", "failed", "left")} == {
        "lines": 3,
        "answered": 2,
        "failed": 1,
        "left": 0,
    }
    assert (told["run"]["done"], told["run"]["failed"]) == (1, 0)


def test_unknown_costs_are_told(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """And not counted as nothing."""
    place.write("a", {"messages": "b", "model": "openai:gpt-unheard-of"})
    place.run()
    place.write("a", {"messages": "b", "model": "openai:gpt-unheard-of"}, {"messages": "c", "model": "openai:gpt-x"})
    first = capsys.readouterr().err

    place.run()

    assert "USD and 1 of unknown cost" in first
    assert "1 calls, cost unknown" in capsys.readouterr().err


def test_the_mock_server_answers_without_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As for the other commands."""
    (tmp_path / "in").write_text('"hello"\n')

    assert main(["batch", str(tmp_path / "in"), str(tmp_path / "out"), "--mock"]) == 0
    assert json.loads((tmp_path / "out").read_text())["result"]["text"] == "You said: hello"


@pytest.mark.parametrize(
    "option",
    [
        ("--concurrency", "0"),
        ("--concurrency", "many"),
        ("--token-budget", "-1"),
        ("--budget-usd", "much"),
        ("--budget-usd", "nan"),
        ("--budget-usd", "-1"),
    ],
)
def test_wrong_options_are_wrong_usage(option: tuple[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, with the reason."""
    with pytest.raises(SystemExit) as found:
        main(["batch", "a", "b", *option])

    assert found.value.code == 2
    assert f"{option[1]!r} is not" in capsys.readouterr().err


# -- budgets ------------------------------------------------------------------------------------------------------


def test_a_used_up_budget_stops_the_run(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """It holds for the whole output: the same command stops at once, a higher budget goes on; nothing is lost."""
    place.write(*(f"p{n}" for n in range(40)))
    options = ("--max-tokens", "100", "--token-budget")

    first, done = place.run(*options, "180"), len(place.answers)
    told = capsys.readouterr().err
    used = sum(a["result"]["usage"]["input_tokens"] + a["result"]["usage"]["output_tokens"] for a in place.answers)
    again, after = place.run(*options, str(used)), len(place.answers)
    last = place.run(*options, "100000")

    assert (first, again, last) == (3, 3, 0)
    assert "stopped: Budget 'batch'" in told
    assert 0 < done == after < 40
    assert used <= 180
    assert place.asked == {f"p{n}": 1 for n in range(40)}


def test_calls_in_flight_do_not_stop_a_run_that_has_room(place: Place) -> None:
    """They hold the most that they can use; who does not fit beside them waits until one has ended."""
    place.write(*(f"p{n}" for n in range(20)))

    code = place.run("--max-tokens", "500", "--token-budget", "2000", "--concurrency", "8")

    assert (code, len(place.answers)) == (0, 20)


def test_calls_that_fail_make_room_too(place: Place) -> None:
    """Whatever their end is."""
    place.write(*(f"bad{n}" for n in range(20)))

    code = place.run("--max-tokens", "500", "--token-budget", "2000", "--concurrency", "8")

    assert (code, len(place.answers)) == (1, 20)


def test_a_budget_of_money_counts_what_earlier_runs_cost(place: Place) -> None:
    """As the output tells it."""
    place.write("a", "b")
    place.run("--budget-usd", "1", "--max-tokens", "10")
    spent = sum(float(answer["result"]["cost_usd"]) for answer in place.answers)
    place.write("a", "b", "c")

    code = place.run("--budget-usd", f"{spent:.12f}", "--max-tokens", "10")

    assert spent > 0
    assert (code, place.asked["c"]) == (3, 0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--budget-usd", "1", "-m", "openai:gpt-unheard-of", "--max-tokens", "9"), "needs the price of"),
        (("--token-budget", "99", "-m", "openai:gpt-unheard-of"), "needs a bound of the output"),
    ],
)
def test_a_budget_that_cannot_be_kept_stops_the_run(
    place: Place, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
) -> None:
    """The same would happen at every line; nothing is sent, and none is recorded as failed."""
    place.write("a", "b", "c")

    assert place.run(*options) == 1
    assert words in capsys.readouterr().err
    assert (place.answers, place.asked) == ([], {})


def test_a_ceiling_of_a_line_is_its_own_matter(place: Place) -> None:
    """It fails, and the run goes on."""
    place.write({"messages": "a", "token_budget": 1, "max_tokens": 50}, "b")

    assert place.run("--token-budget", "10000", "--max-tokens", "50") == 1
    assert place.kinds == {1: "FiberBudgetError", 2: "b"}


# -- ends ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_an_interrupt_stops_the_run(place: Place, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    """What is done is written, what is in flight is cancelled, and the same command goes on."""
    place.write(*(f"p{n}" for n in range(10)))
    hold = threading.Event()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background ignores it

    def handle(request: MockRequest) -> Any:
        if request.view.last_text != "p3":
            return Reply("x")
        os.kill(os.getpid(), signal.SIGINT)
        hold.wait(10)
        return Reply("never")

    with MockServer(handler=handle) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        code = place.run("--concurrency", "1")
        hold.set()
    signal.signal(signal.SIGINT, before)
    monkeypatch.setenv("OPENAI_BASE_URL", place.server.base_url("openai"))

    assert (code, sorted(place.kinds)) == (130, [1, 2, 3])
    assert "interrupted" in capsys.readouterr().err
    assert place.run() == 0
    assert sorted(place.kinds) == list(range(1, 11))
