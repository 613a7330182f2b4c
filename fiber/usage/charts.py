"""Charts as SVG: bars that stand on each other, and lines; their colours are those of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from math import ceil, floor, log10
from typing import NamedTuple

_WIDTH, _HEIGHT = 720, 240
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 8, 10, 26
_WIDE, _HIGH = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _BOTTOM
_GRID = 4
_ROUND = (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10, 20)
"""Ends of the scale whose quarters are round too."""
_LABELS = 8
"""So many words have room under a chart."""


class Series(NamedTuple):
    """Values of one name, one for each label of the chart; None where there is none."""

    name: str
    values: Sequence[float | None]


def bars(title: str, labels: Sequence[str], series: Sequence[Series], shown: Callable[[float], str]) -> str:
    """Return a chart whose bars, one for each label, stand on each other; *shown* says a value in words."""
    whole = [sum(one.values[at] or 0 for one in series) for at in range(len(labels))]
    top = _ceiling(max(whole, default=0))
    step = _WIDE / max(len(labels), 1)
    drawn: list[str] = []
    for at, label in enumerate(labels):
        foot = 0.0
        for number, one in enumerate(series):
            value = one.values[at] or 0
            if value > 0:
                low, high = _y(foot, top), _y(foot + value, top)
                drawn.append(
                    f'<rect class="s{number}" x="{_LEFT + at * step + step * 0.15:.1f}" y="{high:.1f}"'
                    f' width="{step * 0.7:.1f}" height="{max(low - high, 0.5):.1f}">'
                    f"<title>{escape(f'{label}, {one.name}: {shown(value)}')}</title></rect>"
                )
                foot += value
    return _chart(title, labels, series, top, shown, drawn)


def lines(title: str, labels: Sequence[str], series: Sequence[Series], shown: Callable[[float], str]) -> str:
    """Return a chart with a line for each series, and a gap where there is no value."""
    top = _ceiling(max((value or 0 for one in series for value in one.values), default=0))
    step = _WIDE / max(len(labels), 1)
    drawn: list[str] = []
    for number, one in enumerate(series):
        points = [
            (_LEFT + (at + 0.5) * step, _y(value, top), labels[at], value)
            for at, value in enumerate(one.values)
            if value is not None
        ]
        for path in _unbroken(one.values, step, top):
            drawn.append(f'<polyline class="l{number}" points="{path}"/>')
        for x, y, label, value in points:
            drawn.append(
                f'<circle class="s{number}" cx="{x:.1f}" cy="{y:.1f}" r="3">'
                f"<title>{escape(f'{label}, {one.name}: {shown(value)}')}</title></circle>"
            )
    return _chart(title, labels, series, top, shown, drawn)


def _chart(
    title: str,
    labels: Sequence[str],
    series: Sequence[Series],
    top: float,
    shown: Callable[[float], str],
    drawn: list[str],
) -> str:
    grid = []
    for part in range(_GRID + 1):
        value = top * part / _GRID
        y = _y(value, top)
        grid.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        grid.append(f'<text class="y" x="{_LEFT - 8}" y="{y + 4:.1f}">{escape(shown(value))}</text>')
    step, every = _WIDE / max(len(labels), 1), ceil(len(labels) / _LABELS) or 1
    words = "".join(
        f'<text class="x" x="{_LEFT + (at + 0.5) * step:.1f}" y="{_HEIGHT - 8}">{escape(label)}</text>'
        for at, label in enumerate(labels)
        if at % every == 0
    )
    names = "".join(f'<li class="k{number}">{escape(one.name)}</li>' for number, one in enumerate(series))
    legend = f"<ul>{names}</ul>" if len(series) > 1 else ""
    return (
        f"<figure><figcaption>{escape(title)}</figcaption>{legend}"
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<g>{''.join(grid)}{words}</g>{''.join(drawn)}</svg></figure>"
    )


def _unbroken(values: Sequence[float | None], step: float, top: float) -> list[str]:
    """Return the points of each part of a line that has no gap."""
    parts: list[list[str]] = [[]]
    for at, value in enumerate(values):
        if value is None:
            parts.append([])
        else:
            parts[-1].append(f"{_LEFT + (at + 0.5) * step:.1f},{_y(value, top):.1f}")
    return [" ".join(part) for part in parts if len(part) > 1]


def _y(value: float, top: float) -> float:
    return _TOP + _HIGH * (1 - value / top)


def _ceiling(value: float) -> float:
    """Return a round number that *value* does not exceed."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** floor(log10(value))
    return next(unit * times for times in _ROUND if unit * times >= value)
