"""Lockfiles in JSON."""

from __future__ import annotations

import json
import tomllib
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberValidationError
from fiber.registry.locking import editing
from fiber.registry.locking.jsontext import is_json, line_of, places
from fiber.registry.locking.parsing import parsed, wrong_at
from tests.registry.locking.samples import TEXT

SAID = tomllib.loads(TEXT)
JSON = json.dumps(SAID, indent=4, default=str) + "\n"


def test_json_says_what_toml_says() -> None:
    """Down to the digest; the day of the catalogue is a text there."""
    assert parsed(JSON, "f") == parsed(TEXT, "f")
    assert parsed(JSON, "f").digest == parsed(TEXT, "f").digest
    assert (is_json(JSON), is_json(TEXT)) == (True, False)


WRONG = {
    # Text, line, field, words.
    "no JSON": ('{\n"version" 1}', 2, "", "Expecting ':' delimiter"),
    "more than JSON": ('{"version": 1}\n}', 2, "", "Extra data"),
    "no number": ('{"version": NaN}', 1, "", "NaN is no JSON"),
    "half a character": ('{"version": 1, "metadata": {"a": "\\ud800"}}', 1, "", "surrogates"),
    "a field twice": ('{"version": 1,\n"version": 1}', 2, "version", "twice"),
    "no version": ("{}", 1, "version", "is missing"),
    "an unknown field": ('{"version": 1,\n\n"profile": {}}', 3, "profile", "Did you mean 'profiles'?"),
    "a pin of no kind": (
        '{"version": 1,\n"registry_versions":\n{"catalog": "yesterday"}}',
        3,
        "registry_versions.catalog",
        "must be a day",
    ),
    "a bad alias": (
        '{"version": 1, "profiles": {"p": {"bindings": [\n{"alias": "a", "models": ["m"]},\n{"alias": "a b"}]}}}',
        3,
        "profiles.p.bindings[1].alias",
        "is no name of an alias",
    ),
    "a model twice": (
        '{"version": 1, "profiles": {"p": {"bindings": [{"alias": "a", "models": [\n"m",\n"m"\n]}]}}}',
        3,
        "profiles.p.bindings[0].models[1]",
        "twice",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_error_names_line_and_field(case: str) -> None:
    """As in TOML, and here also within a list."""
    text, line, field, words = WRONG[case]

    with pytest.raises(FiberValidationError) as caught:
        parsed(text, "f")

    assert caught.value.message.startswith(f"f, line {line}, {field}: " if field else f"f, line {line}: ")
    assert words in caught.value.message
    assert caught.value.parameter == (field or "lockfile")


def test_what_is_not_there_is_where_it_should_be() -> None:
    """The line of what is around it."""
    text = '{"version": 1,\n"extends": {\n"packages": ["a"]}}'

    assert line_of(text, ("extends", "packages", 0)) == 3
    assert line_of(text, ("extends", "more", "less")) == 2
    assert line_of(text, ("profiles",)) == 1
    assert wrong_at(text, "f", ("extends", "packages", 0), "why").message == "f, line 3, extends.packages[0]: why"


@given(st.text("[]{}\"':,\\n\r ab1-").map(lambda text: "{" + text))
def test_no_text_breaks_the_parser(text: str) -> None:
    """It is a lockfile, or a `FiberValidationError`."""
    try:
        parsed(text, "f")
    except FiberValidationError:
        pass


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), st.sampled_from([None, 1]))
def test_every_place_is_found_once(value: dict[str, Any], indent: int | None) -> None:
    """In the order of the text, with the value that stands there."""

    def paths(value: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        return [path for step, inner in steps for path in ((*above, step), *paths(inner, (*above, step)))]

    found = list(places(json.dumps(value, indent=indent)))

    assert [path for path, _ in found] == paths(value)
    assert [line for _, line in found] == sorted(line for _, line in found)


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_edits_are_those_of_toml(end: str) -> None:
    """The same functions, with the same results; indentation and line ends stay."""
    toml, text = TEXT, JSON.replace("\n", end)
    for edit in (
        lambda said: editing.bound(said, "f", "fast", ["openai:a", "openai:b"], "dev"),
        lambda said: editing.bound(said, "f", "slow", ["openai:c"], "stage"),
        lambda said: editing.unbound(said, "f", "deep", "dev"),
        lambda said: editing.unbound(said, "f", "fast", "prod"),
        lambda said: editing.defaulted(said, "f", "stage"),
        lambda said: editing.pinned(said, "f", date(2026, 12, 24)),
    ):
        toml, text = edit(toml), edit(text)

        assert parsed(text, "f") == parsed(toml, "f")
    assert text.startswith(f'{{{end}    "version": 1,{end}')
    assert text.count("\n") == text.count(end)


def test_a_fresh_file_may_be_json() -> None:
    """It says what one in TOML says."""
    text = editing.fresh(date(2026, 11, 21), as_json=True)

    assert parsed(text, "f") == parsed(editing.fresh(date(2026, 11, 21)), "f")
    assert parsed(editing.bound('{"version":1}', "f", "a", ["m"], "p"), "f").profiles["p"]["a"].models == ("m",)
