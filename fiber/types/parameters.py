"""
The parameters of a request, each checked by itself: from every accepted spelling to the one canonical value.

The error names the parameter and the range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, get_args

import msgspec

from fiber._errors import FiberValidationError
from fiber.types import functions, jsons
from fiber.types.content import Opaque
from fiber.types.efforts import EFFORTS
from fiber.types.numbers import is_number
from fiber.types.request import OnUnsupported
from fiber.types.tools import AnyTool, ReasoningOptions, ResponseFormat, ServerTool, ServerToolKind, Tool, ToolChoice

RANGES: Mapping[str, tuple[float, float]] = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}
"""Accepted values of the real-valued parameters; a provider may accept less."""

MINIMA: Mapping[str, tuple[float, float]] = {
    "top_k": (0, math.inf),
    "max_tokens": (0, math.inf),
    "seed": (-math.inf, math.inf),
    "n": (1, math.inf),
    "top_logprobs": (0, 20),
}
"""Accepted values of the whole-number parameters."""

_FLAGS = ("logprobs", "parallel_tool_calls", "store")
_STRINGS = ("model", "user", "previous_response_id", "service_tier")
_MAPPINGS = ("metadata", "logit_bias", "extra_body", "extra_headers", "extra_query")


def _real(name: str, value: Any) -> float:
    low, high = RANGES[name]
    if not is_number(value) or not low <= value <= high:
        raise wrong(name, f"{name} must be a number from {low} to {high}, not {value!r}.")
    return value


def _whole(name: str, value: Any) -> int:
    low, high = MINIMA[name]
    if type(value) is not int or not low <= value <= high:
        bounds = f" from {low}" if low > -math.inf else ""
        bounds += f" to {high}" if high < math.inf else ""
        raise wrong(name, f"{name} must be a whole number{bounds}, not {value!r}.")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(name, f"{name} must be True or False, not {value!r}.")
    return value


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise wrong(name, f"{name} must be a non-empty string, not {value!r}.")
    return value


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise wrong(name, f"{name} must be a mapping with string keys, not {value!r}.")
    jsons.finite(name, value)
    if name in ("extra_headers", "extra_query") and not all(isinstance(v, str) for v in value.values()):
        raise wrong(name, f"The values of {name} must be strings.")
    if name == "logit_bias" and not all(type(v) in (int, float) for v in value.values()):
        raise wrong(name, "The values of logit_bias must be numbers.")
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise wrong(name, f"{name} must be JSON: {error}.") from None
    return dict(value)


def _stop(name: str, value: Any) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    if not items or not all(isinstance(item, str) and item for item in items):
        raise wrong(name, f"stop must be a non-empty string or a list of such, not {value!r}.")
    return items


def _tools(name: str, value: Any) -> tuple[AnyTool, ...] | None:
    if isinstance(value, Tool | ServerTool | Opaque | Mapping) or callable(value):
        value = [value]
    if not isinstance(value, Iterable):
        raise wrong(name, f"tools must be a list of tools, not {type(value).__name__}.")
    return tuple(_tool(item) for item in value) or None


def _tool(value: Any) -> AnyTool:
    if isinstance(value, Tool | ServerTool | Opaque):
        tool: AnyTool = value
    elif isinstance(value, Mapping):
        tool = _tool_from_dict(value)
    elif callable(value):
        tool = functions.tool_of(value)
    else:
        raise wrong("tools", f"A tool must be a Tool, a dict or a typed function, not {type(value).__name__}.")
    if isinstance(tool, Tool):
        functions.check_schema(tool.parameters, f"The parameters of tool {tool.name!r}", "tools")
        jsons.finite("tools", tool.parameters)
    elif isinstance(tool, ServerTool):
        _one_of("tools", "kind of a ServerTool", tool.kind, get_args(ServerToolKind))
    return tool


def _tool_from_dict(value: Mapping[str, Any]) -> AnyTool:
    function = value.get("function")
    if value.get("type") == "function" and isinstance(function, Mapping):
        value = function
    elif value.get("type", "function") != "function":
        return Opaque.of(_mapping("tools", value))
    if "name" not in value:
        raise wrong("tools", f"A tool has no name: {dict(value)!r}.")
    schema = value.get("parameters", value.get("input_schema"))
    schema = {"type": "object", "properties": {}} if schema is None else schema
    return Tool(value["name"], value.get("description") or "", schema, value.get("strict"), value.get("cache_hint"))


def _tool_choice(name: str, value: Any) -> ToolChoice:
    if isinstance(value, ToolChoice):
        _one_of(name, "mode of a ToolChoice", value.mode, ("auto", "none", "required", "named"))
        return value
    named = isinstance(value, Mapping)
    if isinstance(value, Mapping):
        function = value.get("function", value)
        value = function.get("name") if isinstance(function, Mapping) else None
    if not isinstance(value, str) or not value:
        raise wrong(name, "tool_choice must be 'auto', 'none', 'required', a tool's name, or {'name': ...}.")
    if not named and value in ("auto", "none", "required"):
        return ToolChoice(value)  # type: ignore[arg-type]
    return ToolChoice("named", value)


def _response_format(name: str, value: Any) -> ResponseFormat:
    if isinstance(value, ResponseFormat):
        wanted = value
    elif value in ("text", "json_object"):
        wanted = ResponseFormat(value)
    elif value == "json":
        wanted = ResponseFormat("json_object")
    elif isinstance(value, Mapping):
        wanted = _format_from_dict(value)
    elif isinstance(value, str):
        raise wrong(name, f"response_format {value!r}: use 'text', 'json_object', a JSON Schema or a type.")
    else:
        title = functions.name_of(value)
        wanted = ResponseFormat("json_schema", functions.schema_of(value), title, python_type=value)
    _one_of(name, "kind of a ResponseFormat", wanted.kind, ("text", "json_object", "json_schema"))
    if wanted.kind == "json_schema" and not isinstance(wanted.schema, Mapping):
        raise wrong(name, "response_format json_schema needs a schema.")
    if wanted.schema is not None:
        functions.check_schema(wanted.schema, "The schema of response_format", name)
    jsons.finite(name, wanted.schema)
    return wanted


def _format_from_dict(value: Mapping[str, Any]) -> ResponseFormat:
    kind = value.get("type")
    if kind in ("text", "json_object"):
        return ResponseFormat(kind)
    if kind == "json_schema":
        inner = value.get("json_schema", value)
        if not isinstance(inner, Mapping):
            raise wrong("response_format", f"response_format json_schema must be an object, not {inner!r}.")
        return ResponseFormat(
            "json_schema",
            inner.get("schema"),
            inner.get("name") or "response",
            inner.get("description") or "",
            bool(inner.get("strict", True)),
        )
    return ResponseFormat("json_schema", value, str(value.get("title", "response")))


def _reasoning(name: str, value: Any) -> ReasoningOptions:
    if isinstance(value, Mapping):
        try:
            value = ReasoningOptions(**value)
        except TypeError as error:
            raise wrong(name, f"reasoning: {error}.") from None
    elif isinstance(value, str):
        value = ReasoningOptions(effort=value)  # type: ignore[arg-type]
    elif type(value) is int:
        value = ReasoningOptions(budget_tokens=value)
    if not isinstance(value, ReasoningOptions):
        raise wrong(name, "reasoning must be an effort, a number of tokens, or ReasoningOptions.")
    if value.effort is not None and value.effort not in EFFORTS:
        raise wrong(name, f"reasoning effort {value.effort!r}: use one of {', '.join(EFFORTS)}.")
    if value.budget_tokens is not None and (type(value.budget_tokens) is not int or value.budget_tokens < 0):
        raise wrong(name, f"reasoning budget_tokens must be a whole number from 0, not {value.budget_tokens!r}.")
    if not isinstance(value.summary, bool | None):
        raise wrong(name, f"reasoning summary must be True or False, not {value.summary!r}.")
    return value


def _policy(name: str, value: Any) -> Any:
    if value not in get_args(OnUnsupported):
        raise wrong(name, f"on_unsupported must be 'raise', 'warn' or 'drop', not {value!r}.")
    return value


def _settings(name: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        raise wrong(name, "safety_settings must be a list of mappings.")
    return tuple(value)


def _one_of(name: str, what: str, value: Any, accepted: Iterable[str]) -> None:
    if value not in accepted:
        raise wrong(name, f"The {what} is {value!r}: use one of {', '.join(accepted)}.")


CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(RANGES, _real),
    **dict.fromkeys(MINIMA, _whole),
    **dict.fromkeys(_FLAGS, _flag),
    **dict.fromkeys(_STRINGS, _string),
    **dict.fromkeys(_MAPPINGS, _mapping),
    "stop": _stop,
    "tools": _tools,
    "tool_choice": _tool_choice,
    "response_format": _response_format,
    "reasoning": _reasoning,
    "on_unsupported": _policy,
    "safety_settings": _settings,
}
"""What makes the canonical value of a parameter, given its name and what was said, or raises."""


def wrong(parameter: str, message: str) -> FiberValidationError:
    """Make the error of a parameter that is wrong."""
    return FiberValidationError(message, parameter=parameter, outcome="not_sent")
