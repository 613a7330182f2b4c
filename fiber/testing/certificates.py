"""
TLS contexts for servers on this machine: with a good certificate, and with those that a client must refuse.

The certificates are made when a server needs them, by trustme (`pip install 'fiber-llm[testing]'`), and are good for
nothing else. One issuer vouches for all servers of a process, so a client is told once whom to trust.
"""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

if TYPE_CHECKING:
    import trustme

Certificate: TypeAlias = Literal["good", "wrong-host", "expired", "untrusted", "too-old"]
"""What a client sees of a server; `too-old` has a good certificate, and speaks no TLS after 1.1."""

_NAMES = ("127.0.0.1", "localhost")
_ODD: Mapping[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    # Who it is for, and what else is odd.
    "wrong-host": (("other.example.com",), {}),
    "expired": (_NAMES, {"not_after": datetime(2020, 1, 1, tzinfo=UTC)}),
}


def issuer() -> bytes:
    """
    Return the certificate of who vouches for the servers of this process, as PEM.

    Raises:
        ImportError: trustme is not installed.
    """
    return _authority("good").cert_pem.bytes()


@cache
def server_context(kind: Certificate = "good") -> ssl.SSLContext:
    """
    Return the context of a server that shows this.

    Raises:
        ImportError: trustme is not installed.
    """
    names, odd = _ODD.get(kind, (_NAMES, {}))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _authority("other" if kind == "untrusted" else "good").issue_cert(*names, **odd).configure_cert(context)
    if kind == "too-old":
        with warnings.catch_warnings():  # this one is meant to be deprecated
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@cache
def _authority(name: str) -> trustme.CA:
    import trustme

    return trustme.CA(organization_name=f"fiber.testing, {name}")
