"""Where the statements of a TOML text stand."""

from __future__ import annotations

import tomllib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.registry.locking.lines import Path, fault_of, line_of, spelled, statements

TEXT = '''\
# [not.a.table]
top = 1

[a]
"b.c".d = { e = 1, f = [2, { g = 3 }] }
text = """
[[x]]
y = 1
"""
[[a.list]]
one = [
  1,  # ]

  2,
]
[a.list.inner]
two = 2
[[a.list]]
[[a.list.deep]]
three = 3
[[a.list.deep]]
three = 4
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("top",), 2),
        (("a",), 4),
        (("a", "b.c", "d", "f", 1, "g"), 5),
        (("a", "text"), 6),
        (("a", "list", 0), 10),
        (("a", "list", 0, "one", 1), 11),
        (("a", "list", 0, "inner", "two"), 17),
        (("a", "list", 1), 18),
        (("a", "list", 1, "missing"), 18),
        (("a", "list", 1, "deep", 0, "three"), 20),
        (("a", "list", 1, "deep", 1, "three"), 22),
        (("x", 0, "y"), 1),
        (("nothing", "like", 7, "this"), 1),
    ],
)
def test_a_path_has_a_line(path: Path, line: int) -> None:
    """Or that of what is nearest above it; what only looks like a table, in a text or a comment, is none."""
    assert line_of(TEXT, path) == line


def test_statements_are_the_lines_between_comments() -> None:
    """With the last of their lines, for those who replace them."""
    spans = [(statement.first, statement.last) for statement in statements(TEXT)]

    assert spans[:5] == [(2, 2), (4, 4), (5, 5), (6, 9), (10, 10)]
    assert spans[5] == (11, 15)


@pytest.mark.parametrize(
    ("text", "line", "field", "message"),
    [
        ("a = 1\nb == 2\nc = 3", 2, "b", "Invalid value"),
        ("[t]\nb = 'x", 2, "t.b", "Expected"),
        ("[t]\nb = [1,\n\n[u]\nc = 2\n", 4, "t.b", "Invalid value"),
        ("a = 1\n[t]\nb = [1,\n2\n", 3, "t.b", "Unclosed array"),
        ("[t]\na = 1\na = 2\n", 3, "t.a", "Cannot overwrite a value"),
        ("[t]\n\n[t]\n", 3, "t", "Cannot declare"),
        ("[t\n", 1, "", "Expected"),
        ("word", 1, "word", "Expected '='"),
        ('a = """\nwithout end\n', 1, "a", "Unterminated string"),
        ("a = " + "9" * 5000, 1, "a", "Exceeds the limit"),
        ("a = " + "[" * 5000, 1, "a", "maximum recursion depth"),
    ],
)
def test_a_fault_has_line_and_field(text: str, line: int, field: str, message: str) -> None:
    """Also one that is only noticed at the end of the text, or that is not about TOML."""
    with pytest.raises((ValueError, RecursionError)) as caught:
        tomllib.loads(text)

    found = fault_of(text, caught.value)

    assert found[:2] == (line, field)
    assert found[2].startswith(message)


def test_a_fault_of_nothing_is_in_the_first_line() -> None:
    """Whatever the error says."""
    assert fault_of("", ValueError("why")) == (1, "", "why")


@pytest.mark.parametrize(
    ("path", "said"),
    [((), ""), (("a",), "a"), (("a", "b", 0, "c"), "a.b[0].c"), (("models", 1), "models[1]")],
)
def test_a_path_is_spelled_in_words(path: Path, said: str) -> None:
    """As one would write it in code."""
    assert spelled(path) == said


@given(st.lists(st.sampled_from(["[a]", "[[b]]", "[b.c]", "k = 1", "k = [", "]", '"""', 's = """', "#", "", "x"])))
def test_every_line_belongs_to_one_statement_at_most(lines: list[str]) -> None:
    """Whatever the text is; statements come in order."""
    found = list(statements("\n".join(lines)))

    spans = [(statement.first, statement.last) for statement in found]
    assert all(first <= last for first, last in spans)
    assert all(before[1] < after[0] for before, after in pairwise(spans))
    assert all(statement.text.count("\n") == statement.last - statement.first for statement in found)
