"""Tests of the rules by which clients are compared; the comparison itself is `python -m tests.torture.peers`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fiber.testing import FAULTS
from tests.torture.outcome import Mode
from tests.torture.peers.__main__ import cells, main
from tests.torture.peers.judging import CATEGORIES, MEMORY_BYTES, Cell, Seen, is_own, judge, kind_of
from tests.torture.peers.playing import WORKERS, Row, Worker, play
from tests.torture.peers.reporting import BEGIN, CHOSEN, END, categories, chosen, into, missed
from tests.torture.peers.wanted import LEAST_WAIT_SECONDS, LEFT_OUT, RETRIED, WIDER, words

SAID = "You said: x"


def cell(fault: str = "ok", mode: Mode = "whole", library: str = "openai") -> Cell:
    """Make a cell of chat."""
    return Cell(library, "openai_chat", fault, mode)


def good(text: str = SAID, **more: Any) -> dict[str, Any]:
    """Make the outcome of a call that raised nothing."""
    return {"text": text, "finish": "stop", "calls": [], "told": "", "encodes": True, **more}


def raised(*bases: str, status: int | None = None) -> dict[str, Any]:
    """Make the outcome of a call that raised."""
    return {"error": {"bases": [*bases, "builtins.Exception"], "status": status, "message": ""}}


def called(*arguments: object) -> dict[str, Any]:
    """Make the outcome of a call whose answer calls tools."""
    return good("", calls=[{"name": "get_weather", "arguments": one} for one in arguments])


OWN = "openai.OpenAIError"
API, STATUS, LOST = "openai.APIError", "openai.APIStatusError", "openai.APIConnectionError"


@pytest.mark.parametrize(
    ("fault", "mode", "outcome", "category"),
    [
        ("ok", "whole", good(), "expected"),
        ("ok", "whole", good("You said"), "wrong_success"),
        ("ok", "whole", raised(API, OWN), "rejected"),
        ("ok", "whole", {"unreadable": "AttributeError"}, "rejected"),
        ("ok", "whole", good(told="failed"), "rejected"),
        ("ok", "whole", {}, "no_end"),
        ("rate-limit-once", "whole", raised(STATUS, API, OWN, status=429), "rejected"),
        ("html", "stream", good(""), "wrong_success"),
        ("html", "whole", {"unreadable": "AttributeError"}, "wrong_success"),
        ("html", "whole", raised("json.decoder.JSONDecodeError"), "foreign"),
        ("html", "whole", raised(API, OWN), "expected"),
        ("html", "whole", raised(LOST, API, OWN), "expected"),
        ("html", "whole", raised(STATUS, API, OWN, status=500), "wrong_kind"),
        ("stream-cut", "stream", good("You"), "wrong_success"),
        ("stream-error", "stream", good("You", told="error"), "expected"),
        ("stream-error", "stream", raised(API, OWN), "expected"),
        ("never-headers", "whole", raised("openai.APITimeoutError", LOST, OWN), "expected"),
        ("never-headers", "whole", raised(LOST, API, OWN), "expected"),
        ("never-headers", "whole", raised(API, OWN), "expected"),
        ("never-headers", "whole", raised(STATUS, API, OWN, status=500), "wrong_kind"),
        ("json-utf16", "whole", good(), "expected"),
        ("json-utf16", "whole", good("?"), "wrong_success"),
        ("rst-before-headers", "whole", raised("openai.APITimeoutError", LOST, OWN), "wrong_kind"),
        ("bad-key", "whole", raised(STATUS, API, OWN, status=401), "expected"),
        ("bad-key", "whole", raised(STATUS, API, OWN, status=429), "wrong_kind"),
        ("html-502", "whole", raised(STATUS, API, OWN, status=502), "expected"),
        ("redirect-same-host", "whole", good(), "expected"),
        ("redirect-loop", "whole", good(""), "wrong_success"),
        ("json-lone-surrogate", "whole", good(f"{SAID}?", encodes=False), "unencodable"),
        ("json-lone-surrogate", "whole", good(f"{SAID}\ufffd"), "expected"),
        ("json-lone-surrogate", "whole", good("another"), "wrong_success"),
        ("calls-interleaved", "stream", called('{"city": "Paris"}', {"city": "Rome"}), "expected"),
        ("calls-interleaved", "stream", called('{"city": "Paris"}'), "wrong_success"),
        ("tool-arguments-cut", "whole", called('{"city": "Par'), "expected"),
        ("tool-arguments-cut", "whole", called("{}"), "wrong_success"),
        ("tool-arguments-cut", "whole", raised(API, OWN), "expected"),
        ("tool-arguments-twice", "whole", called('{"city": "Rome", "city": "Paris"}'), "expected"),
        ("tool-arguments-empty", "whole", called(""), "expected"),
    ],
)
def test_outcome_has_its_category(fault: str, mode: Mode, outcome: dict[str, Any], category: str) -> None:
    """What a call gave or raised decides first."""
    assert judge(cell(fault, mode), Seen(outcome=outcome, said=SAID)) == category


@pytest.mark.parametrize(
    ("fault", "outcome", "more", "category"),
    [
        ("redirect-other-host", good(), {"key_left": True}, "key"),
        ("quota", raised(STATUS, OWN, status=429), {"requests": 1}, "expected"),
        ("quota", raised(STATUS, OWN, status=429), {"requests": 3}, "retried"),
        ("rate-limit", raised(STATUS, OWN, status=429), {"requests": 3, "waits": (0.0, 0.0)}, "expected"),
        ("retry-after-seconds", good(), {"requests": 2, "waits": (1.0,)}, "expected"),
        ("retry-after-seconds", good(), {"requests": 2, "waits": (0.5,)}, "retried"),
        ("ok", good(), {"grown_bytes": MEMORY_BYTES + 1}, "memory"),
        ("ok", good(""), {"grown_bytes": MEMORY_BYTES + 1}, "wrong_success"),
    ],
)
def test_right_outcome_may_still_miss(fault: str, outcome: dict[str, Any], more: dict[str, Any], category: str) -> None:
    """Keys that leave, hasty retries and memory count where the outcome itself is right."""
    assert judge(cell(fault), Seen(outcome=outcome, said=SAID, **more)) == category


@pytest.mark.parametrize(
    ("library", "base", "own"),
    [
        ("openai", OWN, True),
        ("openai", "httpx2.ReadTimeout", False),
        ("anthropic", "anthropic.AnthropicError", True),
        ("anthropic", OWN, False),
        ("litellm", "litellm.exceptions.Timeout", True),
        ("litellm", OWN, True),
        ("google-genai", "google.genai.errors.APIError", True),
        ("google-genai", "pydantic_core.ValidationError", False),
        ("fiber", "builtins.ValueError", False),
    ],
)
def test_exceptions_have_an_owner(library: str, base: str, own: bool) -> None:
    """A library's own exceptions are those of its documented roots, and their subclasses."""
    assert is_own(library, raised("some.Subclass", base)["error"]) is own


def test_kind_is_that_of_the_most_special_base() -> None:
    """Timeouts are more special than lost connections, and a bare error says no more than that."""
    assert kind_of(raised("openai.APITimeoutError", LOST, API, OWN)["error"]) == "timeout"
    assert kind_of(raised("x.Mine", LOST, API, OWN, status=500)["error"]) == "connection"
    assert kind_of(raised("litellm.exceptions.APIError", API, OWN, status=500)["error"]) == "error"
    assert kind_of(raised("openai.InternalServerError", STATUS, API, OWN, status=500)["error"]) == "status"
    assert kind_of(raised(STATUS, API, OWN, status=200)["error"]) == "error"


def test_rules_are_about_faults() -> None:
    """What is left out, widened, chosen or waited for exists, and a wider rule adds something."""
    named = {*LEFT_OUT, *WIDER, *RETRIED, *LEAST_WAIT_SECONDS, *(fault for fault, *_ in CHOSEN)}

    assert named <= set(FAULTS)
    assert all(words(name, "openai_chat", mode) for name, fault in FAULTS.items() for mode in fault.modes)


def test_cells_are_what_libraries_speak() -> None:
    """Each library plays each format that it speaks."""
    found = cells(["openai", "google-genai"], ["html", "stream-json-array"])

    assert [tuple(one[1:]) for one in found] == [
        *((format, "html", mode) for format in ("openai_chat", "openai_responses") for mode in ("whole", "stream")),
        ("gemini", "html", "whole"),
        ("gemini", "html", "stream"),
        ("gemini", "stream-json-array", "stream"),
    ]


def row(fault: str, category: str, library: str = "openai", **more: Any) -> Row:
    """Make a graded cell."""
    values: dict[str, Any] = {
        "shown": "json.decoder.JSONDecodeError", "finish": None, "requests": 1, "seconds": 1.0, "grown_bytes": 0,
    }  # fmt: skip
    return Row(cell=cell(fault, "stream", library), category=category, **{**values, **more})


def test_tables_say_all() -> None:
    """The tables count each category once, and tell chosen cells and misses."""
    rows = [
        row("html", "wrong_success", shown="empty text"),
        row("stream-cut", "wrong_success", shown="4 characters", finish="stop"),
        row("json-cut", "foreign"),
        row("html", "expected", "fiber", shown="fiber._errors.FiberParsingError"),
    ]
    table, some = categories(rows, {"openai": "1.2"}), chosen(rows)

    assert "|  | fiber | openai 1.2 |" in table
    assert "| as expected | 1 (100.0%) | 0 (0.0%) |" in table
    assert f"| {CATEGORIES['wrong_success']} | 0 | 2 |\n| of these with a finish reason | 0 | 1 |" in table
    assert "(`html`) | FiberParsingError | empty text, finish None |" in some
    assert "(`stream-cut`) | - | 4 characters, finish stop |" in some
    assert "json-cut: json.decoder.JSONDecodeError (openai_chat/stream)" in missed(rows)


def test_figures_go_between_the_marks(tmp_path: Path) -> None:
    """Writing the tables leaves the rest of a page alone, and can be repeated."""
    page = tmp_path / "page.md"
    page.write_text(f"# Title\n{BEGIN}\nold\n{END}\nlast\n")

    into(page, "one")
    into(page, "two")
    into(tmp_path / "new.md", "three")

    assert page.read_text() == f"# Title\n{BEGIN}\ntwo\n{END}\nlast\n"
    assert "three" in (tmp_path / "new.md").read_text()


def test_page_without_marks_is_left_alone(tmp_path: Path) -> None:
    """A page that has no place for the figures is not overwritten."""
    page = tmp_path / "page.md"
    page.write_text("# Title\n")

    with pytest.raises(ValueError, match="has no lines"):
        into(page, "figures")

    assert page.read_text() == "# Title\n"


def test_worker_of_fiber_plays_cells() -> None:
    """A worker answers lines, and fiber is graded by the rules for all."""
    with Worker("fiber", sys.executable) as worker:
        rows = play(worker, [cell("ok", library="fiber"), cell("html", library="fiber")])

    assert [(found.category, found.requests) for found in rows] == [("expected", 1), ("expected", 1)]


def test_worker_sees_halves_of_a_character() -> None:
    """Whether a text can be encoded is seen where it was read: on its way its halves are joined."""
    code = "import serving; print(serving._encodes('\\ud83d' + '\\udc4b'), serving._encodes('\\U0001f44b'))"
    done = subprocess.run([sys.executable, "-c", code], cwd=WORKERS, capture_output=True, text=True, check=True)

    assert done.stdout == "False True\n"


def test_worker_that_does_not_answer_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell over its limit has no end, and the next one meets a new worker."""
    monkeypatch.setattr("tests.torture.peers.playing.LIMIT_SECONDS", 0.2)
    with Worker("fiber", sys.executable) as worker:
        rows = play(worker, [cell("never-headers", library="fiber"), cell("ok", library="fiber")])

    assert rows[0].category == "no_end"


def test_worker_refuses_an_environment_with_fiber() -> None:
    """Another library is measured alone: where fiber can be imported, its worker does not start."""
    done = subprocess.run(
        [sys.executable, "-c", "import serving; serving.serve('openai', {})"],
        cwd=WORKERS,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "fiber must not be in the environment" in done.stderr


def test_names_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    """A library or a fault that nobody knows is refused."""
    with pytest.raises(SystemExit):
        main(["--peers", "nobody"])

    assert "no such name: nobody" in capsys.readouterr().err
