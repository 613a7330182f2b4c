"""Packets that are sent without an answer, for metrics."""

from __future__ import annotations

import socket
from threading import Lock


class Datagrams:
    """
    Send UDP packets to one place; nothing is opened, and no name looked up, before the first one.

    Args:
        host, port: Where to.
    """

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._socket: socket.socket | None = None
        self._lock = Lock()

    def send(self, packet: bytes) -> bool:
        """Send *packet* without waiting for room; return whether it left."""
        with self._lock:
            try:
                if self._socket is None:
                    self._socket = _opened(*self._place)
                self._socket.send(packet)
            except OSError:
                return False
            return True

    def close(self) -> None:
        """Close the socket; the next packet opens another one."""
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None


def _opened(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    opened = socket.socket(family, kind, protocol)
    opened.setblocking(False)
    try:
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened
