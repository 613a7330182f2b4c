"""Lockfiles of tests, on paper, on disk and in packages."""

from __future__ import annotations

from pathlib import Path

TEXT = """\
# Who answers for whom.
version = 1
default_profile = "dev"

[metadata]
owner = "search"

[registry_versions]
catalog = 2026-11-20

[[profiles.dev.bindings]]
alias = "fast"  # cheap, too
models = ["openai:gpt-6-luna", "anthropic:claude-haiku-5"]

[[profiles.dev.bindings]]
alias = "deep"
models = [
    "anthropic:claude-opus-5",  # the first choice
]
[profiles.dev.bindings.constraints]
tools = true
input_usd = 9.5

[[profiles.prod.bindings]]
alias = "fast"
models = ["anthropic:claude-haiku-5"]
"""


def bindings(profile: str = "default", **aliases: list[str]) -> str:
    """Return the text of a lockfile with *aliases* in one profile."""
    tables = (f'[[profiles.{profile}.bindings]]\nalias = "{name}"\nmodels = {aliases[name]}\n' for name in aliases)
    return "\n".join(["version = 1\n", *tables])


def lockfile(folder: Path, text: str, name: str = "fiber.lock") -> str:
    """Write a lockfile and return its path."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def package(folder: Path, name: str, text: str | None) -> Path:
    """Make a package that must not be imported, with a lockfile when there is a *text*; return its folder."""
    home = folder / name
    home.mkdir(parents=True)
    (home / "__init__.py").write_text(f"raise RuntimeError('{name} was imported')\n", encoding="utf-8")
    if text is not None:
        lockfile(home, text)
    return home
