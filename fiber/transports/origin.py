"""Where a request goes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from fiber._errors import FiberValidationError

_URL = re.compile(r"(https?)://(?:\[([0-9a-fA-F:.]+)\]|([^/?#@\s:\[\]]+))(?::([0-9]{1,5}))?([/?][^\s#]*)?")
_TARGET = re.compile(r"[!-~]*")


class Origin(NamedTuple):
    """Where a request goes: scheme, host as a name server knows it, port; and `address`, when the host is not asked."""

    scheme: str
    host: str
    port: int
    address: str = ""

    @property
    def netloc(self) -> str:
        """The value of the `host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=1024)
def split_url(url: str) -> tuple[Origin, str]:
    """
    Return the origin of *url*, and its path with the query.

    Raises:
        FiberValidationError: It is not an http or https URL, has a password in it, or characters that no URL has.
    """
    match = _URL.fullmatch(url)
    if match is None:
        raise _odd_url()
    scheme, literal, name, port, target = match.groups()
    host = literal or name
    target = target or "/"
    target = target if target.startswith("/") else f"/{target}"
    number = int(port) if port else _PORTS[scheme]
    try:
        host = (host if host.isascii() else host.encode("idna").decode()).lower()
    except ValueError:
        raise _odd_url() from None
    if not 0 < number < 65536 or not _TARGET.fullmatch(target):
        raise _odd_url()
    return Origin(scheme, host, number), target


def _odd_url() -> FiberValidationError:
    return FiberValidationError(
        "The URL of a request is not valid: it must be http(s)://host[:port]/path, without a password, and with"
        " everything outside ASCII percent-encoded.",
        parameter="base_url",
        outcome="not_sent",
    )
