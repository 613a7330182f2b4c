"""The page about usage."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest

from fiber import SQLiteUsage, UsageRecord
from fiber.usage.page import page
from fiber.usage.summing import KEYS, plain, summed
from tests.usage.browser import needs_browser, opened, pixels
from tests.usage.kit import BEGIN, record

EVIL = '</th><script>document.title = "evil"</script>'


class Tables(HTMLParser):
    """Reads the rows of all tables by heading, and counts elements."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.counts: dict[str, int] = {}
        self.tiles: list[str] = []
        self._heading = ""
        self._tag = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Count *tag*, and keep a number."""
        self.counts[tag] = self.counts.get(tag, 0) + 1
        self._tag = tag
        if tag == "tr":
            self.rows.setdefault(self._heading, []).append([])
        elif tag == "data":
            value = str(dict(attrs)["value"])
            (self.rows[self._heading][-1] if self._heading in self.rows else self.tiles).append(value)

    def handle_data(self, data: str) -> None:
        """Keep a heading, or the name of a row."""
        if self._tag == "h2" and data.strip():
            self._heading = data
        elif self._tag == "th" and self.rows and data.strip():
            self.rows[self._heading][-1].append(data)
        self._tag = ""


def read(html: str) -> Tables:
    """Read *html*."""
    tables = Tables()
    tables.feed(html)
    return tables


def many(days: int = 10, step: int = 1) -> list[UsageRecord]:
    """Make records of all kinds, some on each day but the fourth."""
    records = []
    for number in range(days * 6):
        day, kind = divmod(number, 6)
        if day != 3:
            said = [
                {"cost_usd": Decimal("0.0123"), "input_tokens": 12_000, "output_tokens": 500},
                {"cost_usd": Decimal("1.5"), "input_tokens": 9, "output_tokens": 7, "model": "big", "tenant": "acme"},
                {"cached": True, "cost_usd": Decimal(0), "saved_usd": Decimal("0.0123"), "tenant": "acme"},
                {"outcome": "error", "error": "FiberTimeoutError"},
                {"input_tokens": 5, "output_tokens": 5, "model": EVIL, "tenant": EVIL},
                {"outcome": "cancelled"},
            ][kind]
            time = BEGIN + timedelta(days=day * step, minutes=kind)
            records.append(record(number, time=time, latency_ms=number * 10.0, **said))
    return records


def test_numbers_are_those_of_the_books() -> None:
    """Exactly, by model, by tenant, by day and in all."""
    records = many()

    tables = read(page(records))

    for heading, by in (("Models", "model"), ("Tenants", "tenant"), ("Days", "day")):
        sums, whole = summed(records, by)
        expected = [
            [
                *(one.key or "-", f"{one.calls}", f"{one.errors}", f"{one.cached}", f"{one.input_tokens}"),
                *(f"{one.output_tokens}", plain(one.cost_usd), plain(one.saved_usd)),
                *(f"{ms}" for ms in (one.p50_ms, one.p95_ms, one.p99_ms) if ms is not None),
            ]
            for one in sums
        ]
        assert tables.rows[heading][1:] == expected
    tokens = whole.input_tokens + whole.output_tokens
    assert tables.tiles == [
        *(plain(whole.cost_usd), f"{whole.calls}", f"{tokens}", f"{whole.errors}", plain(whole.saved_usd))
    ]


def test_charts_have_a_place_for_each_day() -> None:
    """Also for those without a call."""
    html = page(many())

    spend = re.findall(r"<title>([\d-]+), spend: ", html)
    assert spend == [f"01-{day:02}" for day in range(1, 11) if day != 4]
    assert html.count("<figure>") == 6


@pytest.mark.parametrize(("days", "step", "heading"), [(10, 1, "Days"), (20, 10, "Weeks"), (20, 40, "Months")])
def test_long_times_are_cut_into_longer_periods(days: int, step: int, heading: str) -> None:
    """So that the bars can be told apart."""
    assert f"<h2>{heading}</h2>" in page(many(days, step))


def test_a_page_about_nothing_is_a_page() -> None:
    """It says so, and draws no charts."""
    html = page([])

    assert "No calls were written down." in html
    assert "<svg" not in html


def test_a_page_about_failures_alone_is_a_page() -> None:
    """Without a latency."""
    tables = read(page([record(outcome="error")]))

    assert tables.tiles == ["0", "1", "0", "1", "0"]


def test_prices_that_are_not_known_are_told() -> None:
    """A sum without them is a lower bound."""
    html = page(many())

    assert "9 calls without a price" in html
    assert html.count("\u2265 <data") == 1 + 1 + 9


def test_the_page_needs_nothing_from_elsewhere() -> None:
    """No script, no link, no picture; names of others are text, and a policy forbids the rest."""
    html = page(many())

    counts = read(html).counts
    assert not {"script", "link", "img", "iframe", "object", "a"} & set(counts)
    assert "default-src 'none'" in html
    assert "url(" not in html
    assert "://" not in html
    assert EVIL not in html


@pytest.mark.parametrize(
    ("usd", "shown"), [("0", "$0.00"), ("1234.5", "$1,234.50"), ("0.012", "$0.012"), ("0.00001", "$1.0e-05")]
)
def test_money_is_shown_shortly(usd: str, shown: str) -> None:
    """And stands there exactly too."""
    html = page([record(cost_usd=Decimal(usd), input_tokens=1)])

    assert f'<data value="{plain(Decimal(usd))}">{shown}</data>' in html


@pytest.mark.parametrize(
    ("tokens", "shown"), [(9_999, "9,999"), (12_345, "12.3k"), (1_234_567, "1.23M"), (5_000_000_000, "5G")]
)
def test_tokens_are_shown_shortly(tokens: int, shown: str) -> None:
    """And stand there exactly too."""
    assert f'<data value="{tokens}">{shown}</data>' in page([record(input_tokens=tokens)])


@pytest.mark.parametrize(("ms", "shown"), [(12.5, "12.5 ms"), (1234.0, "1.23 s")])
def test_times_have_the_unit_that_fits(ms: float, shown: str) -> None:
    """Milliseconds or seconds."""
    assert f'<data value="{ms}">{shown}</data>' in page([record(latency_ms=ms)])


@needs_browser
@pytest.mark.parametrize(
    ("theme", "colour", "ground"), [(1, (54, 87, 214), (251, 251, 250)), (0, (125, 155, 255), (20, 22, 26))]
)
def test_a_browser_draws_it(tmp_path: Path, theme: int, colour: tuple[int, ...], ground: tuple[int, ...]) -> None:
    """Charts and numbers of what SQLite holds, without a network, in the theme that the reader likes; nothing runs."""
    books = SQLiteUsage(tmp_path / "usage.sqlite3")
    books.write(many())
    path, picture = tmp_path / "usage.html", tmp_path / "usage.png"
    path.write_text(page(books.records()), encoding="utf-8")
    liked = f"--blink-settings=preferredColorScheme={theme}"

    seen = read(opened(path, liked, "--dump-dom"))
    opened(path, liked, "--window-size=700,900", f"--screenshot={picture}")
    colours = pixels(picture)

    [*_, last] = seen.rows["Days"]
    whole = {by: summed(books.records(), by)[1] for by in KEYS}["day"]
    assert seen.tiles[0] == plain(whole.cost_usd)
    assert seen.tiles[1] == f"{whole.calls}"
    assert (last[0], seen.counts["svg"], seen.counts.get("script")) == ("2026-01-10", 6, None)
    assert colours[colour] > 1_500
    assert max(colours, key=lambda one: colours[one]) in (ground, (255, 255, 255), (28, 31, 37))
