"""
A page about usage: one HTML file with everything in it.

No script, no font and no picture from elsewhere, and a policy that forbids them; light or dark as the reader likes it.
Each number stands in a table too, exactly, as the `value` of a `data` element.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal
from html import escape

from fiber.types.usage import UsageRecord
from fiber.usage.charts import Series, bars, lines
from fiber.usage.style import STYLE
from fiber.usage.summing import KEYS, Summing, UsageSum, ordered, plain

_MANY_DAYS, _MANY_WEEKS = 62, 371
"""Longer times are shown in weeks, and in months."""

_COLUMNS = {
    # Headings of the tables, and the fields that stand below them.
    "Calls": "calls",
    "Errors": "errors",
    "Cached": "cached",
    "Tokens in": "input_tokens",
    "Tokens out": "output_tokens",
    "Spend": "cost_usd",
    "Saved": "saved_usd",
    "p50": "p50_ms",
    "p95": "p95_ms",
    "p99": "p99_ms",
}


def page(records: Iterable[UsageRecord]) -> str:
    """Return the page about *records*: spend, tokens, latency, errors and savings by time, model and tenant."""
    sums = {by: Summing(KEYS[by]) for by in ("day", "week", "month", "model", "tenant")}
    whole = Summing(lambda record: "")
    for record in records:
        for one in (whole, *sums.values()):
            one.add(record)
    total = (whole.sums() or [UsageSum(key="")])[0]
    days = sums["day"].sums()
    when = f"{days[0].key} to {days[-1].key}, UTC" if days else "No calls were written down."
    period = _period(days)
    parts = [
        f"<header><h1>Usage</h1><p>{when}</p></header>",
        _tiles(total),
        _charts(sums[period].sums(), period) if days else "",
        _table("Models", "Model", ordered(sums["model"].sums(), "model")),
        _table("Tenants", "Tenant", ordered(sums["tenant"].sums(), "tenant")),
        _table(f"{period.title()}s", period.title(), sums[period].sums()),
    ]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>Usage</title>\n<style>{STYLE}</style>\n</head>\n<body>\n{chr(10).join(parts)}\n</body>\n</html>\n"
    )


def _period(days: list[UsageSum]) -> str:
    """Return what the time from the first of *days* to the last is best cut into."""
    if not days:
        return "day"
    span = (date.fromisoformat(days[-1].key) - date.fromisoformat(days[0].key)).days
    return "day" if span < _MANY_DAYS else "week" if span < _MANY_WEEKS else "month"


def _tiles(total: UsageSum) -> str:
    p95 = "-" if total.p95_ms is None else _time(total.p95_ms)
    unpriced = f"<small>{total.unpriced:,} calls without a price</small>" if total.unpriced else ""
    cancelled = f"<small>{total.cancelled:,} cancelled</small>" if total.cancelled else ""
    tiles = (
        ("Spend", _data(total.cost_usd, _money) + unpriced),
        ("Calls", _data(total.calls, _number) + cancelled),
        ("Tokens", _data(total.input_tokens + total.output_tokens, _number)),
        ("Errors", _data(total.errors, _number)),
        ("Saved", _data(total.saved_usd, _money)),
        ("Latency, p95", f"<span>{p95}</span>"),
    )
    return f"<section class=tiles>{''.join(f'<div><h2>{name}</h2>{said}</div>' for name, said in tiles)}</section>"


def _charts(sums: list[UsageSum], period: str) -> str:
    known = {one.key: one for one in sums}
    labels = _days(sums) if period == "day" else [one.key for one in sums]
    rows = [known.get(label, UsageSum(key=label)) for label in labels]
    short = [label[5:] if period == "day" else label for label in labels]

    def of(name: str, value: Callable[[UsageSum], float | None]) -> Series:
        return Series(name, [value(row) for row in rows])

    tokens = (of("in", lambda one: one.input_tokens), of("out", lambda one: one.output_tokens))
    times = (of("p50", lambda one: one.p50_ms), of("p95", lambda one: one.p95_ms), of("p99", lambda one: one.p99_ms))
    calls = (of("asked", lambda one: one.calls - one.cached), of("from the cache", lambda one: one.cached))
    drawn = (
        bars("Spend", short, [of("spend", lambda one: float(one.cost_usd))], _money),
        bars("Tokens", short, tokens, _number),
        lines("Latency", short, times, _time),
        bars("Calls", short, calls, _number),
        bars("Errors", short, [of("errors", lambda one: one.errors)], _number),
        bars("Saved by the cache", short, [of("saved", lambda one: float(one.saved_usd))], _money),
    )
    return f"<section class=charts>{''.join(drawn)}</section>"


def _days(sums: list[UsageSum]) -> list[str]:
    """Return all days from the first to the last, also those without a call."""
    first, last = date.fromisoformat(sums[0].key), date.fromisoformat(sums[-1].key)
    return [str(first + timedelta(days=number)) for number in range((last - first).days + 1)]


def _table(title: str, first: str, sums: list[UsageSum]) -> str:
    most = max((one.cost_usd for one in sums), default=Decimal(0))
    heads = "".join(f"<th scope=col>{name}</th>" for name in (first, *_COLUMNS))
    rows = []
    for one in sums:
        share = float(one.cost_usd / most * 100) if most > 0 else 0.0
        cells = "".join(f"<td>{_cell(one, field)}</td>" for field in _COLUMNS.values())
        bar = f'<i style="width:{share:.1f}%"></i>'
        rows.append(f"<tr><th scope=row>{escape(one.key) or '-'}{bar}</th>{cells}</tr>")
    return (
        f"<section><h2>{title}</h2><div class=wide><table><thead><tr>{heads}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _cell(one: UsageSum, field: str) -> str:
    value = getattr(one, field)
    if value is None:
        return "-"
    least = "\u2265 " if field == "cost_usd" and one.unpriced else ""  # some prices are not known
    return least + _data(value, _money if field.endswith("_usd") else _time if field.endswith("_ms") else _number)


def _data(value: Decimal | float, shown: Callable[[float], str]) -> str:
    exact = plain(value) if isinstance(value, Decimal) else f"{value}"
    return f'<data value="{exact}">{shown(float(value))}</data>'


def _money(usd: float) -> str:
    return f"${usd:,.2f}" if usd >= 0.1 or not usd else f"${usd:.2g}" if usd >= 0.0001 else f"${usd:.1e}"


def _number(count: float) -> str:
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if count >= size:
            return f"{count / min(size, 1e3 if unit == 'k' else size):.3g}{unit}"
    return f"{count:,.0f}" if count == int(count) else ""  # there is no half of a call


def _time(ms: float) -> str:
    return f"{ms / 1000:.3g} s" if ms >= 1000 else f"{ms:.3g} ms"
