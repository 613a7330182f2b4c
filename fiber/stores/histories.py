"""
Where conversations are kept: in memory, in files, in SQLite. Plain functions that may block, like all stores.

Each saving names the revision that it follows, so that two who go on from one point cannot overwrite each other.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Protocol

from fiber._errors import FiberValidationError
from fiber.stores.locks import hold

_BUSY_SECONDS = 10.0


class HistoryStore(Protocol):
    """
    Keeps conversations by id.

    Attributes:
        quick: No method waits for anything, so that they may be called on an event loop.
    """

    quick: bool

    def load(self, id: str) -> bytes | None:
        """Return what was saved last under *id*; None when nothing was."""
        ...

    def save(self, id: str, data: bytes, *, revision: int) -> None:
        """
        Keep *data* as *revision* of *id*, the first being 1.

        Raises:
            FiberValidationError: Another one saved that revision.
        """
        ...

    def delete(self, id: str) -> None:
        """Forget *id*."""
        ...


class MemoryHistories:
    """Keep conversations in this process, for as long as it lives."""

    quick = True

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, bytes]] = {}
        self._lock = Lock()

    def load(self, id: str) -> bytes | None:
        """Return what was saved last."""
        return self._kept.get(id, (0, None))[1]

    def save(self, id: str, data: bytes, *, revision: int) -> None:
        """Keep *data*."""
        with self._lock:
            if self._kept.get(id, (0, b""))[0] != revision - 1:
                raise _conflict(id)
            self._kept[id] = (revision, data)

    def delete(self, id: str) -> None:
        """Forget *id*."""
        with self._lock:
            self._kept.pop(id, None)


class FileHistories:
    """
    Keep conversations in files below *path*: one each, readable by its owner alone, named after a hash of its id.

    The folder is made when it is missing, for its owner alone (0700).
    """

    quick = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not os.fspath(path):
            raise FiberValidationError("FileHistories needs a folder.", parameter="path")
        self._path = Path(path)

    def load(self, id: str) -> bytes | None:
        """Return what was saved last."""
        while files := self._files(id):
            with suppress(FileNotFoundError):  # a newer one took its place just now
                return files[-1][1].read_bytes()
        return None

    def save(self, id: str, data: bytes, *, revision: int) -> None:
        """Keep *data*: written beside, then put in its place in one step."""
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=self._path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            with self._locked():
                before = self._files(id)
                if (before[-1][0] if before else 0) != revision - 1:
                    raise _conflict(id)
                os.replace(name, self._path / f"{_hash(id)}.{revision}.json")
                for _, old in before:
                    old.unlink()
        finally:
            Path(name).unlink(missing_ok=True)

    def delete(self, id: str) -> None:
        """Forget *id*."""
        if self._path.exists():
            with self._locked():
                for _, file in self._files(id):
                    file.unlink()

    def _files(self, id: str) -> list[tuple[int, Path]]:
        """Return the files of *id* by revision; two only while one takes the place of the other, or after a crash."""
        return sorted((int(file.name.split(".")[1]), file) for file in self._path.glob(f"{_hash(id)}.*.json"))

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Have the folder for oneself, among threads and processes."""
        file = os.open(self._path / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            hold(file)
            yield
        finally:
            os.close(file)


class SQLiteHistories:
    """Keep conversations in the table `histories` of the SQLite file *path*, which is made when it is missing."""

    quick = False

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not os.fspath(path):
            raise FiberValidationError("SQLiteHistories needs a file.", parameter="path")
        self._path = os.fspath(path)

    def load(self, id: str) -> bytes | None:
        """Return what was saved last."""
        with self._opened() as database:
            row = database.execute("SELECT data FROM histories WHERE id = ?", (id,)).fetchone()
        return None if row is None else row[0]

    def save(self, id: str, data: bytes, *, revision: int) -> None:
        """Keep *data*."""
        with self._opened() as database:
            if revision == 1:
                done = database.execute("INSERT OR IGNORE INTO histories VALUES (?, 1, ?)", (id, data))
            else:
                done = database.execute(
                    "UPDATE histories SET revision = ?, data = ? WHERE id = ? AND revision = ?",
                    (revision, data, id, revision - 1),
                )
            if done.rowcount != 1:
                raise _conflict(id)

    def delete(self, id: str) -> None:
        """Forget *id*."""
        with self._opened() as database:
            database.execute("DELETE FROM histories WHERE id = ?", (id,))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Connect, for one transaction: cheap beside a call, and no thread or forked child shares a connection."""
        try:
            with closing(sqlite3.connect(self._path, timeout=_BUSY_SECONDS)) as database, database:
                database.execute(
                    "CREATE TABLE IF NOT EXISTS histories (id TEXT PRIMARY KEY, revision INTEGER, data BLOB)"
                )
                yield database
        except sqlite3.Error as error:
            raise FiberValidationError(
                f"{self._path} cannot keep conversations ({error}): say another file.", parameter="path"
            ) from None


def _hash(id: str) -> str:
    return sha256(id.encode("utf-8", "surrogatepass")).hexdigest()


def _conflict(id: str) -> FiberValidationError:
    return FiberValidationError(
        f"Somebody else went on with the conversation {id!r} meanwhile: load() it and send again.",
        parameter="conversation",
    )
