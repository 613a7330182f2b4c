"""Bend a JSON Schema to the strict mode of Claude, of tools and of structured output."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fiber.adapters.compiling import strict
from fiber.adapters.dialects import CLAUDE
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target


def strict_schema(
    schema: Mapping[str, Any], subject: str, request: ChatRequest, target: Target, notes: list[Note]
) -> dict[str, Any]:
    """
    Bend *schema* to what strict mode takes: closed objects, no bounds, `anyOf` for `oneOf`.

    Raises:
        FiberCapabilityError: It would ask for something else then, and `on_unsupported` is `raise`.
    """
    bent, changes = strict(schema, CLAUDE, subject, request, target, notes, is_tool=subject != "response_format")
    if changes:
        notes.append(Note("mapped", subject, "; ".join(changes)))
    return bent
