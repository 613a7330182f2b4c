"""Records in a PostgreSQL database, which the machines of a team share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import Any

from fiber._errors import FiberConnectionError, FiberValidationError
from fiber.types.http import Secret
from fiber.types.usage import FIELDS, UsageRecord
from fiber.usage.sqlite import cell, record_of_row

_CONNECT_SECONDS = 10
_LOCK = 0x66696265
"""Key of the advisory lock under which the table is made: two that make it at once would fail."""

_TYPES = {
    **{name: "BIGINT" for name in FIELDS if name.endswith("_tokens")},
    **{name: "NUMERIC" for name in FIELDS if name.endswith("_usd")},
    "id": "TEXT PRIMARY KEY",
    "time": "TIMESTAMPTZ NOT NULL",
    "metadata": "JSONB",
    "attempts": "INTEGER",
    "stream": "BOOLEAN",
    "cached": "BOOLEAN",
    "latency_ms": "DOUBLE PRECISION",
    "ttfb_ms": "DOUBLE PRECISION",
}
_NAMES = ", ".join(f'"{name}"' for name in FIELDS)  # `user` is a word of the language
_COLUMNS = ", ".join(f'"{name}" {_TYPES.get(name, "TEXT")}' for name in FIELDS)
_MARKS = ", ".join(f"%({name})s" for name in FIELDS)
_INSERT = f"INSERT INTO {{table}} ({_NAMES}) VALUES ({_MARKS}) ON CONFLICT (id) DO NOTHING"
_SELECT = (
    f"SELECT {_NAMES} FROM {{table}} WHERE time >= coalesce(%(since)s::timestamptz, '-infinity')"
    " AND time < coalesce(%(until)s::timestamptz, 'infinity') ORDER BY time"
)


class PostgresUsage:
    """
    Write records into a table of a PostgreSQL database, and read them; needs the extra `postgres`.

    The table is made when it is missing, with an index on `time`. One connection is kept; a broken one is made anew
    once, and what still cannot be written is lost.

    Args:
        url: `postgresql://user:password@host/database`, or any other connection string of libpq.
        table: Its name.

    Raises:
        FiberValidationError: The package psycopg is not installed.
    """

    def __init__(self, url: str | Secret, *, table: str = "fiber_usage") -> None:
        if find_spec("psycopg") is None:
            raise FiberValidationError(
                "PostgresUsage needs psycopg: pip install 'fiber-llm[postgres]'.", parameter="usage", outcome="not_sent"
            )
        self._url = url if isinstance(url, Secret) else Secret(url)
        self._table = table
        self._abandoned: list[Any] = []
        self._begin_anew()

    def __repr__(self) -> str:
        return f"PostgresUsage(table={self._table!r})"

    def _begin_anew(self) -> None:
        self._process = os.getpid()
        self._lock = Lock()
        self._connection: Any = None

    def write(self, records: list[UsageRecord], /) -> None:
        """Insert *records* in one transaction."""
        if self._process != os.getpid():
            # The connection is the parent's: it is neither used nor closed, nor collected, here.
            self._abandoned.append(self._connection)
            self._begin_anew()
        rows = [{name: _value(getattr(record, name)) for name in FIELDS} for record in records]
        with self._lock:
            try:
                self._insert(rows)
            except _psycopg().OperationalError:  # the server went away since the last time
                self._drop()
                self._insert(rows)

    def records(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[UsageRecord]:
        """
        Yield what was written, in the order of time.

        Raises:
            FiberConnectionError: The database cannot be read.
        """
        psycopg = _psycopg()
        try:
            with self._connected() as connection, connection.transaction():
                # Rows come in portions, as with every cursor that has a name.
                with connection.cursor(name="usage", row_factory=psycopg.rows.dict_row) as cursor:
                    for row in cursor.execute(self._said(_SELECT), {"since": since, "until": until}):
                        yield record_of_row({**row, "time": row["time"].astimezone(UTC)})
        except psycopg.Error as error:
            raise FiberConnectionError(
                f"The usage in PostgreSQL cannot be read ({type(error).__name__}): check the URL and the server.",
                outcome="not_sent",
            ) from None

    def close(self) -> None:
        """Close the connection; a later write makes another."""
        if self._process == os.getpid():
            with self._lock:
                self._drop()

    def _insert(self, rows: list[dict[str, Any]]) -> None:
        if self._connection is None:
            self._connection = self._connected()
        with self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(self._said(_INSERT), rows)

    def _connected(self) -> Any:
        connection = _psycopg().connect(self._url.reveal(), connect_timeout=_CONNECT_SECONDS, autocommit=True)
        with connection.transaction():
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            connection.execute(self._said(f"CREATE TABLE IF NOT EXISTS {{table}} ({_COLUMNS})"))
            connection.execute(self._said("CREATE INDEX IF NOT EXISTS {index} ON {table} (time)"))
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _said(self, statement: str) -> Any:
        sql = _psycopg().sql
        return sql.SQL(statement).format(table=sql.Identifier(self._table), index=sql.Identifier(f"{self._table}_time"))


def _value(value: object) -> Any:
    """Return *value* as psycopg takes it: times, decimals and truths as they are."""
    return cell(value) if isinstance(value, dict) else value


def _psycopg() -> Any:
    import_module("psycopg.rows")
    import_module("psycopg.sql")
    return import_module("psycopg")
