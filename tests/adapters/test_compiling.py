"""
Schemas in the dialects of strict modes.

The rules stand here a second time, as whitelists, and so independent of the lists of the compiler.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import itertools
import json
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from fiber._errors import FiberCapabilityError
from fiber.adapters.compiling import Compiled, allow, compiled, reading_of
from fiber.adapters.dialects import CLAUDE, COHERE, COMPATIBLE, OPENAI, Dialect
from fiber.adapters.schemas import walk
from fiber.types.functions import schema_of
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.omitted import without_nulls
from fiber.types.reading import Reading
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import ResponseFormat, ServerTool, Tool

# -- 80 schemas and more ------------------------------------------------------------------------------------------


class Unit(enum.Enum):
    """An enum."""

    C = "c"
    F = "f"


class Cat(msgspec.Struct, tag=True):
    """One of a union."""

    name: str
    lives: int = 9


class Dog(msgspec.Struct, tag=True):
    """Another of it."""

    name: str
    tail: float | None = None


class Tree(msgspec.Struct):
    """A type that holds itself."""

    value: int
    branches: list[Tree] = []


class Left(msgspec.Struct):
    """One of two that hold each other."""

    right: Right | None = None


class Right(msgspec.Struct):
    """The other one."""

    left: Left | None = None


LEAVES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": float,
    "boolean": bool,
    "null": None,
    "nullable": str | None,
    "literal": Literal["a", "b"],
    "enum": Unit,
    "union": int | str,
    "tagged union": Cat | Dog,
    "nested": Cat,
    "date": datetime.date,
    "datetime": Annotated[datetime.datetime, Meta(tz=True)],
    "duration": datetime.timedelta,
    "decimal": decimal.Decimal,
    "uuid": uuid.UUID,
    "bytes": bytes,
    "bounds": Annotated[int, Meta(ge=1, lt=9, multiple_of=2)],
    "length": Annotated[str, Meta(min_length=1, max_length=9)],
    "pattern": Annotated[str, Meta(pattern="^a+$")],
    "list": list[int],
    "bounded list": Annotated[list[int], Meta(min_length=2, max_length=3)],
    "set": set[str],
    "tuple": tuple[int, str],
    "map": dict[str, int],
    "anything": dict[str, Any],
    "recursive": Tree,
    "mutual": Left,
}
WRAPPED: dict[str, Callable[[Any], Any]] = {
    "alone": lambda leaf: leaf,
    "required": lambda leaf: msgspec.defstruct("Required", [("leaf", leaf)]),
    "optional": lambda leaf: msgspec.defstruct("Optional", [("leaf", leaf, msgspec.field(default_factory=int))]),
    "listed": lambda leaf: msgspec.defstruct("Listed", [("leaves", list[leaf])]),
}
DICTS: dict[str, dict[str, Any]] = {
    "oneOf": {"type": "object", "properties": {"a": {"oneOf": [{"type": "string"}, {"type": "integer"}]}}},
    "allOf": {"type": "object", "properties": {"a": {"allOf": [{"type": "string"}]}}},
    "not": {"type": "object", "properties": {"a": {"not": {"type": "string"}}}},
    "conditional": {"type": "object", "properties": {"a": {"if": {}, "then": {}, "else": {}}}},
    "mixed enum": {"type": "object", "properties": {"a": {"enum": ["a", 1]}}},
    "root union": {"anyOf": [{"type": "object", "properties": {}}]},
    "chosen root": {"type": "object", "properties": {}, "anyOf": [{"required": []}]},
    "anything": {},
    "draft": {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "properties": {}},
    "open": {"type": "object", "properties": {}, "additionalProperties": True},
    "definitions": {
        "type": "object",
        "properties": {"a": {"$ref": "#/definitions/x"}},
        "definitions": {"x": {"type": "array", "items": {"$ref": "#/definitions/x"}, "minItems": 1}},
    },
    "root itself": {"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}},
    "described": {"type": "object", "properties": {"a": {"type": "string", "format": "x", "description": "An x."}}},
}
SCHEMAS = {
    **{f"{leaf} {how}": schema_of(wrap(kind)) for leaf, kind in LEAVES.items() for how, wrap in WRAPPED.items()},
    **DICTS,
}

# -- the rules, again ---------------------------------------------------------------------------------------------

ALWAYS = {"$defs", "$ref", "anyOf", "const", "definitions", "description", "enum", "items", "properties", "required"}
ALWAYS |= {"additionalProperties", "format", "pattern", "title", "type"}
NUMBERS = {"exclusiveMaximum", "exclusiveMinimum", "maximum", "minimum", "multipleOf"}
KEYWORDS = {
    "OPENAI": ALWAYS | NUMBERS | {"maxItems", "minItems"},
    "CLAUDE": ALWAYS
    | {"$schema", "allOf", "contentEncoding", "default", "discriminator", "minItems", "prefixItems"}
    # No refusal of these is known.
    | {"else", "if", "not", "then"},
    "COHERE": ALWAYS
    | {"$schema", "contentEncoding", "default", "discriminator", "multipleOf", "prefixItems"}
    # Nothing is known of these.
    | {"else", "if", "then"},
    "COMPATIBLE": None,
}
FORMATS = {"date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uri", "uuid"}
DIALECTS = {"OPENAI": OPENAI, "CLAUDE": CLAUDE, "COHERE": COHERE, "COMPATIBLE": COMPATIBLE}
NULLS = {"OPENAI", "COHERE", "COMPATIBLE"}
"""Those that have optional members said as null, some or all."""


def complaints(schema: dict[str, Any], name: str) -> Iterator[str]:
    """Say what the provider would answer with 400."""
    nodes: dict[str, dict[str, Any]] = {}

    def visit(node: dict[str, Any], path: str) -> dict[str, Any]:
        nodes[path] = node
        return node

    walk(schema, visit)
    allowed = KEYWORDS[name]
    for path, node in nodes.items():
        if allowed is not None:
            yield from (f"{path}: {keyword}" for keyword in node.keys() - allowed)
            if node.get("format", "date") not in FORMATS:
                yield f"{path}: format"
        if name == "COHERE":
            if node.get("properties") and not node.get("required"):
                yield f"{path}: nothing required"
            if node.get("format", "date") not in ("date", "date-time", "time", "uuid"):
                yield f"{path}: format"
            if "^" in node.get("pattern", "") or "$" in node.get("pattern", ""):
                yield f"{path}: pattern"
            continue
        if (node.get("type") == "object" or "properties" in node) and node.get("additionalProperties") is not False:
            yield f"{path}: open"
        if name != "CLAUDE" and sorted(node.get("properties", ())) != sorted(node.get("required", ())):
            yield f"{path}: not all required"
        if name != "CLAUDE" and "default" in node:
            yield f"{path}: default"
        if name == "CLAUDE" and node.get("minItems", 0) > 1:
            yield f"{path}: minItems"
    if name in ("OPENAI", "COHERE") and (schema.get("type") != "object" or "anyOf" in schema):
        yield "root"
    if name == "CLAUDE":
        text = json.dumps(schema)
        for keyword, definitions in (("$defs", schema.get("$defs")), ("definitions", schema.get("definitions"))):
            for start in definitions or ():
                if f"#/{keyword}/{start}" in expanded(schema, keyword, start):
                    yield f"{start}: recursive"
        if '"$ref": "#"' in text:
            yield "root: recursive"


def expanded(schema: dict[str, Any], keyword: str, start: str) -> str:
    """The text of a definition and of all that it refers to."""
    definitions = schema[keyword]
    names = {start}
    for _ in definitions:
        text = "".join(json.dumps(definitions[name]) for name in sorted(names))
        names |= {name for name in definitions if f'"#/{keyword}/{name}"' in text}
    return "".join(json.dumps(definitions[name]) for name in sorted(names))


def test_there_are_enough_schemas() -> None:
    """The table holds more than eighty different ones."""
    assert len({json.dumps(schema) for schema in SCHEMAS.values()}) >= 80


@pytest.mark.parametrize(("title", "name"), list(itertools.product(SCHEMAS, DIALECTS)))
def test_compiled_schema_is_in_the_dialect(title: str, name: str) -> None:
    """Every schema is compiled to what the provider takes, or refused; what changed is said; the original stays."""
    schema, dialect = SCHEMAS[title], DIALECTS[name]
    before = json.dumps(schema)

    made, changes, losses = compiled(schema, dialect)

    assert json.dumps(schema) == before
    assert losses or list(complaints(made, name)) == []
    assert changes or losses or said_the_same(schema, made)
    assert compiled(made, dialect).changes == []


def said_the_same(schema: dict[str, Any], made: dict[str, Any]) -> bool:
    """Tell that nothing but the closing of objects, and the listing of all that is required, came in between."""

    def bare(node: dict[str, Any], path: str) -> dict[str, Any]:
        return {key: value for key, value in node.items() if key != "additionalProperties" and value not in ([], {})}

    return walk(schema, bare) == walk(made, bare)


@pytest.mark.parametrize(
    ("title", "losing"),
    [
        ("map required", {"OPENAI", "CLAUDE", "COMPATIBLE"}),
        ("anything listed", {"OPENAI", "CLAUDE", "COMPATIBLE"}),
        ("map alone", {"OPENAI", "CLAUDE", "COMPATIBLE"}),
        ("recursive required", {"CLAUDE"}),
        ("mutual alone", {"CLAUDE"}),
        ("definitions", {"CLAUDE"}),
        ("root itself", {"CLAUDE"}),
        ("tuple required", {"OPENAI"}),
        ("list alone", set()),
        ("tagged union alone", set()),
        ("root union", set()),
        ("chosen root", set()),
        ("anything", {"OPENAI", "COHERE"}),
        ("allOf", {"OPENAI", "COHERE"}),
        ("not", {"OPENAI", "COHERE"}),
        ("conditional", {"OPENAI"}),
        ("bounds optional", set()),
        ("enum alone", set()),
        ("nested listed", set()),
        ("tagged union required", set()),
        ("open", set()),
    ],
)
def test_what_would_ask_for_something_else_is_lost(title: str, losing: set[str]) -> None:
    """A loss is what makes other answers of the schema, and nothing else."""
    assert {name for name, dialect in DIALECTS.items() if compiled(SCHEMAS[title], dialect).losses} == losing


def test_changes_are_told_one_by_one() -> None:
    """A bound that is removed, a union that lets more through, a format in words: each has its line and its path."""
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "array", "minItems": 2, "items": {"oneOf": [{"type": "string", "format": "x"}]}},
        },
    }

    made, changes, losses = compiled(schema, CLAUDE)

    assert losses == []
    assert made["properties"]["a"]["items"] == {"anyOf": [{"type": "string", "description": "Format: x."}]}
    assert changes == [
        "$.properties.a.items.oneOf[0]: format moved to the description",
        "$.properties.a.items: oneOf sent as anyOf",
        "$.properties.a: minItems removed",
    ]


def test_both_unions_at_once_stay() -> None:
    """Where `anyOf` is taken already, `oneOf` is left for the provider to judge."""
    assert "oneOf" in compiled({"anyOf": [{}], "oneOf": [{}]}, CLAUDE).schema


@pytest.mark.parametrize(
    ("schema", "lost"),
    [({"type": "object"}, False), ({"type": "object", "additionalProperties": {}}, True), ({"properties": {}}, False)],
    ids=str,
)
def test_tool_without_arguments_loses_nothing(schema: dict[str, Any], lost: bool) -> None:
    """A bare object is a tool without arguments, and only in an answer a map."""
    assert bool(compiled(schema, OPENAI, is_tool=True).losses) is lost
    assert bool(compiled(schema, OPENAI).losses) is ("properties" not in schema)


TARGET = Target(provider="row", model="m", base_url="https://row.test")


@pytest.mark.parametrize(
    ("dialect", "advice"), [(OPENAI, "strict=False"), (CLAUDE, "words in the"), (COHERE, "words in the")]
)
def test_loss_is_refused_unless_allowed(dialect: Dialect, advice: str) -> None:
    """By default nothing is sent; `on_unsupported` turns it into a warning."""
    notes: list[Note] = []
    request = ChatRequest(messages=(ChatMessage.user("hi"),))
    with pytest.raises(FiberCapabilityError, match=f"cannot say all of the schema: .*{advice}") as caught:
        allow(["$: lost"], dialect, "response_format", request, TARGET, notes)
    assert (caught.value.parameter, caught.value.outcome, notes) == ("response_format", "not_sent", [])

    allow([], dialect, "response_format", request, TARGET, notes)
    allow(["$: lost"], dialect, "x", msgspec.structs.replace(request, on_unsupported="warn"), TARGET, notes)

    assert [(note.kind, note.subject) for note in notes] == [("lossy", "x")]


@pytest.mark.parametrize("title", SCHEMAS)
@pytest.mark.parametrize("name", DIALECTS)
def test_what_is_put_into_an_object_is_read_out_of_it(title: str, name: str) -> None:
    """The schema that is sent and how its answer is read agree, and a line says so; tools have objects only."""
    schema, dialect = SCHEMAS[title], DIALECTS[name]
    wanted = ResponseFormat("json_schema", schema)
    request = ChatRequest(messages=(ChatMessage.user("hi"),), response_format=wanted)
    loose = msgspec.structs.replace(request, response_format=msgspec.structs.replace(wanted, strict=False))

    made, changes, _ = compiled(schema, dialect)
    reading = reading_of(request, dialect)
    of_loose = reading_of(loose, dialect)

    wraps = "$: sent as the member 'value' of an object" in changes
    assert reading == (Reading("value") if wraps else None)
    assert (list(made.get("properties", ())) == ["value"]) is wraps
    assert of_loose == (None if dialect.loose else reading)


def test_other_answers_are_read_as_they_stand() -> None:
    """No format, text, any object: nothing is put around them."""
    request = ChatRequest(messages=(ChatMessage.user("hi"),))
    formats = (None, ResponseFormat("text"), ResponseFormat("json_object"))

    readings = [reading_of(msgspec.structs.replace(request, response_format=one), OPENAI) for one in formats]

    assert readings == [None, None, None]


def test_a_union_is_no_root_of_a_tool() -> None:
    """Arguments are an object already, and nothing can be put around them."""
    schema = {"type": "object", "properties": {}, "oneOf": [{"required": []}]}

    assert compiled(schema, OPENAI, is_tool=True).losses == ["$: the root is a union; put it into a field of an object"]


@pytest.mark.parametrize(
    ("dialect", "strict", "optional", "sent", "expected"),
    [
        (OPENAI, True, True, True, True),
        (COMPATIBLE, True, True, True, True),
        (COHERE, True, True, True, True),
        (CLAUDE, True, True, True, False),
        (OPENAI, None, True, True, False),
        (OPENAI, False, True, True, False),
        (OPENAI, True, False, True, False),
        (OPENAI, True, True, False, False),
    ],
)
def test_tools_whose_optional_members_became_nullable_are_known(
    dialect: Dialect, strict: bool | None, optional: bool, sent: bool, expected: bool
) -> None:
    """Only strict ones with something optional, and only where all members have to be there."""
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}, "required": [] if optional else ["a"]}
    tool = Tool("f", parameters=parameters, strict=strict)
    request = ChatRequest(messages=(ChatMessage.user("hi"),), tools=(tool, ServerTool("web_search")))

    reading = reading_of(request, dialect, strict_tools=sent)

    assert reading == (Reading("", {"f": parameters}) if expected else None)


# -- an independent validator -------------------------------------------------------------------------------------

TEXTS, WHOLE = st.text(max_size=9), st.integers(-(2**53), 2**53)
CATS = st.builds(lambda name, lives: {"type": "Cat", "name": name, "lives": lives}, TEXTS, WHOLE)
DOGS = st.builds(lambda name, tail: {"type": "Dog", "name": name, "tail": tail}, TEXTS, st.none() | st.just(0.5))
PLAIN = st.none() | st.booleans() | TEXTS | st.lists(WHOLE, max_size=2)
TREES = st.recursive(
    WHOLE.map(lambda value: {"value": value, "branches": []}),
    lambda trees: st.builds(lambda branches: {"value": 1, "branches": branches}, st.lists(trees, max_size=2)),
    max_leaves=4,
)
INSTANCES: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXTS,
    "integer": WHOLE,
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "boolean": st.booleans(),
    "null": st.none(),
    "nullable": st.none() | TEXTS,
    "literal": st.sampled_from("ab"),
    "enum": st.sampled_from("cf"),
    "union": WHOLE | TEXTS,
    "tagged union": CATS | DOGS,
    "nested": CATS,
    "date": st.dates().map(str),
    "datetime": st.datetimes().map(lambda when: f"{when.isoformat()}Z"),
    "duration": st.sampled_from(["P1D", "PT0.5S"]),
    "decimal": st.decimals(allow_nan=False, allow_infinity=False).map(str),
    "uuid": st.uuids().map(str),
    "bytes": st.sampled_from(["", "YWI="]),
    "bounds": st.sampled_from([2, 4, 6, 8]),
    "length": st.text(min_size=1, max_size=9),
    "pattern": st.integers(1, 9).map(lambda size: "a" * size),
    "list": st.lists(WHOLE, max_size=3),
    "bounded list": st.lists(WHOLE, min_size=2, max_size=3),
    "set": st.lists(TEXTS, max_size=3, unique=True),
    "tuple": st.tuples(WHOLE, TEXTS).map(list),
    "map": st.dictionaries(TEXTS, WHOLE, max_size=2),
    "anything": st.dictionaries(TEXTS, PLAIN, max_size=2),
    "recursive": TREES,
    "mutual": st.sampled_from([{"right": None}, {"right": {"left": {"right": None}}}]),
}
HELD: dict[str, Callable[[st.SearchStrategy[Any]], st.SearchStrategy[Any]]] = {
    "alone": lambda leaf: leaf,
    "required": lambda leaf: st.fixed_dictionaries({"leaf": leaf}),
    "optional": lambda leaf: st.fixed_dictionaries({}, optional={"leaf": leaf}),
    "listed": lambda leaf: st.fixed_dictionaries({"leaves": st.lists(leaf, max_size=2)}),
}


@pytest.mark.parametrize(("title", "name"), list(itertools.product(SCHEMAS, DIALECTS)))
def test_compiled_schema_is_a_schema(title: str, name: str) -> None:
    """The metaschema of draft 2020-12 takes it, in the eyes of another library."""
    validator = pytest.importorskip("jsonschema").Draft202012Validator

    validator.check_schema(compiled(SCHEMAS[title], DIALECTS[name]).schema)


@pytest.mark.parametrize(("leaf", "how"), list(itertools.product(LEAVES, WRAPPED)))
@settings(max_examples=12)
@given(data=st.data())
def test_what_was_valid_stays_valid(leaf: str, how: str, data: st.DataObject) -> None:
    """
    Unless a loss was told, every value that the original admits is admitted, said as the dialect has it said.

    And what comes back of it is valid under the original again.
    """
    title = f"{leaf} {how}"
    schema = SCHEMAS[title]
    value = data.draw(HELD[how](INSTANCES[leaf]))
    holder(json.dumps(schema)).validate(value)

    for name in DIALECTS:
        made, changes, losses = compiled_once(title, name)
        if losses:
            continue
        said = {**dict.fromkeys(schema["properties"]), **value} if how == "optional" and name in NULLS else value
        wraps = "$: sent as the member 'value' of an object" in changes
        holder(json.dumps(made)).validate({"value": said} if wraps else said)
        holder(json.dumps(schema)).validate(without_nulls(said, schema))


@cache
def compiled_once(title: str, name: str) -> Compiled:
    """Compile one of the schemas."""
    return compiled(SCHEMAS[title], DIALECTS[name])


@cache
def holder(schema: str) -> Any:
    """Make the validator of another library."""
    return pytest.importorskip("jsonschema").Draft202012Validator(json.loads(schema))


def test_every_type_has_values() -> None:
    """None of the types above is without."""
    assert list(INSTANCES) == list(LEAVES)
    assert list(HELD) == list(WRAPPED)


def test_what_cohere_does_not_take_is_said_otherwise() -> None:
    """Anchors and formats in words, ranges removed, something required in every object; maps stay."""
    schema = {
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": "^[a-z]$", "format": "uri"},
            "sku": {"type": "string", "pattern": "[A-Z]{3}", "format": "uuid"},
            "size": {"type": ["integer", "null"], "minimum": 1},
            "map": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 2}},
            "inner": {"properties": {"note": {"anyOf": [{"type": "string"}, {"type": "null"}]}}},
        },
    }

    made, changes, losses = compiled(schema, COHERE)

    assert (losses, made["required"]) == ([], ["code"])
    assert made["properties"] == {
        "code": {"anyOf": [{"type": "string", "description": "Format: uri. Pattern: ^[a-z]$."}, {"type": "null"}]},
        "sku": {"type": "string", "pattern": "[A-Z]{3}", "format": "uuid"},
        "size": {"type": ["integer", "null"]},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "inner": {"properties": {"note": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "required": ["note"]},
    }
    assert changes == [
        "$.properties.code: format moved to the description",
        "$.properties.code: pattern moved to the description",
        "$.properties.inner.note: made required and nullable",
        "$.code: made required and nullable",
        "$.properties.size: minimum removed",
        "$.properties.map.additionalProperties: maxLength removed",
    ]
