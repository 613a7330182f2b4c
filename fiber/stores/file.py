"""
A store of files, for several processes of one machine.

A value is one file, replaced in one step, readable by its owner alone, and named after a hash, so that no key can lead
out of the folder. It begins with a checksum: what is cut off or changed is nothing.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from fiber._errors import FiberValidationError

_MAGIC = b"fiber\x01"
_HEAD = struct.Struct(f">{len(_MAGIC)}s32sd?")
"""Magic, checksum of all that follows, expiry in seconds since 1970, whether the value is compressed."""

_CHECKED = len(_MAGIC) + 32
_SWEEP_SECONDS = 600.0
_ABANDONED_SECONDS = 3600.0


class FileStore:
    """
    Keep values in files below *path*; a `Store`.

    The folder is made when it is missing, for its owner alone (0700), and each file is 0600.

    Args:
        path: The folder; what else is in it is left alone.
        compress: Compress values, with zlib.
    """

    quick = False

    def __init__(self, path: str | os.PathLike[str], *, compress: bool = False) -> None:
        if not os.fspath(path):
            raise FiberValidationError("FileStore needs a folder.", parameter="path")
        self._path = Path(path)
        self._compress = compress
        self._sweep_due = 0.0

    def get(self, key: str, *, now: float) -> bytes | None:
        """Return what is kept under *key*."""
        try:
            content = self._file(key).read_bytes()
        except FileNotFoundError:
            return None
        return _value(content, now)

    def set(self, key: str, value: bytes, *, seconds: float, now: float) -> None:
        """Keep *value*."""
        self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._sweep(now)
        rest = struct.pack(">d?", now + seconds, self._compress) + (zlib.compress(value) if self._compress else value)
        # A file of its own, 0600 from the start, that takes the place of the old one when it is whole.
        handle, name = tempfile.mkstemp(suffix=".tmp", dir=self._path)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_MAGIC + sha256(rest).digest() + rest)
            os.replace(name, self._file(key))
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise

    def _file(self, key: str) -> Path:
        return self._path / f"{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}.fiber"

    def _sweep(self, now: float) -> None:
        """Delete what is over, and what a dead process left half written."""
        if now < self._sweep_due:
            return
        self._sweep_due = now + _SWEEP_SECONDS
        for file in self._path.iterdir():
            with suppress(OSError):  # another process was faster
                if file.suffix == ".fiber":
                    with file.open("rb") as opened:
                        head = opened.read(_HEAD.size)
                    if len(head) < _HEAD.size or now >= _HEAD.unpack(head)[2]:
                        file.unlink()
                elif file.suffix == ".tmp" and now >= file.stat().st_mtime + _ABANDONED_SECONDS:
                    file.unlink()


def _value(content: bytes, now: float) -> bytes | None:
    if len(content) < _HEAD.size:
        return None
    magic, checksum, expires, compressed = _HEAD.unpack_from(content)
    if magic != _MAGIC or sha256(memoryview(content)[_CHECKED:]).digest() != checksum or now >= expires:
        return None
    value = content[_HEAD.size :]
    return zlib.decompress(value) if compressed else value
