"""What may be fetched from the web, and from where."""

from __future__ import annotations

import math
import re

import msgspec

from fiber._errors import FiberValidationError

HTTPS_PORT = 443

_LABEL = r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?"
_NAME = rf"{_LABEL}(?:\.{_LABEL})*"
HOST = re.compile(rf"{_NAME}|[0-9a-f:.]*:[0-9a-f:.]*")
"""A name, or an IP address as `urlsplit` gives it: lower case, IPv6 without its brackets."""

_ENTRY = re.compile(rf"(?P<host>{_NAME}|\*\.{_LABEL}\.{_NAME}|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?")
_MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[a-z0-9.+_-]*")


class FetchPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """
    What `fetch_part` may fetch; all else is refused.

    Attributes:
        hosts: Names that may be asked: `example.com` is that host alone, `*.example.com` all hosts below it, and
            `example.com:8443` that port instead of 443. No entry makes an address reachable that is not public.
        max_bytes: Longest body.
        media_types: `application/pdf` is that type, `image/` all of the family.
        timeout: Seconds for everything: looking the name up, connecting, reading.
    """

    hosts: tuple[str, ...]
    max_bytes: int = 20 * 1024 * 1024
    media_types: tuple[str, ...] = ("image/", "audio/", "application/pdf", "text/plain")
    timeout: float = 30.0

    def __post_init__(self) -> None:
        for entry in _texts("hosts", self.hosts, "('example.com', '*.example.org')"):
            _read(entry)
        for entry in _texts("media_types", self.media_types, "('image/', 'application/pdf')"):
            if not _MEDIA_TYPE.fullmatch(entry):
                raise _wrong(f"media_types: {entry!r} is no media type; write 'application/pdf', or 'image/' for all.")
        if type(self.max_bytes) is not int or self.max_bytes < 1:
            raise _wrong(f"max_bytes must be a whole number from 1, not {self.max_bytes!r}.")
        if type(self.timeout) not in (int, float) or not 0 < self.timeout < math.inf:
            raise _wrong(f"timeout must be a positive number of seconds, not {self.timeout!r}.")

    def allows_host(self, host: str, port: int) -> bool:
        """Say whether *host*, in lower case and without brackets, may be asked at *port*."""
        return any(
            port == allowed_port and (host == allowed or (allowed.startswith("*.") and host.endswith(allowed[1:])))
            for allowed, allowed_port in map(_read, self.hosts)
        )

    def allows_type(self, media_type: str) -> bool:
        """Say whether a body may be of *media_type*, in lower case and without parameters."""
        return any(
            media_type.startswith(entry) if entry.endswith("/") else media_type == entry for entry in self.media_types
        )


def _read(entry: str) -> tuple[str, int]:
    found = _ENTRY.fullmatch(entry.lower())
    port = int(found["port"] or HTTPS_PORT) if found else 0
    if found is None or not 0 < port < 65536:
        raise _wrong(
            f"hosts: {entry!r} is no host; write 'example.com', '*.example.com' or 'example.com:8443', without scheme"
            " and path."
        )
    return found["host"].strip("[]"), port


def _texts(name: str, value: object, example: str) -> tuple[str, ...]:
    if not isinstance(value, tuple) or not value or not all(isinstance(entry, str) for entry in value):
        raise _wrong(f"{name} must be a tuple of strings with at least one, like {example}, not {value!r}.")
    return value


def _wrong(what: str) -> FiberValidationError:
    return FiberValidationError(f"FetchPolicy.{what}", parameter="fetch")
