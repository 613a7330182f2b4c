"""All commands, with their arguments; what runs them is named, and imported when it is run."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fiber.cli.arguments import (
    Parser,
    add_command,
    add_group,
    add_json,
    add_lockfile,
    add_mock,
    add_profile,
    add_prompt,
    day,
    dollars,
    whole,
)
from fiber.cli.usage_arguments import add_usage

MODEL = "model, as in `openai:gpt-6.1-terra` or `claude-sonnet-5-5`, or an alias"
SHELLS = ("bash", "zsh", "fish")


def parser() -> Parser:
    """Make the parser; every command's function is named in `run`."""
    top = Parser(
        prog="fiber",
        description="Talk to language models from the shell.",
        epilog="`fiber COMMAND --help` tells more.\n`fiber demo` shows what there is, without a key.",
    )
    top.add_argument("--version", action=_Version, nargs=0, help="print the version")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_calls(commands)
    _add_facts(commands)
    _add_names(commands)
    add_usage(commands)
    _add_checks(commands)
    return top


def _add_calls(commands: Any) -> None:
    command = add_command(
        commands,
        "ask",
        "fiber.cli.ask:run",
        "send one prompt and print the answer",
        'fiber ask "Name a river." --model claude-sonnet-5-5',
        'cat notes.txt | fiber ask "Summarise this."',
        "fiber ask --mock hello",
    )
    add_prompt(command)
    _add_call_options(command)

    command = add_command(
        commands,
        "chat",
        "fiber.cli.chat:run",
        "talk back and forth; the history is kept",
        'fiber chat --system "Be brief."',
    )
    command.add_argument("message", nargs="*", help="a first message")
    _add_call_options(command)

    command = add_command(
        commands,
        "batch",
        "fiber.cli.batch:run",
        "ask every line of a JSONL file; stopped or killed, it can go on",
        "fiber batch questions.jsonl answers.jsonl --concurrency 20 --budget-usd 5 --max-tokens 500",
    )
    command.add_argument("input", type=Path, help="a JSON object with `messages` and keywords, or a text, on each line")
    command.add_argument("output", type=Path, help="where the answers are appended; run again to go on")
    command.add_argument("--concurrency", type=whole, default=8, help="calls in flight at a time; 8")
    command.add_argument("-m", "--model", help="model of lines that name none")
    command.add_argument("--max-tokens", type=whole, help="upper bound of output tokens, of lines that have none")
    command.add_argument("--budget-usd", type=dollars, help="US dollars that the whole output may cost")
    command.add_argument("--token-budget", type=whole, help="tokens that the whole output may use")
    command.add_argument("--fail-fast", action="store_true", help="stop at the first line that fails")
    command.add_argument("--retry-failed", action="store_true", help="ask for lines that failed before again")
    command.add_argument("--ordered", action="store_true", help="bring the output into the order of the input, at last")
    add_profile(command)
    add_json(command)
    add_mock(command)


def _add_facts(commands: Any) -> None:
    command = add_command(
        commands,
        "models",
        "fiber.cli.models:run",
        "list the models of the providers whose keys are set",
        "fiber models --provider openai",
    )
    command.add_argument("--provider", help="only this one")
    add_json(command)
    add_mock(command)

    command = add_command(
        commands,
        "info",
        "fiber.cli.catalog:info",
        "show what is known about a model, or an alias: limits, capabilities, prices",
        "fiber info claude-sonnet-5-5",
        "fiber info fast --profile prod",
    )
    command.add_argument("model", help=MODEL)
    add_lockfile(command)
    add_profile(command)
    add_json(command)

    command = add_command(
        commands,
        "find",
        "fiber.cli.catalog:find",
        "find models that meet requirements, best first",
        "fiber find vision json_schema max_input_tokens=500000 input_usd=1",
        "fiber find reasoning provider=mistral --order context",
    )
    command.add_argument(
        "requirement",
        nargs="*",
        help="a capability, as in `vision` or `audio=false`, or NAME=VALUE: tokens at least, prices at most",
    )
    command.add_argument("--order", choices=("cost", "context", "output"), default="cost", help="what is best; cost")
    command.add_argument("--limit", type=whole, default=10, help="so many at most; 10")
    command.add_argument("--keyed", action="store_true", help="only of providers whose keys are set")
    add_json(command)

    command = add_command(
        commands,
        "cost",
        "fiber.cli.catalog:cost",
        "estimate what a prompt will cost, or tell what an answer cost; nothing is sent",
        'fiber cost "Summarise the history of Rome." --model gemini-3.8-flash --max-tokens 2000',
        "fiber cost --response answer.json --model claude-sonnet-5-5 --at 2026-11-20",
    )
    add_prompt(command)
    command.add_argument("-m", "--model", required=True, help=MODEL)
    command.add_argument("--max-tokens", type=whole, help="output tokens to count with; 1000")
    command.add_argument(
        "--response", metavar="PATH", help="a recorded answer of the provider, whole or streamed, instead of a prompt"
    )
    command.add_argument("--at", type=day, metavar="DAY", help="day of the prices, as in 2026-11-20; today")
    add_lockfile(command)
    add_profile(command)
    add_json(command)

    command = add_command(
        commands,
        "tokens",
        "fiber.cli.catalog:tokens",
        "estimate how many tokens a prompt is; nothing is sent",
        "fiber tokens --model claude-sonnet-5-5 < notes.txt",
    )
    add_prompt(command)
    command.add_argument("-m", "--model", help=f"{MODEL}, whose family counts")
    add_lockfile(command)
    add_profile(command)
    add_json(command)


def _add_names(commands: Any) -> None:
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


def _add_checks(commands: Any) -> None:
    command = add_command(
        commands,
        "providers",
        "fiber.cli.providers:run",
        "list the providers, and whose keys are set",
        "fiber providers --ping",
    )
    command.add_argument("--provider", help="only this one")
    command.add_argument("--ping", action="store_true", help="ask those with a key for their list of models")
    add_json(command)
    add_mock(command)

    command = add_command(
        commands,
        "smoke",
        "fiber.cli.smoke:run",
        "make three tiny calls to a provider: whole, streamed, with a tool",
        "fiber smoke --provider openai",
    )
    command.add_argument("--provider", required=True, help="whom to ask")
    command.add_argument("-m", "--model", help="model, as the provider spells it; its row's by default")
    command.add_argument("--timeout", type=float, help="seconds for each call; 60 by default")
    add_json(command)
    add_mock(command)

    command = add_command(
        commands,
        "completion",
        "fiber.cli.completion:run",
        "print what makes the tab key of a shell complete",
        'eval "$(fiber completion bash)"    # in ~/.bashrc',
        'eval "$(fiber completion zsh)"     # in ~/.zshrc, below compinit',
        "fiber completion fish | source     # in ~/.config/fish/config.fish",
    )
    command.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    command.add_argument("--line", help="what may stand at the end of this line; the script asks so")
    command.add_argument("--breaks", default="", help="signs at which the shell breaks words")

    add_command(commands, "demo", "fiber.cli.demo:run", "see the library at work over real sockets; no key, no network")


def _add_call_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("-m", "--model", help=MODEL)
    add_profile(command)
    command.add_argument("-s", "--system", help="system prompt")
    command.add_argument("--temperature", type=float, help="0 to 2")
    command.add_argument("--max-tokens", type=whole, help="upper bound of output tokens")
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


def _add_file_options(command: argparse.ArgumentParser, *, profile: bool = True) -> None:
    add_lockfile(command)
    if profile:
        add_profile(command)
    add_json(command)


class _Version(argparse.Action):
    """Print the version, which is looked up when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"fiber {version('fiber-llm')}")
        parser.exit()
