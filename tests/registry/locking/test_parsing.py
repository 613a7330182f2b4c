"""From the text of a lockfile to what it says."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberValidationError, Lockfile
from fiber.registry.lockfile import Binding
from fiber.registry.locking.parsing import parsed, wrong_at
from tests.registry.locking.samples import TEXT

HEAD = "version = 1\n"
ONE = HEAD + '[[profiles.p.bindings]]\nalias = "a"\nmodels = ["m"]\n'


def test_a_lockfile_says_who_stands_for_whom() -> None:
    """By profile, in order."""
    lockfile = parsed(TEXT, "fiber.lock")

    assert lockfile == Lockfile(
        default_profile="dev",
        profiles={
            "dev": {
                "fast": Binding(("openai:gpt-6-luna", "anthropic:claude-haiku-5")),
                "deep": Binding(("anthropic:claude-opus-5",), {"tools": True, "input_usd": Decimal("9.5")}),
            },
            "prod": {"fast": Binding(("anthropic:claude-haiku-5",))},
        },
        metadata={"owner": "search"},
        catalog=date(2026, 11, 20),
        path="fiber.lock",
    )


def test_version_alone_is_a_lockfile() -> None:
    """Everything else may be missing."""
    assert parsed("version = 1", "f") == Lockfile(path="f")


def test_constraints_of_the_file_hold_for_every_binding() -> None:
    """One of its own goes before them."""
    text = ONE + "constraints = { tools = false }\n\n[constraints]\ntools = true\nvision = true\n"

    assert parsed(text, "f").profiles["p"]["a"].constraints == {"tools": False, "vision": True}


def test_an_alias_of_an_extended_package_can_be_bound() -> None:
    """It overrides the package's own."""
    text = ONE.replace('"a"', '"acme.notes:a"') + '[extends]\npackages = ["acme.notes"]\n'

    lockfile = parsed(text, "f")

    assert lockfile.extends == ("acme.notes",)
    assert list(lockfile.profiles["p"]) == ["acme.notes:a"]


WRONG = {
    # Text, line, field, words.
    "no TOML": (HEAD + "a b = 1", 2, "a b", "Expected '='"),
    "windows": ("version = 1\r\n\r\nversion = 2\r\n", 3, "version", "Cannot overwrite"),
    "no version": ("# nothing", 1, "version", "write version = 1"),
    "another version": ("\nversion = 2", 2, "version", "is 2: write"),
    "a version in words": ('version = "1"', 1, "version", "is '1'"),
    "a version that is true": ("version = true", 1, "version", "is True"),
    "an unknown field": (HEAD + "[profile.dev]", 2, "profile", "Did you mean 'profiles'?"),
    "a field like no other": (HEAD + "zzz = 1", 2, "zzz", "is not known: use version,"),
    "profiles of no kind": (HEAD + "profiles = 3", 2, "profiles", "must be a table, not 3"),
    "a profile of no kind": (HEAD + "[profiles]\ndev = 1", 3, "profiles.dev", "must be a table"),
    "the name of a profile": (HEAD + '[profiles."a b"]', 2, "profiles.a b", "is no name of a profile"),
    "a field of a profile": (HEAD + "[profiles.dev]\naliases = 1", 3, "profiles.dev.aliases", "use bindings"),
    "bindings of no kind": (HEAD + "[profiles.p.bindings]\n", 2, "profiles.p.bindings", "[[profiles.p.bindings]]"),
    "a binding of no kind": (HEAD + "[profiles.p]\nbindings = [1]", 3, "profiles.p.bindings[0]", "a table"),
    "a field of a binding": (ONE + "model = 1", 5, "profiles.p.bindings[0].model", "Did you mean 'models'?"),
    "no alias": (ONE.replace('alias = "a"', ""), 2, "profiles.p.bindings[0].alias", 'write alias = "fast"'),
    "an alias of no kind": (ONE.replace('"a"', "1"), 3, "profiles.p.bindings[0].alias", "no text"),
    "a bad alias": (ONE.replace('"a"', '"a/b"'), 3, "profiles.p.bindings[0].alias", "is no name of an alias"),
    "an alias of nobody": (ONE.replace('"a"', '"x:a"'), 3, "profiles.p.bindings[0].alias", "in extends.packages"),
    "an alias twice": (ONE + ONE[len(HEAD) :], 6, "profiles.p.bindings[1].alias", "bound twice"),
    "no models": (
        ONE.replace("models", "#"),
        2,
        "profiles.p.bindings[0].models",
        'models, like ["openai:gpt-6-luna"].',
    ),
    "models of no kind": (ONE.replace('["m"]', '"m"'), 4, "profiles.p.bindings[0].models", "not 'm'"),
    "an empty list": (ONE.replace('["m"]', "[]"), 4, "profiles.p.bindings[0].models", "at least one"),
    "an empty model": (ONE.replace('["m"]', '["m", ""]'), 4, "profiles.p.bindings[0].models[1]", "is no model"),
    "a padded model": (ONE.replace('["m"]', '[\n"m",\n" n"]'), 4, "profiles.p.bindings[0].models[1]", "is no model"),
    "a model twice": (ONE.replace('["m"]', '["m", "m"]'), 4, "profiles.p.bindings[0].models[1]", "twice"),
    "constraints of no kind": (ONE + "constraints = 1", 5, "profiles.p.bindings[0].constraints", "a table"),
    "an unknown constraint": (
        ONE + "[profiles.p.bindings.constraints]\nvisions = true",
        6,
        "profiles.p.bindings[0].constraints.visions",
        "Did you mean 'vision'?",
    ),
    "a constraint of no kind": (HEAD + "[constraints]\nvision = 1", 3, "constraints.vision", "say True or False"),
    "a constraint of no number": (HEAD + "constraints.input_usd = nan", 2, "constraints.input_usd", "no number"),
    "extends of no kind": (HEAD + 'extends = ["a"]', 2, "extends", "must be a table"),
    "a field of extends": (HEAD + "[extends]\npackage = 1", 3, "extends.package", "Did you mean 'packages'?"),
    "packages of no kind": (HEAD + '[extends]\npackages = "a"', 3, "extends.packages", "a list of packages"),
    "no package": (HEAD + '[extends]\npackages = ["a-b"]', 3, "extends.packages[0]", "as Python imports it"),
    "a package twice": (HEAD + '[extends]\npackages = ["a", "a"]', 3, "extends.packages[1]", "twice"),
    "metadata of no kind": (HEAD + "metadata = 1", 2, "metadata", "must be a table"),
    "a pin of no kind": (HEAD + '[registry_versions]\ncatalog = "1"', 3, "registry_versions.catalog", "a day"),
    "a pin with a time": (
        HEAD + "[registry_versions]\ncatalog = 2026-11-20T10:00:00",
        3,
        "registry_versions.catalog",
        "a day",
    ),
    "a pin of what": (HEAD + "[registry_versions]\nopenai = 1", 3, "registry_versions.openai", "use catalog"),
    "a default that is not there": (
        'default_profile = "q"\n' + ONE,
        1,
        "default_profile",
        "'q' is no profile: use one of default, p.",
    ),
    "a default of no kind": ("default_profile = []\n" + ONE, 1, "default_profile", "[] is no profile"),
}


@pytest.mark.parametrize("case", WRONG)
def test_an_error_names_line_and_field(case: str) -> None:
    """And says what to write."""
    text, line, field, words = WRONG[case]

    with pytest.raises(FiberValidationError) as caught:
        parsed(text, "there/fiber.lock")

    assert caught.value.message.startswith(f"there/fiber.lock, line {line}, {field}: ")
    assert words in caught.value.message
    assert (caught.value.parameter, caught.value.outcome) == (field, "not_sent")


def test_an_error_without_a_field_names_the_line() -> None:
    """There is not always one."""
    assert wrong_at("", "f", (), "why").message == "f, line 1: why"
    assert wrong_at("", "f", (), "why").parameter == "lockfile"


@given(st.text() | st.text("[]{}\"'=.,#\n\r ab1-").map(lambda text: HEAD + text))
def test_no_text_breaks_the_parser(text: str) -> None:
    """It is a lockfile, or a `FiberValidationError`."""
    try:
        said = parsed(text, "f").path
    except FiberValidationError as error:
        said = error.message

    assert said == "f" or said.startswith("f, line ")
