"""
Sources of the answer: citation records as `Citation` values.

Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Citation.html.
"""

from __future__ import annotations

import msgspec

from fiber.adapters import jsons
from fiber.adapters.assembly import Assembly
from fiber.adapters.bedrock_converse import schema
from fiber.types.result import Citation

_INDEXES = ("documentIndex", "searchResultIndex")


def cite(answer: Assembly, record: msgspec.Raw) -> None:
    """Add the source that *record* tells."""
    members = schema.members_of(bytes(record))
    location = schema.inner(members, "location")
    kind = next(iter(location), "")
    place = schema.inner(location, kind)
    pieces = schema.items_of(members.get("sourceContent", schema.NOTHING)) or []
    words = "".join(schema.string(schema.members_of(bytes(piece)), "text") for piece in pieces)
    source = schema.string(members, "source")
    indexes = (schema.number(place, name) for name in _INDEXES)
    answer.cite(
        Citation(
            url=schema.string(place, "url") or (source if "://" in source else "") or None,
            title=schema.string(members, "title") or None,
            cited_text=words or None,
            document_index=next((index for index in indexes if index is not None), None),
            start=schema.number(place, "start"),
            end=schema.number(place, "end"),
            native=answer.opaque(jsons.text_of(record), kind),
        )
    )
