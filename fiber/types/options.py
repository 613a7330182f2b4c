"""
From every accepted spelling of the call's parameters to one canonical, checked `ChatRequest`.

Every check happens before anything is sent: those of a parameter by itself are in `parameters`, here is what
parameters are beside each other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fiber.types import normalise
from fiber.types.parameters import CHECKS, wrong
from fiber.types.request import ChatRequest
from fiber.types.tools import Tool, ToolChoice


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
    messages, said = _unwrapped(messages, said)
    return ChatRequest(messages=normalise.messages(messages), **_checked(said))


def _unwrapped(messages: Any, said: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return the messages and parameters of a request that is given whole, as value or as dict."""
    if isinstance(messages, ChatRequest):
        messages = msgspec.structs.asdict(messages)
        messages["model"] = messages["model"] or None
        messages["on_unsupported"] = said.pop("on_unsupported", messages["on_unsupported"])
    if isinstance(messages, Mapping) and "messages" in messages:
        own = {name: value for name, value in messages.items() if name != "messages" and value is not None}
        _once(said, own)
        return messages["messages"], said | own
    return messages, said


def _once(said: Mapping[str, Any], names: Iterable[str]) -> None:
    both = sorted(set(names) & set(said))
    if both:
        raise wrong(both[0], f"{', '.join(both)} given twice: in the request and as keyword.")


def _checked(said: dict[str, Any]) -> dict[str, Any]:
    if not said.keys() <= CHECKS.keys():
        unknown = min(map(str, said.keys() - CHECKS.keys()))
        raise wrong(unknown, f"Unknown parameter {unknown!r}: a provider's own goes into extra_body.")
    checked: dict[str, Any] = {name: CHECKS[name](name, value) for name, value in said.items()}
    _agree(checked)
    return checked


def _agree(said: Mapping[str, Any]) -> None:
    tools, choice = said.get("tools"), said.get("tool_choice")
    names = [tool.name for tool in tools if isinstance(tool, Tool)] if tools else []
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise wrong("tools", f"Two tools are named {twice!r}: give each its own name.")
    if isinstance(choice, ToolChoice) and choice.mode in ("named", "required"):
        if not tools:
            raise wrong("tool_choice", f"tool_choice {choice.mode!r} needs tools.")
        opaque = any(not isinstance(tool, Tool) for tool in tools)
        if choice.mode == "named" and choice.name not in names and not opaque:
            raise wrong("tool_choice", f"tool_choice names {choice.name!r}, but the tools are {names}.")
    if said.get("top_logprobs") is not None and said.get("logprobs") is False:
        raise wrong("top_logprobs", "top_logprobs needs logprobs, which is False.")
