"""
Arguments and exit codes.

Exit codes: 0 done, 1 the call failed, 2 wrong usage or a lockfile that cannot be read, 3 a budget is used up, 130
interrupted. Errors go to standard error; when output is piped it is plain text or, with `--json`, one JSON document a
line.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from fiber._errors import FiberError
from fiber.cli.arguments import add_json, add_mock, add_profile, add_prompt


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        code = int(options.run(options))
        sys.stdout.flush()  # here, where a reader that is gone is expected, and not when the interpreter ends
        return code
    except FiberError as error:
        print(f"fiber: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of a pipe went away (`fiber ask ... | head`); keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def parser() -> argparse.ArgumentParser:
    """Make the parser; every command's function is in `run`."""
    from fiber.cli import ask, batch, catalog, chat, demo, lock, models, providers, smoke, usage

    top = argparse.ArgumentParser(prog="fiber", description="Talk to language models from the shell.")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")

    command = commands.add_parser("ask", help="send one prompt and print the answer")
    add_prompt(command)
    _add_call_options(command)
    command.set_defaults(run=ask.run)

    command = commands.add_parser("chat", help="talk back and forth; the history is kept")
    command.add_argument("message", nargs="*", help="a first message")
    _add_call_options(command)
    command.set_defaults(run=chat.run)

    batch.add(commands)

    command = commands.add_parser("models", help="list the models of the providers whose keys are set")
    command.add_argument("--provider", help="only this one")
    _add_json_and_mock(command)
    command.set_defaults(run=models.run)

    command = commands.add_parser("providers", help="list the providers, and whose keys are set")
    _add_json_and_mock(command)
    command.set_defaults(run=providers.run)

    command = commands.add_parser("smoke", help="make three tiny calls to a provider: whole, streamed, with a tool")
    command.add_argument("--provider", required=True, help="whom to ask")
    command.add_argument("-m", "--model", help="model, as the provider spells it; its row's by default")
    command.add_argument("--timeout", type=float, help="seconds for each call; 60 by default")
    _add_json_and_mock(command)
    command.set_defaults(run=smoke.run)

    command = commands.add_parser("demo", help="see the library at work over real sockets; no key, no network")
    command.set_defaults(run=demo.run)

    catalog.add(commands)
    lock.add(commands)
    usage.add(commands)
    return top


def _add_json_and_mock(command: argparse.ArgumentParser) -> None:
    add_json(command)
    add_mock(command)


def _add_call_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("-m", "--model", help="model, as in `openai:gpt-6.1-terra` or `claude-sonnet-5-5`")
    add_profile(command)
    command.add_argument("-s", "--system", help="system prompt")
    command.add_argument("--temperature", type=float, help="0 to 2")
    command.add_argument("--max-tokens", type=int, help="upper bound of output tokens")
    command.add_argument("--timeout", type=float, help="seconds for the whole call")
    command.add_argument(
        "--stream",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="print the answer as it comes; on by default in a terminal",
    )
    command.add_argument("--json", action="store_true", help="print results (or events) as JSON, one a line")
    command.add_argument("-v", "--verbose", action="store_true", help="say on standard error what the call took")
    add_mock(command)
