"""Bend a JSON Schema to what a provider accepts, and say what was changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

_MAPS = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_LISTS = ("anyOf", "oneOf", "allOf", "prefixItems")
_SINGLES = ("items", "not", "additionalProperties", "contains", "if", "then", "else", "propertyNames")

_TO_ROOT = re.compile(r"#(?:$|/(?!\$defs/|definitions/))")
"""A reference to the root, or into it; not to a definition."""

Visit = Callable[[dict[str, Any], str], dict[str, Any]]


def walk(schema: Mapping[str, Any], visit: Visit, path: str = "$") -> dict[str, Any]:
    """
    Rebuild *schema* bottom-up, each subschema passed through *visit* with its path (`$.items.properties.city`).

    Property names are never mistaken for keywords, and values of `enum`, `const`, `default` and `examples` are left
    alone.
    """
    node: dict[str, Any] = {}
    for key, value in schema.items():
        here = f"{path}.{key}"
        if key in _MAPS and isinstance(value, Mapping):
            node[key] = {
                name: walk(sub, visit, f"{here}.{name}") if isinstance(sub, Mapping) else sub
                for name, sub in value.items()
            }
        elif key in _LISTS and isinstance(value, list | tuple):
            node[key] = [
                walk(sub, visit, f"{here}[{number}]") if isinstance(sub, Mapping) else sub
                for number, sub in enumerate(value)
            ]
        elif key in _SINGLES and isinstance(value, Mapping):
            node[key] = walk(value, visit, here)
        else:
            node[key] = value
    return visit(node, path)


def closed(
    schema: Mapping[str, Any], *, require_all: bool, drop: Collection[str] = (), close: bool = True
) -> tuple[dict[str, Any], list[str]]:
    """
    Compile *schema* for a provider's strict mode.

    Every object gets `additionalProperties: false`; with *require_all* every property becomes required and those
    that were optional become nullable (OpenAI's rule); keywords in *drop* are removed. Without *close* that is all.

    Returns:
        The schema, and one line for each change that alters its meaning.
    """
    changes: list[str] = []

    def visit(node: dict[str, Any], path: str) -> dict[str, Any]:
        for keyword in [keyword for keyword in node if keyword in drop]:
            changes.append(f"{path}: {keyword} removed")
            del node[keyword]
        properties = node.get("properties")
        if close and (node.get("type") == "object" or isinstance(properties, dict)):
            if node.get("additionalProperties") is not False:
                if "additionalProperties" in node:
                    changes.append(f"{path}: additionalProperties set to false")
                node["additionalProperties"] = False
            if require_all:
                properties = node.setdefault("properties", {})
                required = list(node.get("required", ()))
                for name in [name for name in properties if name not in required]:
                    changes.append(f"{path}.{name}: made required and nullable")
                    properties[name] = nullable(properties[name])
                node["required"] = list(properties)
        return node

    return walk(schema, visit), changes


def has_optional(schema: Mapping[str, Any]) -> bool:
    """Tell that an object somewhere in *schema* may do without one of its members."""
    found = False

    def visit(node: dict[str, Any], path: str) -> dict[str, Any]:
        nonlocal found
        properties = node.get("properties")
        found = found or (isinstance(properties, dict) and not properties.keys() <= set(node.get("required", ())))
        return node

    walk(schema, visit)
    return found


def wrapped(schema: Mapping[str, Any], member: str) -> dict[str, Any]:
    """
    Return the schema of an object whose one member holds what *schema* is of.

    Definitions stay at the root. A schema that refers to itself as the root becomes one of them.
    """
    taken = schema.get("$defs", {})
    name = member
    while name in taken:
        name += "_"
    place = f"#/$defs/{name}"

    def visit(node: dict[str, Any], path: str) -> dict[str, Any]:
        reference = node.get("$ref")
        if isinstance(reference, str) and _TO_ROOT.match(reference):
            node["$ref"] = place + reference[1:]
        return node

    inner = walk(schema, visit)
    refers_to_root = inner != schema
    definitions: dict[str, Any] = {
        keyword: inner.pop(keyword) for keyword in ("$schema", "$defs", "definitions") if keyword in inner
    }
    if refers_to_root:
        definitions["$defs"] = {**definitions.get("$defs", {}), name: inner}
        inner = {"$ref": place}
    return {
        "type": "object",
        "properties": {member: inner},
        "required": [member],
        "additionalProperties": False,
        **definitions,
    }


def nullable(schema: Any) -> Any:
    """Return *schema* with null admitted."""
    if not isinstance(schema, Mapping):
        return schema
    kind = schema.get("type")
    if "const" in schema or "enum" in schema or not isinstance(kind, str | list):
        options = schema.get("anyOf")
        if isinstance(options, list) and len(schema) == 1:
            return schema if {"type": "null"} in options else {"anyOf": [*options, {"type": "null"}]}
        return {"anyOf": [dict(schema), {"type": "null"}]}
    kinds = [kind] if isinstance(kind, str) else kind
    return dict(schema) if "null" in kinds else {**schema, "type": [*kinds, "null"]}
