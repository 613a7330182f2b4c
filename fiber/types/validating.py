"""Values held to a JSON Schema by the package jsonschema, where it is installed; nothing is ever fetched for it."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fiber._errors import FiberParsingError, FiberValidationError

_MOST_CHARACTERS = 300
"""Most of a violation's words: they quote the value."""


def is_able() -> bool:
    """Tell whether the package is installed."""
    return find_spec("jsonschema") is not None


def check(value: Any, schema: Mapping[str, Any]) -> None:
    """
    Hold *value* to *schema*: to its draft when it names one, else to 2020-12. Formats are not looked at.

    Raises:
        ValueError: It does not conform; the message has the path of the worst violation.
        FiberParsingError: The package jsonschema is not installed.
        FiberValidationError: The schema cannot be used: it is none, or refers to something outside of itself.
    """
    if not is_able():
        raise FiberParsingError(
            "To hold an answer to a JSON Schema needs the package jsonschema: pip install 'fiber-llm[jsonschema]'."
        )
    jsonschema: Any = import_module("jsonschema")
    # An empty registry, or a reference to elsewhere would be fetched.
    registry = import_module("referencing").Registry()
    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        worst = jsonschema.exceptions.best_match(kind(schema, registry=registry).iter_errors(value))
    except Exception as error:
        raise FiberValidationError(
            f"The answer cannot be held to this JSON Schema: {type(error).__name__}: {error}.", parameter="parse"
        ) from None
    if worst is not None:
        raise ValueError(f"at {worst.json_path}: {worst.message}"[:_MOST_CHARACTERS])
