"""Who takes records: a protocol, any function, or a file of lines."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from fiber._errors import FiberValidationError
from fiber.stores.locks import hold
from fiber.types.usage import UsageRecord

_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER = msgspec.json.Decoder(UsageRecord)


class UsageSink(Protocol):
    """
    Where records are written; on a thread of its own, so it may block, and what it raises reaches no call.

    One that has a method `close()` is closed with the client.
    """

    def write(self, records: list[UsageRecord], /) -> None:
        """Keep *records*, all or none of them; one whose `id` is kept already is left out."""
        ...


class UsageSource(Protocol):
    """Where records are read."""

    def records(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[UsageRecord]:
        """
        Yield what was written, in the order of time.

        Args:
            since: From this time on.
            until: Before this time.
        """
        ...


class FunctionUsage:
    """Call *function* with each record."""

    def __init__(self, function: Callable[[UsageRecord], object]) -> None:
        self._function = function

    def write(self, records: list[UsageRecord], /) -> None:
        """Call it; where it raises, the others still have their turn, and the first failure is raised at the end."""
        failure: BaseException | None = None
        for record in records:
            try:
                self._function(record)
            except BaseException as error:
                failure = failure or error
        if failure is not None:
            raise failure


class JSONLUsage:
    """
    Append records to the file *path*, one JSON document a line; several processes may do so at once.

    The file is made when it is missing, for its owner alone (0600), and nobody deletes from it.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = checked(path, "JSONLUsage")

    def __repr__(self) -> str:
        return f"JSONLUsage({str(self._path)!r})"

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    def write(self, records: list[UsageRecord], /) -> None:
        """Append *records* in one write, which no other process cuts in two."""
        lines = _ENCODER.encode_lines(records)
        file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
        try:
            hold(file)  # or the end of the file might be the middle of somebody's line
            if (size := os.fstat(file).st_size) and os.lseek(file, size - 1, os.SEEK_SET) and os.read(file, 1) != b"\n":
                lines = b"\n" + lines  # somebody's disk was full in the middle of a line
            while lines:
                lines = lines[os.write(file, lines) :]
        finally:
            os.close(file)

    def records(self, *, since: datetime | None = None, until: datetime | None = None) -> Iterator[UsageRecord]:
        """Yield what was written; lines that are no records are left out."""
        found: list[UsageRecord] = []
        with suppress(FileNotFoundError), open(self._path, "rb") as file:
            for line in file:
                with suppress(msgspec.MsgspecError, UnicodeDecodeError):
                    record = _DECODER.decode(line)
                    if (since is None or record.time >= since) and (until is None or record.time < until):
                        found.append(record)
        yield from sorted({record.id: record for record in found}.values(), key=lambda record: record.time)


def checked(path: str | os.PathLike[str], kind: str) -> Path:
    """
    Return *path*.

    Raises:
        FiberValidationError: It is none.
    """
    if not os.fspath(path):
        raise FiberValidationError(f"{kind} needs the path of a file.", parameter="path", outcome="not_sent")
    return Path(path)
