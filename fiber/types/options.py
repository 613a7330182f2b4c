"""
From every accepted spelling of the call's parameters to one canonical, checked `ChatRequest`.

Every check is here and happens before anything is sent; the error names the parameter and the range.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, get_args

import msgspec

from fiber._errors import FiberValidationError
from fiber.types import functions, jsons, normalise
from fiber.types.content import Opaque
from fiber.types.efforts import EFFORTS
from fiber.types.numbers import is_number
from fiber.types.request import ChatRequest, OnUnsupported
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


def chat_request(messages: Any, **options: Any) -> ChatRequest:
    """
    Make a checked `ChatRequest`.

    Args:
        messages: Any spelling that `normalise.messages` takes, or a `ChatRequest`, or a dict with `messages` in it.
        options: Members of `ChatRequest` in any accepted spelling; None means "not said".

    Raises:
        FiberValidationError: Something is wrong; `parameter` names it.
    """
    said = {name: value for name, value in options.items() if value is not None}
    if isinstance(messages, ChatRequest):
        messages = msgspec.structs.asdict(messages)
        messages["model"] = messages["model"] or None
        messages["on_unsupported"] = said.pop("on_unsupported", messages["on_unsupported"])
    if isinstance(messages, Mapping) and "messages" in messages:
        own = {name: value for name, value in messages.items() if name != "messages" and value is not None}
        _once(said, own)
        said |= own
        messages = messages["messages"]
    return ChatRequest(messages=normalise.messages(messages), **_checked(said))


def _once(said: Mapping[str, Any], names: Iterable[str]) -> None:
    both = sorted(set(names) & set(said))
    if both:
        raise _wrong(both[0], f"{', '.join(both)} given twice: in the request and as keyword.")


def _checked(said: dict[str, Any]) -> dict[str, Any]:
    if not said.keys() <= _CHECKS.keys():
        unknown = min(map(str, said.keys() - _CHECKS.keys()))
        raise _wrong(unknown, f"Unknown parameter {unknown!r}: a provider's own goes into extra_body.")
    checked: dict[str, Any] = {name: _CHECKS[name](name, value) for name, value in said.items()}
    _agree(checked)
    return checked


def _agree(said: Mapping[str, Any]) -> None:
    tools, choice = said.get("tools"), said.get("tool_choice")
    names = [tool.name for tool in tools if isinstance(tool, Tool)] if tools else []
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise _wrong("tools", f"Two tools are named {twice!r}: give each its own name.")
    if isinstance(choice, ToolChoice) and choice.mode in ("named", "required"):
        if not tools:
            raise _wrong("tool_choice", f"tool_choice {choice.mode!r} needs tools.")
        opaque = any(not isinstance(tool, Tool) for tool in tools)
        if choice.mode == "named" and choice.name not in names and not opaque:
            raise _wrong("tool_choice", f"tool_choice names {choice.name!r}, but the tools are {names}.")
    if said.get("top_logprobs") is not None and said.get("logprobs") is False:
        raise _wrong("top_logprobs", "top_logprobs needs logprobs, which is False.")


def _real(name: str, value: Any) -> float:
    low, high = RANGES[name]
    if not is_number(value) or not low <= value <= high:
        raise _wrong(name, f"{name} must be a number from {low} to {high}, not {value!r}.")
    return value


def _whole(name: str, value: Any) -> int:
    low, high = MINIMA[name]
    if type(value) is not int or not low <= value <= high:
        bounds = f" from {low}" if low > -math.inf else ""
        bounds += f" to {high}" if high < math.inf else ""
        raise _wrong(name, f"{name} must be a whole number{bounds}, not {value!r}.")
    return value


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, f"{name} must be True or False, not {value!r}.")
    return value


def _string(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise _wrong(name, f"{name} must be a non-empty string, not {value!r}.")
    return value


def _mapping(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise _wrong(name, f"{name} must be a mapping with string keys, not {value!r}.")
    jsons.finite(name, value)
    if name in ("extra_headers", "extra_query") and not all(isinstance(v, str) for v in value.values()):
        raise _wrong(name, f"The values of {name} must be strings.")
    if name == "logit_bias" and not all(type(v) in (int, float) for v in value.values()):
        raise _wrong(name, "The values of logit_bias must be numbers.")
    try:
        msgspec.json.encode(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise _wrong(name, f"{name} must be JSON: {error}.") from None
    return dict(value)


def _stop(name: str, value: Any) -> tuple[str, ...]:
    items = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else (value,)
    if not items or not all(isinstance(item, str) and item for item in items):
        raise _wrong(name, f"stop must be a non-empty string or a list of such, not {value!r}.")
    return items


def _tools(name: str, value: Any) -> tuple[AnyTool, ...] | None:
    if isinstance(value, Tool | ServerTool | Opaque | Mapping) or callable(value):
        value = [value]
    if not isinstance(value, Iterable):
        raise _wrong(name, f"tools must be a list of tools, not {type(value).__name__}.")
    return tuple(_tool(item) for item in value) or None


def _tool(value: Any) -> AnyTool:
    if isinstance(value, Tool | ServerTool | Opaque):
        tool: AnyTool = value
    elif isinstance(value, Mapping):
        tool = _tool_from_dict(value)
    elif callable(value):
        tool = functions.tool_of(value)
    else:
        raise _wrong("tools", f"A tool must be a Tool, a dict or a typed function, not {type(value).__name__}.")
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
        raise _wrong("tools", f"A tool has no name: {dict(value)!r}.")
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
        raise _wrong(name, "tool_choice must be 'auto', 'none', 'required', a tool's name, or {'name': ...}.")
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
        raise _wrong(name, f"response_format {value!r}: use 'text', 'json_object', a JSON Schema or a type.")
    else:
        title = functions.name_of(value)
        wanted = ResponseFormat("json_schema", functions.schema_of(value), title, python_type=value)
    _one_of(name, "kind of a ResponseFormat", wanted.kind, ("text", "json_object", "json_schema"))
    if wanted.kind == "json_schema" and not isinstance(wanted.schema, Mapping):
        raise _wrong(name, "response_format json_schema needs a schema.")
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
            raise _wrong("response_format", f"response_format json_schema must be an object, not {inner!r}.")
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
            raise _wrong(name, f"reasoning: {error}.") from None
    elif isinstance(value, str):
        value = ReasoningOptions(effort=value)  # type: ignore[arg-type]
    elif type(value) is int:
        value = ReasoningOptions(budget_tokens=value)
    if not isinstance(value, ReasoningOptions):
        raise _wrong(name, "reasoning must be an effort, a number of tokens, or ReasoningOptions.")
    if value.effort is not None and value.effort not in EFFORTS:
        raise _wrong(name, f"reasoning effort {value.effort!r}: use one of {', '.join(EFFORTS)}.")
    if value.budget_tokens is not None and (type(value.budget_tokens) is not int or value.budget_tokens < 0):
        raise _wrong(name, f"reasoning budget_tokens must be a whole number from 0, not {value.budget_tokens!r}.")
    if not isinstance(value.summary, bool | None):
        raise _wrong(name, f"reasoning summary must be True or False, not {value.summary!r}.")
    return value


def _policy(name: str, value: Any) -> Any:
    if value not in get_args(OnUnsupported):
        raise _wrong(name, f"on_unsupported must be 'raise', 'warn' or 'drop', not {value!r}.")
    return value


def _settings(name: str, value: Any) -> tuple[Mapping[str, Any], ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, Mapping) for item in value):
        raise _wrong(name, "safety_settings must be a list of mappings.")
    return tuple(value)


def _one_of(name: str, what: str, value: Any, accepted: Iterable[str]) -> None:
    if value not in accepted:
        raise _wrong(name, f"The {what} is {value!r}: use one of {', '.join(accepted)}.")


_CHECKS = {
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


def _wrong(parameter: str, message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter=parameter, outcome="not_sent")
