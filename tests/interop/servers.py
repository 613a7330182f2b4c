"""
Servers that somebody else wrote, on 127.0.0.1, for as long as they are entered.

Each gets a free port and a key, ends by its own process id, and at the latest after `LIMIT_SECONDS`.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import installing
import tiny_model
from material import KEY

HOST = "127.0.0.1"
LIMIT_SECONDS = 900
_START_SECONDS = 60.0
_END_SECONDS = 5.0


@contextmanager
def aimock(fixtures: list[dict[str, Any]]) -> Iterator[str]:
    """Run aimock with these fixtures; give its address."""
    command = installing.aimock()
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        llm = {"fixtures": "fixtures.json", "chunkSize": 6}
        config = {"port": port, "host": HOST, "auth": {"apiKeys": [KEY]}, "llm": llm}
        (Path(folder) / "fixtures.json").write_text(json.dumps({"fixtures": fixtures}))
        (Path(folder) / "config.json").write_text(json.dumps(config))
        with running([*command, "--config", "config.json"], port, Path(folder)) as url:
            yield url


@contextmanager
def llama(*, calls: bool) -> Iterator[str]:
    """
    Run llama-server with a tiny random model; give its address.

    Args:
        calls: Take the model that always begins a tool call.
    """
    program = installing.llama_server()
    made_by = hashlib.sha256(Path(tiny_model.__file__).read_bytes()).hexdigest()[:8]
    model = installing.cache() / "llama" / f"tiny{'-calls' if calls else ''}-{made_by}.gguf"
    if not model.exists():
        tiny_model.write_model(installing.llama_vocabulary(), model, calls=calls)
    port = free_port()
    command = [str(program), "-m", str(model), "--host", HOST, "--port", str(port), "--api-key", KEY, "--alias", "tiny"]
    command += ["-t", "1", "-c", "4096", "-np", "2", "--jinja", "--offline", "--no-warmup"]
    with tempfile.TemporaryDirectory() as folder, running(command, port, Path(folder)) as url:
        yield url


@contextmanager
def running(command: list[str], port: int, folder: Path) -> Iterator[str]:
    """Run *command* in *folder* until it answers `GET /health`; end it afterwards, whatever happens."""
    if timeout := shutil.which("timeout"):  # outlives this process, should it be killed
        command = [timeout, "--kill-after=5", str(LIMIT_SECONDS), *command]
    log = folder / "log.txt"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    watchdog = threading.Timer(LIMIT_SECONDS, process.kill)
    watchdog.daemon = True
    watchdog.start()
    try:
        _wait(process, port, log)
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


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            connection = http.client.HTTPConnection(HOST, port, timeout=2)
            connection.request("GET", "/health")
            status = connection.getresponse().status
            connection.close()
            if status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start: {log.read_text(errors='replace')[-800:]}")
