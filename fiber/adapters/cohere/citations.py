"""
Sources of the answer: `{"start", "end", "text", "sources": [...], "content_index"}`.

A citation becomes one `Citation` for each of its sources: a document, or what a tool said.
Documentation: https://docs.cohere.com/docs/documents-and-citations, read 2026-11-21.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fiber.adapters.assembly import Assembly
from fiber.adapters.cohere.schema import objects
from fiber.adapters.jsons import count, members, text
from fiber.types.result import Citation

_WORDS = ("snippet", "text", "content", "output")
"""Members that hold the words of a source; the names are the caller's, these are the usual ones."""


def citations_of(record: dict[str, Any], assembly: Assembly) -> Iterator[Citation]:
    """Read one record; one without a source is a citation all the same."""
    native = assembly.opaque(msgspec.json.encode(record).decode(), text(record.get("type")) or "citation")
    for source in list(objects(record.get("sources"))) or [{}]:
        said = members(source.get("document")) or members(source.get("tool_output"))
        yield Citation(
            url=text(said.get("url")) or None,
            title=text(said.get("title")) or None,
            cited_text=next(filter(None, (text(said.get(name)) for name in _WORDS)), None),
            file_id=text(source.get("id")) or None,
            start=count(record.get("start")),
            end=count(record.get("end")),
            native=native,
        )
