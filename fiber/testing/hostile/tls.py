"""Faults of TLS: handshakes that fail, and connections that end, or break, without its farewell."""

from __future__ import annotations

from typing import Literal

from fiber.testing.certificates import server_context
from fiber.testing.hostile.actions import Action, Beneath, Cut, Head, Part, Pause, Send
from fiber.testing.hostile.connection import BREATH_SECONDS, begun, half_until_close, until_close
from fiber.testing.hostile.scene import Fault, Greeting, Scene, good
from fiber.testing.http1 import Connection, GoneError

_PLAIN = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_NO_RECORD = b"\x17\x03\x03\x00\x20" + b"this is no record that anyone has encrypted"[:32]
"""Head of a TLS record of application data (RFC 8446, section 5.1), and what cannot be decrypted."""


def greet(connection: Connection, greeting: Greeting, limit_seconds: float) -> None:
    """
    Answer the client's handshake.

    Raises:
        GoneError: It came to nothing, as is usual where it is a fault.
    """
    match greeting:
        case "cut" | "reset" | "stall" | "plain":
            connection.hear()
            _spoil(connection, greeting, limit_seconds)
            raise GoneError
        case "unasked":
            connection.encrypt(server_context())
        case _:
            connection.encrypt(server_context(greeting))


def _spoil(connection: Connection, how: Literal["cut", "reset", "stall", "plain"], limit_seconds: float) -> None:
    match how:
        case "cut":
            connection.cut()
        case "reset":
            connection.reset()
        case "stall":
            connection.wait(limit_seconds)
        case _:
            connection.send(_PLAIN)


def _until_cut(actions: list[Action]) -> list[Action]:
    """Leave out the farewell at the end."""
    return [*actions[:-1], Cut()]


def _in_head(scene: Scene) -> list[Action]:
    return [Send(b"HTTP/1.1 200 OK\r\ncontent-type: " + scene.headers()["content-type"].encode()), Cut()]


def _at_end(scene: Scene) -> list[Action]:
    body = b"".join(scene.events()) if scene.streams else scene.body()
    return _until_cut(until_close(scene, body))


def _after_end(scene: Scene) -> list[Action]:
    return [*good(scene), Cut()]


def _stub(scene: Scene) -> list[Action]:
    """Be the whole answer to whom the handshake lets through: nobody, if the client is right."""
    return [Head(headers=scene.headers(), length=0), Part(b""), Cut()]


def _handshake(name: str, matrix: str, meaning: str, greeting: Greeting) -> Fault:
    return Fault(f"tls-{name}", matrix, meaning, _stub, tls=greeting)


FAULTS = (
    _handshake("wrong-host", "C4", "The certificate is another host's.", "wrong-host"),
    _handshake("expired", "C4", "The certificate has expired.", "expired"),
    _handshake("untrusted", "C4", "The certificate is of an issuer that nobody trusts.", "untrusted"),
    _handshake("too-old", "C4", "The server speaks no TLS after 1.1.", "too-old"),
    _handshake("handshake-cut", "C6", "The connection is closed in the handshake.", "cut"),
    _handshake("handshake-reset", "C6", "The connection is reset in the handshake.", "reset"),
    _handshake("handshake-stall", "C3", "Nothing comes back in the handshake.", "stall"),
    _handshake("not-spoken", "C5", "The URL says https, and the server speaks plain HTTP.", "plain"),
    _handshake("spoken", "C5", "The URL says http, and the server speaks TLS.", "unasked"),
    Fault("tls-cut-in-head", "C9", "Half of the head, then a close without farewell.", _in_head, tls="good"),
    Fault(
        "tls-cut-mid-body",
        "C9",
        "Half of the answer, then a close without farewell.",
        lambda scene: [*begun(scene), Cut()],
        tls="good",
    ),
    Fault(
        "tls-cut-until-close",
        "C10",
        "Half an answer whose end is that of the connection, which has no farewell.",
        lambda scene: _until_cut(half_until_close(scene)),
        tls="good",
    ),
    Fault(
        "tls-cut-at-end",
        "C10",
        "A good answer whose end is that of the connection, which has no farewell.",
        _at_end,
        tls="good",
    ),
    Fault(
        "tls-cut-idle", "C11", "A good answer; then the connection is closed without farewell.", _after_end, tls="good"
    ),
    Fault(
        "tls-broken-record",
        "C9",
        "Half of the answer, then a record that cannot be decrypted.",
        lambda scene: [*begun(scene), Pause(BREATH_SECONDS), Beneath(_NO_RECORD), Cut()],
        tls="good",
    ),
)
