"""
Cohere Chat, version 2.

Facts: https://docs.cohere.com/reference/chat, /docs/streaming and /reference/errors (read 2026-11-21); that pictures
are counted beside the input tokens, from the recordings themselves (billed are both).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.conformance.oracles import BY_STATUS, Answer, members, names, text, whole

FINISH: Mapping[str, str] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
}

UNREAD: Mapping[str, frozenset[str]] = {"Message": names("role")}


def answer(payloads: list[Any]) -> Answer:
    """Put a reply, or the events of a stream, together."""
    message, ending = _streamed(payloads) if "type" in members(payloads[0]) else _whole(members(payloads[0]))
    made = Answer()
    said = made.choice()
    said.text = "".join(text(block.get("text")) for block in message["content"])
    said.reasoning = message["tool_plan"] + "".join(text(block.get("thinking")) for block in message["content"])
    for call in message["tool_calls"]:
        arguments = call["function"]["arguments"]
        # Nothing in a stream, null in a reply: a call of a tool without arguments.
        said.calls.append((call["id"], call["function"]["name"], "{}" if arguments in ("", "null") else arguments))
    said.raw = ending.get("finish_reason")
    said.finish = None if said.raw is None else FINISH.get(said.raw, "other")
    made.usage = _usage(members(ending.get("usage")))
    return made


def refusal(status: int, value: Any) -> str:
    """Name the class of an error answer."""
    words = text(members(value).get("message"))
    if status == 404 and words.startswith("model "):
        return "FiberModelNotFoundError"
    if status == 400 and words.startswith("too many tokens"):
        return "FiberContextLengthError"
    return BY_STATUS.get(status, "FiberProviderError")


def _whole(reply: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    said = reply["message"]
    message = {name: said.get(name) or [] for name in ("content", "tool_calls")}
    return {**message, "tool_plan": said.get("tool_plan") or ""}, reply


def _streamed(events: Iterable[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Grow the parts of a message; each piece belongs to the part of its kind that began last."""
    message: dict[str, Any] = {"content": [], "tool_calls": [], "tool_plan": ""}
    for event in events:
        piece = members(members(event.get("delta")).get("message"))
        match event["type"]:
            case "content-start":
                message["content"].append(dict(piece["content"]))
            case "content-delta":
                for name, words in piece["content"].items():
                    message["content"][-1][name] += words
            case "tool-plan-delta":
                message["tool_plan"] += piece["tool_plan"]
            case "tool-call-start":
                call = piece["tool_calls"]
                message["tool_calls"].append({**call, "function": dict(call["function"])})
            case "tool-call-delta":
                message["tool_calls"][-1]["function"]["arguments"] += piece["tool_calls"]["function"]["arguments"]
            case "message-end":
                return message, event["delta"]
    return message, {}


def _usage(said: dict[str, Any]) -> dict[str, int | None]:
    tokens, billed = members(said.get("tokens")), members(said.get("billed_units"))
    words, made = whole(tokens.get("input_tokens")), whole(tokens.get("output_tokens"))
    images = whole(tokens.get("image_tokens"))
    given = None if words is None else words + (images or 0)
    return {
        "input_tokens": given,
        "output_tokens": made,
        "total_tokens": None if given is None or made is None else given + made,
        "cache_read_tokens": whole(said.get("cached_tokens")),
        "image_tokens": images,
        "billed_input_tokens": whole(billed.get("input_tokens")),
        "billed_output_tokens": whole(billed.get("output_tokens")),
    }
