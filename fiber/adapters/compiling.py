"""
The compiler that holds a JSON Schema to a dialect.

What is lost is of two kinds. A *change* only lets more through than was asked for (a bound that is gone), or says
the same otherwise: it is noted, and the answer is still validated here. A *loss* makes answers impossible that were
asked for (a map whose names are free): it is refused, unless the caller allows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fiber._errors import FiberCapabilityError
from fiber.adapters.dialects import Dialect
from fiber.adapters.schemas import closed, has_optional, nullable, walk, wrapped
from fiber.types.http import Note
from fiber.types.reading import Reading
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import Tool

_DEFINITIONS = ("$defs", "definitions")
_MEMBER = "value"
"""What the one member of the object around another root is called."""
_KINDS = ("$ref", "anyOf", "const", "enum", "oneOf", "type")


class Compiled(NamedTuple):
    """A schema in a dialect, and one line for each change and each loss."""

    schema: dict[str, Any]
    changes: list[str]
    losses: list[str]


def compiled(schema: Mapping[str, Any], dialect: Dialect, *, is_tool: bool = False) -> Compiled:
    """
    Bend *schema* to *dialect*: objects closed, keywords that it does not have removed or said otherwise.

    Args:
        is_tool: It is of the arguments of a tool, where an object without a word about members has none.
    """
    changes: list[str] = []
    losses: list[str] = []
    wraps = not is_tool and _wraps(schema, dialect)
    if wraps and not any(keyword in schema for keyword in _KINDS):
        losses.append("$: the root does not say what it is")
    if is_tool and dialect.object_root and ("anyOf" in schema or "oneOf" in schema):
        losses.append("$: the root is a union; put it into a field of an object")
    if not dialect.recursive and (names := _circular(schema)):
        losses.append(f"{', '.join(names)}: the schema refers to itself")

    def visit(node: dict[str, Any], path: str) -> dict[str, Any]:
        most = dialect.most_least_items
        if most is not None and node.get("minItems", 0) not in range(most + 1):
            changes.append(f"{path}: minItems removed")
            del node["minItems"]
        if not dialect.one_of and "oneOf" in node and "anyOf" not in node:
            changes.append(f"{path}: oneOf sent as anyOf")
            node["anyOf"] = node.pop("oneOf")
        for keyword in [keyword for keyword in node if keyword in dialect.refused]:
            losses.append(f"{path}: {keyword} is not taken")
            del node[keyword]
        form = node.get("format")
        if isinstance(form, str) and dialect.formats is not None and form not in dialect.formats:
            _say(node, "format", changes, path)
        pattern = node.get("pattern")
        if isinstance(pattern, str) and dialect.pattern is not None and dialect.pattern.search(pattern):
            _say(node, "pattern", changes, path)
        if dialect.some_required and node.get("properties") and not node.get("required"):
            name, first = next(iter(node["properties"].items()))
            node["properties"] = {**node["properties"], name: _or_null(first)}
            node["required"] = [name]
            changes.append(f"{path}.{name}: made required and nullable")
        if dialect.closes and _is_map(node) and not (is_tool and path == "$" and "additionalProperties" not in node):
            losses.append(f"{path}: the names of its members are free; make it a list of objects with name and value")
        return node

    taken = walk(schema, visit)
    bent, closing = closed(taken, require_all=dialect.require_all, drop=dialect.removed, close=dialect.closes)
    if wraps:
        bent = wrapped(bent, _MEMBER)
        changes.insert(0, f"$: sent as the member {_MEMBER!r} of an object")
    return Compiled(bent, changes + closing, losses)


def _say(node: dict[str, Any], keyword: str, changes: list[str], path: str) -> None:
    """Say a keyword that is not taken in the description."""
    words = f"{keyword.capitalize()}: {node.pop(keyword)}."
    node["description"] = f"{node.get('description') or ''} {words}".strip()
    changes.append(f"{path}: {keyword} moved to the description")


def _or_null(schema: Any) -> Any:
    """Return *schema* with null admitted, for those who take no list of types."""
    return schema if nullable(schema) == schema else {"anyOf": [schema, {"type": "null"}]}


def _wraps(schema: Mapping[str, Any], dialect: Dialect) -> bool:
    """Tell that *schema* is sent as a member of an object, for *dialect* does not take such a root."""
    is_object = schema.get("type", "object" if "properties" in schema else None) == "object"
    return dialect.object_root and (not is_object or "anyOf" in schema or "oneOf" in schema)


def reading_of(request: ChatRequest, dialect: Dialect, *, strict_tools: bool = True) -> Reading | None:
    """
    Return how the answer to *request* is to be read, when its schemas were bent to *dialect*; None: as it stands.

    Args:
        strict_tools: Strict tools are sent as such.
    """
    wanted = request.response_format
    held = wanted is not None and (wanted.strict or not dialect.loose)
    wraps = held and wanted is not None and wanted.schema is not None and _wraps(wanted.schema, dialect)
    nulls = dialect.require_all or dialect.some_required
    tools = {
        tool.name: tool.parameters
        for tool in request.tools or ()
        if isinstance(tool, Tool) and tool.strict and nulls and has_optional(tool.parameters)
    }
    if not wraps and not (tools and strict_tools):
        return None
    return Reading(_MEMBER if wraps else "", tools if strict_tools else {})


def strict(
    schema: Mapping[str, Any],
    dialect: Dialect,
    subject: str,
    request: ChatRequest,
    target: Target,
    notes: list[Note],
) -> tuple[dict[str, Any], list[str]]:
    """
    Return *schema* bent to *dialect*, and one line for each change.

    Args:
        subject: `response_format`, or the tool of whose arguments it is.

    Raises:
        FiberCapabilityError: It would ask for something else then, and `on_unsupported` is `raise`.
    """
    bent, changes, losses = compiled(schema, dialect, is_tool=subject != "response_format")
    allow(losses, dialect, subject, request, target, notes)
    return bent, changes


def strict_schema(
    schema: Mapping[str, Any],
    dialect: Dialect,
    subject: str,
    request: ChatRequest,
    target: Target,
    notes: list[Note],
    *,
    words: str = "",
) -> dict[str, Any]:
    """Return the schema that `strict` does, its changes in one note that begins with *words*."""
    bent, changes = strict(schema, dialect, subject, request, target, notes)
    if changes:
        notes.append(Note("mapped", subject, words + "; ".join(changes)))
    return bent


def allow(
    losses: list[str], dialect: Dialect, subject: str, request: ChatRequest, target: Target, notes: list[Note]
) -> None:
    """
    Note the *losses* of a schema where the caller allows them.

    Raises:
        FiberCapabilityError: There are some, and `on_unsupported` is `raise`.
    """
    if not losses:
        return
    why = f"{dialect.name} cannot say all of the schema: {'; '.join(losses)}"
    if request.on_unsupported == "raise":
        loose = "strict=False" if dialect.loose else "words in the prompt"
        raise FiberCapabilityError(
            f"{target.provider} cannot take the schema of {subject} for {target.model!r}: {why}. Change it, use {loose}"
            ' instead, or set on_unsupported="warn" to have it sent without.',
            provider=target.provider,
            model=target.model,
            parameter=subject,
            outcome="not_sent",
        )
    notes.append(Note("lossy", subject, why))


def _is_map(node: Mapping[str, Any]) -> bool:
    """Tell an object with members of any name."""
    if isinstance(node.get("additionalProperties"), Mapping):
        return True
    return node.get("type") == "object" and "properties" not in node and node.get("additionalProperties") is not False


def _circular(schema: Mapping[str, Any]) -> list[str]:
    """Return the references by which *schema* comes back to itself."""
    reached = {"#": set(_references({key: value for key, value in schema.items() if key not in _DEFINITIONS}))}
    for keyword in _DEFINITIONS:
        for name, definition in schema.get(keyword, {}).items():
            reached[f"#/{keyword}/{name}"] = set(_references(definition))

    def leads_back(start: str) -> bool:
        seen: set[str] = set()
        waiting = [start]
        while waiting:
            for reference in reached.get(waiting.pop(), set()) - seen:
                seen.add(reference)
                waiting.append(reference)
        return start in seen

    return sorted(reference for reference in reached if leads_back(reference))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for member in value.values():
            yield from _references(member)
    elif isinstance(value, list | tuple):
        for member in value:
            yield from _references(member)
