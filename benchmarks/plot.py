"""A plot with two logarithmic axes, written as SVG by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT = 720, 440
_LEFT, _RIGHT, _TOP, _BOTTOM = 72, 150, 48, 56
_COLOURS = ("#000000", "#d55e00", "#0072b2", "#009e73", "#cc79a7", "#e69f00", "#56b4e9")
"""Okabe and Ito's palette, whose colours are also told apart by people who do not tell red from green."""
_LABEL_DISTANCE = 15


def plot(title: str, across: str, up: str, lines: Mapping[str, Mapping[float, float]]) -> str:
    """
    Draw *lines*, points by name, in the order of their names in the mapping.

    Args:
        title: Over the plot.
        across: Beside the horizontal axis.
        up: Over the vertical axis, with the unit.
        lines: By name, the points: from place across to height; all above 0.
    """
    points = [point for line in lines.values() for point in line.items()]
    if not points:
        raise ValueError("nothing to draw")
    horizontal = _Axis([x for x, _ in points], _LEFT, _WIDTH - _RIGHT)
    vertical = _Axis([y for _, y in points], _HEIGHT - _BOTTOM, _TOP)
    ends = _apart({name: vertical.place(line[max(line)]) for name, line in lines.items() if line})
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(_LEFT, 20, title, size=15),
        _text(_LEFT, 38, up, colour="#555555"),
        _text((_LEFT + _WIDTH - _RIGHT) / 2, _HEIGHT - 14, across, anchor="middle", colour="#555555"),
        *_grid(horizontal, vertical),
    ]
    for (name, line), colour in zip(lines.items(), _colours(len(lines)), strict=True):
        if not line:
            continue
        places = [(horizontal.place(x), vertical.place(y)) for x, y in sorted(line.items())]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        drawn.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places)
        drawn.append(_text(_WIDTH - _RIGHT + 10, ends[name] + 4, name, colour=colour))
    return "\n".join([*drawn, "</svg>", ""])


class _Axis:
    """Decades that hold all *values*, between two places of the drawing."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self._low = math.floor(math.log10(min(values)))
        self._high = max(self._low + 1, math.ceil(math.log10(max(values))))
        self._start, self._end = start, end

    def place(self, value: float) -> float:
        """Return where *value* is."""
        return self._start + (self._end - self._start) * (math.log10(value) - self._low) / (self._high - self._low)

    def decades(self) -> Iterator[float]:
        """Yield the powers of ten."""
        yield from (10.0**power for power in range(self._low, self._high + 1))


def _grid(horizontal: _Axis, vertical: _Axis) -> Iterator[str]:
    for value in horizontal.decades():
        x = horizontal.place(value)
        yield f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#dddddd"/>'
        yield _text(x, _HEIGHT - _BOTTOM + 18, f"{value:,g}", anchor="middle")
    for value in vertical.decades():
        y = vertical.place(value)
        yield f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#dddddd"/>'
        yield _text(_LEFT - 8, y + 4, f"{value:,g}", anchor="end")


def _apart(places: Mapping[str, float]) -> dict[str, float]:
    """Move labels down where they would cover each other."""
    found: dict[str, float] = {}
    lowest = -math.inf
    for name in sorted(places, key=places.__getitem__):
        lowest = max(places[name], lowest + _LABEL_DISTANCE)
        found[name] = lowest
    return found


def _colours(count: int) -> list[str]:
    return [_COLOURS[number % len(_COLOURS)] for number in range(count)]


def _text(x: float, y: float, text: str, *, size: int = 12, anchor: str = "start", colour: str = "#222222") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>'
    )
