"""Rows that installed packages offer: found when asked, used like others, refused when they cannot be."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fiber import Fiber, FiberValidationError, installed_providers
from fiber.testing import MockServer

Install = Callable[..., None]

ACME = """
from fiber import Provider, Quirks

ACME = Provider(
    name="acme",
    base_url="https://llm.acme.example/v1",
    key_env=("ACME_API_KEY",),
    prefixes=("acme-",),
    quirks=Quirks(max_tokens_field="max_tokens"),
)
BOTH = [ACME, ACME.replace(name="acme-eu", prefixes=())]
TAKEN = ACME.replace(name="mine", aliases=("claude",))
NUMBER = 5
NOTHING = ()
MIXED = [ACME, "row"]
"""
TORTOISE = "from fiber import Provider\nROW = Provider(name='tortoise', base_url='https://slow.example')"


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install packages of one module, with metadata that offers what is named."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def package(module: str, code: str, **offered: str) -> None:
        metadata = tmp_path / f"{module}-1.0.dist-info"
        metadata.mkdir()
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        points = "\n".join(f"{name} = {module}:{value}" for name, value in offered.items())
        (metadata / "entry_points.txt").write_text(f"[fiber.providers]\n{points}\n")
        importlib.invalidate_caches()

    yield package
    for name in {name for name in sys.modules if name.partition(".")[0] != "fiber"} - before:
        del sys.modules[name]


def test_row_of_a_package_is_used_like_others(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its key is found, its prefixes route, and its quirks hold."""
    install("acme_fiber", ACME, acme="ACME")
    monkeypatch.setenv("ACME_API_KEY", "key")

    with MockServer(api_key="key") as server:
        fiber = Fiber.from_env(providers=installed_providers(), base_urls={"acme": server.base_url("openai")})
        text = fiber.sync.ask("Hello", model="acme-large", max_tokens=50)
        fiber.sync.close()

    assert text == "You said: Hello"
    assert server.requests[0].json["max_tokens"] == 50


def test_package_may_offer_several(install: Install) -> None:
    """In the order of the names of their entry points, and of each in its own."""
    install("zoo_fiber", TORTOISE, zoo="ROW")
    install("acme_fiber", ACME, acme="BOTH")

    assert [row.name for row in installed_providers()] == ["acme", "acme-eu", "tortoise"]
    assert [row.name for row in installed_providers("zoo")] == ["tortoise"]


def test_what_is_not_named_is_not_imported(install: Install) -> None:
    """So that a broken package breaks those alone who want it."""
    install("zoo_fiber", TORTOISE, zoo="ROW")
    install("acme_fiber", "raise LookupError('broken')", acme="ACME")

    assert [row.name for row in installed_providers("zoo")] == ["tortoise"]
    assert "acme_fiber" not in sys.modules


def test_nothing_is_looked_for_unless_asked() -> None:
    """Neither by the import of the library nor by making a client."""
    code = "import sys, fiber; fiber.Fiber(); print('fiber.providers.installed' in sys.modules)"

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "False"


@pytest.mark.parametrize(
    ("offered", "said"),
    [
        ("NUMBER", "must be a Provider, or several of them, not int"),
        ("NOTHING", "not tuple"),
        ("MIXED", "not list"),
        ("ABSENT", "cannot be imported: AttributeError"),
        ("TAKEN", "'claude' already stands for the provider 'anthropic'"),
    ],
)
def test_what_is_no_row_is_refused(install: Install, offered: str, said: str) -> None:
    """With the package that offers it."""
    install("acme_fiber", ACME, mine=offered)

    with pytest.raises(FiberValidationError, match=f"(?s)'mine' of the package acme_fiber.*{said}") as caught:
        installed_providers()
    assert (caught.value.parameter, caught.value.outcome) == ("providers", "not_sent")


def test_two_packages_may_not_offer_the_same_name(install: Install) -> None:
    """Which of them would be meant?"""
    install("acme_fiber", ACME, acme="ACME")
    install("other_fiber", ACME, other="ACME")

    with pytest.raises(FiberValidationError, match=r"(?s)'other' of the package other_fiber.*'acme' already"):
        installed_providers()


def test_name_that_nobody_offers_is_refused(install: Install) -> None:
    """The message names those there are."""
    with pytest.raises(FiberValidationError, match="'acme' to fiber: there are none"):
        installed_providers("acme")

    install("zoo_fiber", TORTOISE, zoo="ROW")
    with pytest.raises(FiberValidationError, match="'acme' to fiber: there are 'zoo'"):
        installed_providers("acme")
