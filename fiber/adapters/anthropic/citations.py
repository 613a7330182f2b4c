"""
Sources of the answer: citation records as `Citation` values.

Documentation: https://platform.claude.com/docs/en/build-with-claude/citations.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters import jsons
from fiber.adapters.anthropic.answer import Answer
from fiber.adapters.anthropic.schema import Members, members_of, string, value
from fiber.types.result import Citation

# The three kinds of location count characters, pages or blocks.
_STARTS = ("start_char_index", "start_page_number", "start_block_index")
_ENDS = ("end_char_index", "end_page_number", "end_block_index")


def cite(answer: Answer, record: msgspec.Raw) -> None:
    """Add the source that *record* tells."""
    members = members_of(bytes(record)) or {}
    answer.cite(
        Citation(
            # A search result of the caller's own is named by `source`.
            url=string(members, "url") or string(members, "source") or None,
            title=string(members, "title") or string(members, "document_title") or None,
            cited_text=string(members, "cited_text") or None,
            file_id=string(members, "file_id") or None,
            document_index=_first(members, "document_index"),
            start=_first(members, *_STARTS),
            end=_first(members, *_ENDS),
            native=answer.opaque(jsons.text_of(record), string(members, "type")),
        )
    )


def _first(members: Members, *names: str) -> int | None:
    found: list[Any] = [value(members, name) for name in names]
    return next((number for number in map(jsons.count, found) if number is not None), None)
