"""All commands, with their arguments; what runs them is named, and imported when it is run."""

from __future__ import annotations

import argparse

from fiber.cli.arguments import Parser
from fiber.cli.commands import calls, checks, facts, names, usage


def parser() -> Parser:
    """Make the parser; every command's function is named in `run`."""
    top = Parser(
        prog="fiber",
        description="Talk to language models from the shell.",
        epilog="`fiber COMMAND --help` tells more.\n`fiber demo` shows what there is, without a key.",
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for part in (calls, facts, names, usage, checks):
        part.add(commands)
    return top


class _Version(argparse.Action):
    """Print the version, which is looked up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"fiber {version('fiber-llm')}")
        parser.exit()
