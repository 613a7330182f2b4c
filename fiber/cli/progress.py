"""A bar on standard error: drawn by rich where it is installed, one line elsewhere, nothing when it is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from fiber.types.batch import BatchSummary


@contextmanager
def bar(total: int, done: int, failed: int) -> Iterator[Callable[[BatchSummary], None]]:
    """
    Give out what shows how far a run is; it is called after each item.

    Args:
        total: Items that there are.
        done: Items that were over before this run, *failed* of them in vain.
    """
    if not sys.stderr.isatty():
        yield lambda summary: None
        return
    began = monotonic()

    def said(summary: BatchSummary) -> str:
        rate = summary.done / max(monotonic() - began, 1e-9)
        cost = "" if summary.usage.cost_usd is None else f", {summary.usage.cost_usd:.4f} USD"
        return f"{failed + summary.failed} failed{cost}, {rate:.1f}/s"

    drawn = _rich()
    if drawn is None:
        try:
            yield lambda summary: _line(f"{done + summary.done}/{total}: {said(summary)}")
        finally:
            print(file=sys.stderr)
        return
    with drawn:
        task = drawn.add_task("", total=total, completed=done, said="")
        yield lambda summary: drawn.update(task, completed=done + summary.done, said=said(summary))


def _line(text: str) -> None:
    print(f"\r{text}\x1b[K", end="", file=sys.stderr, flush=True)


def _rich() -> Any:
    try:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    except ImportError:
        return None
    columns = (BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[said]}"))
    return Progress(*columns, console=Console(stderr=True))
