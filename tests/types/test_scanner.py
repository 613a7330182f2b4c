"""JSON, token by token."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fiber.types.scanner import scan


def test_tokens_come_with_the_state_after_them() -> None:
    """Every token but white space is given, in order, with what may come next and what is open."""
    found = [(token[0], state, "".join(brackets)) for token, state, brackets in scan(' {"a": [1]}')]

    assert found == [
        ("{", "first name", "object"),
        ('"a"', "name end", "object"),
        (":", "value", "object"),
        ("[", "first item", "objectarray"),
        ("1", "item end", "objectarray"),
        ("]", "member end", "object"),
        ("}", "end", ""),
    ]


@pytest.mark.parametrize(
    ("text", "start", "kinds"),
    [
        ("x [true] y", 2, ["array", "literal", "array_end", "wrong"]),
        ('["a\\', 0, ["array", "cut"]),
        ("[1", 0, ["array", "half"]),
        ("[t", 0, ["array", "half"]),
        ("[1.5e3 ", 0, ["array", "number"]),
        ("[}1", 0, ["array", "object_end"]),
    ],
)
def test_scan_begins_where_it_is_told_and_ends_at_a_wrong_token(text: str, start: int, kinds: list[str]) -> None:
    """What stands before the start or after the wrong token does not matter."""
    assert [token.lastgroup for token, _, _ in scan(text, start)] == kinds


def test_scanner_is_loaded_when_it_is_used() -> None:
    """Its patterns take time to compile, so that a client without partial or lenient JSON does not load it."""
    program = "import sys, fiber; fiber.Fiber, fiber.ChatResult; print('fiber.types.scanner' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
