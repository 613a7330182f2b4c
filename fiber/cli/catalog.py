"""`fiber info`, `find`, `cost`, `tokens`: what the catalogue knows; no key, no network."""

from __future__ import annotations

import argparse
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec

from fiber import _env
from fiber._errors import FiberModelNotFoundError, FiberValidationError
from fiber._fiber import Fiber
from fiber.cli import output
from fiber.cli.ask import prompt_of
from fiber.cli.codes import DONE, FAILED
from fiber.cli.lockfiles import found, said_profile
from fiber.cli.recorded import body_of, cost_of, prices_of
from fiber.providers.table import PROVIDERS
from fiber.registry.capabilities import ModelCapabilities
from fiber.registry.catalog import ModelCatalog
from fiber.registry.tokens import count_tokens

PER_MILLION = ("input_usd", "output_usd")


def info(options: argparse.Namespace) -> int:
    """Print what is known about one model, or about those of an alias."""
    lockfile = found(options.lockfile)
    profile = said_profile(options, lockfile)
    binding = lockfile.find(options.model, profile)
    names = binding.models if binding is not None else (options.model,)
    if binding is not None and not options.json:
        print(f"{options.model} is an alias of {lockfile.path}: {', '.join(names)}")
    catalog = ModelCatalog()
    code = DONE
    for name in names:
        model = catalog.capabilities(name)
        if model is not None:
            _describe(model, as_json=options.json)
            continue
        hint = lockfile.hint(name, profile) if binding is None else ""
        output.complain(unknown_model(name, catalog, hint), as_json=options.json)
        code = FAILED
    return code


def _describe(model: ModelCapabilities, *, as_json: bool) -> None:
    if as_json:
        output.print_json(model)
        return
    facts = {name: value for name, value in msgspec.structs.asdict(model).items() if value not in (None, "")}
    output.print_table(model.reference, ("field", "value"), [(name, _told(name, facts[name])) for name in facts])


def unknown_model(name: str, catalog: ModelCatalog, hint: str = "") -> FiberModelNotFoundError:
    """Return the error that *catalog* has no model *name*, with those that are spelled nearly so, and *hint*."""
    near = catalog.suggest(name)
    said = f" Near: {', '.join(near)}." if near else ""
    return FiberModelNotFoundError(
        f"The catalogue does not know {name!r}.{said}{hint} Write provider:model, or see `fiber find`.",
        outcome="not_sent",
    )


def find(options: argparse.Namespace) -> int:
    """Print the models that meet all requirements, best first; exit code 1 when there is none."""
    wanted = dict(_requirement(said) for said in options.requirement)
    models = ModelCatalog().find_models(wanted, order=options.order)
    if options.keyed:
        keyed = _env.keys(PROVIDERS)
        models = tuple(model for model in models if model.provider in keyed)
    models = models[: options.limit]
    if options.json:
        for model in models:
            output.print_json(model)
    elif output.is_terminal() and models:
        columns = ("model", "context", "output", "usd in", "usd out")
        output.print_table("Best first; USD per million tokens", columns, map(_cells, models))
    else:
        for model in models:
            print(model.reference)
    if not models:
        output.note("no model is known to meet that" + (", of a provider whose key is set." if options.keyed else "."))
    return DONE if models else FAILED


def cost(options: argparse.Namespace) -> int:
    """Print what a prompt will cost, about, or what a recorded answer cost; exit code 1 when that is not known."""
    if options.response is not None:
        known = cost_of(body_of(options.response), options.model, options)
    else:
        prompt = prompt_of(options.prompt)
        known = _offline(options).estimate_cost(prompt, model=options.model, max_tokens=options.max_tokens)
    if options.json:
        output.print_json(known)
    elif known.usd is None:
        output.note(f"{known.status}: {known.note}")
    else:
        lines = [(line.component, str(line.quantity), str(line.rate), _shown(line.usd)) for line in known.lines]
        rows = [*lines, ("total", "", "", _shown(known.usd))]
        whose = "the provider's word" if known.source == "provider" else f"prices of {known.revision}"
        output.print_table(f"{options.model}, {whose}", ("component", "tokens", "rate", "usd"), rows)
    return DONE if known.usd is not None else FAILED


def tokens(options: argparse.Namespace) -> int:
    """Print about how many tokens a prompt is."""
    model = options.model or ""
    with suppress(FiberModelNotFoundError):  # its name tells the family all the same
        model = _offline(options).route(model).model if model else ""
    count = count_tokens(prompt_of(options.prompt), model=model)
    if options.json:
        output.print_json({"input_tokens": count})
    else:
        print(count)
    return DONE


def _offline(options: argparse.Namespace) -> Fiber:
    """Return a client without keys, which knows the aliases."""
    lockfile = found(options.lockfile)
    return Fiber(lockfile=lockfile, profile=said_profile(options, lockfile), prices=prices_of(options))


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


def _cells(model: ModelCapabilities) -> tuple[str, ...]:
    counts = (model.max_input_tokens, model.max_output_tokens)
    prices = (model.input_usd, model.output_usd)
    return (model.reference, *map(_shown, counts), *map(_shown, prices))


def _told(name: str, value: Any) -> str:
    return _shown(value) + (" per million tokens" if name in PER_MILLION else "")


def _shown(value: Any) -> str:
    match value:
        case None:
            return "?"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case Decimal():
            return f"{value:f}"
    return str(value)
