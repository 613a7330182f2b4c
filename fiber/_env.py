"""
The only reader of the environment.

Variables: each row's `key_env` and `base_url_env`, `FIBER_MODEL` (default model), `FIBER_TRANSPORT` (`direct` or
`httpx`), `FIBER_HTTP` (`httpx` or `httpx2`), and those that name proxies. Nothing else is read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from fiber.providers.row import Provider


def keys(rows: Iterable[Provider]) -> dict[str, str]:
    """Return the keys that are set, by row name; the first variable that is not empty wins."""
    return _first(rows, "key_env")


def base_urls(rows: Iterable[Provider]) -> dict[str, str]:
    """Return the base URLs that are set, by row name."""
    named = {row.name: row for row in rows}
    return {name: named[name].base_url_from(said) for name, said in _first(named.values(), "base_url_env").items()}


def default_model() -> str:
    """Return `FIBER_MODEL`, or an empty string."""
    return os.environ.get("FIBER_MODEL", "").strip()


def http_library() -> str:
    """Return `FIBER_HTTP`, or an empty string for the best library installed."""
    return os.environ.get("FIBER_HTTP", "").strip()


def transport() -> str:
    """Return `FIBER_TRANSPORT`, or an empty string; naming an HTTP library in `FIBER_HTTP` asks for `httpx`."""
    return os.environ.get("FIBER_TRANSPORT", "").strip() or ("httpx" if http_library() else "")


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


def _first(rows: Iterable[Provider], field: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        values = (os.environ.get(variable, "").strip() for variable in getattr(row, field))
        value = next(filter(None, values), "")
        if value:
            found[row.name] = value
    return found
