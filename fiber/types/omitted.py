"""
Members that were left out, said as null.

OpenAI's strict mode has every member of an object be there, so an optional one becomes nullable
(`fiber.adapters.schemas`): an answer says null for what it leaves out. Here null becomes absence again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

_CHOICES = ("anyOf", "oneOf", "allOf")


def without_nulls(value: Any, schema: Mapping[str, Any]) -> Any:
    """
    Return *value* without the members that are null where *schema* has them optional and never null.

    Args:
        value: Plain data, as JSON has it; not changed.
        schema: JSON Schema; references within it are followed.
    """
    return without(value, set(left_out(value, schema)))


def left_out(value: Any, schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield where those members are, as JSON Pointers (RFC 6901)."""
    yield from _left_out(value, schema, schema, "")


def without(value: Any, pointers: Collection[str]) -> Any:
    """Return *value* without the members of objects at *pointers*."""
    return _kept(value, pointers, "") if pointers else value


def _kept(value: Any, pointers: Collection[str], here: str) -> Any:
    if isinstance(value, list):
        return [_kept(member, pointers, f"{here}/{number}") for number, member in enumerate(value)]
    if not isinstance(value, dict):
        return value
    places = {name: f"{here}/{_step(name)}" for name in value}
    return {name: _kept(value[name], pointers, place) for name, place in places.items() if place not in pointers}


def _left_out(value: Any, schema: Any, root: Mapping[str, Any], here: str) -> Iterator[str]:
    options = list(_options(schema, root, set()))
    if isinstance(value, list):
        items = {"anyOf": [option["items"] for option in options if "items" in option]}
        for number, member in enumerate(value):
            yield from _left_out(member, items, root, f"{here}/{number}")
    elif isinstance(value, dict):
        for name, member in value.items():
            known = [option for option in options if name in option.get("properties", ())]
            choices = {"anyOf": [option["properties"][name] for option in known]}
            place = f"{here}/{_step(name)}"
            if member is None and known and all(name not in option.get("required", ()) for option in known):
                if not any(_admits_null(option) for option in _options(choices, root, set())):
                    yield place
            else:
                others = [option["additionalProperties"] for option in options if "additionalProperties" in option]
                yield from _left_out(member, choices if known else {"anyOf": others}, root, place)


def _step(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def _options(schema: Any, root: Mapping[str, Any], seen: set[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the schemas that *schema* refers to or chooses from, and itself when it says more than that."""
    if not isinstance(schema, Mapping):
        return
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference not in seen:
        seen.add(reference)
        yield from _options(_resolved(reference, root), root, seen)
    chosen = [option for keyword in _CHOICES for option in schema.get(keyword, ())]
    for option in chosen:
        yield from _options(option, root, seen)
    if (reference is None and not chosen) or "properties" in schema or "items" in schema:
        yield schema


def _resolved(reference: str, root: Mapping[str, Any]) -> Any:
    node: Any = root
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        node = node.get(name) if isinstance(node, Mapping) else None
    return node


def _admits_null(schema: Mapping[str, Any]) -> bool:
    if "const" in schema or "enum" in schema:
        return None in schema.get("enum", [schema.get("const")])
    kinds = schema.get("type", "null")  # a schema that names no type admits all
    return bool("null" in ([kinds] if isinstance(kinds, str) else kinds))
