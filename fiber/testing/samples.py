"""
Sample values from JSON schemas: the same schema always gives the same value.

Covers what schemas of tools and answers use. Not met: `pattern`, `not`, `if`, `uniqueItems`, and
`$ref` to another document.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from fiber.types.numbers import is_number

_DEEP = 6
"""Below this depth optional properties and array items are left out, so that recursion ends."""
_BOTTOM = 40

_BY_FORMAT = {
    "date": "2026-01-15",
    "date-time": "2026-01-15T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "url": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000001",
}
_BY_NAME = (
    # The first word found in the property's name decides.
    ("city|location|place|town|destination|capital", "Paris"),
    ("country", "France"),
    ("language|locale", "en"),
    ("currency", "EUR"),
    ("timezone|time_zone", "Europe/Paris"),
    ("unit", "celsius"),
    ("email", "ada@example.com"),
    ("url|uri|link", "https://example.com/"),
    ("date|day", "2026-01-15"),
    ("time", "12:00"),
    ("path|file", "notes.txt"),
    ("query|question|search", "weather in Paris"),
    ("expression|formula", "2 + 2"),
    ("title|subject", "A title"),
    ("name|author|person|user", "Ada"),
    ("id|key", "id-1"),
)
_NAMES = [(re.compile(f"(?i){words}"), value) for words, value in _BY_NAME]


def sample(schema: Mapping[str, Any] | bool, name: str = "") -> Any:
    """
    Make a value that fits *schema*.

    Args:
        schema: JSON Schema, or the OpenAPI subset with upper-case types that Gemini uses.
        name: Name of the property, which hints at the text: a `city` is Paris.
    """
    return _sample(schema, name, schema, 0)


def _sample(schema: Any, name: str, root: Any, depth: int) -> Any:
    if not isinstance(schema, Mapping) or depth > _BOTTOM:
        return None if schema is False or depth > _BOTTOM else _text({}, name)
    for keyword in ("const", "default"):
        if keyword in schema and (keyword == "const" or schema[keyword] is not None):
            return schema[keyword]
    for keyword in ("enum", "examples"):
        if isinstance(schema.get(keyword), list) and schema[keyword]:
            return schema[keyword][0]
    if isinstance(schema.get("$ref"), str):
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        target = _resolve(schema["$ref"], root)
        merged = {**target, **beside} if isinstance(target, Mapping) else target
        return _sample(merged, name, root, depth + 1)
    if schema.get("allOf"):
        return _sample(_merge(schema, root), name, root, depth + 1)
    for keyword in ("anyOf", "oneOf"):
        if schema.get(keyword):
            return _sample(_variant(schema[keyword], depth), name, root, depth + 1)
    return _MAKERS[_type(schema, depth)](schema, name, root, depth)


def _resolve(reference: str, root: Any) -> Any:
    node = root
    for written in reference.removeprefix("#").strip("/").split("/") if reference != "#" else ():
        step = written.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list) and step.isdigit() and int(step) < len(node):
            node = node[int(step)]
        else:
            node = node.get(step) if isinstance(node, Mapping) else None
    return {} if node is None else node


def _merge(schema: Mapping[str, Any], root: Any) -> dict[str, Any]:
    merged = {key: value for key, value in schema.items() if key != "allOf"}
    for part in schema["allOf"]:
        whole = part
        for _ in range(_BOTTOM):
            if not (isinstance(whole, Mapping) and isinstance(whole.get("$ref"), str)):
                break
            whole = _resolve(whole["$ref"], root)
        for key, value in whole.items() if isinstance(whole, Mapping) else ():
            known = merged.get(key)
            if key == "properties" and isinstance(known, Mapping):
                merged[key] = {**known, **value}
            elif key in ("required", "allOf") and isinstance(known, list):
                merged[key] = [*known, *value]
            else:
                merged[key] = value
    return merged


def _variant(variants: list[Any], depth: int) -> Any:
    """Take the first variant that is not null, or null when it is deep enough."""

    def is_null(variant: Any) -> bool:
        return isinstance(variant, Mapping) and str(variant.get("type")).lower() == "null"

    ordered = sorted(variants, key=lambda variant: is_null(variant) != (depth > _DEEP))
    return ordered[0]


def _type(schema: Mapping[str, Any], depth: int) -> str:
    types = schema.get("type")
    if isinstance(types, list):
        types = _variant([{"type": word} for word in types], depth)["type"] if types else None
    if isinstance(types, str) and types.lower() in _MAKERS:
        return types.lower()
    if "properties" in schema:
        return "object"
    return "array" if "items" in schema or "prefixItems" in schema else "string"


def _object(schema: Mapping[str, Any], name: str, root: Any, depth: int) -> dict[str, Any]:
    required = schema.get("required")
    needed = required if isinstance(required, list) else []
    properties = schema.get("properties")
    known: Mapping[str, Any] = properties if isinstance(properties, Mapping) else {}
    names = [key for key in known if depth <= _DEEP or key in needed]
    names += [key for key in needed if isinstance(key, str) and key not in known]
    return {key: _sample(known.get(key, True), key, root, depth + 1) for key in names}


def _array(schema: Mapping[str, Any], name: str, root: Any, depth: int) -> list[Any]:
    fixed = schema.get("prefixItems") or []
    least = schema.get("minItems") or 0
    most = schema.get("maxItems")
    count = max(least, len(fixed) if fixed else int(depth <= _DEEP))
    count = min(count, most) if isinstance(most, int) else count
    rest = schema.get("items", True)
    singular = name.removesuffix("s")
    kinds = [*fixed, *([rest] * max(0, count - len(fixed)))][:count]
    return [_sample(kind, singular, root, depth + 1) for kind in kinds]


def _text(schema: Mapping[str, Any], name: str, root: Any = None, depth: int = 0) -> str:
    found = _BY_FORMAT.get(str(schema.get("format")))
    if found is None:
        found = next((value for words, value in _NAMES if words.search(name)), "sample")
    least, most = schema.get("minLength"), schema.get("maxLength")
    if isinstance(least, int):
        found = found.ljust(least, "x")
    return found[:most] if isinstance(most, int) else found


def _number(schema: Mapping[str, Any], name: str, root: Any, depth: int) -> int | float:
    step = schema.get("multipleOf") or 1
    value = step
    for keyword, away in (("minimum", 0), ("exclusiveMinimum", step)):
        bound = schema.get(keyword)
        if is_number(bound) and value < bound + away:
            value = -(-(bound + away) // step) * step  # the next multiple of step
    for keyword, away in (("maximum", 0), ("exclusiveMaximum", step)):
        bound = schema.get(keyword)
        if is_number(bound) and value > bound - away:
            value = (bound - away) // step * step
            low = schema.get("minimum", value)
            value = low if value < low else value  # a range narrower than a step
    return value


def _integer(schema: Mapping[str, Any], name: str, root: Any, depth: int) -> int:
    return int(_number(schema, name, root, depth))


_MAKERS: Mapping[str, Callable[[Mapping[str, Any], str, Any, int], Any]] = {
    "object": _object,
    "array": _array,
    "string": _text,
    "integer": _integer,
    "number": _number,
    "boolean": lambda *_: True,
    "null": lambda *_: None,
}
