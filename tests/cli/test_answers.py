"""The output file of a batch: whole lines, one writer, nothing lost."""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fiber import ChatResult, FiberError, FiberValidationError, Usage
from fiber.cli import answers as module
from fiber.cli.answers import Answers
from fiber.cli.lines import Line, answer_of

RESULT = ChatResult(usage=Usage(input_tokens=2, output_tokens=3, cost_usd=Decimal("0.5")))
LINES = [Line(number, f'"text {number}"'.encode()) for number in (1, 2, 4)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Name an output that is not there."""
    return tmp_path / "out.jsonl"


def put(answers: Answers, *lines: Line, error: bool = False) -> None:
    """Write an answer for each of *lines*."""

    async def work() -> None:
        for line in lines:
            outcome = FiberError("no") if error else RESULT
            answers.write(line, answer_of(line, outcome), failed=error)

    asyncio.run(work())


def filled(path: Path, *lines: Line, error: bool = False) -> None:
    """Put an answer for each of *lines* into *path*."""
    with Answers(path) as answers:
        put(answers, *lines, error=error)


def numbers(path: Path) -> list[int]:
    """Return the numbers of the lines that *path* answers, as they stand there."""
    return [json.loads(line)["line"] for line in path.read_bytes().splitlines()]


def test_what_was_written_is_known_to_the_next(path: Path) -> None:
    """Which lines are done, how many failed, what they cost and used."""
    filled(path, LINES[2], LINES[0])
    filled(path, LINES[1], error=True)

    with Answers(path) as answers:
        found = (answers.done, answers.failed, answers.cost_usd, answers.tokens)
        known = [answers.has(line) for line in [*LINES, Line(3, b'"x"'), Line(99, b'"x"')]]

    assert found == (3, 1, Decimal("1.0"), 10)
    assert known == [True, True, True, False, False]
    assert numbers(path) == [4, 1, 2]


def test_a_torn_last_line_is_cut_off_wherever_it_was_torn(path: Path) -> None:
    """Also when it is only a few bytes, or blocks of zeros that a power cut leaves."""
    filled(path, *LINES)
    whole = path.read_bytes()
    start = whole[:-1].rindex(b"\n") + 1

    for torn in (*(whole[:end] for end in range(start + 1, len(whole))), whole + bytes(100), whole[:-3] + bytes(3)):
        path.write_bytes(torn)
        with Answers(path) as answers:
            done = answers.done
            missing = [line for line in LINES if not answers.has(line)]
            put(answers, *missing)

        assert (done + len(missing), path.read_bytes()) == (3, whole)


@pytest.mark.parametrize(
    "strange",
    [
        b"my diary",
        b"my diary\n",
        b'{"a":1}\n',
        b'{"line":1,"id":1,"input":"zz","error":{}}\n',
        b'{"line":0,"id":1,"input":"1","error":{}}\n',
        b'{"line":1,"id":1,"input":"0","error":{}}\n',
        b'{"line":1,"id":1,"input":"1"}\n',
        b'{"line":1,"id":1,"input":"1","error":{},"result":{"usage":{}}}\n',
        b'{"line":1,"id":1,"input":"1","error":{}}\n' * 2,
        b'{"line":1,"id":\n{"line":1,"id":1,"input":"1","error":{}}\n',
        b"\0\0\n",
    ],
)
def test_a_file_of_something_else_is_left_alone(path: Path, strange: bytes) -> None:
    """It may be dear to somebody."""
    path.write_bytes(strange)

    with pytest.raises(FiberValidationError, match="not an answer") as found:
        Answers(path)

    assert found.value.parameter == "output"
    assert path.read_bytes() == strange


def test_a_line_that_has_changed_is_refused(path: Path) -> None:
    """Its answer is that of another question."""
    filled(path, *LINES)

    with Answers(path) as answers, pytest.raises(FiberValidationError, match=r"Line 2 .* has changed"):
        answers.has(Line(2, b'"other"'))


def test_a_second_writer_is_refused(path: Path) -> None:
    """Until the first is done."""
    with Answers(path):
        with pytest.raises(FiberValidationError, match="Another process"):
            Answers(path)
    with Answers(path) as answers:
        assert answers.done == 0


def test_a_file_that_was_replaced_meanwhile_is_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who opened it before another process rewrote it would write into nowhere."""

    def replace(file: Any) -> None:
        other = path.with_name("other")
        other.touch()
        os.replace(other, path)

    monkeypatch.setattr(module, "_lock", replace)

    with pytest.raises(FiberValidationError, match="Another process"):
        Answers(path)


def test_failed_lines_can_be_taken_out(path: Path) -> None:
    """Then they are not answered; without any, the file is left as it is."""
    filled(path, LINES[2], LINES[0])
    filled(path, LINES[1], error=True)

    with Answers(path) as answers:
        answers.forget_failed()
        found = (answers.done, answers.failed, [answers.has(line) for line in LINES])
        answers.forget_failed()
        put(answers, LINES[1])

    assert found == (2, 0, [True, False, True])
    assert numbers(path) == [1, 4, 2]
    assert os.listdir(path.parent) == ["out.jsonl"]


def test_the_file_can_be_brought_into_order(path: Path) -> None:
    """Every answer is in it as it was, and the lock still holds; one that is in order is left as it is."""
    filled(path, *reversed(LINES))
    before = sorted(path.read_bytes().splitlines())

    with Answers(path) as answers:
        answers.order()
        inode = path.stat().st_ino
        answers.order()
        with pytest.raises(FiberValidationError, match="Another process"):
            Answers(path)

    assert (numbers(path), path.stat().st_ino) == ([1, 2, 4], inode)
    assert sorted(path.read_bytes().splitlines()) == before


def test_answers_are_on_the_disk_soon(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once for all of a moment, and at the end for the rest; a disk that fails meanwhile is asked again."""
    synced: list[int] = []

    async def work(answers: Answers) -> None:
        on_disk = asyncio.Event()

        def fsync(file: int) -> None:
            synced.append(path.stat().st_size)
            on_disk.set()
            if len(synced) == 1:
                raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "fsync", fsync)
        for line in LINES[:2]:
            answers.write(line, answer_of(line, RESULT), failed=False)
        await on_disk.wait()

    monkeypatch.setattr(module, "SYNC_SECONDS", 0.0)
    with Answers(path) as answers:
        asyncio.run(work(answers))

    assert synced == [path.stat().st_size] * 2


def test_nothing_written_is_nothing_to_put_on_the_disk(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that has nothing to do does nothing."""
    filled(path, LINES[0])
    monkeypatch.setattr(os, "fsync", _full)

    with Answers(path) as answers:
        done = answers.done

    assert done == 1


def _full(*arguments: Any) -> Any:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("name", ["write", "fsync"])
def test_a_full_disk_is_told(path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """With what to do; the file is closed, and what is whole in it counts."""
    with pytest.raises(FiberError, match="No space left on device"), Answers(path) as answers:
        monkeypatch.setattr(os, name, _full)
        put(answers, LINES[0])
    monkeypatch.undo()

    with Answers(path) as answers:
        assert answers.done == (name == "fsync")


def test_a_line_is_written_whole_however_little_is_taken(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The system may take a part of it at a time."""
    write: Callable[[int, bytes], int] = os.write

    with Answers(path) as answers:
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", lambda file, data: write(file, data[:7]))
            put(answers, *LINES)

    assert numbers(path) == [1, 2, 4]


def test_a_rewritten_file_keeps_its_mode_and_its_links(path: Path) -> None:
    """Who may read it, and the name that leads to it."""
    link = path.with_name("link")
    path.touch(0o600)
    link.symlink_to(path)
    filled(link, *reversed(LINES))

    with Answers(link) as answers:
        answers.order()

    assert (link.is_symlink(), path.stat().st_mode & 0o777, numbers(path)) == (True, 0o600, [1, 2, 4])


def test_a_lock_that_fails_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some file systems have none; the file is closed."""
    monkeypatch.setattr(module, "_lock", _full)

    with pytest.raises(FiberValidationError, match="cannot be opened"):
        Answers(path)


@pytest.mark.parametrize("name", ["missing/out.jsonl", "."])
def test_an_output_that_cannot_be_opened_is_told(tmp_path: Path, name: str) -> None:
    """With the reason."""
    with pytest.raises(FiberValidationError, match="cannot be opened") as found:
        Answers(tmp_path / name)

    assert found.value.parameter == "output"


def test_without_locks_of_files_there_is_none(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system that has none, two writers do not see each other."""
    monkeypatch.setitem(__import__("sys").modules, "fcntl", None)

    with Answers(path), Answers(path) as answers:
        assert answers.done == 0
