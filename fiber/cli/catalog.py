"""`fiber info`, `find`, `cost`, `tokens`: what the catalogue knows; no key, no network."""

from __future__ import annotations

import argparse
from decimal import Decimal
from typing import Any

import msgspec

from fiber import _env
from fiber._errors import FiberModelNotFoundError, FiberValidationError
from fiber._fiber import Fiber
from fiber._setup import find_lockfile
from fiber.cli import output
from fiber.cli.arguments import add_json, add_profile, add_prompt
from fiber.cli.ask import prompt_of
from fiber.registry.capabilities import FLAGS, ModelCapabilities
from fiber.registry.catalog import ModelCatalog
from fiber.registry.tokens import count_tokens


def info(options: argparse.Namespace) -> int:
    """Print what is known about one model."""
    model = ModelCatalog().capabilities(options.model)
    if model is None:
        raise FiberModelNotFoundError(
            f"The catalogue does not know {options.model!r}: write provider:model, or see `fiber find`.",
            model=options.model,
            outcome="not_sent",
        )
    if options.json:
        output.print_json(model)
        return 0
    facts = {name: value for name, value in msgspec.structs.asdict(model).items() if value not in (None, "")}
    output.print_table(model.reference, ("field", "value"), [(name, _shown(value)) for name, value in facts.items()])
    return 0


def find(options: argparse.Namespace) -> int:
    """Print the models that meet all requirements, best first; exit code 1 when there is none."""
    wanted = dict(_requirement(said) for said in options.requirement)
    models = ModelCatalog().find_models(wanted, order=options.order)[: options.limit]
    for model in models:
        if options.json:
            output.print_json(model)
        else:
            print(model.reference)
    return 0 if models else 1


def cost(options: argparse.Namespace) -> int:
    """Print what a prompt will cost, about; exit code 1 when that is not known."""
    prompt = prompt_of(options.prompt)
    lockfile = find_lockfile()
    fiber = Fiber(lockfile=lockfile, profile=options.profile or (_env.profile() if lockfile.path else None))
    found = fiber.estimate_cost(prompt, model=options.model, max_tokens=options.max_tokens)
    if options.json:
        output.print_json(found)
    elif found.usd is None:
        output.note(f"{found.status}: {found.note}")
    else:
        lines = [(line.component, str(line.quantity), str(line.rate), _shown(line.usd)) for line in found.lines]
        rows = [*lines, ("total", "", "", _shown(found.usd))]
        output.print_table(f"{options.model}, prices of {found.revision}", ("component", "tokens", "rate", "usd"), rows)
    return 0 if found.usd is not None else 1


def tokens(options: argparse.Namespace) -> int:
    """Print about how many tokens a prompt is."""
    count = count_tokens(prompt_of(options.prompt), model=options.model or "")
    if options.json:
        output.print_json({"input_tokens": count})
    else:
        print(count)
    return 0


def add(commands: Any) -> None:
    """Add the commands to the parser."""
    command = commands.add_parser("info", help="show what is known about a model: limits, capabilities, prices")
    command.add_argument("model", help="model, as in `openai:gpt-6.1-terra` or `claude-sonnet-5-5`")
    _finish(command, info)

    command = commands.add_parser("find", help="find models that meet requirements, best first")
    command.add_argument(
        "requirement",
        nargs="*",
        help=f"a capability ({', '.join(FLAGS)}), or NAME=VALUE: tokens at least, prices at most",
    )
    command.add_argument("--order", choices=("cost", "context", "output"), default="cost", help="what is best")
    command.add_argument("--limit", type=int, default=10, help="so many at most")
    _finish(command, find)

    command = commands.add_parser("cost", help="estimate what a prompt will cost; nothing is sent")
    add_prompt(command)
    command.add_argument("-m", "--model", required=True, help="model, perhaps with its provider, or an alias")
    add_profile(command)
    command.add_argument("--max-tokens", type=int, help="output tokens to count with; 1000")
    _finish(command, cost)

    command = commands.add_parser("tokens", help="estimate how many tokens a prompt is; nothing is sent")
    add_prompt(command)
    command.add_argument("-m", "--model", help="model, whose family counts")
    _finish(command, tokens)


def _finish(command: argparse.ArgumentParser, run: Any) -> None:
    add_json(command)
    command.set_defaults(run=run)


def _requirement(said: str) -> tuple[str, Any]:
    name, found, value = said.partition("=")
    name = name.strip().replace("-", "_")
    if not found:
        return name, True
    if value in ("true", "false"):
        return name, value == "true"
    kind = ModelCapabilities.__annotations__.get(name, "str")
    try:
        return name, value if kind == "str" else Decimal(value) if "Decimal" in kind else int(value.replace("_", ""))
    except (ValueError, ArithmeticError):
        raise FiberValidationError(f"{name} must be a number, not {value!r}.", parameter=name) from None


def _shown(value: Any) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
