"""
The output of a batch: a file of answers that survives its writer.

A line is appended by one write when its answer is there, so a process that is killed leaves whole lines and at most one
torn one, the last, which the next run cuts off. Within a second it is on the disk. Each line holds the number and the
fingerprint of its line of input: what is answered, and whether the input is still the same, stands in this file alone.
In memory are 17 bytes for each line of input.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import msgspec

from fiber._errors import FiberError, FiberValidationError
from fiber.cli.lines import START, Line

SYNC_SECONDS = 1.0
"""What a power cut can lose: the answers of so many seconds. They are asked for again."""


class _Usage(msgspec.Struct):
    input_tokens: int = 0
    output_tokens: int = 0


class _Result(msgspec.Struct):
    usage: _Usage
    cost_usd: Decimal | None = None


class _Answer(msgspec.Struct):
    line: int
    input: str
    result: _Result | None = None
    error: dict[str, Any] | None = None


_decode = msgspec.json.Decoder(_Answer).decode


class Answers:
    """
    The output file *path*, held by this process alone, as `with` block.

    Attributes:
        done: Lines that are in it; `failed` of them with an error.
        cost_usd, tokens: What its results cost and used, as far as that is known.

    Raises:
        FiberValidationError: It cannot be opened, another process holds it, or something else is in it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()  # a link stays one when the file is rewritten
        self._timer: asyncio.TimerHandle | None = None
        self._file = self._opened()
        try:
            self._load()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        try:
            self._sync()
        finally:
            self._file.close()

    def has(self, line: Line) -> bool:
        """
        Say whether *line* is answered.

        Raises:
            FiberValidationError: What was answered under its number was another text.
        """
        known = self._prints[line.number] if line.number < len(self._prints) else 0
        if known and known != line.fingerprint:
            raise FiberValidationError(
                f"Line {line.number} of the input is not the one that {self._path} answers: the input has changed. Give"
                " a new output, or the old input; lines may be added at its end.",
                parameter="input",
                outcome="not_sent",
            )
        return bool(known)

    def write(self, line: Line, answer: bytes, *, failed: bool) -> None:
        """
        Append *answer*, which is that of *line*.

        Raises:
            FiberError: It cannot be written.
        """
        left = answer
        with self._writing():
            while left:
                left = left[os.write(self._file.fileno(), left) :]
        self._note(line.number, line.fingerprint, self._end, failed=failed)
        self._end += len(answer)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync_quietly)

    def forget_failed(self) -> None:
        """Take the lines with errors out of the file, so that they are asked for again."""
        if self.failed:
            self._rewrite(number for number, failed in enumerate(self._failed) if not failed)

    def order(self) -> None:
        """Bring the file into the order of the input."""
        places = [place for place in self._places if place]
        if places != sorted(places):
            self._rewrite(range(len(self._places)))

    def _opened(self) -> Any:
        with self._reading():
            is_new = not self._path.exists()
            file = self._path.open("a+b", buffering=0)
            try:
                _lock(file)
                if os.path.samestat(os.fstat(file.fileno()), self._path.stat()):
                    if is_new:
                        _sync_folder(self._path)
                    return file
                file.close()
            except BlockingIOError:
                file.close()
            except BaseException:
                file.close()
                raise
        raise FiberValidationError(
            f"Another process is writing {self._path}: wait for it, or give another output.",
            parameter="output",
            outcome="not_sent",
        )

    def _load(self) -> None:
        self._prints, self._places, self._failed = array("Q"), array("Q"), bytearray()
        self.done = self.failed = self.tokens = self._end = 0
        self.cost_usd = Decimal(0)
        with self._reading(), self._path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                if not raw.endswith(b"\n") and (START.startswith(raw[: len(START)]) or not raw.strip(b"\0")):
                    os.ftruncate(self._file.fileno(), self._end)
                    return
                answer = self._read(number, raw)
                self._note(answer.line, int(answer.input, 16), self._end, failed=answer.error is not None)
                if answer.result is not None:
                    self.cost_usd += answer.result.cost_usd or 0
                    self.tokens += answer.result.usage.input_tokens + answer.result.usage.output_tokens
                self._end += len(raw)

    def _read(self, number: int, raw: bytes) -> _Answer:
        with suppress(ValueError):
            answer = _decode(raw)
            seen = 0 < answer.line < len(self._prints) and self._prints[answer.line]
            is_whole = raw.endswith(b"\n") and (answer.result is None) is not (answer.error is None)
            if is_whole and answer.line > 0 and int(answer.input, 16) in range(1, 1 << 64) and not seen:
                return answer
        raise FiberValidationError(
            f"Line {number} of {self._path} is not an answer of a batch, or one that is there already: give another"
            " output, or take it out.",
            parameter="output",
            outcome="not_sent",
        )

    def _note(self, number: int, fingerprint: int, place: int, *, failed: bool) -> None:
        missing = number + 1 - len(self._prints)
        if missing > 0:
            self._prints.frombytes(bytes(8 * missing))
            self._places.frombytes(bytes(8 * missing))
            self._failed.extend(bytes(missing))
        self._prints[number], self._places[number], self._failed[number] = fingerprint, place + 1, failed
        self.done += 1
        self.failed += failed

    def _rewrite(self, numbers: Any) -> None:
        """Put a file with the answers of *numbers*, in this order, in the place of this one: all of it or nothing."""
        fresh = self._path.with_name(self._path.name + ".fiber-new")
        with self._writing():
            with self._path.open("rb") as old, fresh.open("wb") as new:
                for number in numbers:
                    if place := self._places[number]:
                        old.seek(place - 1)
                        new.write(old.readline())
                shutil.copymode(self._path, fresh)
                new.flush()
                os.fsync(new.fileno())
            os.replace(fresh, self._path)
            _sync_folder(self._path)
        held, self._file = self._file, self._opened()
        held.close()  # not before: a process that waits for the lock must see that the file is another one
        self._load()

    def _sync_quietly(self) -> None:
        with suppress(OSError):  # the end of the run tries again, and says it
            os.fsync(self._file.fileno())
            self._timer = None

    def _sync(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            with self._writing():
                os.fsync(self._file.fileno())

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FiberValidationError(
                f"The output {self._path} cannot be opened: {error.strerror}.", parameter="output", outcome="not_sent"
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise FiberError(
                f"The output {self._path} cannot be written: {error.strerror}. Mend that, and run the command again."
            ) from error


def _lock(file: Any) -> None:
    """Lock *file* until it is closed or its process ends; raise `BlockingIOError` when another one has it."""
    try:
        import fcntl
    except ImportError:  # Windows has no such lock
        return
    fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_folder(path: Path) -> None:
    """Have the name of *path* on the disk too."""
    with suppress(PermissionError):  # Windows opens no folders
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
