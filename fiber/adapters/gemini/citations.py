"""
Sources of an answer: `groundingMetadata` (search, maps, file search) and `citationMetadata`
(recitation).

`start` and `end` are as the provider counts: bytes of the UTF-8 text of one part of the answer.
Streams repeat records, so each is given out once.

Documentation: https://ai.google.dev/gemini-api/docs/google-search and
https://ai.google.dev/api/generate-content#citationmetadata. Facts as of google-genai 3.4.0,
November 2026.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.assembly import Assembly
from fiber.adapters.jsons import count, members, objects, text_or_none
from fiber.types.result import Citation

_CHUNK_KINDS = ("web", "retrievedContext", "maps", "image")


class Citations:
    """The sources of one candidate, as they come."""

    def __init__(self, assembly: Assembly, choice: int) -> None:
        self._assembly = assembly
        self._choice = choice
        self._chunks: list[dict[str, Any]] = []
        self._told: set[tuple[Any, ...]] = set()

    def grounding(self, metadata: Any) -> None:
        """Read `groundingMetadata`: segments with each of their sources, then other sources."""
        said = members(metadata)
        self._chunks = objects(said.get("groundingChunks")) or self._chunks
        used: set[int] = set()
        for support in objects(said.get("groundingSupports")):
            segment = members(support.get("segment"))
            indices = support.get("groundingChunkIndices")
            for index in indices if isinstance(indices, list) else ():
                if isinstance(index, int) and 0 <= index < len(self._chunks):
                    used.add(index)
                    end = count(segment.get("endIndex"))
                    # A start of 0 is left out by the API.
                    start = count(segment.get("startIndex", 0)) if end is not None else None
                    self._source(self._chunks[index], support, start, end)
        for index, chunk in enumerate(self._chunks):
            if index not in used:
                self._source(chunk, chunk, None, None)

    def recitation(self, metadata: Any) -> None:
        """Read `citationMetadata`; its list is `citationSources` here and `citations` on Vertex."""
        said = members(metadata)
        for record in objects(said.get("citationSources")) + objects(said.get("citations")):
            end = count(record.get("endIndex"))
            start = count(record.get("startIndex", 0)) if end is not None else None
            url, title = text_or_none(record.get("uri")), text_or_none(record.get("title"))
            self._tell(url, title, None, start, end, record)

    def _source(self, chunk: dict[str, Any], native: dict[str, Any], start: int | None, end: int | None) -> None:
        source = next((chunk[kind] for kind in _CHUNK_KINDS if kind in chunk), None)
        fields = members(source)
        self._tell(
            text_or_none(fields.get("uri")),
            text_or_none(fields.get("title")),
            text_or_none(fields.get("text")),
            start,
            end,
            native,
        )

    def _tell(
        self,
        url: str | None,
        title: str | None,
        cited_text: str | None,
        start: int | None,
        end: int | None,
        native: dict[str, Any],
    ) -> None:
        mark = (url, title, cited_text, start, end)
        if mark in self._told:
            return
        self._told.add(mark)
        self._assembly.cite(
            Citation(
                url=url,
                title=title,
                cited_text=cited_text,
                start=start,
                end=end,
                index=self._choice,
                native=self._assembly.opaque(msgspec.json.encode(native).decode()),
            )
        )
