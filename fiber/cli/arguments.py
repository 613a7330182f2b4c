"""
How the command line is read: parsers whose errors say what was meant, and arguments that several commands take.

Nothing here or in `commands` imports what a command needs to run, so that help and completion come at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, NoReturn

from fiber.cli.codes import USAGE


class Parser(argparse.ArgumentParser):
    """A parser that offers what is spelled nearly like what was said; without a command it shows its help."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_Formatter, **options)

    def parse_known_args(  # pyright: ignore[reportIncompatibleMethodOverride] - the stubs spell it as overloads
        self, args: Any = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Refuse what is not known here, and not in the parser above, which knows other names."""
        found, unknown = super().parse_known_args(args, namespace)
        if unknown:
            said = unknown[0]
            what = "no option" if said.startswith("-") else "one argument too many"
            self.error(f"{said!r} is {what} of `{self.prog}`.{near(said, self._option_string_actions)}")
        return found, unknown

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            choices = [str(choice) for choice in action.choices]
            what = "no command" if isinstance(action, argparse._SubParsersAction) else f"no value of {name_of(action)}"
            self.error(f"{value!r} is {what}: use one of {', '.join(choices)}.{near(str(value), choices)}")

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where there is help, and exit."""
        if message.endswith("required: COMMAND"):
            self.print_help(sys.stderr)
            self.exit(USAGE)
        self.exit(USAGE, f"fiber: {message}\nSee `{self.prog} --help`.\n")


def near(said: str, names: Iterable[str]) -> str:
    """Return a question whether one of *names* was meant, and a space before it; empty when none is like *said*."""
    found = get_close_matches(said.partition("=")[0], list(names), 1)
    return f" Did you mean {found[0]}?" if found else ""


def name_of(action: argparse.Action) -> str:
    """Return how help calls *action*."""
    return "/".join(action.option_strings) or str(action.metavar or action.dest)


def add_command(commands: Any, name: str, run: str, help: str, *examples: str) -> Parser:
    """
    Add a command.

    Args:
        run: Its function, as `module:function`, imported when it is run.
        help: What it does, in a line.
        examples: What to type, for the end of its own help.
    """
    shown = "examples:\n" + "\n".join(f"  {example}" for example in examples) if examples else None
    command: Parser = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.", epilog=shown)
    command.set_defaults(run=run)
    return command


def add_group(commands: Any, name: str, help: str) -> Any:
    """Add a command that has commands, and return what they are added to."""
    group: Parser = commands.add_parser(name, help=help, description=f"{help[0].upper()}{help[1:]}.")
    return group.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")


def add_json(command: argparse.ArgumentParser) -> None:
    """Add `--json` to *command*."""
    command.add_argument("--json", action="store_true", help="one JSON document a line; errors too")


def add_mock(command: argparse.ArgumentParser) -> None:
    """Add `--mock` to *command*."""
    command.add_argument("--mock", action="store_true", help="use the built-in mock server; no key, no network")


def add_profile(command: argparse.ArgumentParser) -> None:
    """Add `--profile` to *command*."""
    command.add_argument("--profile", help="profile of the lockfile; FIBER_PROFILE, or the lockfile's own, by default")


def add_lockfile(command: argparse.ArgumentParser) -> None:
    """Add `--lockfile` to *command*."""
    command.add_argument("--lockfile", metavar="PATH", help="the lockfile; FIBER_LOCKFILE, or fiber.lock, by default")


def add_prompt(command: argparse.ArgumentParser) -> None:
    """Add the words of a prompt to *command*; `ask.prompt_of` reads them."""
    command.add_argument("prompt", nargs="*", help="the prompt; `-`, or nothing, reads standard input")


def whole(said: str) -> int:
    """Read a whole number from 1."""
    if not said.isdecimal() or int(said) < 1:
        raise argparse.ArgumentTypeError(f"{said!r} is not a whole number from 1")
    return int(said)


def dollars(said: str) -> Decimal:
    """Read an amount of money."""
    try:
        amount = Decimal(said)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise argparse.ArgumentTypeError(f"{said!r} is not an amount of dollars, like 2.50")
    return amount


def day(said: str) -> date:
    """Read a day."""
    try:
        return date.fromisoformat(said)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{said!r} is not a day, like 2026-11-20") from None


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Examples as they are, and a column that has room for all names of commands."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{**options, "max_help_position": 30})
        self._action_max_length = 14  # argparse does not count that names of commands are indented
