"""Edits of a lockfile's text."""

from __future__ import annotations

import tomllib
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberValidationError, Lockfile
from fiber.registry.locking.editing import bound, defaulted, fresh, pinned, unbound
from fiber.registry.locking.parsing import parsed
from tests.registry.locking.samples import TEXT, bindings

DAY = date(2026, 11, 21)


def test_a_fresh_lockfile_has_a_pin_and_no_alias() -> None:
    """And the profile that needs no binding."""
    assert parsed(fresh(DAY), "f") == Lockfile(catalog=DAY, path="f")


def test_an_alias_that_is_bound_anew_keeps_what_is_around_it() -> None:
    """Comments, order and its constraints; a list of several lines becomes one."""
    edited = bound(TEXT, "f", "deep", ["openai:a", "openai:b", "openai:a"], "dev")

    begin, end = TEXT.index("models = [\n"), TEXT.index("[profiles.dev.bindings.constraints]")
    assert edited == TEXT[:begin] + 'models = ["openai:a", "openai:b"]\n' + TEXT[end:]
    assert parsed(edited, "f").profiles["dev"]["deep"].constraints["tools"] is True


def test_a_comment_behind_the_models_stays() -> None:
    """Whatever signs are in the texts before it."""
    text = bindings(fast=["x:#1"]).replace("#1']", '#1\']  # "why" #2')

    edited = bound(text, "f", "fast", ["x:#3"], "default")

    assert edited == text.replace("['x:#1']", '["x:#3"]')
    assert edited.endswith('["x:#3"]  # "why" #2\n')


def test_a_sign_in_a_text_is_no_comment() -> None:
    """It goes with the text."""
    assert bound(bindings(fast=["x:#1"]), "f", "fast", ["y"], "default").endswith('models = ["y"]\n')


def test_a_new_alias_stands_below_those_of_its_profile() -> None:
    """In the middle of the file."""
    edited = bound(TEXT, "f", "slow", ["openai:a"], "dev")

    block = '\n[[profiles.dev.bindings]]\nalias = "slow"\nmodels = ["openai:a"]\n'
    before = TEXT.index("\n[[profiles.prod")
    assert edited == TEXT[:before] + block + TEXT[before:]


def test_a_new_alias_leaves_a_line_free_below_it() -> None:
    """Where none was."""
    text = bindings(a=["m"]) + "[metadata]\n"

    assert bound(text, "f", "b", ["n"], "default").endswith('models = ["n"]\n\n[metadata]\n')


def test_a_new_profile_stands_at_the_end() -> None:
    """With one empty line before it, however the file ended."""
    edited = bound(TEXT.rstrip() + "\n\n\n", "f", "fast", ["openai:a"], "stage")

    assert edited == TEXT + '\n[[profiles.stage.bindings]]\nalias = "fast"\nmodels = ["openai:a"]\n'


def test_line_ends_stay_as_they_are() -> None:
    """All of them."""
    edited = bound(TEXT.replace("\n", "\r\n"), "f", "slow", ["openai:a"], "prod")

    assert edited.replace("\r\n", "") == edited.replace("\r\n", "\n").replace("\n", "")
    assert edited.count("\r\n") == edited.count("\n") == TEXT.count("\n") + 4


def test_the_alias_of_a_package_is_bound() -> None:
    """When the file extends it."""
    text = 'version = 1\nextends.packages = ["acme"]\n'

    assert list(parsed(bound(text, "f", "acme:short", ["m"], "p"), "f").profiles["p"]) == ["acme:short"]


def test_constraints_of_the_file_stay_those_of_the_file() -> None:
    """A new binding has them without saying so."""
    edited = bound("version = 1\nconstraints.tools = true\n", "f", "a", ["m"], "p")

    assert parsed(edited, "f").profiles["p"]["a"].constraints == {"tools": True}
    assert edited.count("tools") == 1


@pytest.mark.parametrize(
    ("alias", "model", "profile", "why"),
    [
        ("a b", "m", "p", "no name of an alias"),
        ("acme:a", "m", "p", "name that package in extends.packages"),
        ("a", " m", "p", "no model"),
        ("a", "m\n", "p", "no model"),
        ("a", "m", "p.q", "no name of a profile"),
    ],
)
def test_a_wrong_name_is_not_written(alias: str, model: str, profile: str, why: str) -> None:
    """The message is that of the parser."""
    with pytest.raises(FiberValidationError, match=why):
        bound("version = 1", "f", alias, [model], profile)


@pytest.mark.parametrize(
    "text",
    [
        "version = 1\n[profiles]\np = { bindings = [{ alias = 'a', models = ['x'] }] }\n",
        "version = 1\n[profiles.p]\nbindings = [{ alias = 'a', models = ['x'] }]\n",
    ],
)
@pytest.mark.parametrize("alias", ["a", "b"])
def test_what_cannot_be_edited_is_said(text: str, alias: str) -> None:
    """And what to write."""
    with pytest.raises(FiberValidationError, match=r'write `models = \["m"\]` into it yourself'):
        bound(text, "f", alias, ["m"], "p")


def test_the_pin_is_renewed() -> None:
    """With the comment behind it."""
    text = TEXT.replace("2026-11-20", "2026-11-20 # pinned")

    assert pinned(text, "f", DAY) == text.replace("2026-11-20", "2026-11-21")


def test_a_pin_is_added_where_none_was() -> None:
    """At the end; a table of it in one line is not edited."""
    assert pinned("version = 1", "f", DAY) == "version = 1\n\n[registry_versions]\ncatalog = 2026-11-21\n"
    with pytest.raises(FiberValidationError, match="write `catalog = 2026-11-21` into it"):
        pinned("version = 1\nregistry_versions = { catalog = 2026-11-20 }", "f", DAY)


def test_an_alias_is_taken_out_with_its_constraints() -> None:
    """All else stays, with one empty line where it was."""
    edited = unbound(TEXT, "f", "deep", "dev")

    begin, end = TEXT.index('[[profiles.dev.bindings]]\nalias = "deep"'), TEXT.index("[[profiles.prod")
    assert edited == TEXT[:begin] + TEXT[end:]


def test_a_profile_stays_without_a_binding() -> None:
    """It may be the default one, and calls may name it."""
    once = unbound(TEXT, "f", "fast", "prod")
    text = bindings("dev", fast=["m"]).replace("version = 1", 'version = 1\ndefault_profile = "dev"')
    default = unbound(text, "f", "fast", "dev")

    assert once == TEXT[: TEXT.index("[[profiles.prod")] + "[profiles.prod]\n"
    assert parsed(default, "f").default_profile == "dev"
    assert parsed(bound(default, "f", "slow", ["n"], "dev"), "f").profiles["dev"]["slow"].models == ("n",)


def test_a_table_of_the_profile_is_not_written_twice() -> None:
    """Where it stands there already."""
    text = "version = 1\n[profiles.p]\n[[profiles.p.bindings]]\nalias = 'a'\nmodels = ['m']\n"

    assert unbound(text, "f", "a", "p") == "version = 1\n[profiles.p]\n"


def test_an_alias_that_is_not_bound_cannot_be_taken_out() -> None:
    """The message tells where it is, or which one is near."""
    with pytest.raises(FiberValidationError, match=r"binds no alias 'deep'\. The alias 'deep' is bound in dev"):
        unbound(TEXT, "f", "deep", "prod")


def test_a_binding_in_one_line_is_taken_out_by_hand() -> None:
    """As it is not bound anew either."""
    with pytest.raises(FiberValidationError, match="take the alias 'a' out of it yourself"):
        unbound("version = 1\n[profiles.p]\nbindings = [{ alias = 'a', models = ['x'] }]\n", "f", "a", "p")


def test_the_default_profile_is_set() -> None:
    """Where it was said, or below the version; one that is not there is refused."""
    again = defaulted(TEXT, "f", "prod")
    new = defaulted("# Why.\nversion = 1  # first\n\n[profiles.p]\n", "f", "p")

    assert again == TEXT.replace('default_profile = "dev"', 'default_profile = "prod"')
    assert new == '# Why.\nversion = 1  # first\ndefault_profile = "p"\n\n[profiles.p]\n'
    assert defaulted(TEXT, "f", "dev") == TEXT
    assert defaulted("version = 1\n", "f", "default") == "version = 1\n"
    with pytest.raises(FiberValidationError, match="use one of default, dev, prod"):
        defaulted(TEXT, "f", "stage")


def models(text: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Return what the aliases of *text* stand for, by profile."""
    profiles = parsed(text, "f").profiles
    return {profile: {alias: inner[alias].models for alias in inner} for profile, inner in profiles.items()}


MODELS = st.lists(
    st.text(min_size=1).filter(lambda text: text.isprintable() and text == text.strip()), min_size=1, unique=True
)
NAMES = st.from_regex(r"[a-z][a-z0-9.-]{0,3}", fullmatch=True)


@given(st.lists(st.tuples(NAMES, MODELS, st.sampled_from(["dev", "prod", "new"]))), st.sampled_from(["\n", "\r\n"]))
def test_what_is_bound_is_what_is_read(edits: list[tuple[str, list[str], str]], end: str) -> None:
    """The last word counts, and everything else is as it was."""
    text = TEXT.replace("\n", end)
    wanted = models(TEXT)
    for alias, models_of_it, profile in edits:
        text = bound(text, "f", alias, models_of_it, profile)
        wanted.setdefault(profile, {})[alias] = tuple(models_of_it)

    assert models(text) == wanted
    assert tomllib.loads(text)["metadata"] == {"owner": "search"}
    assert "# Who answers for whom." in text


@given(st.lists(st.tuples(NAMES, MODELS), unique_by=lambda pair: pair[0], min_size=1), st.data())
def test_what_is_bound_can_be_taken_out(pairs: list[tuple[str, list[str]]], data: st.DataObject) -> None:
    """In any order; what is left is what was before."""
    text = TEXT
    for alias, models_of_it in pairs:
        text = bound(text, "f", alias, models_of_it, "new")
    for alias in data.draw(st.permutations([alias for alias, _ in pairs])):
        text = unbound(text, "f", alias, "new")

    assert models(text) == {**models(TEXT), "new": {}}
