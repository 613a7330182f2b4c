"""Exit codes."""

from __future__ import annotations

import re
from pathlib import Path

from fiber.cli.codes import CODES, Refusal

PAGE = Path(__file__).parents[2] / "docs" / "features" / "cli.md"


def test_exit_codes_are_documented_as_they_are() -> None:
    """The page has a row for each, in the same words."""
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)

    assert {int(code): said for code, said in rows} == CODES


def test_a_refusal_is_a_failure_unless_it_says_otherwise() -> None:
    """Most of them are."""
    assert (Refusal("no").code, Refusal("no", 2).code) == (1, 2)
