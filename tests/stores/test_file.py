"""The store of files."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fiber import FiberValidationError, FileStore


def only(path: Path) -> Path:
    """Return the one file of *path*."""
    (file,) = path.iterdir()
    return file


@pytest.mark.parametrize("compress", [False, True])
def test_a_value_is_kept_until_it_expires(tmp_path: Path, compress: bool) -> None:
    """Also for another object over the same folder."""
    FileStore(tmp_path / "deep" / "er", compress=compress).set("a", b"x" * 5000, seconds=10, now=100)
    store = FileStore(tmp_path / "deep" / "er")

    assert store.get("a", now=109) == b"x" * 5000
    assert store.get("a", now=110) is None
    assert store.get("b", now=100) is None
    assert (only(tmp_path / "deep" / "er").stat().st_size < 1000) is compress


def test_only_the_owner_can_read(tmp_path: Path) -> None:
    """The folder is 0700, a file 0600, whatever the umask says."""
    before = os.umask(0)
    try:
        FileStore(tmp_path / "cache").set("a", b"1", seconds=10, now=0)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert stat.S_IMODE(only(tmp_path / "cache").stat().st_mode) == 0o600


@pytest.mark.parametrize("key", ["../../evil", "/etc/passwd", "a\0b", "\ud800", "x" * 5000])
def test_no_key_leads_out_of_the_folder(tmp_path: Path, key: str) -> None:
    """Files are named after a hash."""
    store = FileStore(tmp_path / "cache")
    store.set(key, b"1", seconds=10, now=0)

    assert store.get(key, now=1) == b"1"
    assert only(tmp_path) == tmp_path / "cache"
    assert len(only(tmp_path / "cache").name) == 70


def test_what_is_damaged_is_nothing(tmp_path: Path) -> None:
    """Cut at any byte, with any byte changed, or another kind of file."""
    store = FileStore(tmp_path)
    store.set("a", b"value", seconds=1e9, now=0)
    whole = only(tmp_path).read_bytes()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]

    for content in [*damaged, whole + b"x", b"{}", b"fiber\x02" + whole[6:]]:
        only(tmp_path).write_bytes(content)
        assert store.get("a", now=1) is None
    store.set("a", b"other", seconds=10, now=1)
    assert store.get("a", now=1) == b"other"


def test_what_is_over_or_abandoned_is_swept(tmp_path: Path) -> None:
    """With a later write; files of others, and of writers that may live, are left alone."""
    FileStore(tmp_path).set("old", b"1", seconds=10, now=0)
    FileStore(tmp_path).set("living", b"1", seconds=1e6, now=0)
    for name in ("cut.fiber", "dead.tmp", "alive.tmp", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    os.utime(tmp_path / "dead.tmp", (0, 0))
    os.utime(tmp_path / "alive.tmp", (5000, 5000))
    store = FileStore(tmp_path)
    store.set("new", b"2", seconds=1e6, now=5000)
    store.set("newer", b"2", seconds=1e6, now=5001)

    names = sorted(file.name for file in tmp_path.iterdir())
    assert [name for name in names if len(name) < 20] == ["alive.tmp", "notes.txt"]
    assert len(names) == 5
    assert store.get("living", now=5001) == b"1"


def test_a_file_that_vanishes_meanwhile_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process sweeps at the same time."""
    (tmp_path / "gone.fiber").symlink_to(tmp_path / "nowhere")
    store = FileStore(tmp_path)
    store.set("a", b"1", seconds=10, now=0)

    assert store.get("a", now=1) == b"1"


def test_a_full_disk_leaves_nothing_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write raises, the old value stays, and no temporary file does."""
    store = FileStore(tmp_path)
    store.set("a", b"old", seconds=10, now=0)

    def full(source: str, target: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="no space"):
        store.set("a", b"new", seconds=10, now=1)

    assert store.get("a", now=1) == b"old"
    assert only(tmp_path).suffix == ".fiber"


def test_eight_processes_write_one_entry(tmp_path: Path) -> None:
    """Whoever reads meanwhile sees one whole value."""
    program = (
        "import sys\nfrom fiber import FileStore\n"
        "store = FileStore(sys.argv[1])\n"
        "for _ in range(60): store.set('a', sys.argv[2].encode() * 20000, seconds=100, now=0)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path), letter], env=environment)
        for letter in "abcdefgh"
    ]
    store = FileStore(tmp_path)
    seen = set()
    while any(writer.poll() is None for writer in writers):
        seen.add(store.get("a", now=1))

    assert [writer.returncode for writer in writers] == [0] * 8
    assert seen - {None} <= {letter.encode() * 20000 for letter in "abcdefgh"}
    assert store.get("a", now=1) is not None
    assert only(tmp_path).suffix == ".fiber"


def test_a_store_of_files_needs_a_folder() -> None:
    """An empty path would be the current folder."""
    with pytest.raises(FiberValidationError) as caught:
        FileStore("")

    assert caught.value.parameter == "path"
