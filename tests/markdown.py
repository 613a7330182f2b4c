"""Words and tables of Markdown, for the pages that are generated."""

from __future__ import annotations

from collections.abc import Iterable


def words(said: Iterable[str]) -> str:
    """Set several things in one cell."""
    return "<br>".join(said) or "none"


def code(text: str) -> str:
    """Set *text* as code."""
    return f"`{text}`"


def listed(names: Iterable[str]) -> str:
    """Set *names* as code, with commas."""
    return ", ".join(map(code, names)) or "none"


def table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table."""
    titles = list(headings)
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
