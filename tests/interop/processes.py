"""
Programs that serve on 127.0.0.1 for as long as they are entered.

Each ends by its own process id, and at the latest after `LIMIT_SECONDS`.
"""

from __future__ import annotations

import http.client
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
LIMIT_SECONDS = 900
_END_SECONDS = 5.0


@contextmanager
def running(
    command: list[str],
    port: int,
    folder: Path,
    *,
    path: str = "/health",
    variables: Mapping[str, str] | None = None,
    start_seconds: float = 60.0,
) -> Iterator[str]:
    """
    Run *command* in *folder*, and give its address when it answers `GET` of *path*; end it afterwards, come what may.

    Args:
        variables: Put into its environment.
        start_seconds: How long it may take to start.

    Raises:
        RuntimeError: It does not start.
    """
    if timeout := shutil.which("timeout"):  # outlives this process, should it be killed
        command = [timeout, "--kill-after=5", str(LIMIT_SECONDS), *command]
    environment = {**os.environ, **(variables or {})}
    log = folder / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    watchdog = threading.Timer(LIMIT_SECONDS, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        _wait(process, port, path, log, start_seconds)
        yield f"http://{HOST}:{port}"
    finally:
        watchdog.cancel()
        process.terminate()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(_END_SECONDS)


def free_port() -> int:
    """Return a port that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, path: str, log: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=2)
            connection.request("GET", path)
            status = connection.getresponse().status
            connection.close()
            if status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-800:]}")
