"""`fiber providers`: who can be asked, what for it is still missing, and whether they answer."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fiber._errors import FiberError, FiberValidationError
from fiber._fiber import Fiber
from fiber.cli import output
from fiber.cli.client import client_for
from fiber.cli.codes import DONE, FAILED
from fiber.cli.models import asked
from fiber.providers.row import Provider

SECONDS = 10.0
"""Who takes longer for a list is not well."""
_AT_A_TIME = 8


def run(options: argparse.Namespace) -> int:
    """Print every row with the state of its key, never the key, and what sets it; or who answers."""
    if options.ping:
        return _pinged(options)
    try:
        with client_for(options) as fiber:
            rows = [_told(fiber, row) for row in fiber.providers.values()]
    except FiberValidationError:  # none is usable yet, which is what the table is to show
        fiber = Fiber()
        rows = [_told(fiber, row) for row in fiber.providers.values()]
    if options.provider:
        name = fiber.route("-", provider=options.provider).provider
        rows = [row for row in rows if row["provider"] == name]
    if options.json:
        for row in rows:
            output.print_json(row)
    else:
        output.print_table("Providers", ("provider", "key", "key from", "format", "default model"), map(_cells, rows))
    return DONE


def _pinged(options: argparse.Namespace) -> int:
    """Ask for the lists of models, several at a time; exit code 1 when one does not come."""
    with client_for(options) as fiber:
        rows = [row for row in asked(fiber, options.provider) if row.models_path]

        def told(row: Provider) -> dict[str, object]:
            try:
                return {
                    "provider": row.name,
                    "ok": True,
                    "seconds": round(fiber.sync.ping(row.name, timeout=SECONDS), 3),
                }
            except FiberError as error:
                return {"provider": row.name, "ok": False, "error": output.facts_of(error)}

        with ThreadPoolExecutor(_AT_A_TIME) as threads:
            answers = list(threads.map(told, rows))
    if options.json:
        for answer in answers:
            output.print_json(answer)
    else:
        output.print_table("Lists of models", ("provider", "seconds", "outcome"), map(_outcome, answers))
    if not answers:
        output.note("nobody can be asked: no provider that has a key has a list of models.")
    return DONE if answers and all(answer["ok"] for answer in answers) else FAILED


def _outcome(answer: Mapping[str, Any]) -> tuple[str, str, str]:
    error = answer.get("error")
    said = f"{error['type']}: {error['message']}" if error else "ok"
    return answer["provider"], str(answer.get("seconds", "")), said


def _told(fiber: Fiber, row: Provider) -> dict[str, object]:
    return {
        "provider": row.name,
        "key": _state(fiber, row),
        "key_env": row.key_env,
        "format": row.adapter if isinstance(row.adapter, str) else row.adapter.name,
        "base_url": row.base_url,
        "default_model": row.default_model,
        "docs_url": row.docs_url,
    }


def _state(fiber: Fiber, row: Provider) -> str:
    if not row.needs_key:
        return "not needed"
    if not fiber.has_key(row.name):
        return "missing"
    return "set" if row.is_placed else "set, base URL missing"


def _cells(row: dict[str, object]) -> tuple[str, ...]:
    variables = row["key_env"]
    first = str(variables[0]) if isinstance(variables, tuple) and variables else ""
    return (str(row["provider"]), str(row["key"]), first, str(row["format"]), str(row["default_model"]))
