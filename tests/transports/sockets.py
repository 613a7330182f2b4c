"""Which sockets this process holds, and addresses that never answer."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

_FDS = "/proc/self/fd"


def open_to(port: int) -> int:
    """Return how many sockets of ours are connected to *port*, or are trying to connect at all."""
    if not os.path.isdir(_FDS):
        return 0  # only Linux lets us look
    return sum(_is_open_to(int(name), port) for name in os.listdir(_FDS))


def _is_open_to(number: int, port: int) -> bool:
    try:
        if not os.readlink(f"{_FDS}/{number}").startswith("socket:"):
            return False
        with socket.socket(fileno=os.dup(number)) as copy:
            if copy.family != socket.AF_INET or copy.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                return False
            try:
                return bool(copy.getpeername()[1] == port)
            except OSError:
                return _is_connecting(copy)
    except OSError:
        return False  # gone meanwhile


def _is_connecting(copy: socket.socket) -> bool:
    syn_sent = 2  # enum in <netinet/tcp.h>; the state is the first byte of `struct tcp_info`
    return copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == syn_sent


@contextmanager
def black_hole(host: str = "127.0.0.1", port: int = 0) -> Iterator[int]:
    """Give out a port where nobody answers: its queue is full."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, port))
        listener.listen(0)
        for _ in range(3):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


def names(monkeypatch: pytest.MonkeyPatch, name: str, *addresses: str, family: int = socket.AF_INET) -> None:
    """Let *name* have these addresses, the first of the *family* given."""
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **options: Any) -> list[Any]:
        if host not in (name, name.encode()):
            return real(host, port, *args, **options)
        if any(flag & socket.AI_NUMERICHOST for flag in (*args[3:4], options.get("flags", 0))):
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        families = [family, *[socket.AF_INET] * len(addresses)]
        return [
            (kind, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))
            for kind, address in zip(families, addresses, strict=False)
        ]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
