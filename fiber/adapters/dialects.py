"""What the strict modes of providers take of JSON Schema, as data; the compiler stands in `compiling`."""

from __future__ import annotations

import re
from typing import NamedTuple

from fiber.types.http import Note
from fiber.types.target import Target

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]")
_NAME_CHARACTERS = 64


class Dialect(NamedTuple):
    """
    What one strict mode takes; everything that is not named is sent as it is.

    Attributes:
        name: Whose it is, for messages.
        removed: Keywords that it answers with 400, and whose loss lets more through.
        refused: Keywords that it answers with 400, and whose loss makes another shape of the answer.
        one_of: It has `oneOf`; without it `anyOf` is sent, which lets more through.
        formats: Values of `format` that it has; another is said in the description. None: all are sent.
        most_least_items: The highest `minItems` that it has; None: any.
        require_all: Every property is required, an optional one nullable.
        object_root: The root must be an object and no union; another one is sent as a member of an object.
        recursive: A schema may refer to itself.
        closes: Objects must say that they have no other members; else a map with free names is taken.
        some_required: An object must have a required member; the first of one that has none is, and nullable.
        pattern: What a `pattern` must not hold, or it is said in the description.
        loose: There is a mode in which a schema is only shown to the model; without it `strict=False` changes nothing.
    """

    name: str
    removed: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()
    one_of: bool = True
    formats: frozenset[str] | None = None
    most_least_items: int | None = None
    require_all: bool = False
    object_root: bool = False
    recursive: bool = True
    closes: bool = True
    some_required: bool = False
    pattern: re.Pattern[str] | None = None
    loose: bool = False


_FORMATS = frozenset(("date", "date-time", "duration", "email", "hostname", "ipv4", "ipv6", "time", "uuid"))

COMPATIBLE = Dialect("the OpenAI format", removed=frozenset(("default",)), require_all=True, loose=True)
"""Strict mode of servers that speak OpenAI's format; what else of a schema they take is for them to judge."""

OPENAI = Dialect(
    "OpenAI's strict mode",
    removed=frozenset(
        (
            *("$schema", "contentEncoding", "contentMediaType", "default", "discriminator", "examples"),
            *("contains", "maxContains", "maxLength", "maxProperties", "minContains", "minLength", "minProperties"),
            *("patternProperties", "propertyNames", "unevaluatedItems", "unevaluatedProperties", "uniqueItems"),
        )
    ),
    refused=frozenset(
        ("allOf", "dependentRequired", "dependentSchemas", "else", "if", "not", "prefixItems", "then"),
    ),
    one_of=False,
    formats=_FORMATS,
    require_all=True,
    object_root=True,
    loose=True,
)
"""Source: https://platform.openai.com/docs/guides/structured-outputs#supported-schemas, read 2026-11-20."""

CLAUDE = Dialect(
    "Claude's strict mode",
    # It answers them with 400, as in the error "property 'minimum' is not supported".
    removed=frozenset(
        (
            *("exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength", "maxProperties", "maximum"),
            *("minLength", "minProperties", "minimum", "multipleOf", "uniqueItems"),
        )
    ),
    one_of=False,
    formats=_FORMATS | {"uri"},
    most_least_items=1,
    recursive=False,
)
"""
Of tools and of structured output, also on Bedrock.

Source: https://platform.claude.com/docs/en/build-with-claude/structured-outputs, read 2026-11-20.
"""

COHERE = Dialect(
    "Cohere",
    removed=frozenset(
        (
            *("exclusiveMaximum", "exclusiveMinimum", "maxItems", "maxLength", "maximum"),
            *("minItems", "minLength", "minimum", "uniqueItems"),
        )
    ),
    refused=frozenset(("allOf", "not")),
    one_of=False,
    formats=frozenset(("date", "date-time", "time", "uuid")),
    object_root=True,
    closes=False,
    some_required=True,
    pattern=re.compile(r"[$^]|\?[=!]"),
)
"""Source: https://docs.cohere.com/docs/structured-outputs, `Schema constraints` and below, as of November 2025."""


def openai_dialect(target: Target) -> Dialect:
    """Return the dialect of *target*, which speaks a format of OpenAI."""
    return OPENAI if target.family in ("openai", "azure") else COMPATIBLE


def sent_name(name: str, notes: list[Note]) -> str:
    """
    Return *name* of a schema in the letters that OpenAI's formats take, and note when it is another one then.

    Source: https://platform.openai.com/docs/api-reference/chat/create, `response_format.json_schema.name`, read
    2026-11-20: letters, digits, `_` and `-`, at most 64.
    """
    sent = _NOT_IN_A_NAME.sub("_", name)[:_NAME_CHARACTERS] or "response"
    if sent != name:
        notes.append(Note("mapped", "response_format name", f"{name!r} sent as {sent!r}"))
    return sent
