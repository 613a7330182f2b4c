"""TLS as bytes in, bytes out."""

from __future__ import annotations

import ssl
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiber.transports.tls import TLS
from tests.tls import CERTIFICATE, NAME, trusting

TRUSTING = trusting()
SERVING = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
SERVING.load_cert_chain(CERTIFICATE)


class Server:
    """The other side."""

    def __init__(self) -> None:
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.machine = SERVING.wrap_bio(self.incoming, self.outgoing, server_side=True)

    def answers(self, data: bytes) -> bytes:
        """Go on with the handshake."""
        self.incoming.write(data)
        try:
            self.machine.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def says(self, *records: bytes) -> bytes:
        """Encrypt."""
        for record in records:
            self.machine.write(record)
        return self.outgoing.read()


def met(host: str = NAME) -> tuple[TLS, Server]:
    """Let both shake hands."""
    client, server = TLS(TRUSTING, host), Server()
    is_done = False
    while not is_done:
        greeting, is_done = client.greet()
        client.feed(server.answers(greeting))  # at last with tickets for another time, which are no plain bytes
    return client, server


def test_what_is_encrypted_can_be_read() -> None:
    """However long it is."""
    client, server = met()
    long = b"x" * 100_000

    server.incoming.write(client.encrypt(memoryview(long)))
    found = b""
    while len(found) < len(long):
        found += server.machine.read(1 << 20)

    assert found == long


@settings(max_examples=settings.default.max_examples // 4)
@given(cuts=st.lists(st.integers(0, 300), max_size=20))
def test_what_comes_is_decrypted_however_it_is_cut(cuts: list[int]) -> None:
    """Record by record, and nothing before a record is whole."""
    client, server = met()
    sent = server.says(b"one", b"two", b"x" * 100)
    places = sorted({0, len(sent), *(cut for cut in cuts if cut < len(sent))})

    said = b""
    for start, end in pairwise(places):
        client.feed(sent[start:end])
        while (plain := client.decrypted()) is not None:
            said += plain

    assert said == b"onetwo" + b"x" * 100


@pytest.mark.parametrize("farewell", [False, True])
def test_the_end_is_the_end(farewell: bool) -> None:
    """Told or not; it may be asked for again."""
    client, server = met()
    last = server.says(b"one")
    if farewell:
        with pytest.raises(ssl.SSLWantReadError):
            server.machine.unwrap()
        last += server.outgoing.read()
    client.feed(last)
    client.feed(b"")

    assert [client.decrypted() for _ in range(3)] == [b"one", b"", b""]


def test_a_handshake_that_breaks_off_is_a_lost_connection() -> None:
    """It says nothing about a certificate."""
    client = TLS(TRUSTING, NAME)
    client.greet()
    client.feed(b"")

    with pytest.raises(ConnectionResetError, match="handshake"):
        client.greet()


def test_another_name_is_refused() -> None:
    """As is everything that is no TLS."""
    with pytest.raises(ssl.SSLCertVerificationError):
        met("other.example.com")

    client = TLS(TRUSTING, NAME)
    client.feed(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(ssl.SSLError):
        client.greet()
