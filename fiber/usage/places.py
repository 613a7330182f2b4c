"""From where books are to who reads and writes them."""

from __future__ import annotations

import os
from pathlib import Path

from fiber._errors import FiberValidationError
from fiber.usage.postgres import PostgresUsage
from fiber.usage.sinks import JSONLUsage
from fiber.usage.sqlite import SQLiteUsage

_LINES = (".jsonl", ".ndjson")


def sink_at(where: str | os.PathLike[str]) -> JSONLUsage | PostgresUsage | SQLiteUsage:
    """
    Return who keeps books at *where*: a URL `postgresql://...`, a file of lines when it ends in `.jsonl`, else SQLite.

    Raises:
        FiberValidationError: Nothing is said, or it is the URL of something else.
    """
    text = os.fspath(where)
    scheme, found, _ = text.partition("://")
    if found and scheme in ("postgresql", "postgres"):
        return PostgresUsage(text)
    if found or not text:
        raise FiberValidationError(
            "Usage is kept in a file or at postgresql://...: say the path of a file, like usage.sqlite3.",
            parameter="usage",
            outcome="not_sent",
        )
    return JSONLUsage(text) if Path(text).suffix in _LINES else SQLiteUsage(text)
