"""
The only reader of the environment.

Variables: each row's `key_env` and `base_url_env`, `FIBER_MODEL` (default model) and `FIBER_HTTP` (`httpx` or
`httpx2`). Nothing else is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from fiber.providers.row import Provider


def keys(rows: Iterable[Provider]) -> dict[str, str]:
    """Return the keys that are set, by row name; the first variable that is not empty wins."""
    return _first(rows, "key_env")


def base_urls(rows: Iterable[Provider]) -> dict[str, str]:
    """Return the base URLs that are set, by row name."""
    return _first(rows, "base_url_env")


def default_model() -> str:
    """Return `FIBER_MODEL`, or an empty string."""
    return os.environ.get("FIBER_MODEL", "").strip()


def http_library() -> str:
    """Return `FIBER_HTTP`, or an empty string for the best library installed."""
    return os.environ.get("FIBER_HTTP", "").strip()


def _first(rows: Iterable[Provider], field: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        values = (os.environ.get(variable, "").strip() for variable in getattr(row, field))
        value = next(filter(None, values), "")
        if value:
            found[row.name] = value
    return found
