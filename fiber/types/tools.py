"""Tools the model may call, how it may choose, and the shape of its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import msgspec

from fiber._errors import FiberValidationError
from fiber.types.content import CacheHint, Opaque
from fiber.types.efforts import Effort

_TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,127}")

JSONSchema: TypeAlias = Mapping[str, Any]


class Tool(msgspec.Struct, frozen=True, tag="function", omit_defaults=True):
    """
    A function the model may call.

    Attributes:
        name: At most 64 characters `A-Z a-z 0-9 _ -`, not a digit first, to suit every provider; up to 128, with
            `.` and `:`, are let through for those that take them.
        description: What it does, for the model.
        parameters: JSON Schema of an object.
        strict: Ask the provider to hold the model to the schema; None leaves the provider's default.
        cache_hint: Prompt caching asked for up to this tool.
    """

    name: str
    description: str = ""
    parameters: JSONSchema = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})
    strict: bool | None = None
    cache_hint: CacheHint | None = None

    def __post_init__(self) -> None:
        name: Any = self.name
        if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
            raise FiberValidationError(
                f"Tool name {self.name!r} is not valid: start with a letter or '_', then use letters, digits, '_' and"
                " '-', at most 64 characters to suit every provider.",
                parameter="tools",
            )
        schema: Any = self.parameters
        if (
            not isinstance(schema, Mapping)
            or schema.get("type", "object") != "object"
            or not isinstance(schema.get("properties", {}), Mapping)
        ):
            raise FiberValidationError(
                f'Tool {self.name!r}: parameters must be a JSON Schema of "type": "object" with an object of '
                '"properties".',
                parameter="tools",
            )


ServerToolKind: TypeAlias = Literal["web_search", "code_execution", "file_search", "web_fetch"]


class ServerTool(msgspec.Struct, frozen=True, tag="server-tool", omit_defaults=True):
    """
    A tool that the provider itself runs.

    Attributes:
        kind: `web_search`, `code_execution`, `file_search` or `web_fetch`; refused where the provider lacks it.
        options: Merged into the provider's own definition, in its own words.
    """

    kind: ServerToolKind
    options: Mapping[str, Any] = msgspec.field(default_factory=dict)


AnyTool: TypeAlias = Tool | ServerTool | Opaque
"""An `Opaque` tool is a provider's own definition, sent as it is."""


class ToolChoice(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    How the model may use tools.

    Attributes:
        mode: `auto`, `none` (never call), `required` (call at least one) or `named` (call `name`).
    """

    mode: Literal["auto", "none", "required", "named"]
    name: str = ""


class ResponseFormat(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    The shape of the answer.

    Attributes:
        kind: `text`, `json_object` (any JSON object) or `json_schema`.
        schema: JSON Schema, for `json_schema`.
        name: Name of the schema; some providers want one.
        strict: Hold the model to the schema.
        python_type: Type that `result.parsed` becomes an instance of, when the format was given as a type.
    """

    kind: Literal["text", "json_object", "json_schema"]
    schema: JSONSchema | None = None
    name: str = "response"
    description: str = ""
    strict: bool = True
    python_type: Any = None


class ReasoningOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    How much the model thinks, and what of it is shown.

    Attributes:
        effort: `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`.
        budget_tokens: Upper bound of thinking tokens, for models that take a number; 0 turns thinking off.
        summary: Ask for the thinking, or a summary of it, to be returned as text.
    """

    effort: Effort | None = None
    budget_tokens: int | None = None
    summary: bool | None = None
