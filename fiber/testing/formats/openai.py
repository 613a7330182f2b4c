"""
What both OpenAI formats share: headers, the list of models, tools, required fields.

Source: OpenAI API reference and openai-python 3.51.0 (read 2026-11-20).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fiber.testing.formats.common import (
    CREATED,
    encode,
)
from fiber.testing.script import Finish, Tokens
from fiber.testing.view import OfferedTool, items, mapping, refuse

CONTENT_TYPE = "application/json"
STREAM_TYPE = "text/event-stream; charset=utf-8"
FINISH: Mapping[Finish, str] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "refusal": "stop",
}


def headers(number: int) -> dict[str, str]:
    """Return the headers of the answer to request *number*; the limits shrink with it."""
    return {
        "x-request-id": f"req_{number:032x}",
        "openai-version": "2020-10-01",
        "openai-processing-ms": "1",
        "x-ratelimit-limit-requests": "10000",
        "x-ratelimit-limit-tokens": "2000000",
        "x-ratelimit-remaining-requests": str(max(0, 10_000 - number)),
        "x-ratelimit-remaining-tokens": str(max(0, 2_000_000 - 100 * number)),
        "x-ratelimit-reset-requests": "6ms",
        "x-ratelimit-reset-tokens": "1m0.5s",
    }


def models(names: Sequence[str]) -> bytes:
    """Return the list of models."""
    rows = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in names]
    return encode({"object": "list", "data": rows})


def need(body: Mapping[str, Any], name: str, kind: type[Any], path: str = "") -> Any:
    """
    Return a field that must be there.

    Raises:
        RefusedError: It is missing, or of another type.
    """
    where = f"{path}{name}"
    value = body.get(name)
    if value is None:
        raise refuse(f"Missing required parameter: '{where}'.", where, "missing_required_parameter")
    if not isinstance(value, kind):
        words: dict[type[Any], str] = {str: "a string", list: "an array", dict: "an object"}
        raise refuse(f"Invalid type for '{where}': expected {words[kind]}.", where, "invalid_type")
    return value


def choice(body: Mapping[str, Any]) -> tuple[str, str | None]:
    """Read `tool_choice` of either format as a mode and a name."""
    asked = body.get("tool_choice")
    if isinstance(asked, str):
        return asked, None
    allowed = mapping(asked).get("allowed_tools", asked)
    if mapping(asked).get("type") == "allowed_tools":
        return str(mapping(allowed).get("mode", "auto")), None
    name = mapping(mapping(asked).get("function")).get("name") or mapping(asked).get("name")
    return ("required", name) if isinstance(name, str) else ("auto", None)


def offered(tool: Mapping[str, Any], path: str) -> OfferedTool:
    """Read the part of a function tool that holds its name and schema."""
    return OfferedTool(need(tool, "name", str, path), mapping(tool.get("parameters")))


def functions(body: Mapping[str, Any]) -> list[tuple[int, Mapping[str, Any]]]:
    """Return the function tools with their places; other kinds of tools are never called."""
    tools = body.get("tools")
    return [(index, tool) for index, tool in enumerate(items(tools)) if tool.get("type") == "function"]


def input_details(count: Tokens) -> dict[str, int]:
    """Return the details of the input tokens."""
    return {"cached_tokens": count.cached, "cache_write_tokens": 0}
