"""Records in one SQLite file, which the processes of a machine share."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from fiber import _env
from fiber._errors import FiberValidationError
from fiber.types.usage import FIELDS, UsageRecord
from fiber.usage.sinks import checked

FILE = "usage.sqlite3"

_BUSY_SECONDS = 10.0
_TYPES = {"stream": "INTEGER", "cached": "INTEGER", "attempts": "INTEGER", "latency_ms": "REAL", "ttfb_ms": "REAL"}
_COLUMNS = ", ".join(
    f"{name} {'INTEGER' if name.endswith('_tokens') else _TYPES.get(name, 'TEXT')}"
    f"{' PRIMARY KEY' if name == 'id' else ''}"
    for name in FIELDS
)
_MARKS = ", ".join("?" * len(FIELDS))


class SQLiteUsage:
    """
    Write records into the table `usage` of a SQLite file, and read them; several processes may do so at once.

    The file is made when it is missing, for its owner alone, as is the folder of the default one. Costs are exact
    decimal texts, times UTC in ISO 8601.

    Args:
        path: The file; `usage.sqlite3` in the folder `fiber` for the state of the user's programs when not given:
            below `XDG_STATE_HOME` or `~/.local/state`, on macOS `~/Library/Application Support`, on Windows
            `%LOCALAPPDATA%`.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self._is_default = path is None
        self._path = checked(_env.state_folder() / FILE if path is None else path, "SQLiteUsage")

    def __repr__(self) -> str:
        return f"SQLiteUsage({str(self._path)!r})"

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def write(self, records: list[UsageRecord], /) -> None:
        """Insert *records* in one transaction."""
        if self._is_default:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        with closing(self._connected()) as database, database:
            database.execute(f"CREATE TABLE IF NOT EXISTS usage ({_COLUMNS})")
            database.execute("CREATE INDEX IF NOT EXISTS usage_time ON usage (time)")
            # One by one: between rows calls have their turn, which a long list would keep waiting.
            rows = ([cell(getattr(record, name)) for name in FIELDS] for record in records)
            database.executemany(f"INSERT OR IGNORE INTO usage ({', '.join(FIELDS)}) VALUES ({_MARKS})", rows)

    def records(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[UsageRecord]:
        """
        Yield what was written, in the order of time.

        Raises:
            FiberValidationError: It is the file of something else.
        """
        if not self._path.exists():
            return
        first = "" if since is None else cell(since.astimezone(UTC))
        last = "~" if until is None else cell(until.astimezone(UTC))
        asked = f"SELECT {', '.join(FIELDS)} FROM usage WHERE time >= ? AND time < ? ORDER BY time, rowid"
        try:
            with closing(self._connected()) as database:
                if database.execute("SELECT 1 FROM sqlite_master WHERE name = 'usage'").fetchone():
                    for row in database.execute(asked, (first, last)):
                        yield record_of_row(dict(zip(FIELDS, row, strict=True)))
        except (sqlite3.Error, msgspec.MsgspecError) as error:
            raise FiberValidationError(
                f"{self._path} holds no usage that can be read ({error}): say another file.", parameter="usage"
            ) from None

    def _connected(self) -> sqlite3.Connection:
        # A connection for each use: a write is for many records, and none is shared by threads or forked children.
        database = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level="IMMEDIATE")
        try:
            with suppress(sqlite3.OperationalError):  # another process is just doing the same
                database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
        except BaseException:  # it is no database
            database.close()
            raise
        return database


def cell(value: object) -> Any:
    """Return *value* as a text or a number."""
    match value:
        case bool():
            return int(value)
        case datetime():
            return value.isoformat(timespec="microseconds")
        case Decimal():
            return f"{value:f}"
        case None | str() | int() | float():
            return value
    return msgspec.json.encode(value).decode()


def record_of_row(row: dict[str, Any]) -> UsageRecord:
    """Return the record that *row* is, by names of columns."""
    known = {name: value for name, value in row.items() if value is not None}
    if isinstance(known.get("metadata"), str):
        known["metadata"] = msgspec.json.decode(known["metadata"])
    return msgspec.convert(known, UsageRecord, strict=False)
