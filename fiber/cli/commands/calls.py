"""Commands that ask models: `ask`, `chat`, `batch`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fiber.cli.arguments import MODEL, add_command, add_json, add_mock, add_profile, add_prompt, dollars, whole


def add(commands: Any) -> None:
    """Add them to the parser."""
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
