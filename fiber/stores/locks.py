"""A lock among threads and processes, which ends with whoever has it."""

from __future__ import annotations

import os
import sys

_FAR_BYTES = 2**30
"""Where Windows locks: beyond the end, for there nobody else can read what is locked."""


def hold(file: int) -> None:
    """Wait for the lock of the open *file* and take it; it ends when the file is closed, or the process is killed."""
    if sys.platform == "win32":  # pragma: no cover
        import msvcrt

        os.lseek(file, _FAR_BYTES, os.SEEK_SET)
        msvcrt.locking(file, msvcrt.LK_LOCK, 1)
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)
