"""`fiber providers`: who can be asked, and what for it is still missing."""

from __future__ import annotations

import argparse

from fiber._errors import FiberValidationError
from fiber._fiber import Fiber
from fiber.cli import output
from fiber.cli.client import client_for
from fiber.providers.row import Provider


def run(options: argparse.Namespace) -> int:
    """Print every row with the state of its key, never the key, and what sets it."""
    try:
        with client_for(options) as fiber:
            rows = [_told(fiber, row) for row in fiber.providers.values()]
    except FiberValidationError:  # none is usable yet, which is what the table is to show
        fiber = Fiber()
        rows = [_told(fiber, row) for row in fiber.providers.values()]
    if options.json:
        for row in rows:
            output.print_json(row)
    else:
        output.print_table("Providers", ("provider", "key", "key from", "format", "default model"), map(_cells, rows))
    return 0


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
