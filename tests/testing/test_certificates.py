"""Tests of the TLS contexts of servers on this machine."""

from __future__ import annotations

import ssl

import pytest

from fiber.testing.certificates import Certificate, issuer, server_context


def shaken(kind: Certificate, host: str = "127.0.0.1") -> str:
    """Let a client that trusts the issuer meet a server; return the version that both speak."""
    trusting = ssl.create_default_context(cadata=issuer().decode())
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(to_client, to_server, server_hostname=host)
    server = server_context(kind).wrap_bio(to_server, to_client, server_side=True)
    for side in (client, server, client):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            pass
    return str(client.version())


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_good_certificate_is_good(host: str) -> None:
    """By address and by name, for who trusts the issuer."""
    assert shaken("good", host) == "TLSv1.3"


@pytest.mark.parametrize(
    ("kind", "words"),
    [("wrong-host", "IP address mismatch"), ("expired", "has expired"), ("untrusted", "issuer certificate")],
)
def test_an_odd_certificate_is_refused(kind: Certificate, words: str) -> None:
    """Each for its own reason."""
    with pytest.raises(ssl.SSLCertVerificationError, match=words):
        shaken(kind)


def test_an_old_server_is_refused() -> None:
    """It has nothing to say to a client that speaks TLS 1.2 and 1.3."""
    with pytest.raises(ssl.SSLError):
        shaken("too-old")


def test_all_servers_of_a_process_share_one_issuer() -> None:
    """So a client is told once."""
    assert issuer() == issuer()
    assert issuer().startswith(b"-----BEGIN CERTIFICATE-----")
    assert server_context() is server_context()
