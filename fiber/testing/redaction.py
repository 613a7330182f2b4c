"""
What of an exchange may be written to disk.

Headers are kept by a list of names, never dropped by one: what nobody thought of stays away. Credentials are masked
wherever their text occurs, also where a chunk ends in the middle of one, and the user's hook is applied the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias
from urllib.parse import quote, unquote, unquote_plus, urlsplit, urlunsplit

from fiber.adapters.jsons import redact as without_key_likes
from fiber.testing.cassette import Asked, readable
from fiber.types.http import HTTPRequest, Secret

MASK = "***"
LEAST_SECRET_CHARACTERS = 8
"""A shorter key (`ollama`, `x`) is no secret, and masking it would mangle ordinary words."""

KEPT_HEADERS = re.compile(
    r"accept|content-type|date|openai-(beta|processing-ms|version)|anthropic-(beta|version)|retry-after(-ms)?"
    r"|x-amzn-errortype|x-should-retry|(x|anthropic)-ratelimit-[\w-]+|([\w-]+-)?request-?id|x-debug-trace-id"
)
SECRET_HEADERS = re.compile(r"auth|cookie|credential|key|secret|signature|token")
SECRET_PARAMETERS = re.compile(
    r"((x|access|auth|client|goog|amz|security|subscription|api)[-_]?)*"
    r"(code|credential|key|password|secret|sig|signature|token)"
)

Redact: TypeAlias = Callable[[str], str]
Mask: TypeAlias = Callable[[bytes], bytes]

_ESCAPED_LITERAL = re.compile(r'"[^"\\\x00-\x1f]*(?:\\[^\x00-\x1f][^"\\\x00-\x1f]*)+"?')
"""
A JSON string with a backslash in it: what it says is not what a search in the text would find.

One that is cut off is matched to its end, so that no character is looked at more than twice.
"""


def masker(request: HTTPRequest, redact: Redact | None) -> Mask:
    """Return the function that takes out of bytes what must not be written of the exchange that *request* begins."""
    words = sorted(secrets(request), key=len, reverse=True)
    pattern = re.compile("|".join(map(re.escape, words)) or r"(?!)")

    def masked(text: str) -> str:
        text = without_key_likes(pattern.sub(MASK, text))
        return text if redact is None else redact(text)

    def literal(found: re.Match[str]) -> str:
        try:
            said = json.loads(found[0])
        except ValueError:
            return found[0]  # cut off, or quotes around something that is no JSON
        shown = masked(said)
        return found[0] if shown == said else json.dumps(shown)

    def mask(data: bytes) -> bytes:
        text = data.decode("utf-8", "surrogateescape")
        return masked(_ESCAPED_LITERAL.sub(literal, text)).encode("utf-8", "surrogateescape")

    return mask


def secrets(request: HTTPRequest) -> set[str]:
    """Return the credentials in the headers and the URL of *request*, as they are and as a URL spells them."""
    values: list[str] = []
    for name, value in request.headers:
        if isinstance(value, Secret):
            values += [value.reveal(), *value.reveal().split()]
        elif SECRET_HEADERS.search(name.lower()):
            values += [value, *value.split()]
    parts = urlsplit(request.url)
    user, _, password = parts.netloc.rpartition("@")[0].partition(":")
    values.append(password or user)
    values += [value for name, value in _parameters(parts.query) if _is_secret(name)]
    spelled = {text for value in values for text in (value, unquote(value), quote(value, safe=""))}
    return {text for text in spelled if len(text) >= LEAST_SECRET_CHARACTERS}


def masked_pieces(mask: Mask, pieces: Sequence[bytes]) -> list[bytes]:
    """
    Mask the whole of *pieces*, and cut the outcome where it was cut before.

    Where a mask reaches over a cut, the pieces are one: the first of them has it all and the others are empty.
    """
    joined = b"".join(pieces)
    whole = mask(joined)
    if whole == joined:
        return list(pieces)
    middle = len(pieces) / 2
    for cut in sorted(range(1, len(pieces)), key=lambda place: abs(place - middle)):
        # A cut is clean when both sides alone say what the whole says; then each side is a smaller case of the same.
        if mask(b"".join(pieces[:cut])) + mask(b"".join(pieces[cut:])) == whole:
            return masked_pieces(mask, pieces[:cut]) + masked_pieces(mask, pieces[cut:])
    return [whole, *[b""] * (len(pieces) - 1)]


def asked_of(request: HTTPRequest, mask: Mask) -> Asked:
    """Return what is written of *request*, which is also what a replayed request is compared by."""
    headers = kept_headers({name: value for name, value in request.headers if isinstance(value, str)}, mask)
    headers |= {name.lower(): MASK for name, value in request.headers if isinstance(value, Secret)}
    return Asked(request.method, _masked_url(request.url, mask), headers, **readable(mask(request.body)))


def kept_headers(headers: Mapping[str, str], mask: Mask) -> dict[str, str]:
    """Return what is written of *headers*."""
    return {
        name.lower(): masked_text(value, mask)
        for name, value in headers.items()
        if KEPT_HEADERS.fullmatch(name.lower())
    }


def masked_text(text: str, mask: Mask) -> str:
    """Mask a text."""
    return mask(text.encode("utf-8", "surrogatepass")).decode("utf-8", "replace")


def _masked_url(url: str, mask: Mask) -> str:
    parts = urlsplit(url)
    query = "&".join(
        f"{name}={MASK}" if _is_secret(name) else f"{name}={value}" if value else name
        for name, value in _parameters(parts.query)
    )
    host = parts.netloc.rpartition("@")[2]
    return masked_text(urlunsplit((parts.scheme, host, parts.path, query, "")), mask)


def _parameters(query: str) -> list[tuple[str, str]]:
    pairs = (parameter.partition("=") for parameter in query.split("&") if parameter)
    return [(name, value) for name, _, value in pairs]


def _is_secret(parameter: str) -> bool:
    return SECRET_PARAMETERS.fullmatch(unquote_plus(parameter).lower()) is not None
