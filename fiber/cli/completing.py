"""What may stand at the end of a command line, read from the parser; what is named is looked up on this machine."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from fiber._errors import FiberError

if TYPE_CHECKING:
    from fiber.registry.lockfile import Lockfile


class Offer(NamedTuple):
    """A word, and what it means; one that ends in `:` or `=` goes on."""

    word: str
    help: str = ""


FILES = Offer("<files>")
"""The shell knows best which files there are."""


class _Place(NamedTuple):
    """
    Where a line has come to.

    Attributes:
        command: The parser that is to go on.
        wanted: What takes the next word: an option that has no value yet, or a positional argument.
        said: Values of options, by name of their variable.
        is_option: `wanted` is an option.
    """

    command: argparse.ArgumentParser
    wanted: argparse.Action | None
    said: Mapping[str, str]
    is_option: bool


def offers(parser: argparse.ArgumentParser, line: str) -> tuple[str, list[Offer]]:
    """Return the word at the end of *line*, which begins with the program, and what may stand in its place."""
    words = _words(line)
    place = _walked(parser, words[1:-1]) if words else None
    if place is None:
        return "", []
    word = words[-1]
    name, found, value = word.partition("=")
    if found and (option := place.command._option_string_actions.get(name)) is not None:
        valued = _beginning(value, _values(option, value, place))
        return word, [each if each is FILES else each._replace(word=f"{name}={each.word}") for each in valued]
    fitting: list[Offer] = []
    if place.wanted is not None and (place.is_option or not word.startswith("-")):
        fitting = _beginning(word, _values(place.wanted, word, place))
    if not fitting and not place.is_option and word[:1] in ("", "-"):
        fitting = _beginning(word, _options(place.command))
    return word, fitting


def _beginning(word: str, found: Iterable[Offer]) -> list[Offer]:
    return [each for each in found if each is FILES or each.word.startswith(word)]


def _words(line: str) -> list[str]:
    """Return the words of *line*, the last one empty when it is not begun; none within quotes."""
    try:
        words = shlex.split(line)
    except ValueError:
        return []
    return [*words, ""] if len(words) < 2 or line[-1].isspace() else words


def _walked(command: argparse.ArgumentParser, words: Sequence[str]) -> _Place | None:
    """Return where *words* lead; None when a command is not known."""
    said: dict[str, str] = {}
    pending: argparse.Action | None = None
    positionals = _positionals(command)
    for word in words:
        if pending is not None:
            said[pending.dest], pending = word, None
        elif word.startswith("-"):
            name, found, value = word.partition("=")
            action = command._option_string_actions.get(name)
            if action is not None and found:
                said[action.dest] = value
            elif action is not None and action.nargs != 0:
                pending = action
        elif positionals:
            action = positionals[0]
            if isinstance(action, argparse._SubParsersAction):
                if word not in action.choices:
                    return None
                command = action.choices[word]
                positionals = _positionals(command)
            elif action.nargs not in ("*", "+"):
                del positionals[0]
    if pending is not None:
        return _Place(command, pending, said, True)
    return _Place(command, positionals[0] if positionals else None, said, False)


def _positionals(command: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in command._actions if not action.option_strings]


def _options(command: argparse.ArgumentParser) -> Iterator[Offer]:
    for action in command._actions:
        for name in action.option_strings:
            if name.startswith("--"):
                yield Offer(name, action.help or "")


def _values(action: argparse.Action, word: str, place: _Place) -> list[Offer]:
    if isinstance(action, argparse._SubParsersAction):
        return [Offer(str(each.dest), each.help or "") for each in action._choices_actions]
    if action.choices is not None:
        return [Offer(str(choice)) for choice in action.choices]
    known = NAMES.get(action.dest)
    with suppress(FiberError):  # a wrong lockfile is told by commands, and not at each key
        return [] if known is None else list(known(word, place.said))
    return []


def _files(word: str, said: Mapping[str, str]) -> Iterator[Offer]:
    yield FILES


def _models(word: str, said: Mapping[str, str]) -> Iterator[Offer]:
    """Yield aliases, then providers, and their models once it is clear which ones are meant."""
    from fiber.registry.entries import bundled

    yield from _aliases(word, said)
    snapshot = bundled()
    rows = {**{row: row for row in snapshot.models}, **snapshot.rows}
    provider, found, _ = word.partition(":")
    if found:
        yield from (Offer(f"{provider}:{model}") for model in snapshot.models.get(rows.get(provider, ""), ()))
        return
    yield from (Offer(f"{row}:", "provider") for row in sorted(rows))
    if word:
        from fiber.providers.table import PROVIDERS

        for row in (row for row in PROVIDERS if row.prefixes):
            yield from (
                Offer(model, row.name) for model in snapshot.models.get(row.name, ()) if model.startswith(row.prefixes)
            )


def _providers(word: str, said: Mapping[str, str]) -> Iterator[Offer]:
    from fiber.providers.table import PROVIDERS

    yield from (Offer(row.name) for row in PROVIDERS)


def _aliases(word: str, said: Mapping[str, str]) -> Iterator[Offer]:
    from fiber import _env

    lockfile = _lockfile(said)
    profile = said.get("profile") or _env.profile()
    for name, binding in lockfile.aliases(profile if profile in lockfile.profiles else None).items():
        yield Offer(name, ", ".join(binding.models))


def _profiles(word: str, said: Mapping[str, str]) -> Iterator[Offer]:
    yield from (Offer(name) for name in sorted({"default", *_lockfile(said).profiles}))


def _requirements(word: str, said: Mapping[str, str]) -> Iterator[Offer]:
    from fiber.registry.capabilities import FLAGS, REQUIREMENTS

    yield from (Offer(name if name in (*FLAGS, "deprecated") else f"{name}=") for name in REQUIREMENTS)


def _lockfile(said: Mapping[str, str]) -> Lockfile:
    from os.path import isfile

    from fiber import _env
    from fiber.registry.lockfile import NONE
    from fiber.registry.locking.finding import FILE, load

    path = said.get("lockfile") or _env.lockfile() or FILE
    return load(path) if isfile(path) else NONE


NAMES: Mapping[str, Callable[[str, Mapping[str, str]], Iterable[Offer]]] = {
    "alias": _aliases,
    "input": _files,
    "lockfile": _files,
    "model": _models,
    "output": _files,
    "profile": _profiles,
    "provider": _providers,
    "requirement": _requirements,
    "response": _files,
}
"""By name of an argument's variable, what may be its value: what is written so far, and values of options."""
