"""Troubles as errors of ours, and whom TLS trusts."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fiber import FiberConnectionError, FiberTimeoutError
from fiber.transports import streams
from fiber.transports.streams import has_expired, lost, silent, tls_context, unconnected

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "refused")
GIVEN_UP = TimeoutError(errno.ETIMEDOUT, "Connection timed out")


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    """Make a context of its own for each test."""
    tls_context.cache_clear()
    yield
    tls_context.cache_clear()


@pytest.mark.parametrize(("seconds", "words"), [(0.5, r"timer of 0\.5 s expired"), (None, "timer expired")])
def test_a_limit_that_passed_is_the_connect_timer(seconds: float | None, words: str) -> None:
    """It says where, and how long."""
    error = unconnected(TimeoutError(), "a.example:443", seconds)

    assert isinstance(error, FiberTimeoutError)
    assert (error.timer, error.seconds, error.outcome) == ("connect", seconds, "not_sent")
    with pytest.raises(FiberTimeoutError, match=f"{words}: a.example:443"):
        raise error


@pytest.mark.parametrize(
    ("trouble", "words", "retried"),
    [
        (REFUSED, "No connection to a.example:443: ConnectionRefusedError", True),
        (GIVEN_UP, "No connection to a.example:443: TimeoutError", True),
        (ExceptionGroup("both", [ExceptionGroup("one", [REFUSED]), OSError()]), "ConnectionRefusedError", True),
        (socket.gaierror(socket.EAI_NONAME, "unknown"), "address cannot be found", True),
        (UnicodeError("label too long"), "address cannot be found", True),
        (ssl.SSLCertVerificationError(1, "self-signed"), "TLS failed with a.example:443.*certificate", False),
        (ssl.SSLError(1, "wrong version number"), "TLS failed.*final", False),
        (ssl.SSLEOFError(8, "unexpected end"), "No connection", True),
        (ValueError("odd"), "No connection.*ValueError: odd", True),
    ],
)
def test_a_connection_that_never_stood_is_typed(trouble: Exception, words: str, retried: bool) -> None:
    """Nothing was sent; only a handshake that failed is final."""
    error = unconnected(trouble, "a.example:443", 5.0)

    with pytest.raises(FiberConnectionError, match=words):
        raise error
    assert (error.outcome, error.is_retryable) == ("not_sent", retried)


def test_the_system_giving_up_is_no_timer_of_ours() -> None:
    """Though both are `TimeoutError`."""
    assert [has_expired(error) for error in (TimeoutError(), TimeoutError("timed out"), GIVEN_UP, OSError())] == [
        True,
        True,
        False,
        False,
    ]


def test_what_breaks_later_is_of_unknown_outcome() -> None:
    """Lost or silent."""
    assert (lost(REFUSED).outcome, silent(0.5).outcome) == ("unknown", "unknown")
    assert silent(0.5).timer == "read"


# -- trust --------------------------------------------------------------------------------------------------------


def paths(monkeypatch: pytest.MonkeyPatch, file: Path | None, folder: Path | None, usual: Path | None) -> None:
    """Let the system have its certificates there."""
    found = ssl.DefaultVerifyPaths(
        str(file) if file else None,
        str(folder) if folder else None,
        "SSL_CERT_FILE",
        "/nowhere/cert.pem",
        "SSL_CERT_DIR",
        str(usual or "/nowhere/certs"),
    )
    bare = ssl.create_default_context

    def create(cafile: str | None = None) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if file:
            context.load_verify_locations(file)
        return context

    assert bare is not create
    monkeypatch.setattr(streams.ssl, "get_default_verify_paths", lambda: found)
    monkeypatch.setattr(streams.ssl, "create_default_context", create)


@pytest.mark.parametrize(
    ("file", "folder", "is_usual", "trusts"),
    [
        (True, False, False, 1),
        (False, "full", True, 0),
        (False, "full", False, 0),
        (False, "empty", False, 0),
        (False, "empty", True, "certifi"),
        (False, False, False, "certifi"),
    ],
)
def test_certifi_is_trusted_where_the_system_trusts_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, file: bool, folder: Any, is_usual: bool, trusts: Any
) -> None:
    """An empty folder is nobody, as in a small container, unless the user named it; a full one is read when needed."""
    from tests.tls import CERTIFICATE

    if folder == "full":
        (tmp_path / "0a1b2c3d.0").write_bytes(CERTIFICATE.read_bytes())
    paths(monkeypatch, CERTIFICATE if file else None, tmp_path if folder else None, tmp_path if is_usual else None)

    count = tls_context().cert_store_stats()["x509"]

    assert count > 50 if trusts == "certifi" else count == trusts


def test_all_connections_share_one_context() -> None:
    """It checks names and certificates, and speaks HTTP/1.1."""
    context = tls_context()

    assert context is tls_context()
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
