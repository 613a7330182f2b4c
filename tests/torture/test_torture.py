"""Tests of the yardstick and of the grading; the cells themselves are played by `python -m tests.torture`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from fiber import ChatMessage, ChatResult, FiberConnectionError, FiberError, FiberTimeoutError, Usage
from fiber.testing import FAULTS, HostileServer
from fiber.transports.streams import tls_context
from fiber.types.receipt import Attempt, Receipt
from fiber.types.result import Choice
from tests.torture import cell, report
from tests.torture.__main__ import main
from tests.torture.cell import FORMATS, KEY, RUNTIMES, Cell, Observed, cells, new_server, observe
from tests.torture.expected import EXCEPTIONS, EXPECTED, expected
from tests.torture.grade import CHECKS, WORDS, grade, late, word_of
from tests.torture.report import Row

OK = Cell("ok", "openai_chat", "whole", "sync")


def seen(**more: Any) -> Observed:
    """Make what a cell without a fault shows."""
    result = ChatResult(
        provider="hostile",
        model="mock",
        choices=(Choice(message=ChatMessage("assistant", "You said: x"), finish_reason="stop"),),
        usage=Usage(input_tokens=1),
        receipt=Receipt(attempts=(Attempt(number=1, provider="hostile", model="mock"),)),
    )
    return Observed(
        **{"said": "You said: x", "result": result, "afterwards": "You said: and now", "requests": 1, **more}
    )


@pytest.mark.parametrize("fault", FAULTS)
def test_every_cell_has_an_expectation(fault: str) -> None:
    """For each kind of chat that a fault concerns there is an outcome, whose words mean something."""
    modes = FAULTS[fault].modes

    assert set(EXPECTED[fault]) == modes
    for format in FORMATS:
        for mode in modes:
            outcome = expected(fault, format, mode)
            words = {word.partition(":")[0] for word in outcome.word.split("|")}
            assert words <= {"ok", "timeout", *WORDS}
            assert outcome.check in ("", *CHECKS)
            assert outcome.text is None or outcome.word != "ok" or "{said}" in outcome.text


def test_every_exception_is_about_a_cell() -> None:
    """No exception excuses what does not exist, and none says what is said already."""
    for (fault, format, mode), outcome in EXCEPTIONS.items():
        assert FAULTS[fault].concerns(format, mode)
        assert outcome != EXPECTED[fault][mode]


def test_cells_are_what_faults_concern() -> None:
    """A fault of streams of one format makes one cell for each runtime."""
    found = cells(["stream-json-array"], list(FORMATS), list(RUNTIMES))

    assert found == [Cell("stream-json-array", "gemini", "stream", runtime) for runtime in RUNTIMES]


def test_good_cell_is_no_miss() -> None:
    """What is as expected has no reasons."""
    assert grade(OK, seen()) == []
    assert late(OK, seen()) == 0.0


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"error": KeyError("x"), "result": None}, "foreign exception: KeyError"),
        ({"error": FiberError("x"), "result": None}, "wrong class: FiberError instead of ok"),
        ({"result": None}, "no end"),
        ({"said": "You said: y"}, "silent loss: 'You said: x'"),
        ({"requests": 2}, "requests: 2 instead of 1"),
        ({"afterwards": "You said: x"}, "silent: the next call got"),
        ({"afterwards": "FiberError('x')"}, "next call failed"),
        ({"noise": ["never retrieved"]}, "noise: never retrieved"),
        ({"error": FiberConnectionError(f"with {KEY}"), "result": None}, "leak: the key"),
    ],
)
def test_miss_says_why(more: dict[str, Any], reason: str) -> None:
    """Each way to miss has its reason."""
    assert any(found.startswith(reason) for found in grade(OK, seen(**more)))


def test_success_where_an_error_is_due_is_silent() -> None:
    """A cut stream that looks like a good one is the worst miss, and comes first."""
    cell = Cell("stream-cut", "openai_chat", "stream", "sync")

    assert grade(cell, seen(requests=9))[0].startswith("silent success: instead of interrupted")


def test_error_without_what_came_is_a_miss() -> None:
    """The text before the fault belongs to the error, and its facts are those of the fault."""
    cut = Cell("stream-error", "openai_chat", "stream", "sync")
    huge = Cell("retry-after-huge", "openai_chat", "whole", "sync")
    away = Cell("redirect-other-host", "openai_chat", "whole", "sync")

    def reasons(cell: Cell, kind: type[FiberError]) -> str:
        return "".join(grade(cell, seen(error=kind("x"), result=None)))

    assert "without the text" in reasons(cut, WORDS["overloaded"])
    assert "retry_after is None" in reasons(huge, WORDS["rate_limit"])
    assert "'//localhost' is not in" in reasons(away, WORDS["parsing"])


def test_late_cells_are_told() -> None:
    """A cell is late when it passes its deadline by more than a busy machine takes."""
    timer = FiberTimeoutError("x", timer="read", seconds=0.3)
    cell = Cell("never-headers", "openai_chat", "whole", "sync")

    assert late(cell, seen(error=timer, seconds=0.8)) == 0.0
    assert late(cell, seen(error=timer, seconds=1.2)) > 0.5
    assert word_of(timer) == "timeout:read"


def test_report_says_all() -> None:
    """The report has a line for each fault, each miss with its reason, and the sum."""
    other = Cell("html", "gemini", "stream", "trio")
    said = report.report([Row(OK, (), 0.7, 1.0), Row(other, ("silent loss: x",), 0.0, 1.0)], "httpx", 3.0)

    assert re.search(r"^ok    +late +-", said, re.M)
    assert "MISS t" in said
    assert "html: gemini/stream/trio\n    silent loss: x\n" in said
    assert "ok/openai_chat/whole/sync: 0.70 s late" in said
    assert said.endswith("1 of 2 cells as expected over httpx, 3 s. Misses: silent loss 1.")


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    """Run one server for the cells."""
    with new_server() as server:
        yield server


@pytest.fixture(scope="module")
def encrypted() -> Iterator[HostileServer]:
    """Run one that speaks TLS, and forget afterwards that it is trusted."""
    with new_server(tls=True) as server:
        yield server
    tls_context.cache_clear()


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("fault", ["ok", "fin-mid-body", "stream-cut", "html", "error-under-200", "json-cut"])
def test_sample_of_cells(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch, fault: str, format: str, runtime: str
) -> None:
    """Some cells are played in every run of the tests; none is about time, so no timer may ring on a busy machine."""
    monkeypatch.setattr(cell, "TIMEOUTS", cell.PATIENT)

    for played in cells([fault], [format], [runtime]):
        assert grade(played, observe(server, played)) == []


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("fault", ["tls-expired", "tls-not-spoken", "tls-cut-mid-body", "tls-cut-until-close"])
def test_sample_of_cells_over_tls(
    encrypted: HostileServer, monkeypatch: pytest.MonkeyPatch, fault: str, runtime: str
) -> None:
    """Among them those of TLS; no timer may ring here either."""
    monkeypatch.setattr(cell, "TIMEOUTS", cell.PATIENT)

    for played in cells([fault], ["openai_chat"], [runtime]):
        assert grade(played, observe(encrypted, played)) == []


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The command knows its faults, formats and runtimes."""
    with pytest.raises(SystemExit):
        main(["--faults", "meteor"])

    assert "no such name: meteor" in capsys.readouterr().err
