"""`fiber models`: what the providers offer, from their own lists."""

from __future__ import annotations

import argparse

from fiber._errors import FiberError
from fiber._fiber import Fiber
from fiber.cli import output
from fiber.cli.client import client_for
from fiber.providers.row import Provider
from fiber.providers.table import PROVIDERS


def run(options: argparse.Namespace) -> int:
    """Print the models of one provider, or of every provider with a key; a provider that fails is told and skipped."""
    failed = 0
    with client_for(options) as fiber:
        for row in asked(fiber, options.provider):
            if not row.models_path:
                failed = 1
                output.note(f"{row.name} has no list of models.")
                continue
            try:
                names = fiber.sync.models(row.name)
            except FiberError as error:
                failed = 1
                output.note(f"{row.name}: {type(error).__name__}: {error}")
                continue
            for name in names:
                if options.json:
                    output.print_json({"provider": row.name, "model": name})
                else:
                    print(f"{row.name}:{name}")
    return failed


def asked(fiber: Fiber, provider: str | None) -> list[Provider]:
    """Return the row of *provider*; else those with a key, of several over one list the first."""
    rows = fiber.providers
    if provider is not None:
        return [rows[fiber.route("-", provider=provider).provider]]
    lists = {
        (row.base_url, row.models_path, row.key_env): row
        for row in reversed(list(rows.values()))
        if fiber.has_key(row.name) and _is_worth_asking(row)
    }
    return list(reversed(lists.values()))


def _is_worth_asking(row: Provider) -> bool:
    """Say whether *row* has a list of its own, and, if it is a server on this machine, somebody named it."""
    return bool(row.models_path and row.is_placed and not row.key_of) and (row.needs_key or row not in PROVIDERS)
