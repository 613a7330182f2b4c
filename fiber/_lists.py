"""What a provider says of itself, free of charge: its list of models, and by that whether it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fiber import _calls, _running
from fiber._errors import FiberCapabilityError, FiberParsingError
from fiber._operations import RawResponse
from fiber._settings import Settings
from fiber.types.config import NO_RETRY, Timeouts

_MOST_PAGES = 100
_HEADERS = {"anthropic": {"anthropic-version": "2023-06-01"}}
"""What lists want to be sent, by format; the oldest version, which every host of the format knows."""


async def models(settings: Settings, provider: str, timeout: float | Timeouts | None) -> list[str]:
    """
    Return the names of the models in the list of *provider*, page by page, sorted.

    Raises:
        FiberCapabilityError: It has no list.
        FiberParsingError: The answer is no list.
    """
    names: set[str] = set()
    params: Mapping[str, str] = {}
    for _ in range(_MOST_PAGES):
        answer = (await _page(settings, provider, params, timeout)).json()
        known = len(names)
        names |= _names(answer)
        params = _next(answer)
        if not params or len(names) == known:  # a list that begins anew has no end
            break
    return sorted(names)


async def ping(settings: Settings, provider: str, timeout: float | Timeouts | None) -> float:
    """Ask *provider* for its list of models once, without a retry; return the seconds until the answer was whole."""
    settings = replace(settings, retry=NO_RETRY)
    started = settings.transport.now()
    await _page(settings, provider, {}, timeout)
    return settings.transport.now() - started


async def _page(
    settings: Settings, provider: str, params: Mapping[str, str], timeout: float | Timeouts | None
) -> RawResponse:
    row = settings.rows.get(settings.registry.resolve("-", provider=provider).provider)
    if row is not None and not row.models_path:
        raise FiberCapabilityError(
            f"{row.name} has no list of models: see {row.docs_url or 'its documentation'}.", provider=row.name
        )
    path, format = (row.models_path, row.adapter) if row is not None else ("", "")
    headers = _HEADERS.get(format, {}) if isinstance(format, str) else {}
    options: dict[str, Any] = {"params": params, "headers": headers, "timeout": timeout}
    call = _calls.prepare_raw(settings, "GET", path, provider, options, stream=False)
    response: RawResponse = await _running.complete(settings, call)
    return response


def _names(answer: Any) -> set[str]:
    """Read a list: `data[].id` at OpenAI and Anthropic, `models[].name` at others, or no object around it."""
    members = answer.get("data", answer.get("models", answer)) if isinstance(answer, dict) else answer
    if members is None and answer is not None:
        return set()  # a list of none at all
    if not isinstance(members, list):
        raise FiberParsingError("The answer has no list of models: check the base URL.")
    names = (member.get("id") or member.get("name") for member in members if isinstance(member, dict))
    return {name.removeprefix("models/") for name in names if isinstance(name, str) and name}


def _next(answer: Any) -> dict[str, str]:
    """Return what asks for the next page: of Gemini, of Cohere, of Anthropic."""
    said = answer if isinstance(answer, dict) else {}
    if token := said.get("nextPageToken"):
        return {"pageToken": str(token)}
    if token := said.get("next_page_token"):
        return {"page_token": str(token)}
    return {"after_id": str(said["last_id"])} if said.get("has_more") and said.get("last_id") else {}
