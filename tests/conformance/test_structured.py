"""Recorded structured outputs, read into types made of the schemas that were asked for."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any, Literal

import msgspec
import pytest

from fiber import FiberError, FiberParsingError, GrowingValue
from fiber.adapters import load
from fiber.types.http import HTTPHead
from fiber.types.jsons import parse_json
from tests.conformance.recordings import FOLDER, FORMATS, Recording, read
from tests.conformance.replay import row_of, target_of

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="../shared/wire is missing: there are no recordings")

LEAST = 240
NO_FITS = {
    "openai.responses.38a4609217": "says its object twice",
    "openrouter.chat.1c43436ed8": "ends inside of a string, and says that it is whole",
    "perplexity.chat.f38f630126": "thinks in its text",
}
"""Answers that are rightly refused, each with the reason."""
PLAIN = {"string": str, "integer": int, "number": float, "boolean": bool, "null": None}


def type_of(schema: Any, root: Mapping[str, Any], seen: tuple[str, ...] = ()) -> Any:
    """Make a type of *schema*: Structs of objects; what is recursive, or has no such type, is anything."""
    if not isinstance(schema, Mapping):
        return Any
    if (reference := schema.get("$ref")) is not None:
        if reference in seen:
            return Any
        node: Any = root
        for name in reference.split("/")[1:]:
            node = node[name]
        return type_of(node, root, (*seen, reference))
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    if options := schema.get("anyOf", schema.get("oneOf")):
        kinds = [type_of(option, root, seen) for option in options]
        structs = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        return Any if Any in kinds or len(structs) > 1 else reduce(or_, kinds, kinds[0] or type(None))
    match schema.get("type"):
        case "object" if schema.get("properties"):
            return struct_of(schema, root, seen)
        case "object":
            return dict[str, Any]
        case "array":
            return list[type_of(schema.get("items"), root, seen)]  # type: ignore[misc]
        case list(names):
            return reduce(or_, (PLAIN[name] or type(None) for name in names)) if set(names) <= PLAIN.keys() else Any
        case str(name):
            return PLAIN[name]
    return Any


def struct_of(schema: Mapping[str, Any], root: Mapping[str, Any], seen: tuple[str, ...]) -> Any:
    """Make a Struct of an object; an optional member that is left out is unset."""
    fields: list[Any] = []
    names: dict[str, str] = {}
    for number, (name, member) in enumerate(schema["properties"].items()):
        field = name if name.isidentifier() and not keyword.iskeyword(name) else f"member_{number}"
        names[field] = name
        kind = type_of(member, root, seen)
        if name in schema.get("required", ()):
            fields.append((field, kind))
        else:
            fields.append((field, kind if kind is Any else kind | msgspec.UnsetType, msgspec.UNSET))
    return msgspec.defstruct("Made", fields, rename=names, kw_only=True)


def answered(recording: Recording) -> str | None:
    """The text of a whole answer; None where there is none, or not the one that was asked for."""
    adapter = load(FORMATS[recording.endpoint])
    target = target_of(row_of(recording.provider, adapter.name), recording.provider)
    try:
        result = adapter.parse_response(
            HTTPHead(recording.status, recording.headers), recording.body(adapter.name), target
        )
    except FiberError:
        return None
    return result.text if result.finish_reason == "stop" and result.text else None


def test_recorded_answers_fit_the_types_of_their_schemas() -> None:
    """Every whole answer that was held to a schema fits its type and grows to it; three are no such JSON."""
    found: Counter[str] = Counter()
    misfits: dict[str, str] = {}
    for endpoint in FORMATS:
        for recording in read(endpoint):
            if recording.schema is None or recording.is_framed or recording.is_error:
                continue
            text = answered(recording)
            if text is None:
                continue
            kind = type_of(recording.schema, recording.schema)
            found[endpoint] += 1
            try:
                value = parse_json(text, kind)
                growing: GrowingValue[Any] = GrowingValue(kind)
                for start in range(0, len(text), 7):
                    growing.feed(text[start : start + 7])
                assert growing.finish() == value
            except FiberParsingError as error:
                misfits[recording.id] = error.message

    assert misfits.keys() == NO_FITS.keys(), misfits
    assert found.total() >= LEAST, found
