"""Proxies on the loopback."""

from __future__ import annotations

import select
import socket

from tests.transports.conftest import PATIENCE, Answer, Exchange

CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def to(port: int) -> Answer:
    """Make an answer that opens a tunnel to a port of this machine, whatever origin is asked for."""

    def answer(exchange: Exchange) -> None:
        with socket.create_connection(("127.0.0.1", port)) as upstream:
            exchange.send(CONNECTED)
            _relay(exchange.connection, upstream)
        raise OSError  # that was all on this connection

    return answer


def _relay(one: socket.socket, other: socket.socket) -> None:
    while True:
        ready, _, _ = select.select([one, other], [], [], PATIENCE)
        for side in ready:
            data = side.recv(65536)
            if not data:
                return
            (other if side is one else one).sendall(data)
