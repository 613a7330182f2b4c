"""The pure parts of benchmarks/: what is run, figures, report, plots; no figure is ever asserted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.scripts import Load, scripts_of

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "benchmarks"
FORMATS = ("openai_chat", "openai_responses", "anthropic", "gemini")

pytestmark = pytest.mark.skipif(not FOLDER.exists(), reason="the benchmarks are not part of this distribution")

fixture_stays = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
"""The fixture imports modules that hold no state; an exponent takes some milliseconds."""


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Import scripts as they import each other."""
    with scripts_of(FOLDER, monkeypatch) as load:
        yield load


ABOUT = {"about": {"date": "2026-01-02", "machine": "a machine", "versions": {"httpx": "1.2"}, "rounds": 2}}


def row(client: str, value: float | None, round: int = 0, **case: Any) -> str:
    """Make a line of results; an error for no value."""
    figure = {"error": "2 of 3 deltas"} if value is None else {"value": value}
    said = {"scenario": "call", "size": 20, "format": "openai_chat", **case}
    return json.dumps({"round": round, "client": client, **said, **figure})


def lines(*rows: str) -> list[str]:
    """Make a file of results."""
    return [json.dumps(ABOUT), *rows]


# -- figures -----------------------------------------------------------------------------------------------------------


@given(
    fixed=st.floats(0, 100),
    each=st.floats(0.5, 10),
    power=st.floats(0.5, 2),
)
@fixture_stays
def test_the_exponent_of_a_curve_is_found(load: Load, fixed: float, each: float, power: float) -> None:
    """Whatever part of the cost does not depend on the size."""
    costs = {size: fixed + each * size**power for size in (1, 10, 100, 1000)}

    assert load("figures").exponent(costs) == pytest.approx(power, abs=0.02)


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ({1: 200.0, 10: 202.0, 100: 220.0, 1000: 400.0}, 1.0),
        ({1: 50.0, 10: 51.0, 100: 49.0}, 0.0),
        ({1: 50.0, 10: 20.0, 100: 5.0}, 0.05),
        ({1: 50.0, 10: 500.0}, None),
        ({}, None),
    ],
)
def test_an_exponent_needs_three_sizes(load: Load, costs: dict[int, float], expected: float | None) -> None:
    """A cost that does not grow has the exponent 0, and one that falls the smallest there is."""
    assert load("figures").exponent(costs) == expected


def test_a_ratio_compares_what_was_measured_in_one_round(load: Load) -> None:
    """A round in which the machine was slow is slow for both."""
    rows = [row("fiber-h11", value, round) for round, value in enumerate((10, 100, 30))]
    rows += [row("httpx", value, round) for round, value in enumerate((20, 400))]
    results = load("figures").read(lines(*rows))
    key = ("call", 20, "openai_chat")

    assert results.value(key, "fiber-h11") == 30
    assert results.ratio(key, "fiber-h11", "httpx") == (10 / 20 + 100 / 400) / 2
    assert results.ratio(key, "fiber-h11", "socket") is None
    assert results.value(key, "socket") is None


@pytest.mark.parametrize(
    ("value", "said"), [(13_004.2, "13,000"), (123.4, "123"), (47.3, "47"), (1.26, "1.3"), (0.123, "0.12"), (0, "0")]
)
def test_numbers_have_the_digits_that_count(load: Load, value: float, said: str) -> None:
    """Two or three."""
    assert load("figures").number(value) == said


@pytest.mark.parametrize(("value", "said"), [(41.2, "41"), (1.49, "1.5"), (0.254, "0.25"), (0.0049, "0.005")])
def test_ratios_have_the_digits_that_count(load: Load, value: float, said: str) -> None:
    """Also where they are small."""
    assert load("figures").ratio_text(value) == said


# -- the report --------------------------------------------------------------------------------------------------------


def results_of(load: Load) -> Any:
    """Return results with a bit of everything."""
    rows = [row(client, value) for client, value in (("socket", 50), ("httpx", 500), ("fiber-h11", 100))]
    rows += [row("fiber-httpx", None), row("httpx.sync", 400), row("fiber-h11.sync", 80)]
    rows += [row("fiber-h11", 80 + size, size=size) for size in (1, 10, 100)]
    rows += [row("fiber-h11", 40.0, scenario="inflight", size=size) for size in (1, 10, 100)]
    rows += [row("fiber-h11", -0.1, scenario="memory", size=50), row("httpx", 20, format="gemini")]
    return load("figures").read(lines(*rows))


def test_the_report_has_a_table_for_each_kind_of_client(load: Load) -> None:
    """With ratios to floors of the same kind, `fails` for an error and a dash where nothing was measured."""
    text = load("report").own(results_of(load))

    assert "Measured on 2026-01-02 with a machine; httpx 1.2; medians of 2 rounds." in text
    assert "| CPU of | unit | `socket` | `httpx` | `fiber-h11` |" in text
    assert "| a call, 20 messages | µs | 50 | 500 | 100 (0.20, 2.0) |" in text
    assert "| a call, 20 messages | µs | 400 | 80 (0.20) |" in text
    assert "| memory for a stream of 50 MB | MB | - | - | 0 |" in text
    assert "| a call, 20 messages, `gemini` | µs | - | 20 | - |" in text
    assert "a call, 10 messages" not in text


def test_the_report_tells_exponents(load: Load) -> None:
    """Of calls in flight for all of them together: as many as are in flight, at the same cost each."""
    text = load("report").growth(results_of(load), "openai_chat")

    assert "| messages of history |  |  | 1.00 |" in text
    assert "| calls in flight |  |  | 1.00 |" in text


def test_peers_stand_in_order_of_cost(load: Load) -> None:
    """Those that fail have no figure, and ratios are to httpx alone."""
    rows = [row("openai", 3000), row("httpx", 500), row("litellm", None), row("socket", 50)]
    text = load("report").peers(load("figures").read(lines(*rows)))

    assert re.findall(r"^\| (\S+).* \| (.*) \|$", text, re.MULTILINE)[2:] == [
        ("`litellm`", "fails"),
        ("`socket`", "50 (0.10)"),
        ("httpx", "500"),
        ("`openai`", "3,000 (6.0)"),
    ]


def test_a_part_of_the_page_is_renewed_alone(load: Load) -> None:
    """Twice is the same as once, and what has no markers is an error."""
    renewed = load("report").renewed
    page = "a\n<!-- figures: begin -->\nold\n<!-- figures: end -->\n<!-- peers: begin -->\nb\n<!-- peers: end -->\n"
    once = renewed(page, "figures", "new")

    assert once == page.replace("\nold\n", "\n\nnew\n\n")
    assert renewed(once, "figures", "new") == once
    with pytest.raises(ValueError, match="no markers"):
        renewed("a page", "figures", "new")


def test_the_page_and_its_plots_are_written(load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The true page has the markers, so it can be renewed."""
    report = load("report")
    page = tmp_path / "performance.md"
    page.write_text(report.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "PLOTS", tmp_path / "plots")

    report.write(results_of(load), results_of(load))

    assert page.read_text(encoding="utf-8").count("Measured on 2026-01-02") == 2
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == ["history.svg", "in-flight.svg"]


# -- plots -------------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def test_a_plot_has_a_line_for_each_name(load: Load) -> None:
    """More costs stand higher, more of what grows stands further right, and names are escaped."""
    drawn = load("plot").plot("Title", "across", "up", {"a<b": {1: 10, 100: 1000}, "c": {10: 50}, "none": {}})
    picture = ElementTree.fromstring(drawn)
    (line, _) = picture.findall(f"{SVG}polyline")
    (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in line.attrib["points"].split())
    words = [text.text for text in picture.findall(f"{SVG}text")]

    assert x1 < x2
    assert y1 > y2
    assert {"Title", "across", "up", "a<b", "c", "1", "1,000"} <= set(words)
    assert len(picture.findall(f"{SVG}circle")) == 3


def test_names_do_not_cover_each_other(load: Load) -> None:
    """Lines that end at one place have labels apart."""
    drawn = load("plot").plot("t", "x", "y", {name: {1: 10.0, 10: 20.0} for name in ("one", "two", "three")})
    texts = ElementTree.fromstring(drawn).findall(f"{SVG}text")
    places = sorted(float(text.attrib["y"]) for text in texts if text.text in ("one", "two", "three"))

    assert all(below - above >= 15 for above, below in pairwise(places))
    with pytest.raises(ValueError, match="nothing"):
        load("plot").plot("t", "x", "y", {"one": {}})


# -- what is run -------------------------------------------------------------------------------------------------------


def test_a_whole_run_measures_one_format_in_full(load: Load) -> None:
    """And the others where formats differ; blocking clients are spared what only tells how a cost grows."""
    planned = load("cases").planned
    found = [(case.size, case.format, case.blocking) for case in planned(["call"], (), brief=False)]

    assert found[:2] == [(20, "openai_chat", True), (200, "openai_chat", True)]
    assert found[2:6] == [(size, "openai_chat", False) for size in (1, 10, 100, 1000)]
    assert found[6:] == [(20, format, False) for format in FORMATS[1:]]
    assert {case.format for case in planned(["call", "paced"], ["gemini"], brief=False)} == {"gemini"}
    assert not any(case.blocking for case in planned(["paced"], (), brief=False))


def test_a_brief_run_measures_one_size_of_everything(load: Load) -> None:
    """So that nothing is left out."""
    scenarios = load("scenarios").SCENARIOS
    found = [case for case in load("cases").planned(list(scenarios), (), brief=True) if case.format == FORMATS[0]]

    assert [case.scenario for case in found] == list(scenarios)


def test_all_who_are_named_are_there(load: Load) -> None:
    """Every entry names a class, every case a scenario, and what blocks says so by its name."""
    roster, peers = load("roster").ROSTER, load("peers")
    entries = [*roster.values(), *(peer.entry for peer in peers.PEERS.values())]
    places = [entry.place.partition(":") for entry in entries]

    assert [place for place in places if not hasattr(load(place[0]), place[2])] == []
    assert {scenario for wanted in peers.CASES.values() for scenario, _ in wanted} <= set(load("scenarios").SCENARIOS)
    assert [name for name, entry in roster.items() if entry.blocks] == [name for name in roster if "sync" in name]
    assert set(peers.CASES) <= set(FORMATS)


def test_what_is_not_installed_is_missing(load: Load) -> None:
    """A client that needs no module never is."""
    entry = load("roster").Entry

    assert [entry("a", "b:C", "", needs=name).is_missing for name in ("no_such_module", "json", "")] == [
        True,
        False,
        False,
    ]


def test_a_client_is_not_changed_by_the_environment(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for what its entry sets; a foreign interpreter finds nothing of ours."""
    running, roster = load("running"), load("roster")
    for name in ("FIBER_HTTP", "HTTPS_PROXY", "OPENAI_API_KEY", "PYTHONPATH"):
        monkeypatch.setenv(name, "x")
    ours = running.environment(roster.ROSTER["fiber-httpx"])
    theirs = running.environment(roster.Entry("other", "a:B", "import a", python="python"))

    assert ours["FIBER_HTTP"] == "httpx"
    assert "PYTHONPATH" in ours
    assert {"HTTPS_PROXY", "OPENAI_API_KEY"} & set(ours) == set()
    assert {"FIBER_HTTP", "PYTHONPATH"} & set(theirs) == set()


@pytest.mark.parametrize(
    ("output", "errors", "said"),
    [
        ('a library says\n{"value": 1.5, "count": 2}\nmore\n', "a warning\n", {"value": 1.5, "count": 2}),
        ('{"error": "no"}\n', "", {"error": "no"}),
        ("", "Traceback\nValueError: x\n", {"error": "ValueError: x"}),
        ("{not ours\n", "", {"error": "nothing was said"}),
    ],
)
def test_a_figure_is_found_in_what_a_worker_prints(load: Load, output: str, errors: str, said: dict[str, Any]) -> None:
    """Libraries print too; a process that dies has said why."""
    assert load("running").found_in(output, errors) == said


def test_a_file_of_results_can_be_read_again(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It holds what was found, and each figure is printed with its ratios."""
    recording = load("recording")
    rows = [json.loads(row(name, value)) for name, value in (("httpx", 500.0), ("fiber-h11", 100.0))]
    monkeypatch.setattr(recording, "run", lambda *_, **__: iter([*rows, json.loads(row("socket", None))]))
    out = tmp_path / "new" / "own.jsonl"

    results = recording.recorded([], [], {"httpx": "1.2"}, rounds=1, seconds=1.0, out=out)

    assert load("figures").read(out.read_text(encoding="utf-8").splitlines()) == results
    said = list(recording.printed(results))
    assert said[0].split() == ["call", "20", "openai_chat", "fiber-h11", "100", "µs", "0.20", "x", "httpx"]
    assert said[-1].endswith("FAILED: 2 of 3 deltas")
    assert "[0] call 20 openai_chat httpx: 500 µs" in capsys.readouterr().err


def test_the_readme_names_every_file() -> None:
    """Of the folder itself."""
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")

    assert [path.name for path in FOLDER.glob("*.py") if f"`{path.name}`" not in readme] == []
