"""JSON Schema from Python: tools from typed functions, response formats from types."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import msgspec

from fiber._errors import FiberValidationError
from fiber.types.models import type_adapter
from fiber.types.tools import Tool

_TYPES = {"string", "number", "integer", "boolean", "object", "array", "null"}
_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_ARGUMENT = re.compile(r"^\s*\*{0,2}(\w+)(?:\s*\([^)]*\))?:\s*(.+)$")


def tool_of(function: Callable[..., Any], *, name: str = "", strict: bool | None = None) -> Tool:
    """
    Make a `Tool` of a typed function.

    The first paragraph of its docstring is the description; a Google-style `Args:` section describes the
    parameters. `Annotated[T, msgspec.Meta(...)]` adds constraints.

    Raises:
        FiberValidationError: A parameter has no type, or a type that JSON Schema cannot say.
    """
    title = name or getattr(function, "__name__", "")
    try:
        hints = get_type_hints(function, include_extras=True)
        parameters = inspect.signature(function).parameters.values()
    except (NameError, AttributeError, SyntaxError, TypeError, ValueError) as error:
        raise _wrong(title, f"its annotations cannot be read ({error})") from None
    fields: list[Any] = []
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD, parameter.POSITIONAL_ONLY):
            raise _wrong(title, f"parameter {parameter.name!r} cannot be passed by name")
        if parameter.name not in hints:
            raise _wrong(title, f"parameter {parameter.name!r} has no type annotation")
        kind = hints[parameter.name]
        if parameter.default is parameter.empty:
            fields.append((parameter.name, kind))
        else:
            # A factory, because msgspec refuses mutable defaults; only the schema is read, never a value.
            fields.append((parameter.name, kind, msgspec.field(default_factory=_constant(parameter.default))))
    struct = msgspec.defstruct(title or "tool", fields, kw_only=True)
    try:
        schema = schema_of(struct)
    except FiberValidationError as error:
        raise _wrong(title, str(error)) from None
    schema.pop("title", None)
    summary, described = _docstring(function)
    for argument, text in described.items():
        member = schema.get("properties", {}).get(argument)
        if isinstance(member, dict):
            member.setdefault("description", text)
    return Tool(title, summary, schema, strict)


def schema_of(kind: Any) -> dict[str, Any]:
    """
    Return the JSON Schema of *kind*: msgspec Struct, dataclass, TypedDict, builtin generic or pydantic model.

    The root is an object schema, not a `$ref`.

    Raises:
        FiberValidationError: JSON Schema cannot say this type.
    """
    make = getattr(kind, "model_json_schema", None)
    try:
        if make is not None:
            return _inlined(dict(make()))
        adapter = type_adapter(kind)
        schema = msgspec.json.schema(kind) if adapter is None else adapter.json_schema()
    except (TypeError, ValueError, RuntimeError) as error:
        raise FiberValidationError(
            f"{getattr(kind, '__name__', kind)!r} cannot be said in JSON Schema: {' '.join(str(error).split())}",
            parameter="response_format",
        ) from None
    return _inlined(schema)


def name_of(kind: Any) -> str:
    """Return a name for the schema of *kind*, in the letters that every provider takes: `Page_int` for `Page[int]`."""
    return _NOT_IN_A_NAME.sub("_", getattr(kind, "__name__", "")).strip("_")[:64] or "response"


def _inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return *schema* with the definition that its root refers to in the root's place."""
    definitions = schema.pop("$defs", {})
    reference = schema.get("$ref", "")
    if reference.startswith("#/$defs/"):
        root = definitions[reference[8:]]
        if not _mentions(definitions, reference):
            del definitions[reference[8:]]
        schema = dict(root)
    if definitions:
        schema["$defs"] = definitions
    return schema


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def check_schema(schema: Any, where: str, parameter: str) -> None:
    """
    Refuse what is no JSON Schema: wrong types of keywords, unknown type names.

    Raises:
        FiberValidationError: With the path of the fault, like `get_weather.properties.city`.
    """
    if isinstance(schema, bool):
        return
    why = None
    if not isinstance(schema, Mapping):
        raise FiberValidationError(
            f"{where} is not a JSON Schema: it must be an object, not {schema!r}.", parameter=parameter
        )
    kinds = schema.get("type", ())
    required, enum = schema.get("required", ()), schema.get("enum", ())
    names = [kinds] if isinstance(kinds, str) else kinds
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) and name in _TYPES for name in names):
        why = f"type {kinds!r} is not one of {', '.join(sorted(_TYPES))}"
    elif not isinstance(required, list | tuple) or not all(isinstance(name, str) for name in required):
        why = "required must be a list of names"
    elif not isinstance(enum, list | tuple):
        why = "enum must be a list"
    if why is not None:
        raise FiberValidationError(f"{where} is not a valid JSON Schema: {why}.", parameter=parameter)
    for keyword in ("properties", "$defs", "definitions"):
        members = schema.get(keyword, {})
        if not isinstance(members, Mapping):
            raise FiberValidationError(
                f"{where} is not a valid JSON Schema: {keyword} must be an object.", parameter=parameter
            )
        for name, member in members.items():
            check_schema(member, f"{where}.{keyword}.{name}", parameter)
    if "items" in schema and not isinstance(schema["items"], list):
        check_schema(schema["items"], f"{where}.items", parameter)
    for keyword in ("anyOf", "oneOf", "allOf"):
        options = schema.get(keyword, ())
        if not isinstance(options, list | tuple):
            raise FiberValidationError(
                f"{where} is not a valid JSON Schema: {keyword} must be a list.", parameter=parameter
            )
        for number, member in enumerate(options):
            check_schema(member, f"{where}.{keyword}[{number}]", parameter)


def _mentions(value: Any, reference: str) -> bool:
    if isinstance(value, Mapping):
        return value.get("$ref") == reference or any(_mentions(v, reference) for v in value.values())
    return isinstance(value, list) and any(_mentions(v, reference) for v in value)


def _docstring(function: Callable[..., Any]) -> tuple[str, dict[str, str]]:
    text = inspect.getdoc(function) or ""
    summary = " ".join(text.split("\n\n", 1)[0].split())
    described: dict[str, str] = {}
    inside, last = False, ""
    for line in text.splitlines():
        if line.strip() in ("Args:", "Arguments:"):
            inside = True
        elif inside and line and not line.startswith(" "):
            break
        elif inside and (match := _ARGUMENT.match(line)):
            last = match[1]
            described[last] = match[2].strip()
        elif inside and last and line.strip():
            described[last] += " " + line.strip()
    return summary, described


def _wrong(title: str, why: str) -> FiberValidationError:
    return FiberValidationError(
        f"No tool can be made of function {title!r}: {why}. Type every parameter, or pass a Tool with a JSON Schema.",
        parameter="tools",
        outcome="not_sent",
    )
