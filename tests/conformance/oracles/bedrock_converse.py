"""
Amazon Bedrock Converse.

Facts: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, and .../CommonErrors.html and
.../API_runtime_TokenUsage.html beside it (read 2026-11-21). Errors are told by a header, which an oracle does not see,
so their classes are read from the words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.conformance.oracles import BY_STATUS, Answer, members, names, text, whole

FINISH: Mapping[str, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "guardrail_intervened": "content_filter",
    "content_filtered": "content_filter",
    "malformed_model_output": "error",
    "malformed_tool_use": "error",
}

UNREAD: Mapping[str, frozenset[str]] = {
    # `$metadata` is of an SDK that kept its answer.
    "Reply": names("metrics additionalModelResponseFields performanceConfig serviceTier $metadata"),
    "Message": names("role"),
    # Streams are read event by event, and the type of an event is a header.
    "Event": names("messageStart contentBlockStart contentBlockDelta contentBlockStop messageStop metadata"),
}


def answer(payloads: list[Any]) -> Answer:
    """Put a reply, or the events of a stream, together."""
    reply = payloads[0] if "output" in payloads[0] else _joined(payloads)
    made = Answer()
    said = made.choice()
    for block in reply["output"]["message"]["content"]:
        if "text" in block:
            said.text += block["text"]
        elif "toolUse" in block:
            call = block["toolUse"]
            said.calls.append((call["toolUseId"], call["name"], call["input"]))
        elif "reasoningContent" in block:
            thought = members(block["reasoningContent"].get("reasoningText"))
            said.reasoning += text(thought.get("text"))
            if signature := thought.get("signature"):
                said.seals.append(signature)
    said.raw = reply.get("stopReason")
    said.finish = None if said.raw is None else FINISH.get(said.raw, "other")
    made.usage = _usage(members(reply.get("usage")))
    return made


def refusal(status: int, value: Any) -> str:
    """Name the class of an error answer."""
    if "model identifier is invalid" in text(members(value).get("message")):
        return "FiberModelNotFoundError"
    return BY_STATUS.get(status, "FiberProviderError")


def _joined(payloads: list[Any]) -> dict[str, Any]:
    """Return the reply as if it had come whole; a tool's input stays text."""
    content: dict[int, dict[str, Any]] = {}
    reply: dict[str, Any] = {"output": {"message": {"content": []}}}
    for event in payloads:
        [(kind, said)] = event.items()
        if kind == "contentBlockStart" and "toolUse" in said["start"]:
            content[said["contentBlockIndex"]] = {"toolUse": {**said["start"]["toolUse"], "input": ""}}
        elif kind == "contentBlockDelta":
            _grow(content.setdefault(said["contentBlockIndex"], {}), said["delta"])
        elif kind in ("messageStop", "metadata"):
            reply.update(said)
    for block in content.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = block["toolUse"]["input"] or "{}"
    reply["output"]["message"]["content"] = list(content.values())
    return reply


def _grow(block: dict[str, Any], delta: dict[str, Any]) -> None:
    if "toolUse" in delta:
        block["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "reasoningContent" in delta:
        thought = block.setdefault("reasoningContent", {}).setdefault("reasoningText", {})
        for name, piece in delta["reasoningContent"].items():
            thought[name] = thought.get(name, "") + piece
    elif "text" in delta:
        block["text"] = block.get("text", "") + delta["text"]


def _usage(said: dict[str, Any]) -> dict[str, int | None]:
    """Count; the provider's own input excludes what was read from a cache or written to it."""
    fresh, made = whole(said.get("inputTokens")), whole(said.get("outputTokens"))
    read, written = (whole(said.get(f"cache{what}InputTokens")) for what in ("Read", "Write"))
    given = None if fresh is None else fresh + (written or 0) + (read or 0)
    return {
        "input_tokens": given,
        "output_tokens": made,
        "total_tokens": None if given is None or made is None else given + made,
        "cache_read_tokens": read,
        "cache_write_tokens": written,
        "reasoning_tokens": None,
    }
