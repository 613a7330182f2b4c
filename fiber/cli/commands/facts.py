"""Commands that tell what is known: `models`, `info`, `find`, `cost`, `tokens`."""

from __future__ import annotations

from typing import Any

from fiber.cli.arguments import (
    MODEL,
    add_command,
    add_json,
    add_lockfile,
    add_mock,
    add_profile,
    add_prompt,
    day,
    whole,
)


def add(commands: Any) -> None:
    """Add them to the parser."""
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
