"""
JSONTestSuite, which a JSON library carries in its source distribution; fetched when it is first needed, and kept.

Files whose names begin with `y_` are JSON, with `n_` are not, with `i_` are up to the parser.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

CARRIER = "pyjson5==2.0.1"
FOLDER = "/JSONTestSuite/test_parsing/"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fiber-reliability"


def documents() -> dict[str, bytes] | str:
    """Return the files by name; or, where they cannot be had, why."""
    found = next(CACHE.glob("pyjson5-*.tar.gz"), None)
    if found is None:
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        done = subprocess.run([*command, "--dest", str(CACHE), CARRIER], capture_output=True, text=True, check=False)
        found = next(CACHE.glob("pyjson5-*.tar.gz"), None)
        if found is None:
            last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            return f"{CARRIER}, which carries JSONTestSuite, cannot be downloaded: {last[:100]}"
    with tarfile.open(found) as archive:
        files = (
            (Path(member.name).name, archive.extractfile(member))
            for member in archive
            if FOLDER in member.name and member.isfile()
        )
        return {name: file.read() for name, file in files if file is not None}
