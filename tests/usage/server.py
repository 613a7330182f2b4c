"""A real PostgreSQL for tests, where there is one."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest


def program(name: str) -> str | None:
    """Return the path of a program of the server; Debian has them in folders of their versions."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next(filter(None, (shutil.which(name, path=str(folder)) for folder in folders)), shutil.which(name))


needs_postgres = pytest.mark.skipif(
    find_spec("psycopg") is None or not (program("initdb") and program("postgres")) or os.name == "nt",
    reason="needs the programs initdb and postgres and the package psycopg",
)


@contextmanager
def running(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run a server over a socket in *folder*, and give out its URL and its process; root runs it as `nobody`."""
    who = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    data = folder / "data"
    data.mkdir(mode=0o700)
    if who:
        for path in (folder, data):
            shutil.chown(path, "nobody", "nogroup")
    initdb, postgres = str(program("initdb")), str(program("postgres"))
    made = ["-D", str(data), "-U", "fiber", "-A", "trust", "--no-sync", "--locale=C", "-E", "UTF8"]
    subprocess.run([initdb, *made], check=True, capture_output=True, cwd=folder, **who)  # type: ignore[call-overload]
    with serving(postgres, data, folder, who) as process:
        yield f"postgresql://fiber@/postgres?host={folder}", process


@contextmanager
def serving(postgres: str, data: Path, folder: Path, who: dict[str, object]) -> Iterator[subprocess.Popen[bytes]]:
    """Run it over what is in *data*."""
    options = ["-D", str(data), "-k", str(folder), "-c", "listen_addresses=", "-F"]
    process: subprocess.Popen[bytes] = subprocess.Popen(
        [postgres, *options],
        stderr=subprocess.PIPE,
        cwd=folder,
        **who,  # type: ignore[call-overload]
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if b"ready to accept connections" in line:
                break
        yield process
    finally:
        process.terminate()  # as it asks for: connections are ended, and nothing is left behind
        process.stderr.close()
        process.wait(30)
