"""The last step of every builder: a body becomes a POST, with the caller's own members, query and headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from fiber.adapters.parameters import merge
from fiber.types.draft import Draft
from fiber.types.http import HTTPRequest, Note
from fiber.types.reading import Reading
from fiber.types.request import ChatRequest
from fiber.types.target import Target


def post(
    url: str,
    body: dict[str, Any],
    request: ChatRequest,
    notes: Iterable[Note],
    *,
    stream: bool,
    query: Mapping[str, str] | None = None,
    headers: tuple[tuple[str, str], ...] = (),
    stream_type: str = "text/event-stream",
    target: Target | None = None,
    reading: Reading | None = None,
) -> HTTPRequest:
    """
    Encode *body* with `extra_body` merged in, and add `extra_query` and `extra_headers`; the caller's win.

    Before that the row of *target* has its say, when it has a hook.

    A stream asks for an unencoded body: compressed, a proxy may hold it back until it is whole.

    Args:
        url: Without a query.
        query, headers: The format's own.
        stream_type: Media type of the format's streams.
        reading: How the answer is to be read, where that is not as it stands.
    """
    draft = Draft(url, body, query or {}, headers, stream, list(notes))
    if target is not None and target.adapt_request is not None:
        draft = target.adapt_request(draft, request, target)
    merged = merge(draft.body, request.extra_body) if request.extra_body else draft.body
    asked = {**draft.query, **(request.extra_query or {})}
    accepted: tuple[tuple[str, str], ...] = (("accept", "application/json"),)
    if stream:
        accepted = (("accept", stream_type), ("accept-encoding", "identity"))
    made = HTTPRequest(
        "POST",
        f"{draft.url}?{urlencode(asked, quote_via=quote)}" if asked else draft.url,
        (("content-type", "application/json"), *accepted, *draft.headers),
        msgspec.json.encode(merged),
        tuple(draft.notes),
        reading=reading,
    )
    return made.with_headers(*(request.extra_headers or {}).items())
