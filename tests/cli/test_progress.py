"""The bar of a batch."""

from __future__ import annotations

import io
import re
import sys
from decimal import Decimal

import pytest

from fiber import BatchSummary, Usage
from fiber.cli.progress import bar

SUMMARY = BatchSummary(done=3, failed=1, usage=Usage(cost_usd=Decimal("0.25")))


def terminal(monkeypatch: pytest.MonkeyPatch, *, is_one: bool = True) -> io.StringIO:
    """Make standard error a terminal, or not, and return it."""
    stderr = io.StringIO()
    monkeypatch.setattr(stderr, "isatty", lambda: is_one)
    monkeypatch.setattr(sys, "stderr", stderr)
    return stderr


def test_a_file_gets_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard error that is no terminal stays empty."""
    stderr = terminal(monkeypatch, is_one=False)

    with bar(10, 4, 2) as show:
        show(SUMMARY)

    assert stderr.getvalue() == ""


def test_without_rich_the_bar_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Written anew after each item, with those of earlier runs; an unknown cost is not told."""
    monkeypatch.setitem(sys.modules, "rich.console", None)
    stderr = terminal(monkeypatch)

    with bar(10, 4, 2) as show:
        show(BatchSummary(done=1))
        show(SUMMARY)

    lines = stderr.getvalue().split("\r")
    assert re.fullmatch(r"5/10: 2 failed, [\d.]+/s\x1b\[K", lines[1])
    assert re.fullmatch(r"7/10: 3 failed, 0\.2500 USD, [\d.]+/s\x1b\[K\n", lines[2])


def test_with_rich_the_bar_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the same numbers."""
    pytest.importorskip("rich")
    stderr = terminal(monkeypatch)

    with bar(10, 4, 2) as show:
        show(SUMMARY)

    assert "7/10" in stderr.getvalue()
    assert "3 failed, 0.2500 USD" in stderr.getvalue()
