"""
Signature version 4 of AWS: a pure function of the request, the keys and the time.

    canonical request -> string to sign -> signature by a key that is derived from day, region and service

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html (read 2026-11-21).
Two rules of it that are easily missed: the path is encoded once more than it is sent (`%3A` is signed as `%253A`), and
runs of blanks in a header's value count as one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from hmac import digest
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_ALGORITHM = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS: Mapping[str, int] = {"http": 80, "https": 443}


class Scope(NamedTuple):
    """
    Where and when a signature holds.

    Attributes:
        time: `YYYYMMDDTHHMMSSZ`.
    """

    time: str
    region: str
    service: str

    def __str__(self) -> str:
        return f"{self.time[:8]}/{self.region}/{self.service}/aws4_request"


def timestamp(seconds: float) -> str:
    """Write seconds since 1970 (UTC) as AWS writes a time."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def authorization(
    method: str,
    url: str,
    headers: Iterable[tuple[str, str]],
    body: bytes,
    *,
    scope: Scope,
    access_key_id: str,
    secret_access_key: str,
) -> str:
    """
    Return the value of the `authorization` header.

    Args:
        url: As it is sent: percent-encoded, the query included.
        headers: Those to sign, `x-amz-date` among them; without `host`, which the URL tells.
    """
    canonical, signed = canonical_request(method, url, headers, body)
    to_sign = "\n".join((_ALGORITHM, scope.time, str(scope), sha256(canonical.encode()).hexdigest()))
    key = f"AWS4{secret_access_key}".encode()
    for word in (scope.time[:8], scope.region, scope.service, "aws4_request"):
        key = digest(key, word.encode(), "sha256")
    signature = digest(key, to_sign.encode(), "sha256").hex()
    return f"{_ALGORITHM} Credential={access_key_id}/{scope}, SignedHeaders={signed}, Signature={signature}"


def canonical_request(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes) -> tuple[str, str]:
    """Return the canonical request, and the names of the headers that it holds."""
    values: dict[str, list[str]] = {"host": [host_of(url)]}
    for name, value in headers:
        values.setdefault(name.lower(), []).append(" ".join(value.split()))
    names = sorted(values)
    parts = urlsplit(url)
    lines = (
        method.upper(),
        quote(_normal(parts.path), safe="/~"),
        "&".join(f"{name}={value}" for name, value in sorted(_pairs(parts.query))),
        *(f"{name}:{','.join(values[name])}" for name in names),
        "",
        ";".join(names),
        sha256(body).hexdigest(),
    )
    return "\n".join(lines), ";".join(names)


def host_of(url: str) -> str:
    """Return the `host` header that *url* is sent with."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f"{host}:{parts.port}"


def _normal(path: str) -> str:
    """Return *path* without dot segments and empty segments (RFC 3986, section 5.2.4, and AWS's own rule)."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in ("", "."):
            kept.append(segment)
    end = "/" if path.endswith("/") and kept else ""
    return f"/{'/'.join(kept)}{end}"


def _pairs(query: str) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, _, value in (pair.partition("=") for pair in query.split("&")) if query)
