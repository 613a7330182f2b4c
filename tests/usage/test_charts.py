"""Charts as SVG."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from fiber.usage.charts import Series, _ceiling, bars, lines

NAMES = ["a", "b", "c"]


def drawn(chart: str, kind: str) -> list[ET.Element]:
    """Return the elements of *kind* in *chart*, which is well-formed."""
    return ET.fromstring(chart).findall(f".//{kind}")


def titles(chart: str, kind: str) -> list[str]:
    """Return what the elements of *kind* say of themselves."""
    return [str(found.findtext("title")) for found in drawn(chart, kind)]


def test_bars_stand_on_each_other() -> None:
    """One for each value above zero, as high as it says."""
    chart = bars("Tokens", NAMES, [Series("in", [3, 0, None]), Series("out", [1, 2, 0])], str)

    first, second, alone = drawn(chart, "rect")
    assert titles(chart, "rect") == ["a, in: 3", "a, out: 1", "b, out: 2"]
    assert float(first.attrib["height"]) == pytest.approx(3 * float(second.attrib["height"]), abs=0.5)
    foot = float(second.attrib["y"]) + float(second.attrib["height"])
    assert foot == pytest.approx(float(first.attrib["y"]), abs=0.2)
    assert [found.attrib["class"] for found in (first, second, alone)] == ["s0", "s1", "s1"]


def test_lines_have_gaps() -> None:
    """Where there is no value; one value alone is a point."""
    chart = lines("Latency", [*NAMES, "d", "e"], [Series("p50", [1, 2, None, 4, None])], str)

    assert titles(chart, "circle") == ["a, p50: 1", "b, p50: 2", "d, p50: 4"]
    assert [len(found.attrib["points"].split()) for found in drawn(chart, "polyline")] == [2]


@pytest.mark.parametrize("draw", [bars, lines])
def test_names_are_escaped(draw: object) -> None:
    """Wherever they come from."""
    chart = draw("<t>", ["<l>&"], [Series('<n>"', [1]), Series("b", [1])], lambda value: f"<{value}>")  # type: ignore[operator]

    assert ET.fromstring(chart).findtext("figcaption") == "<t>"
    assert [found.text for found in drawn(chart, "li")] == ['<n>"', "b"]


@pytest.mark.parametrize("draw", [bars, lines])
def test_a_chart_of_nothing_is_a_chart(draw: object) -> None:
    """With a scale, and without a legend for one series."""
    chart = draw("Errors", [], [Series("errors", [])], str)  # type: ignore[operator]

    assert len(drawn(chart, "line")) == 5
    assert drawn(chart, "li") == []


def test_only_as_many_labels_as_have_room() -> None:
    """Every so manyth."""
    chart = bars("Errors", [str(number) for number in range(20)], [Series("errors", [1] * 20)], str)

    words = [found.text for found in drawn(chart, "text") if found.attrib["class"] == "x"]
    assert words == ["0", "3", "6", "9", "12", "15", "18"]


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (1.1, 1.2), (9, 10), (10, 10), (2300, 2400), (0.0021, 0.0024), (1e-9, 1e-9)]
)
def test_a_scale_ends_at_a_round_number(value: float, top: float) -> None:
    """That is not below the value."""
    assert _ceiling(value) == pytest.approx(top)
