"""Aliases, by profile and package."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from fiber import FiberValidationError, Lockfile
from fiber.registry.lockfile import Binding
from fiber.registry.locking.parsing import parsed
from tests.registry.locking.samples import TEXT, bindings

ACME = msgspec.structs.replace(
    parsed(bindings(short=["openai:s"], long=["openai:l"]) + "\n" + bindings("dev", short=["openai:d"])[12:], "acme"),
    package="acme",
)
BETA = msgspec.structs.replace(parsed(bindings(short=["openai:b"]), "beta"), package="beta")
OWN = msgspec.structs.replace(
    parsed(TEXT + '\n[[profiles.prod.bindings]]\nalias = "slow"\nmodels = ["openai:x"]\n', "fiber.lock"),
    packages={"acme": ACME, "beta": BETA},
)


def models(lockfile: Lockfile, alias: str, profile: str | None = None) -> tuple[str, ...] | None:
    """Return what *alias* stands for."""
    found = lockfile.find(alias, profile)
    return None if found is None else found.models


@pytest.mark.parametrize(
    ("alias", "profile", "expected"),
    [
        pytest.param("fast", None, ("openai:gpt-6-luna", "anthropic:claude-haiku-5"), id="default profile"),
        pytest.param("fast", "prod", ("anthropic:claude-haiku-5",), id="another profile"),
        pytest.param("deep", "prod", None, id="profiles do not inherit"),
        pytest.param("fast", "default", None, id="the profile that is always there"),
        pytest.param("acme:short", None, ("openai:d",), id="the package has the profile"),
        pytest.param("acme:short", "prod", ("openai:s",), id="the package has not"),
        pytest.param("acme:long", None, None, id="nor do those of packages"),
        pytest.param("beta:short", None, ("openai:b",), id="two packages, one alias"),
        pytest.param("short", None, None, id="a package must be named"),
        pytest.param("gamma:short", None, None, id="no such package"),
        pytest.param("acme:fast", None, None, id="no such alias of it"),
    ],
)
def test_an_alias_is_found(alias: str, profile: str | None, expected: tuple[str, ...] | None) -> None:
    """In its profile and package."""
    assert models(OWN, alias, profile) == expected


def test_an_override_goes_before_the_package() -> None:
    """In the profile in which it stands, and only there."""
    profiles = {"dev": {"acme:short": Binding(("openai:mine",))}, "prod": {}}
    lockfile = Lockfile(profiles=profiles, default_profile="dev", extends=("acme",), packages={"acme": ACME})

    assert models(lockfile, "acme:short") == ("openai:mine",)
    assert models(lockfile, "acme:short", "prod") == ("openai:s",)
    assert lockfile.aliases()["acme:short"].models == ("openai:mine",)
    assert list(lockfile.aliases("prod")) == ["acme:long", "acme:short"]


def test_a_package_alone_answers_with_and_without_its_name() -> None:
    """It knows nothing of the profiles of its users."""
    assert models(ACME, "short") == models(ACME, "acme:short") == models(ACME, "acme:short", "prod") == ("openai:s",)
    assert models(ACME, "acme:short", "dev") == ("openai:d",)


@pytest.mark.parametrize("name", ["stage", "Dev", ["dev"]])
def test_an_unknown_profile_is_an_error(name: str) -> None:
    """It lists those there are."""
    with pytest.raises(FiberValidationError, match=r"in fiber.lock: use one of default, dev, prod\.") as caught:
        OWN.profile(name)

    assert caught.value.parameter == "profile"
    with pytest.raises(FiberValidationError, match="a client without a lockfile: use one of default"):
        Lockfile().profile("dev")


@pytest.mark.parametrize(
    ("alias", "said"),
    [
        ("short", " 'short' is an alias of acme and beta: write acme:short or beta:short."),
        ("slow", " The alias 'slow' is bound in prod, and the profile is dev."),
        ("fsat", " Near aliases: fast."),
        ("zzz", ""),
    ],
)
def test_a_hint_tells_what_may_be_meant(alias: str, said: str) -> None:
    """An alias of several packages, of another profile, or one that is nearly spelled so."""
    assert OWN.hint(alias) == said


def test_missing_aliases_are_told_all_at_once() -> None:
    """With the file, the profile and who needs them."""
    with pytest.raises(FiberValidationError) as caught:
        OWN.require(["fast", "zzz", "slow"], context="acme notes")

    assert caught.value.parameter == "aliases"
    assert caught.value.message == (
        "acme notes needs aliases that fiber.lock, profile dev, does not have: zzz, slow. The alias 'slow' is bound in"
        " prod, and the profile is dev. Bind each with `fiber alias bind ALIAS MODEL`."
    )


def test_no_lockfile_lacks_every_alias() -> None:
    """The message says how to make one."""
    with pytest.raises(FiberValidationError) as caught:
        Lockfile().require("fast")

    assert caught.value.message == (
        "Needed are aliases that a client without a lockfile does not have: fast. Make a file with `fiber lock init`."
    )


def test_aliases_that_are_there_are_no_error() -> None:
    """Those of packages too."""
    OWN.require(["fast", "deep", "acme:short"])
    OWN.require([])
    OWN.require("slow", profile="prod")


def test_a_digest_is_of_what_is_said() -> None:
    """Not of layout, comments, the order of bindings, the file's name, or what packages say."""
    fast, deep = TEXT.index("[[profiles.dev"), TEXT.rindex("[[profiles.dev")
    prod = TEXT.index("[[profiles.prod")
    moved = TEXT[:fast] + TEXT[deep:prod] + TEXT[fast:deep].replace("  # cheap, too", "\n") + TEXT[prod:]
    one, two = parsed(TEXT, "a"), parsed(moved.replace("\n", "\r\n"), "b")

    assert moved != TEXT
    assert one.digest == two.digest == msgspec.structs.replace(one, packages={"acme": ACME}).digest
    assert len(one.digest) == 64


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"openai:gpt-6-luna", "anthropic:claude-haiku-5"', '"anthropic:claude-haiku-5", "openai:gpt-6-luna"'),
        ('default_profile = "dev"', 'default_profile = "prod"'),
        ("9.5", "9.4"),
        ("2026-11-20", "2026-11-21"),
        ('"search"', '"finance"'),
        ("version = 1", 'version = 1\nextends.packages = ["acme"]'),
    ],
)
def test_another_meaning_has_another_digest(old: str, new: str) -> None:
    """The order of models is one."""
    assert TEXT.count(old) == 1
    assert parsed(TEXT.replace(old, new), "a").digest != parsed(TEXT, "a").digest


def test_the_pin_is_a_day() -> None:
    """Of the catalogue."""
    assert OWN.catalog == date(2026, 11, 20)
