"""
The tables of docs/features/parameters.md: what becomes of each parameter, by adapter, row and model.

What an adapter does is its table, what a row changes are its quirks; what a model refuses is found by building requests
for it, so that no table of a format is left out, and in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fiber import PROVIDERS, FiberCapabilityError, ModelCapabilities, ModelCatalog, Provider
from fiber._routing import target_of
from fiber.adapters import NAMES, load
from fiber.adapters.parameters import Parameter, of_row
from fiber.registry.fitting import misfits
from fiber.types.options import chat_request
from fiber.types.request import PARAMETERS
from tests.markdown import code, listed, table, words

ANYONE = "a-model-nobody-knows"
_TOOLS = {"tools": [{"name": "f", "parameters": {"type": "object", "properties": {}}}]}
ASKED: Mapping[str, Mapping[str, Any]] = {
    # Parameters that models differ in, as a call may say them, each with what it needs beside it.
    "temperature": {"temperature": 0.5},
    "top_p": {"top_p": 0.5},
    "top_k": {"top_k": 5},
    "stop": {"stop": ["END"]},
    "seed": {"seed": 7},
    "frequency_penalty": {"frequency_penalty": 0.5},
    "presence_penalty": {"presence_penalty": 0.5},
    "n": {"n": 2},
    "logprobs": {"logprobs": True},
    "top_logprobs": {"top_logprobs": 2},
    "logit_bias": {"logit_bias": {"17": 1}},
    "tools": _TOOLS,
    "tool_choice": {"tool_choice": "required", **_TOOLS},
    "parallel_tool_calls": {"parallel_tool_calls": False, **_TOOLS},
    "response_format": {"response_format": {"type": "object", "properties": {}, "additionalProperties": False}},
    "reasoning": {"reasoning": "low"},
}


def tables() -> str:
    """Return the tables as Markdown."""
    return "\n".join(
        [
            "### By adapter\n",
            table(("Parameter", *map(code, NAMES)), by_adapter()),
            "\n### By row\n",
            table(("Rows", "As it is", "Mapped", "In part", "Not at all"), by_row()),
            "\n### By model\n",
            table(("Row", "Models", "Not taken"), by_model()),
            "\n### What an adapter does not have, and what to do\n",
            table(("Parameter", "Adapter", "Why"), reasons()),
        ]
    )


def by_adapter() -> list[list[str]]:
    """Return a row for each parameter, with a cell for each adapter."""
    return [[code(name), *(fate(load(each).parameters[name]) for each in NAMES)] for name in PARAMETERS]


def reasons() -> list[list[str]]:
    """Return a row for each parameter that an adapter does not have."""
    rules = ((name, each, load(each).parameters[name]) for name in PARAMETERS for each in NAMES)
    return [[code(name), code(each), rule.why] for name, each, rule in rules if rule.support == "unsupported"]


def by_row() -> list[list[str]]:
    """Return a row for each set of providers that treat all parameters alike."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for row in PROVIDERS:
        fates = {name: support(row, name) for name in PARAMETERS}
        cells = (listed(n for n in PARAMETERS if fates[n] == kind) for kind in ("native", "mapped", "partly", "no"))
        alike.setdefault(tuple(cells), []).append(row.name)
    return [[listed(names), *cells] for cells, names in alike.items()]


def support(row: Provider, name: str) -> str:
    """Say what becomes of a parameter at *row*: `native`, `mapped`, `partly` or `no`."""
    adapter = load(row.adapter) if isinstance(row.adapter, str) else row.adapter
    rule = of_row(adapter.parameters, target_of(row, ANYONE))[name]
    lacking = row.quirks.unsupported
    if rule.support == "unsupported" or name in lacking:
        return "no"
    in_part = any(each.startswith(f"{name}.") for each in lacking) or name in refused(row, ANYONE, None)
    return "partly" if in_part else rule.support


def by_model() -> Iterator[list[str]]:
    """Yield a row for each set of models of one provider that refuse the same, for the same reasons."""
    catalog = ModelCatalog()
    for row in PROVIDERS:
        models = [model for model in catalog.list_models(provider=row.name) if model.kind == "chat"]
        if row.adapter != "anthropic":  # the catalogue has Vertex's Claude beside Gemini, for other rows than Gemini's
            models = [model for model in models if not model.model.startswith("claude-")]
        usual = set(refused(row, ANYONE, None))
        alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
        for model in models:
            found = refused(row, model.model, model)
            alike.setdefault(tuple((n, why) for n, why in found.items() if n not in usual), []).append(model.model)
        for facts, names in alike.items():
            if facts:
                yield [code(row.name), listed(names), words(said(facts))]


def refused(row: Provider, model: str, known: ModelCapabilities | None) -> dict[str, str]:
    """Return the parameters that *model* refuses at *row*, with reasons."""
    adapter = load(row.adapter) if isinstance(row.adapter, str) else row.adapter
    found: dict[str, str] = {}
    for name, options in ASKED.items():
        request = chat_request("Hi", **options)
        if known is not None:
            for each in misfits(request, known, stream=False):
                if each.parameter == name:
                    found[name] = f"the catalogue says that it has no {each.capability.replace('_', ' ')}"
        try:
            adapter.build_request(request, target_of(row, model), stream=False)
        except FiberCapabilityError as error:
            if error.parameter == name or name.startswith(str(error.parameter).partition(" ")[0]):
                found[name] = _why(error, name)
    return found


def _why(error: FiberCapabilityError, name: str) -> str:
    """Return the reason out of a message: `... (name: reason). Leave ...`, or `...: reason. Leave ...`."""
    told = error.message.partition(" Leave it out")[0].rstrip(".")
    named = told.partition(f"({name}: ")[2]
    return named.removesuffix(")") if named else told.rpartition(": ")[2]


def said(facts: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Say what is refused, once for each reason."""
    by_reason: dict[str, list[str]] = {}
    for name, why in facts:
        by_reason.setdefault(why, []).append(name)
    return (f"{listed(names)}: {why}" for why, names in by_reason.items())


def fate(parameter: Parameter) -> str:
    """Say what becomes of a parameter: its place in the body, with a star when its name or shape changes."""
    return {"native": code(parameter.path), "mapped": f"{code(parameter.path)} \\*", "unsupported": "no"}[
        parameter.support
    ]
