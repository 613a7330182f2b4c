"""TLS as bytes in, bytes out, without I/O; asyncio has a machine of its own."""

from __future__ import annotations

import ssl

from fiber.transports.streams import READ_BYTES


class TLS:
    """
    The client's side of one encrypted connection.

    Args:
        host: Who the peer must prove to be.

    Raises:
        ValueError: *host* cannot be a name.
    """

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._machine = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)

    def feed(self, data: bytes) -> None:
        """Take what the peer sent; empty bytes say that it sends no more."""
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def greet(self) -> tuple[bytes, bool]:
        """
        Return what is to be sent next to greet the peer, and whether that is all; feed what it says, and call again.

        Raises:
            ssl.SSLError: It is not who it must be, or speaks no TLS.
            ConnectionResetError: It ended the connection.
        """
        try:
            self._machine.do_handshake()
        except ssl.SSLWantReadError:
            return self._outgoing.read(), False
        except _ENDED:
            raise ConnectionResetError("the peer left during the TLS handshake") from None
        return self._outgoing.read(), True

    def encrypt(self, plain: bytes | memoryview) -> bytes:
        """Return *plain* as it is to be sent."""
        rest = memoryview(plain)
        while rest:
            rest = rest[self._machine.write(rest) :]
        return self._outgoing.read()

    def decrypted(self) -> bytes | None:
        """
        Return the next plain bytes; empty at the end, None when more must be fed.

        An end without the farewell of TLS is an end too: whether something is missing is seen elsewhere.
        """
        try:
            return self._machine.read(READ_BYTES)
        except ssl.SSLWantReadError:
            return None
        except _ENDED:
            return b""


_ENDED = (ssl.SSLEOFError, ssl.SSLSyscallError, ssl.SSLZeroReturnError)
