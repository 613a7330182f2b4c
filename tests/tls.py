"""
A server on the loopback that speaks TLS as `files.example.com`.

Its certificate and key, in `tests/files.example.com.pem`, are good for nothing else. They were made with `openssl ca
-selfsign`, valid from 2020 to 2120, with the name as `subjectAltName`.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from tests.transports.conftest import Loopback

NAME = "files.example.com"
CERTIFICATE = Path(__file__).with_name(f"{NAME}.pem")


def trusting() -> ssl.SSLContext:
    """Make the context of a client that trusts this server, and nobody else."""
    return ssl.create_default_context(cafile=CERTIFICATE)


class TLSLoopback(Loopback):
    """The server; a client that does not like its certificate has `exchanges` empty."""

    def _serve(self, connection: socket.socket) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        try:
            secured = context.wrap_socket(connection, server_side=True)
        except OSError:
            connection.close()
        else:
            super()._serve(secured)
