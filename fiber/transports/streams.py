"""What a connection needs of a socket, and a socket's troubles as errors of ours."""

from __future__ import annotations

import os
import socket
import ssl
from functools import cache
from typing import Protocol

from fiber._errors import FiberConnectionError, FiberError, FiberTimeoutError

READ_BYTES = 64 * 1024


class Stream(Protocol):
    """
    A connected socket.

    `due` is a moment on the clock of `time.monotonic`, None for never; `TimeoutError` is raised when it passes, and
    `OSError` for every other trouble.
    """

    async def read(self, due: float | None) -> bytes:
        """Return what came, about `READ_BYTES`; empty at the end."""
        ...

    async def write(self, data: bytes | memoryview, due: float | None) -> bool:
        """Send *data*; False when it was given up because the peer speaks and does not listen, or is gone."""
        ...

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float | None) -> None:
        """Go on encrypted, with a peer that proves to be *host*."""
        ...

    def is_dead(self) -> bool:
        """Say whether the peer closed, or sent something that nobody asked for."""
        ...

    def abort(self) -> None:
        """Close at once; whoever reads is woken, and reads no end but an error. Safe to repeat."""
        ...


@cache
def tls_context() -> ssl.SSLContext:
    """
    Return the one TLS context; making it reads some hundred certificates, so all connections share it.

    It trusts what the system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` are OpenSSL's own variables), and Mozilla's
    list of certifi where the system has no list.
    """
    context = ssl.create_default_context()
    paths = ssl.get_default_verify_paths()
    # Files of a folder are read when they are needed. An empty one that the user named trusts nobody, as it says.
    folder = paths.capath if paths.capath != paths.openssl_capath or os.listdir(paths.capath) else None
    if not context.cert_store_stats()["x509_ca"] and not folder:
        import certifi

        context.load_verify_locations(certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def has_expired(error: BaseException) -> bool:
    """Say whether a limit of ours expired; that the system gave up (`ETIMEDOUT`) is a `TimeoutError` too."""
    return isinstance(error, TimeoutError) and error.errno is None


def unconnected(error: Exception, where: str, seconds: float | None) -> FiberError:
    """
    Make the error of a connection that never stood.

    Args:
        where: Host and port, for people.
        seconds: The limit that was set.
    """
    while isinstance(error, ExceptionGroup):  # one for each address
        error = error.exceptions[0]
    if has_expired(error):
        said = "" if seconds is None else f" of {seconds:g} s"
        return FiberTimeoutError(
            f"The connect timer{said} expired: {where} does not answer.",
            timer="connect",
            seconds=seconds,
            outcome="not_sent",
        )
    if isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError):  # who hung up may not the next time
        return FiberConnectionError(
            f"TLS failed with {where}: {_words(error)}. This is final: check the host name and its certificate.",
            outcome="not_sent",
            should_retry=False,
        )
    if isinstance(error, socket.gaierror | UnicodeError):
        return FiberConnectionError(
            f"No connection to {where}, whose address cannot be found: {_words(error)}. Check the base URL.",
            outcome="not_sent",
        )
    return FiberConnectionError(f"No connection to {where}: {_words(error)}. Check the base URL.", outcome="not_sent")


def lost(error: OSError) -> FiberConnectionError:
    """Make the error of a connection that broke after the request was on its way."""
    return FiberConnectionError(f"The connection was lost: {_words(error)}.", outcome="unknown")


def silent(seconds: float | None) -> FiberTimeoutError:
    """Make the error of a peer that said nothing for *seconds*."""
    return FiberTimeoutError(
        f"The read timer of {seconds:g} s expired: the server sent nothing.",
        timer="read",
        seconds=seconds,
        outcome="unknown",
    )


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".rstrip(": .")
