"""
Bend a JSON Schema to the strict mode of Claude, of tools and of structured output.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs, read 2026-11-20.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber.adapters.schemas import closed, walk
from fiber.types.http import Note

# Keywords that strict mode answers with 400, as in the error "property 'minimum' is not supported".
_UNSUPPORTED = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
)


def strict_schema(schema: Mapping[str, Any], subject: str, notes: list[Note]) -> dict[str, Any]:
    """Bend *schema* to what strict mode takes: closed objects, no bounds, `anyOf` for `oneOf`."""
    changes: list[str] = []

    def visit(node: dict[str, Any], path: str) -> dict[str, Any]:
        least = node.get("minItems")
        if least is not None and least not in (0, 1):
            changes.append(f"{path}: minItems removed")
            del node["minItems"]
        if "oneOf" in node and "anyOf" not in node:
            changes.append(f"{path}: oneOf sent as anyOf")
            node["anyOf"] = node.pop("oneOf")
        return node

    compiled, closing = closed(walk(schema, visit), require_all=False, drop=_UNSUPPORTED)
    if changes := changes + closing:
        notes.append(Note("mapped", subject, "; ".join(changes)))
    return compiled
