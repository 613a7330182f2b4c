"""Types that hold pydantic models."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import msgspec
import pydantic
import pytest

from fiber.types.functions import schema_of
from fiber.types.jsons import parse_json
from fiber.types.models import type_adapter


class Model(pydantic.BaseModel):
    """A pydantic model."""

    size: int
    name: str = "x"


@dataclass
class Holder:
    """A dataclass around one, that also holds itself."""

    model: Model
    next: Holder | None = None


@dataclass
class Plain:
    """Without any."""

    size: int
    next: Plain | None = None


@dataclass
class Unreadable:
    """Annotations that name nothing."""

    size: Nowhere  # type: ignore[name-defined]  # noqa: F821


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        (list[Model], '[{"size": 1}]', [Model(size=1)]),
        (Model | None, "null", None),
        (dict[str, list[Model]], '{"a": [{"size": 1, "name": null}]}', {"a": [Model(size=1)]}),
        (Holder, '{"model": {"size": 1}}', Holder(Model(size=1))),
    ],
    ids=str,
)
def test_types_that_hold_a_model_are_read_by_pydantic(kind: Any, text: str, expected: Any) -> None:
    """A schema can be had, and an answer to it becomes the type with its models."""
    schema = schema_of(kind)

    assert parse_json(text, kind) == expected
    assert "Model" in schema["$defs"]


@pytest.mark.parametrize("kind", [int, list[Plain], Plain, msgspec.Struct, None, Unreadable], ids=str)
def test_other_types_are_left_to_msgspec(kind: Any) -> None:
    """Without a model in it, a type is none of pydantic's business."""
    assert type_adapter(kind) is None


def test_pydantic_is_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody imported pydantic there is no model."""
    monkeypatch.delitem(sys.modules, "pydantic")

    assert type_adapter(Model) is None
