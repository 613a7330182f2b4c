"""Between JSON text and values, in this library's errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from fiber._errors import FiberParsingError, FiberValidationError


def parse_json(text: str, kind: Any = None) -> Any:
    """
    Decode *text* as JSON, into *kind* when given.

    Raises:
        FiberParsingError: It is not JSON, or does not fit *kind*.
    """
    validate = getattr(kind, "model_validate_json", None)
    try:
        if validate is not None:
            return validate(text)
        return msgspec.json.decode(text, type=Any if kind is None else kind)
    except (ValueError, RecursionError, TypeError) as error:
        what = "JSON" if kind is None else f"a JSON {getattr(kind, '__name__', kind)}"
        raise FiberParsingError(
            f"The answer is not {what}: {error}. Its text is in result.text.", raw_response=text[:200]
        ) from error


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
