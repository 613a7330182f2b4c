"""
The only reader of the environment.

Variables: each row's `key_env` (and what its `read_key` reads), `base_url_env` and `places`, `FIBER_MODEL` (default
model), `FIBER_LOCKFILE` and `FIBER_PROFILE` (aliases), `FIBER_TRANSPORT` (`direct`, `h11`, `httptools` or `httpx`),
`FIBER_HTTP` (`httpx` or `httpx2`), `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, those that name proxies, and,
when it is asked for credentials, those of `fiber.credentials.aws`. Nothing else is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from fiber._errors import FiberValidationError

if TYPE_CHECKING:
    from fiber.providers.row import Provider
    from fiber.types.http import Secret


def keys(rows: Iterable[Provider]) -> dict[str, str | Secret]:
    """Return the keys that are set, by row name; the first variable that is not empty wins."""
    found: dict[str, str | Secret] = {}
    for row in rows:
        if key := _value(row.key_env) if row.read_key is None else row.read_key(os.environ):
            found[row.name] = key
    return found


def base_urls(rows: Iterable[Provider]) -> dict[str, str]:
    """Return the base URLs that are set, whole or by the words for their places, by row name."""
    rows = tuple(rows)
    found = {row.name: row.base_url_from(said) for row in rows if (said := _value(row.base_url_env))}
    for row in rows:
        if row.name not in found and row.places:
            words = {place: value for place, names in row.places.items() if (value := _value(names))}
            with suppress(FiberValidationError):  # not all of them are set: the row is not for this program
                found[row.name] = row.at(**words).base_url
    return found


def values(names: Iterable[str]) -> dict[str, str]:
    """Return those of the variables *names* that are set and not empty."""
    return {name: said for name in names if (said := os.environ.get(name, "").strip())}


def default_model() -> str:
    """Return `FIBER_MODEL`, or an empty string."""
    return os.environ.get("FIBER_MODEL", "").strip()


def lockfile() -> str:
    """Return `FIBER_LOCKFILE`, or an empty string."""
    return os.environ.get("FIBER_LOCKFILE", "").strip()


def profile() -> str:
    """Return `FIBER_PROFILE`, or an empty string."""
    return os.environ.get("FIBER_PROFILE", "").strip()


def http_library() -> str:
    """Return `FIBER_HTTP`, or an empty string for the best library installed."""
    return os.environ.get("FIBER_HTTP", "").strip()


def transport() -> str:
    """Return `FIBER_TRANSPORT`, or an empty string; naming an HTTP library in `FIBER_HTTP` asks for `httpx`."""
    return os.environ.get("FIBER_TRANSPORT", "").strip() or ("httpx" if http_library() else "")


def captures_content() -> bool:
    """
    Say whether prompts and answers go into spans.

    `OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT` is `SPAN_ONLY` or `SPAN_AND_EVENT`, or `true`, as it was before
    there were several places. Values: https://pypi.org/project/opentelemetry-util-genai/, read 2026-11-22.
    """
    said = os.environ.get("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", "").strip().lower()
    return said in ("span_only", "span_and_event", "true")


def proxy_for(scheme: str, host: str) -> str:
    """
    Return the URL of the proxy to *host* (with its port), or an empty string.

    `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in lower case too, as `urllib` reads them; where none is
    set, nothing else is asked.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return ""
    from urllib.request import getproxies, proxy_bypass

    literal = host.startswith("[") and host[1:].partition("]")[0]  # `NO_PROXY=::1` means `[::1]:8080` too
    if proxy_bypass(host) or (literal and proxy_bypass(literal)):
        return ""
    proxies = getproxies()
    return proxies.get(scheme) or proxies.get("all") or ""


def _value(names: Iterable[str]) -> str:
    return next(filter(None, (os.environ.get(name, "").strip() for name in names)), "")
