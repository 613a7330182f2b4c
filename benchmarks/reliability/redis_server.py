"""A Redis of our own on the loopback interface, which keeps nothing, can be frozen and killed, and comes back."""

from __future__ import annotations

import importlib.util
import shutil
import signal
import socket
import subprocess
import tempfile
from types import TracebackType
from typing import Self

MISSING = (
    "needs the program redis-server and the package redis"
    if shutil.which("redis-server") is None or importlib.util.find_spec("redis") is None
    else ""
)
"""Why there is no server, empty when there is one."""


class RedisServer:
    """
    The server.

    Attributes:
        url: Its address.
    """

    def __enter__(self) -> Self:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._folder = tempfile.TemporaryDirectory()
        self.url = f"redis://127.0.0.1:{self._port}"
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()
        self._folder.cleanup()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        options = ["--port", str(self._port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command = ["redis-server", *options, "--dir", self._folder.name]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if b"eady to accept connections" in line:
                return

    def kill(self) -> None:
        """Kill it: connections are lost, and new ones refused."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def freeze(self) -> None:
        """Stop it: connections stand, and nobody answers."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def pause(self, milliseconds: int) -> None:
        """Have it answer no command for a while (`CLIENT PAUSE`)."""
        with socket.create_connection(("127.0.0.1", self._port), 10) as connection:
            connection.sendall(b"CLIENT PAUSE %d\r\n" % milliseconds)
            connection.recv(100)
