"""
Environments for the libraries that `fiber` is compared with: one for each, made when first needed, and kept.

They are in the folder `FIBER_BENCH_CACHE`, by default `~/.cache/fiber-bench`; nothing is installed anywhere else.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

_PATIENCE_SECONDS = 900


class SkippedError(Exception):
    """A library cannot be installed here; the message says why."""


def python_of(name: str, requirements: Sequence[str]) -> str:
    """
    Return the Python of an environment that has *requirements*.

    Args:
        name: Of the environment.
        requirements: As pip takes them.

    Raises:
        SkippedError: pip cannot install them.
    """
    said = os.environ.get("FIBER_BENCH_CACHE")
    folder = (Path(said) if said else Path.home() / ".cache" / "fiber-bench").resolve() / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = folder / "requirements.txt"
    wanted = "\n".join((f"# {sys.version.split()[0]}", *requirements, ""))
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return str(python)
    print(f"installing {' '.join(requirements)} ...", file=sys.stderr, flush=True)
    venv.create(folder, clear=True, with_pip=True)
    try:
        _pip(python, *requirements)
    except subprocess.TimeoutExpired:
        raise SkippedError(f"pip needed more than {_PATIENCE_SECONDS} s") from None
    except subprocess.CalledProcessError as error:
        raise SkippedError(f"pip failed: {error.stderr.strip()[-300:]}") from None
    stamp.write_text(wanted, encoding="utf-8")
    return str(python)


def version_in(python: str, distribution: str) -> str:
    """Return the version of *distribution* in the environment of *python*."""
    statement = f"from importlib.metadata import version; print(version({distribution!r}))"
    done = subprocess.run([python, "-c", statement], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _pip(python: Path, *requirements: str) -> None:
    command = [str(python), "-m", "pip", "install", "--quiet", *requirements]
    subprocess.run(command, capture_output=True, text=True, check=True, timeout=_PATIENCE_SECONDS)
