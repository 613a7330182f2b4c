"""Books in a PostgreSQL database, over a real server."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from fiber import FiberConnectionError, FiberValidationError, PostgresUsage, Secret
from tests.kit import scripted, whole
from tests.usage.kit import BEGIN, FULL, record
from tests.usage.server import needs_postgres, running


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The URL of a server."""
    with tempfile.TemporaryDirectory(prefix="pg") as folder, running(Path(folder)) as (url, _):
        yield url


@pytest.fixture
def sink(url: str) -> Iterator[PostgresUsage]:
    """A sink with a table of its own."""
    sink = PostgresUsage(url, table=f'usage "{uuid4().hex}')
    yield sink
    sink.close()


def connection_of(sink: PostgresUsage) -> Any:
    """Return the connection that *sink* keeps."""
    return sink._connection


@needs_postgres
def test_rows_come_back_as_they_were(sink: PostgresUsage) -> None:
    """Every field, costs to the last digit, in the order of time."""
    sink.write([record(2), FULL])
    sink.write([record(1)])

    assert list(sink.records()) == [FULL, record(1), record(2)]


@needs_postgres
def test_a_period_is_half_open(sink: PostgresUsage) -> None:
    """From the one time on, and before the other, in whichever zone they are said."""
    zone = timezone(timedelta(hours=5))

    sink.write([record(number) for number in range(4)])
    found = sink.records(since=(BEGIN + timedelta(minutes=1)).astimezone(zone), until=BEGIN + timedelta(minutes=3))

    assert [one.id for one in found] == ["r1", "r2"]


@needs_postgres
def test_a_record_that_was_written_twice_is_one(sink: PostgresUsage) -> None:
    """By its id."""
    sink.write([record(1)])
    sink.write([record(1), record(2)])

    assert list(sink.records()) == [record(1), record(2)]


@needs_postgres
def test_a_table_without_records_is_empty(sink: PostgresUsage) -> None:
    """Reading makes it."""
    assert list(sink.records()) == []


@needs_postgres
def test_a_lost_connection_is_made_anew(sink: PostgresUsage) -> None:
    """The server may have ended it since the last write; nothing is lost or doubled."""
    sink.write([record(1)])
    with sink._connected() as other:
        other.execute("SELECT pg_terminate_backend(%s)", (connection_of(sink).info.backend_pid,))

    sink.write([record(2)])

    assert list(sink.records()) == [record(1), record(2)]


@needs_postgres
def test_a_closed_sink_opens_again(sink: PostgresUsage) -> None:
    """One that was never opened may be closed too."""
    sink.close()
    sink.write([record(1)])
    sink.close()
    sink.write([record(2)])

    assert list(sink.records()) == [record(1), record(2)]


@needs_postgres
def test_calls_are_written(url: str) -> None:
    """By a client that was told the URL; its close closes the connection."""
    fiber, _ = scripted(whole(), whole(), usage=url)

    fiber.sync.chat("Hi", context={"tenant": "pg"})
    fiber.sync.chat("Hi", context={"tenant": "pg"})
    fiber.sync.close()

    assert fiber.usage is not None
    assert fiber.usage.lost == 0
    assert [one.tenant for one in PostgresUsage(url).records()] == ["pg", "pg"]


@needs_postgres
def test_processes_that_make_the_table_at_once_do_not_fail(url: str) -> None:
    """And each writes all that is its own."""
    script = """
import sys
from fiber import PostgresUsage
from tests.usage.kit import record
sink = PostgresUsage(sys.argv[1], table="shared")
for batch in range(10):
    sink.write([record(n, id=f"{sys.argv[2]}-{n}") for n in range(batch * 10, batch * 10 + 10)])
sink.close()
"""

    writers = [subprocess.Popen([sys.executable, "-c", script, url, str(number)]) for number in range(4)]
    codes = [writer.wait(240) for writer in writers]

    assert codes == [0] * 4
    assert len({one.id for one in PostgresUsage(url, table="shared").records()}) == 400


@needs_postgres
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_forked_process_has_a_connection_of_its_own(url: str) -> None:
    """That of its parent goes on working, whatever the child does."""
    script = """
import os, sys
from fiber import PostgresUsage
from tests.usage.kit import record
sink = PostgresUsage(sys.argv[1], table="forked")
sink.write([record(1)])
child = os.fork()
if child == 0:
    sink.close()
    sink.write([record(2)])
    sink.close()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
kept = sink._connection
sink.write([record(3)])
assert sink._connection is kept
print(*[one.id for one in sink.records()])
sink.close()
"""

    done = subprocess.run([sys.executable, "-c", script, url], check=False, capture_output=True, text=True, timeout=240)

    assert (done.stdout, done.stderr) == ("r1 r2 r3\n", "")


@needs_postgres
def test_after_a_fork_the_connection_of_the_parent_is_left_alone(
    sink: PostgresUsage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not closed, and a new one is made."""
    sink.write([record(1)])
    first = connection_of(sink)

    with monkeypatch.context() as patch:
        patch.setattr("os.getpid", lambda: -1)
        sink.close()
        after_close = connection_of(sink)
        sink.write([record(2)])
        second = connection_of(sink)
        sink.close()

    assert after_close is first
    assert second is not first
    assert not first.closed
    first.close()


@needs_postgres
def test_a_server_that_is_away_is_an_error(tmp_path: Path) -> None:
    """Of ours where somebody reads, without the password; a writer counts the loss."""
    url = Secret(f"postgresql://fiber:canary@/postgres?host={tmp_path}")
    fiber, _ = scripted(whole(), usage=PostgresUsage(url))

    fiber.sync.chat("Hi")
    fiber.sync.close()
    with pytest.raises(FiberConnectionError) as caught:
        list(PostgresUsage(url).records())

    assert fiber.usage is not None
    assert fiber.usage.lost == 1
    assert "canary" not in f"{caught.value!r}"


def test_without_the_package_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the sink is made, and not when it is needed."""
    monkeypatch.setattr("fiber.usage.postgres.find_spec", lambda name: None)

    with pytest.raises(FiberValidationError, match="postgres"):
        PostgresUsage("postgresql://localhost/db")
