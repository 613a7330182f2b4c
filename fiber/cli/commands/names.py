"""Commands on aliases and the lockfile: `alias`, `lock`."""

from __future__ import annotations

import argparse
from typing import Any

from fiber.cli.arguments import MODEL, add_command, add_group, add_json, add_lockfile, add_mock, add_profile


def add(commands: Any) -> None:
    """Add them to the parser."""
    aliases = add_group(commands, "alias", "list and bind the aliases of a lockfile")
    command = add_command(
        aliases,
        "bind",
        "fiber.cli.lock:bind",
        "let an alias stand for models, the first choice first",
        "fiber alias bind fast openai:gpt-6-luna gemini:gemini-3.8-flash",
        "fiber alias bind fast claude-sonnet-5-5 --profile prod",
    )
    command.add_argument("alias", help="the alias, or `package:alias`")
    command.add_argument("model", nargs="+", help="models, as in `openai:gpt-6.1-terra`")
    _add_file_options(command)
    command = add_command(aliases, "unbind", "fiber.cli.lock:unbind", "take an alias out of a profile")
    command.add_argument("alias", help="the alias, or `package:alias`")
    _add_file_options(command)
    _add_file_options(add_command(aliases, "list", "fiber.cli.lock:listed", "list the aliases of a profile"))

    locks = add_group(commands, "lock", "make and check a lockfile")
    command = add_command(locks, "init", "fiber.cli.lock:init", "make a lockfile without an alias")
    command.add_argument("--force", action="store_true", help="replace the one that is there")
    _add_file_options(command, profile=False)
    command = add_command(
        locks,
        "check",
        "fiber.cli.lock:check",
        "check that there is a lockfile, and that it has these aliases",
        "fiber lock check fast deep --profile prod",
    )
    command.add_argument("alias", nargs="*", help="aliases that must be there")
    _add_file_options(command)
    command = add_command(locks, "validate", "fiber.cli.lock:validate", "check the models of all profiles")
    _add_file_options(command, profile=False)
    command = add_command(locks, "bump", "fiber.cli.lock:bump", "take note of the revision of the installed catalogue")
    _add_file_options(command, profile=False)
    command = add_command(
        locks,
        "chat",
        "fiber.cli.lock_chat:run",
        "have a model find models and propose changes",
        'fiber lock chat "Which cheap model with vision should fast stand for?"',
        'fiber lock chat --yes "Bind deep to the best models of two providers." < /dev/null',
    )
    command.add_argument("message", nargs="*", help="a first message")
    command.add_argument("-m", "--model", help=f"the advisor: {MODEL}")
    command.add_argument("--yes", action="store_true", help="write each change without asking")
    command.add_argument("-v", "--verbose", action="store_true", help="say on standard error what each answer took")
    _add_file_options(command)
    add_mock(command)


def _add_file_options(command: argparse.ArgumentParser, *, profile: bool = True) -> None:
    add_lockfile(command)
    if profile:
        add_profile(command)
    add_json(command)
