"""What a connection needs of a socket, and a socket's troubles as errors of ours."""

from __future__ import annotations

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
        """Send *data*; False when it was given up because the peer speaks, or is gone, already."""
        ...

    async def start_tls(self, context: ssl.SSLContext, host: str, due: float | None) -> None:
        """Go on encrypted, with a peer that proves to be *host*."""
        ...

    def is_dead(self) -> bool:
        """Say whether the peer closed, or sent something that nobody asked for."""
        ...

    def abort(self) -> None:
        """Close at once; whoever reads is woken. Safe to repeat."""
        ...


@cache
def tls_context() -> ssl.SSLContext:
    """
    Return the one TLS context; making it reads some hundred certificates, so all connections share it.

    It trusts what the system trusts (`SSL_CERT_FILE` and `SSL_CERT_DIR` are OpenSSL's own variables), and Mozilla's
    list of certifi where the system has no list.
    """
    paths = ssl.get_default_verify_paths()
    if paths.cafile or paths.capath:
        context = ssl.create_default_context()
    else:
        import certifi

        context = ssl.create_default_context(cafile=certifi.where())
    context.set_alpn_protocols(["http/1.1"])
    return context


def unconnected(error: Exception, where: str, seconds: float | None) -> FiberError:
    """
    Make the error of a connection that never stood.

    Args:
        where: Host and port, for people.
        seconds: The limit that was set.
    """
    while isinstance(error, ExceptionGroup):  # one for each address
        error = error.exceptions[0]
    if isinstance(error, TimeoutError):
        said = "" if seconds is None else f" of {seconds:g} s"
        return FiberTimeoutError(
            f"The connect timer{said} expired: {where} does not answer.",
            timer="connect",
            seconds=seconds,
            outcome="not_sent",
        )
    if isinstance(error, ssl.SSLError):
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
