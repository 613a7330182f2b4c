"""A newer catalogue, when the caller asks for it and says which: from a file, or from the web."""

from __future__ import annotations

import re
from pathlib import Path

from fiber._errors import FiberValidationError
from fiber._settings import Settings, check_open
from fiber.registry.catalog import ModelCatalog
from fiber.registry.entries import read
from fiber.types.fetch import FetchPolicy

MOST_BYTES = 16 * 1024 * 1024
"""Longest file that is read from the web: fifty times that of this library."""

_SHA256 = re.compile(r"[0-9A-Fa-f]{64}")
_TYPES = ("application/", "text/", "binary/")
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://(?P<host>[^/?#]*)")


async def updated(settings: Settings, source: str | Path, sha256: str | None) -> ModelCatalog:
    """
    Return the catalogue in the file *source*, a path or a URL, with the overrides of the client's.

    Raises:
        FiberValidationError: It cannot be read, has another digest, or is not a catalogue; or a URL has no digest.
        FiberConnectionError, FiberTimeoutError: Nothing usable came from the URL.
    """
    check_open(settings)
    url = _URL.match(source) if isinstance(source, str) else None
    if sha256 is None and url is not None:
        raise _wrong("A catalogue from the web needs its digest, sha256=..., so that nobody else can change prices.")
    if sha256 is not None and not _SHA256.fullmatch(sha256):
        raise _wrong(f"sha256 must be 64 hexadecimal digits, not {sha256!r}.")
    if url is None:
        return settings.catalog.updated(read(source), sha256)
    # What is no host is for the checks of the URL to refuse, which do not quote it.
    host = url["host"] if "@" not in url["host"] else ""
    policy = FetchPolicy(hosts=(host or "_",), max_bytes=MOST_BYTES, media_types=_TYPES)
    from fiber._fetch import download

    data, _, _ = await download(settings.transport, policy, str(source))
    return settings.catalog.updated(data, sha256)


def _wrong(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="sha256", outcome="not_sent")
