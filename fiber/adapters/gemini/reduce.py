"""
Reduce a JSON Schema to what Gemini takes in `responseJsonSchema` and `parametersJsonSchema`.

What google-genai 3.4.0 takes out is taken out here too: `$schema`, `title`, `examples`,
`discriminator`, `exclusiveMinimum`, `exclusiveMaximum`; `const` becomes an `enum` of one, and the
`format` of a string is said in its description. What Gemini does not hold an answer to is sent, and told.

Documentation: https://ai.google.dev/gemini-api/docs/structured-output and google-genai 3.4.0. Facts
as of google-genai 3.4.0, November 2026.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.schemas import walk
from fiber.types.http import Note
from fiber.types.tools import JSONSchema

_ANNOTATIONS = ("$schema", "title", "examples", "discriminator")
_HELD = frozenset(
    (
        *("$anchor", "$defs", "$id", "$ref", "additionalProperties", "anyOf", "description", "enum", "format", "items"),
        *("maxItems", "maximum", "minItems", "minimum", "prefixItems", "properties", "propertyOrdering", "required"),
        *("title", "type", "$comment", "default", "deprecated", "readOnly", "writeOnly"),  # the last say nothing
    )
)
"""Source: https://ai.google.dev/api/generate-content, `responseJsonSchema`, as of November 2026."""
_BOUNDS = (("exclusiveMinimum", "minimum", 1), ("exclusiveMaximum", "maximum", -1))


def reduced(schema: JSONSchema, subject: str, notes: list[Note]) -> dict[str, Any]:
    """Return *schema* reduced; a note says what it lost."""
    lost: list[str] = []
    unheld: list[str] = []
    annotations: set[str] = set()

    def visit(node: dict[str, Any], path: str) -> dict[str, Any]:
        for keyword in _ANNOTATIONS:
            if keyword in node:
                annotations.add(keyword)
                del node[keyword]
        if "const" in node:
            constant = node.pop("const")
            node.setdefault("enum", [constant])
        for keyword, inclusive, step in _BOUNDS:
            if keyword not in node:
                continue
            bound = node.pop(keyword)
            whole = isinstance(bound, int) and not isinstance(bound, bool)
            if whole and node.get("type") == "integer" and inclusive not in node:
                # The same set of integers, said with the bound that Gemini has.
                node[inclusive] = bound + step
            else:
                lost.append(f"{path}: {keyword} {bound} removed")
        if node.get("type") == "string" and isinstance(node.get("format"), str):
            words = f"Format: {node.pop('format')}."
            description = node.get("description")
            node["description"] = f"{description} {words}" if description else words
            lost.append(f"{path}: format moved to the description")
        for keyword in node.keys() - _HELD:
            unheld.append(f"{path}: {keyword} is {'read as anyOf' if keyword == 'oneOf' else 'not held to'}")
        return node

    result = walk(schema, visit)
    if annotations:
        lost.append(f"{', '.join(sorted(annotations))} removed")
    if lost:
        notes.append(Note("mapped", subject, f"schema reduced: {'; '.join(lost)}"))
    if unheld:
        notes.append(Note("mapped", subject, "; ".join(sorted(unheld))))
    return result
