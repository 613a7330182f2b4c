"""
Make `fiber/registry/catalog.json` of openly licensed data and the overlay beside this file.

    pip install -e . -r catalog/requirements.txt
    python catalog/build.py --revision 2026-11-21

Prices, dates, tiers and windows come from the data of genai-prices (MIT), limits, capabilities and dates of shutdown
from the price file of litellm (MIT outside of its `enterprise/`), which also gives the prices of providers that the
first does not know. `overlay.json` is kept by hand and wins. Nothing is downloaded: both are read where pip put them,
litellm's file without importing litellm.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fiber.registry.genai import RATES
from fiber.registry.naming import spellings

HERE = Path(__file__).parent
OUT = HERE.parent / "fiber" / "registry" / "catalog.json"

ROWS = {
    # Providers of genai-prices, each with our row.
    "anthropic": "anthropic",
    "aws": "bedrock",
    "azure": "azure",
    "baseten": "baseten",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "deepseek": "deepseek",
    "fireworks": "fireworks",
    "google": "gemini",
    "groq": "groq",
    "meta": "meta",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshotai": "moonshot",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together": "together",
    "x-ai": "xai",
    "zai": "zai",
}
LIMITS = {
    # Providers of litellm, each with our row; the first that knows a model tells its limits.
    "anthropic": "anthropic",
    "azure": "azure",
    "azure_ai": "azure",
    "baseten": "baseten",
    "bedrock": "bedrock",
    "bedrock_converse": "bedrock",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "dashscope": "qwen",
    "deepinfra": "deepinfra",
    "deepseek": "deepseek",
    "fireworks_ai": "fireworks",
    "gemini": "gemini",
    "groq": "groq",
    "hyperbolic": "hyperbolic",
    "meta": "meta",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshot": "moonshot",
    "nebius": "nebius",
    "novita": "novita",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "sambanova": "sambanova",
    "text-completion-openai": "openai",
    "together_ai": "together",
    "vertex_ai-anthropic_models": "gemini",
    "vertex_ai-language-models": "gemini",
    "xai": "xai",
    "zai": "zai",
}
READ = ("why", "can", "cannot", "prices", "derived")
"""Fields of the overlay that do not simply replace those of the data."""
WORKING_DAYS = ("deepseek-v4", "deepseek-flash")
"""Models whose peak hours leave Saturday and Sunday out, as genai-prices says in its comments, and cannot in data."""

PER_TOKEN = ("input", "output", "cache_read", "cache_write", "cache_write_1h", "reasoning")
PRICED_BY_LIMITS = ("deepinfra", "hyperbolic", "nebius", "qwen", "sambanova")
"""Rows that only litellm knows the prices of."""

FLAT_RATES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write",
}

CAPABILITIES = {
    "supports_vision": "vision",
    "supports_audio_input": "audio",
    "supports_audio_output": "audio_output",
    "supports_video_input": "video",
    "supports_pdf_input": "documents",
    "supports_function_calling": "tools",
    "supports_parallel_function_calling": "parallel_tools",
    "supports_forced_tool_use": "forced_tools",
    "supports_response_schema": "json_schema",
    "supports_reasoning": "reasoning",
    "thinking_always_on": "reasoning_always",
    "supports_prompt_caching": "caching",
    "supports_web_search": "web_search",
    "supports_computer_use": "computer_use",
    "supports_sampling_params": "sampling",
    "supports_assistant_prefill": "prefill",
    "supports_native_streaming": "streaming",
}
KINDS = {"chat": None, "responses": None, "completion": "completion", "embedding": "embedding", "rerank": "rerank"}
GUESSED = ("embed", "rerank", "tts", "whisper", "transcribe", "-ocr", "moderation", "guard", "-image", "imagen", "veo")


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--revision", default=str(date.today()), help="the day of the data")  # noqa: DTZ011
    revision = parser.parse_args().revision
    overlay = json.loads((HERE / "overlay.json").read_text(), parse_float=Decimal)
    models = joined(priced(), limits())
    overlaid(models, overlay["models"])
    OUT.write_text(written(revision, overlay, models))
    print(OUT, len(models), "models,", OUT.stat().st_size, "bytes")


def priced() -> dict[tuple[str, str], dict[str, Any]]:
    """Read the models of genai-prices."""
    from genai_prices.data import providers

    found = {}
    for provider in providers:
        if provider.id not in ROWS:
            continue
        owners = {name: model.id for model in reversed(provider.models) for name in names_in(model.match)}
        for model in provider.models:
            if provider.id == "openrouter" and model.context_window is None:
                continue  # hundreds of models that it does not offer any more
            known: dict[str, Any] = {"context": model.context_window}
            if model.name and squeezed(model.name) not in squeezed(model.id):
                known["name"] = model.name
            model_id = model.id.removeprefix("regional.")
            names = {model_id.lower(), *(name for name, owner in owners.items() if owner == model.id)}
            known["aliases"] = sorted(
                name
                for name in names - {model_id.lower()}
                if not any(other in names for other in spellings(name) if other != name)
            )
            known["deprecated"] = model.deprecated or None
            known["prices"] = list(prices_of(model))
            found[ROWS[provider.id], model_id] = known
    return found


def squeezed(name: str) -> str:
    """Return the letters and digits of *name*."""
    return "".join(filter(str.isalnum, name.lower()))


def names_in(match: Any) -> Iterator[str]:
    """Yield the names that a rule of genai-prices spells out, in lower case; of a conjunction none."""
    for clause in getattr(match, "or_", None) or [match]:
        for field in ("equals", "starts_with", "ends_with", "contains"):
            if name := getattr(clause, field, None):
                yield name.lower().rstrip("@")


def prices_of(model: Any) -> Iterator[dict[str, Any]]:
    """Yield the rates of a model: standard ones oldest first, then those of tiers."""
    standard = model.prices if isinstance(model.prices, list) else [None]
    starts = [getattr(each.constraint, "start_date", None) for each in standard if each]
    for each in standard:
        condition: dict[str, Any] = {}
        if each and (start := getattr(each.constraint, "start_date", None)):
            condition["from"] = str(start)
        if each and hasattr(each.constraint, "start_time"):
            # Peak hours are newer than the flat prices before them.
            if known := list(filter(None, starts)):
                condition["from"] = str(max(known))
            condition["hours"] = f"{each.constraint.start_time:%H:%M}-{each.constraint.end_time:%H:%M}"
            if model.id.startswith(WORKING_DAYS):
                condition["weekdays"] = True
        yield from rates_of(each.prices if each else model.prices, condition)
    # The first variant that fits wins there, the last row here.
    for variant in reversed(model.price_variants or ()):
        ((kind, tier),) = variant.when.items()
        if kind in ("service_tier", "speed", "processing") and tier != "default":
            condition = {"tier": tier}
            if variant.constraint is not None:
                condition["from"] = str(variant.constraint.start_date)
            yield from rates_of(variant.prices, condition)


def rates_of(prices: Any, condition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rates of one set of prices, then those above each threshold."""
    said = {RATES[key]: value for key, value in prices.__dict__.items() if value is not None and key in RATES}
    base = {name: getattr(value, "base", value) for name, value in said.items()}
    if not base:
        return
    yield {**condition, "rates": base}
    starts = sorted({tier.start for value in said.values() for tier in getattr(value, "tiers", ())})
    for start in starts:
        above = dict(base)
        for name, value in said.items():
            for tier in getattr(value, "tiers", ()):
                if tier.start <= start:
                    above[name] = tier.price
        yield {**condition, "above": start, "rates": above}


def limits() -> dict[tuple[str, str], dict[str, Any]]:
    """Read what litellm knows."""
    spec = find_spec("litellm")
    if spec is None or spec.origin is None:
        raise SystemExit("litellm is not installed: pip install -r catalog/requirements.txt")
    path = Path(spec.origin).parent / "model_prices_and_context_window_backup.json"
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key, facts in json.loads(path.read_text(), parse_float=Decimal).items():
        row = LIMITS.get(facts.get("litellm_provider", ""))
        if row is None:
            continue
        head, _, tail = key.partition("/")
        model = (tail if LIMITS.get(head) == row or head in (facts["litellm_provider"], "vertex_ai") else key).lower()
        mode = facts.get("mode")
        known: dict[str, Any] = {
            "max_input": whole(facts.get("max_input_tokens")),
            "max_output": whole(facts.get("max_output_tokens")),
            "can": sorted(name for flag, name in CAPABILITIES.items() if facts.get(flag) is True),
            "cannot": sorted(name for flag, name in CAPABILITIES.items() if facts.get(flag) is False),
            "shutdown": facts.get("deprecation_date"),
            "kind": KINDS.get(mode, mode),
        }
        rates = {name: facts[flag] * 1_000_000 for flag, name in FLAT_RATES.items() if facts.get(flag) is not None}
        if row in PRICED_BY_LIMITS and rates:
            known["prices"] = [{"rates": rates}]
        multipliers = {
            region: facts[flag]
            for region in ("eu", "us")
            if (flag := f"regional_processing_uplift_multiplier_{region}") in facts
        }
        if row == "anthropic" and "us" in (entry := facts.get("provider_specific_entry", {})):
            multipliers["us"] = Decimal(str(entry["us"]))
        if multipliers:
            known["regions"] = multipliers
        found.setdefault((row, model), known)
    return found


def whole(said: Any) -> int | None:
    """Return a count of tokens; files of thousands of rows have words and zeros in places of numbers."""
    return int(said) if isinstance(said, int | Decimal) and said > 0 else None


def joined(
    prices: dict[tuple[str, str], dict[str, Any]], limits: dict[tuple[str, str], dict[str, Any]]
) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the models of *prices* with what *limits* knows about them, and those that only *limits* prices."""
    models = {}
    for (row, model), facts in prices.items():
        known = next((limits[row, name] for name in (model, *facts["aliases"]) if (row, name) in limits), {})
        models[row, model] = {**known, **{name: value for name, value in facts.items() if value not in (None, [])}}
    for (row, model), facts in limits.items():
        if row in PRICED_BY_LIMITS:
            models[row, model] = dict(facts)
    for (_, model), facts in models.items():
        if facts.get("context") == facts.get("max_input"):
            facts.pop("context", None)
        if facts.get("kind") is None and any(word in model for word in GUESSED):
            facts["kind"] = "other"
    return {key: facts for key, facts in models.items() if facts.get("prices") or facts.get("max_input")}


def overlaid(models: dict[tuple[str, str], dict[str, Any]], overlay: dict[str, dict[str, Any]]) -> None:
    """Put *overlay* over *models*; lists of capabilities are joined, everything else is replaced."""
    for name, facts in overlay.items():
        row, _, model = name.partition(":")
        known = models.setdefault((row, model), {})
        for said, unsaid in (("can", "cannot"), ("cannot", "can")):
            if said in facts:
                known[unsaid] = sorted(set(known.get(unsaid, ())) - set(facts[said]))
                known[said] = sorted({*known.get(said, ()), *facts[said]})
        known["prices"] = [*known.get("prices", ()), *facts.get("prices", ())]
        for rule in facts.get("derived", ()):
            known["prices"] = derived(rule, known["prices"])
        known.update({field: value for field, value in facts.items() if field not in READ})


def derived(rule: dict[str, Any], prices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return *prices* with a rate that is a multiple of another, or with a tier that multiplies the standard rates."""
    times = rule["times"]
    if "rate" in rule:
        return [
            {**row, "rates": {**row["rates"], rule["rate"]: row["rates"][rule["of"]] * times}}
            if rule["of"] in row["rates"]
            else row
            for row in prices
        ]
    standard = [row for row in prices if "tier" not in row]
    return prices + [
        {
            "tier": rule["tier"],
            **row,
            "rates": {name: rate * times for name, rate in row["rates"].items() if name in PER_TOKEN},
        }
        for row in standard
    ]


def written(revision: str, overlay: dict[str, Any], models: dict[tuple[str, str], dict[str, Any]]) -> str:
    """Return the file: one model a line, so that a change of prices reads well in a diff."""
    rows: dict[str, list[str]] = {}
    for (row, model), facts in sorted(models.items()):
        rows.setdefault(row, []).append(f"{json.dumps(model)}:{dumped(stated(facts))}")
    sources = [
        {"name": "genai-prices", "version": version("genai-prices"), "licence": "MIT", "gives": "prices"},
        {"name": "litellm", "version": version("litellm"), "licence": "MIT", "gives": "limits and capabilities"},
        *overlay["sources"],
    ]
    head = {"format": 1, "revision": revision, "sources": sources, "rows": overlay["rows"]}
    parts = [json.dumps(row) + ":{\n" + ",\n".join(lines) + "\n}" for row, lines in rows.items()]
    return dumped(head)[:-1] + ',\n"models":{\n' + ",\n".join(parts) + "\n}}\n"


ORDER = (
    *("name", "aliases", "kind", "context", "max_input", "max_output", "can", "cannot"),
    *("deprecated", "shutdown", "regions", "prices"),
)


def stated(facts: dict[str, Any]) -> dict[str, Any]:
    """Return what is known, in order; capabilities as words in one string, one unconditional price as its rates."""
    said = {name: facts[name] for name in ORDER if facts.get(name) not in (None, [], {})}
    if [set(row) for row in said.get("prices", ())] == [{"rates"}]:
        said["rates"] = said.pop("prices")[0]["rates"]
    return {name: " ".join(value) if name in ("can", "cannot") else value for name, value in said.items()}


def dumped(value: Any) -> str:
    """Return *value* as compact JSON with exact numbers."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{dumped(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(dumped, value)) + "]"
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    return json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    main()
