"""
Anthropic Messages, also on Vertex AI and Microsoft Foundry.

Facts: https://platform.claude.com/docs/en/api/messages, .../build-with-claude/streaming,
.../build-with-claude/handling-stop-reasons and .../api/errors (read 2026-11-20).
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.conformance.oracles import BY_STATUS, Answer, members, names, text, whole

FINISH: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}

_TYPES: Mapping[str, str] = {
    "invalid_request_error": "FiberBadRequestError",
    "authentication_error": "FiberAuthError",
    "permission_error": "FiberAuthError",
    "rate_limit_error": "FiberRateLimitError",
    "overloaded_error": "FiberOverloadedError",
    "api_error": "FiberProviderError",
}

UNREAD: Mapping[str, frozenset[str]] = {
    "Message": names("role stop_sequence context_management"),
    # Citations, signatures and what compaction says are taken from the raw event.
    "Delta": names("stop_sequence citation signature content encrypted_content"),
    # An event may be a whole message, which is then read as one; the metrics are Amazon's.
    "Event": names(
        "id role model content stop_reason stop_sequence stop_details context_management",
        "amazon-bedrock-invocationMetrics",
    ),
}


def answer(payloads: list[Any]) -> Answer:
    """Put a reply, or the events of a stream, together."""
    message = _message(payloads)
    made = Answer()
    said = made.choice()
    for block in message.get("content") or ():
        match block["type"]:
            case "text":
                said.text += block["text"]
            case "thinking":
                said.reasoning += block["thinking"]
                said.seals.append(block.get("signature") or "")
            case "redacted_thinking":
                said.seals.append(block["data"])
            case "tool_use":
                said.calls.append((block["id"], block["name"], block.get("words") or block["input"]))
    said.raw = message.get("stop_reason")
    said.finish = None if said.raw is None else FINISH.get(said.raw, "other")
    made.usage = _usage(members(message.get("usage")))
    return made


def refusal(status: int, value: Any) -> str:
    """Name the class of an error answer."""
    error = members(members(value).get("error"))
    kind, words = text(error.get("type")), text(error.get("message"))
    if "model identifier is invalid" in text(members(value).get("message")):
        return "FiberModelNotFoundError"  # Amazon Bedrock, whose errors have a shape of their own
    if kind == "not_found_error":
        # It stands for models, files and batches alike; only for a model are the words "model: name".
        return "FiberModelNotFoundError" if words.startswith("model:") else "FiberBadRequestError"
    if kind == "invalid_request_error" and words.startswith("prompt is too long"):
        return "FiberContextLengthError"
    return _TYPES.get(kind) or BY_STATUS.get(status, "FiberProviderError")


def _message(payloads: list[Any]) -> dict[str, Any]:
    """
    Return the message as if it had come whole.

    A second `message_start` with another id begins the answer anew; with the same id it says nothing new.
    """
    message: dict[str, Any] = {}
    open_blocks: dict[int, dict[str, Any]] = {}
    for event in map(members, payloads):
        match event.get("type"):
            case "message":
                return event
            case "message_start" if event["message"]["id"] != message.get("id"):
                message = copy.deepcopy(event["message"])
                open_blocks = {}
            case "content_block_start":
                block = open_blocks[event["index"]] = copy.deepcopy(event["content_block"])
                message["content"].append(block)
            case "content_block_delta":
                _grow(open_blocks[event["index"]], event["delta"])
            case "message_delta":
                news = ((message, event["delta"]), (message["usage"], members(event.get("usage"))))
                for target, changes in news:
                    target.update({name: value for name, value in changes.items() if value is not None})
            case "message_stop":
                break
    return message


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if delta["type"] == "input_json_delta":
        block["words"] = block.get("words", "") + delta["partial_json"]
    elif delta["type"] in ("text_delta", "thinking_delta", "signature_delta"):
        name = delta["type"].removesuffix("_delta")
        block[name] = block.get(name, "") + delta[name]


def _usage(said: dict[str, Any]) -> dict[str, int | None]:
    """Count; the provider's own input excludes what was read from a cache or written to it."""
    fresh, made = whole(said.get("input_tokens")), whole(said.get("output_tokens"))
    written, read = (whole(said.get(f"cache_{what}_input_tokens")) for what in ("creation", "read"))
    given = None if fresh is None else fresh + (written or 0) + (read or 0)
    return {
        "input_tokens": given,
        "output_tokens": made,
        "total_tokens": None if given is None or made is None else given + made,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "reasoning_tokens": whole(members(said.get("output_tokens_details")).get("thinking_tokens")),
    }
