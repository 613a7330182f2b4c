"""Packets without an answer."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from fiber.transports import datagrams
from fiber.transports.datagrams import Datagrams


def test_packets_arrive_through_one_socket() -> None:
    """After a close through another one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        sender = Datagrams(*server.getsockname())

        sent = [sender.send(b"a"), sender.send(b"b")]
        first, second = server.recvfrom(10), server.recvfrom(10)
        sender.close()
        sender.close()
        again = sender.send(b"c")
        third = server.recvfrom(10)
        sender.close()

    assert (sent, again) == ([True, True], True)
    assert [content for content, _ in (first, second, third)] == [b"a", b"b", b"c"]
    assert first[1] == second[1]


def test_a_name_that_is_none_does_not_raise() -> None:
    """The packet did not leave."""
    assert Datagrams("256.0.0.1", 8125).send(b"a") is False


def test_a_place_without_a_route_leaves_no_socket_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packet did not leave either."""
    made: list[Any] = []

    class Unreachable(socket.socket):
        def connect(self, address: Any) -> None:
            made.append(self)
            raise OSError("no route")

    monkeypatch.setattr(datagrams.socket, "socket", Unreachable)

    sent = Datagrams("127.0.0.1", 8125).send(b"a")

    assert sent is False
    assert made[0].fileno() == -1
