"""The scoreboard of docs/features/providers.md: what recordings proved of each row, and what its requests may have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

from fiber import PROVIDERS, Audio, ChatMessage, Document, FiberCapabilityError, Image, Provider
from fiber.adapters import load
from fiber.types.options import chat_request
from tests.conformance.recordings import FORMATS
from tests.conformance.replay import row_of, target_of
from tests.conformance.report import SHOWS, read_baseline
from tests.conformance.shown import COLUMNS

_TOOL = {"tools": [{"name": "f", "parameters": {"type": "object", "properties": {}}}]}
_SCHEMA = {"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"], "additionalProperties": False}
_PARTS: dict[str, Image | Document | Audio] = {
    "images": Image(data=b"\x89PNG\r\n\x1a\n", media_type="image/png"),
    "documents": Document(data=b"%PDF-1.7", media_type="application/pdf"),
    "audio": Audio(data=b"RIFF\x00\x00\x00\x00WAVE", media_type="audio/wav"),
}
ASKED: dict[str, dict[str, Any]] = {
    # Columns that a request asks for, with the words that do.
    **dict.fromkeys(("tools", "parallel tools", "streamed arguments"), _TOOL),
    "structured output": {"response_format": _SCHEMA},
    **{column: {"messages": [ChatMessage.user([part])]} for column, part in _PARTS.items()},
    "reasoning": {"reasoning": "low"},
    "logprobs": {"logprobs": True},
}
LACKING = {("citations", "ollama"), ("prompt caching", "ollama")}
"""Columns that no request asks for, with formats whose answers have no such thing."""


def scores() -> Iterator[list[str]]:
    """Return the cells of each row: how many recordings proved a column, `built`, or `no`."""
    for row in PROVIDERS:
        proven = _proven()[row.name]
        yield [str(proven[name] or ("built" if _is_built(row, name) else "no")) for name in COLUMNS]


def _is_built(row: Provider, column: str) -> bool:
    """Say whether *row* takes what *column* asks for; or, when that is nothing, whether its format has it."""
    if column not in ASKED:
        return (column, row.adapter) not in LACKING
    adapter = load(row.adapter) if isinstance(row.adapter, str) else row.adapter
    try:
        adapter.build_request(chat_request(**{"messages": "Hi", **ASKED[column]}), target_of(row), stream=False)
    except FiberCapabilityError:
        return False
    return True


@cache
def _proven() -> dict[str, Counter[str]]:
    """Return the recordings that passed, by row and column."""
    found = {row.name: Counter[str]() for row in PROVIDERS}
    for endpoint, counts in read_baseline().items():
        row = row_of(endpoint.partition(".")[0], FORMATS[endpoint])
        if row is not None:
            found[row.name].update({name: counts.get(SHOWS + name, 0) for name in COLUMNS})
    return found
