"""Faults from a second source: a server that is kept beside the repository and was not written with this library."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

PROGRAM = Path(__file__).parents[3] / "shared" / "servers" / "fault_server.py"
MISSING = "shared/servers/fault_server.py does not stand beside the repository"
START_SECONDS = 10.0


class Faults:
    """The running server."""

    def __init__(self, url: str) -> None:
        self.url = url
        with urlopen(f"{url}/_/scenarios") as response:
            self.scenarios: list[str] = sorted(json.load(response))

    def base_url(self, scenario: str) -> str:
        """Return the base URL under which the server plays *scenario*."""
        return f"{self.url}/s/{scenario}/v1"


@contextmanager
def faults() -> Iterator[Faults | None]:
    """Yield the server; None where it is missing."""
    if not PROGRAM.exists():
        yield None
        return
    port = _two_free_ports()
    command = [sys.executable, str(PROGRAM), "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield _started(f"http://127.0.0.1:{port}")
    finally:
        process.kill()
        process.wait()


def _started(url: str) -> Faults:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            return Faults(url)
        except URLError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _two_free_ports() -> int:
    # It takes the port it is given and the next one.
    while True:
        with socket.socket() as one, socket.socket() as other:
            one.bind(("127.0.0.1", 0))
            port: int = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 1))
            except (OSError, OverflowError):
                continue
            return port
