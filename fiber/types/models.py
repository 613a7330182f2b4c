"""Types that hold pydantic models, like `list[Model]`: their schema and their values are pydantic's business."""

from __future__ import annotations

import dataclasses
import sys
from importlib import import_module
from typing import Any, get_args, get_type_hints


def type_adapter(kind: Any) -> Any:
    """
    Return pydantic's `TypeAdapter` of *kind* when a pydantic model is in it; None for all that msgspec reads itself.

    Pydantic is never imported here before the application did.
    """
    if "pydantic" not in sys.modules or not _holds_model(kind, set()):
        return None
    return import_module("pydantic").TypeAdapter(kind)


def _holds_model(kind: Any, seen: set[int]) -> bool:
    if id(kind) in seen:
        return False
    seen.add(id(kind))
    if hasattr(kind, "__pydantic_validator__"):
        return True
    inside = get_args(kind)
    if dataclasses.is_dataclass(kind):
        try:
            inside += tuple(get_type_hints(kind).values())
        except (NameError, TypeError):
            return False  # whoever reads the type next says what is wrong with it
    return any(_holds_model(part, seen) for part in inside)
