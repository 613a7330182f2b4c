"""
Environments for the libraries that are compared: made on demand, one for each, from hashed requirements, and kept.

The folder is `FIBER_TORTURE_CACHE`, by default `~/.cache/fiber-torture`; nothing is installed anywhere else.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
_SECONDS = 900


class SkippedError(Exception):
    """A library cannot be installed here; the message says why."""


def python_of(library: str) -> str:
    """
    Return the Python of the environment of *library*; fiber's is this one.

    Raises:
        SkippedError: pip cannot install it.
    """
    return sys.executable if library == "fiber" else environment(REQUIREMENTS / f"{library}.txt")


def environment(wanted: Path) -> str:
    """
    Return the Python of an environment with these hashed requirements, called like their file.

    Raises:
        SkippedError: pip cannot install them.
    """
    said = os.environ.get("FIBER_TORTURE_CACHE")
    folder = (Path(said) if said else Path.home() / ".cache" / "fiber-torture").resolve() / wanted.stem
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "requirements.sha256"
    digest = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        print(f"installing {wanted.stem} ...", file=sys.stderr, flush=True)
        venv.create(folder, clear=True, with_pip=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(wanted)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            raise SkippedError(f"pip needed more than {_SECONDS} s") from None
        if done.returncode:
            raise SkippedError(f"pip failed: {(done.stderr or done.stdout).strip()[-300:]}")
        stamp.write_text(digest)
    return str(python)
