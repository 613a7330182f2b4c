"""Between JSON text and values, in this library's errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from fiber._errors import FiberParsingError, FiberValidationError
from fiber.types.models import type_adapter


def parse_json(
    text: str,
    kind: Any = None,
    *,
    lenient: bool = False,
    member: str = "",
    subject: str = "The answer is",
    advice: str = "Its text is in result.text.",
) -> Any:
    """
    Decode *text* as JSON, into *kind* when given: a type, or a JSON Schema for plain data that conforms to it.

    A member that is null counts as left out where *kind* has it optional and does not take null.

    Args:
        lenient: When *text* as it is does not do, take what is in a code fence, or the first object or array in the
            text that fits *kind*; trailing commas do not matter then. Never for answers that must be JSON.
        member: *text* is an object, and its member of this name is what is read; empty for all of it.
        subject, advice: How the error's message begins and ends.

    Raises:
        FiberParsingError: It is not JSON, or does not fit *kind*; or *kind* is a schema, and the extra is missing.
        FiberValidationError: *kind* is a schema that cannot be used.
    """
    try:
        return _decoded(text, kind, member)
    except _MISFITS as error:
        misfit = error
    if lenient:
        from fiber.types.lenient import readings  # compiles its patterns, 2 ms: only for those who ask

        for reading in readings(text):
            try:
                return _decoded(reading, kind, member)
            except _MISFITS:
                continue
    if kind is not None and not isinstance(kind, Mapping) and "null" in text:
        with suppress(*_MISFITS, FiberValidationError):
            return _decoded(_without_nulls(_inside(text, member), kind), kind)
    what = "JSON" if kind is None else f"a JSON {_called(kind)}"
    where = f", in its member {member!r}" if member else ""
    raise FiberParsingError(f"{subject} not {what}{where}: {misfit}. {advice}", raw_response=text[:200]) from misfit


_MISFITS = (ValueError, RecursionError, TypeError)


def _decoded(text: str, kind: Any, member: str = "") -> Any:
    text = _inside(text, member)
    if isinstance(kind, Mapping):
        return _conforming(msgspec.json.decode(text), kind)
    validate = getattr(kind, "model_validate_json", None)
    if validate is not None:
        return validate(text)
    if (adapter := type_adapter(kind)) is not None:
        return adapter.validate_json(text)
    return msgspec.json.decode(text, type=Any if kind is None else kind)


def _conforming(value: Any, schema: Mapping[str, Any]) -> Any:
    from fiber.types.omitted import without_nulls  # both for the few answers that need them
    from fiber.types.validating import check

    meant = without_nulls(value, schema)
    check(meant, schema)
    return meant


def _called(kind: Any) -> Any:
    return "value of the schema" if isinstance(kind, Mapping) else getattr(kind, "__name__", kind)


def _inside(text: str, member: str) -> str:
    """Return what *member* of the object in *text* is, as text; all of it when there is no such name to look for."""
    if not member:
        return text
    members = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    if member not in members:
        raise ValueError(f"the object has no member {member!r}")
    return bytes(members[member]).decode()


def _without_nulls(text: str, kind: Any) -> str:
    from fiber.types.functions import schema_of  # for the few answers that need it
    from fiber.types.omitted import without_nulls

    return msgspec.json.encode(without_nulls(msgspec.json.decode(text), schema_of(kind))).decode()


def json_of(value: Any) -> str:
    """
    Write *value* as JSON, the same text for equal values: names in order, no white space.

    Args:
        value: Whatever msgspec writes (Structs, dataclasses, dicts, lists, sets, dates, ...), and pydantic models.

    Raises:
        FiberValidationError: JSON cannot say it.
    """
    try:
        plain = msgspec.to_builtins(value, order="sorted", str_keys=True, enc_hook=_dumped)
        finite("messages", plain)  # msgspec would write null
        return msgspec.json.encode(plain, order="sorted").decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise FiberValidationError(
            f"This {type(value).__name__} cannot be written as JSON: {error}.", parameter="messages", outcome="not_sent"
        ) from None


def _dumped(value: Any) -> Any:
    dump = getattr(value, "model_dump", None)
    if dump is None:
        raise TypeError(f"{type(value).__name__} is no type of JSON")
    return dump(mode="json")


def finite(name: str, value: Any) -> None:
    """
    Refuse NaN and infinities anywhere inside *value*: JSON has no such numbers.

    Raises:
        FiberValidationError: There is one.
    """
    if isinstance(value, float) and not math.isfinite(value):
        raise FiberValidationError(f"{name} contains {value!r}, which JSON cannot say.", parameter=name)
    if isinstance(value, Mapping):
        for member in value.values():
            finite(name, member)
    elif isinstance(value, list | tuple):
        for member in value:
            finite(name, member)
