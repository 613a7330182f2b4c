"""
Anthropic Messages: `POST /v1/messages`.

Source: https://docs.anthropic.com/en/api/messages, anthropic-sdk-python 2.11.0 (read 2026-11-20).
`input_tokens` leaves out what was read from the cache.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fiber.testing.formats import errors
from fiber.testing.formats.common import (
    Asked,
    arguments_object,
    arguments_text,
    encode,
    fragments,
    pieces,
    sse,
    tokens,
)
from fiber.testing.script import Failure, Finish, Reply
from fiber.testing.view import (
    ChatView,
    OfferedTool,
    count_words,
    items,
    mapping,
    number,
    refuse,
    text_of,
    unanswered,
)

name = "anthropic"
content_type = "application/json"
error = errors.anthropic
_SIGNATURE = "bW9jay1zaWduYXR1cmU="
_RESET = "2026-01-01T00:00:00Z"
_FINISH: Mapping[Finish, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
}


def stream_type(view: ChatView) -> str:
    """Return the content type of a stream."""
    return "text/event-stream; charset=utf-8"


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: Anthropic would answer 400.
    """
    body = asked.body
    if "anthropic-version" not in asked.headers and "anthropic_version" not in body:  # Vertex has it in the body
        raise refuse("anthropic-version: header is required")
    for field, kind in (("model", str), ("messages", list), ("max_tokens", int)):
        if field not in body:
            raise refuse(f"{field}: Field required")
        if not isinstance(body[field], kind):
            raise refuse(f"{field}: Input should be a valid {kind.__name__}")
    messages = items(body["messages"])
    _check(messages)
    tools = []
    for index, tool in enumerate(items(body.get("tools"))):
        if tool.get("type", "custom") != "custom":
            continue  # a server's own tool is never called
        if not isinstance(tool.get("input_schema"), dict):
            raise refuse(f"tools.{index}.custom.input_schema: Field required")
        tools.append(OfferedTool(str(tool.get("name")), tool["input_schema"]))
    choice = mapping(body.get("tool_choice"))
    form = mapping(mapping(body.get("output_config")).get("format"))
    users = [text_of(item.get("content")) for item in messages if item["role"] == "user"]
    spoken = [text for text in users if text]
    return ChatView(
        model=body["model"],
        stream=body.get("stream") is True,
        last_text=spoken[-1] if spoken else "",
        tools=tuple(tools),
        tool_choice={"any": "required", "tool": "required", "none": "none"}.get(str(choice.get("type")), "auto"),
        tool_name=choice.get("name") if choice.get("type") == "tool" else None,
        parallel=choice.get("disable_parallel_tool_use") is not True,
        tool_results=_results(messages),
        schema=mapping(form.get("schema")) if form.get("type") == "json_schema" else None,
        reasoning=mapping(body.get("thinking")).get("type") in ("adaptive", "enabled"),
        max_tokens=number(body["max_tokens"]),
        words=count_words(body.get("system")) + sum(count_words(message.get("content")) for message in messages),
    )


def _check(messages: Sequence[Mapping[str, Any]]) -> None:
    if not messages:
        raise refuse("messages: at least one message is required")
    for index, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant", "system"):
            raise refuse(f"messages.{index}.role: Input should be 'user', 'assistant' or 'system'")
        if not message.get("content") and index < len(messages) - 1:
            raise refuse(
                f"messages.{index}: all messages must have non-empty content except for the"
                " optional final assistant message"
            )
        follower = messages[index + 1] if index + 1 < len(messages) else {}
        calls = [str(block.get("id")) for block in _blocks(message, "tool_use")]
        results = [str(block.get("tool_use_id")) for block in _blocks(follower, "tool_result")]
        if missing := unanswered(calls, results):
            raise refuse(
                f"messages.{index}: `tool_use` ids were found without `tool_result` blocks"
                f" immediately after: {', '.join(missing)}. Each `tool_use` block must have a"
                " corresponding `tool_result` block in the next message."
            )


def _blocks(message: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [block for block in items(message.get("content")) if block.get("type") == kind]


def _results(messages: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    results = []
    for message in reversed(messages):
        if message["role"] == "assistant":
            break
        results += [text_of(block.get("content")) for block in _blocks(message, "tool_result")]
    return tuple(results)


def error_frame(failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
    """Return the event that breaks a stream."""
    return sse(errors.anthropic_error(failure, view.model, number), "error")


def headers(number: int) -> dict[str, str]:
    """Return the headers of the answer to request *number*; the limits shrink with it."""
    found = {"request-id": f"req_{number:024x}"}
    for bucket, limit, cost in (
        ("requests", 4000, 1),
        ("tokens", 480_000, 100),
        ("input-tokens", 400_000, 60),
        ("output-tokens", 80_000, 40),
    ):
        found[f"anthropic-ratelimit-{bucket}-limit"] = str(limit)
        found[f"anthropic-ratelimit-{bucket}-remaining"] = str(max(0, limit - cost * number))
        found[f"anthropic-ratelimit-{bucket}-reset"] = _RESET
    return found


def models(names: Sequence[str]) -> bytes:
    """Return the list of models."""
    rows = [
        {
            "type": "model",
            "id": name,
            "display_name": name.replace("-", " ").title(),
            "created_at": _RESET,
            "lifecycle": "active",
            "max_input_tokens": 200_000,
            "max_tokens": 64_000,
        }
        for name in names
    ]
    ends = {"first_id": names[0] if names else None, "last_id": names[-1] if names else None}
    return encode({"data": rows, "has_more": False, **ends})


def whole(view: ChatView, reply: Reply, number: int) -> bytes:
    """Return the body of a complete answer."""
    content = _content(reply, number)
    calls = content[len(content) - len(reply.tool_calls) :]
    for block, call in zip(calls, reply.tool_calls, strict=True):
        block["input"] = arguments_object(call)
    usage = _usage(view, reply)
    return encode(_message(view, number, content, _FINISH[reply.finish], usage))


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """Return the events of a streamed answer."""
    usage = _usage(view, reply)
    start = _message(view, number, [], None, {**usage, "output_tokens": 1})
    events: list[dict[str, Any]] = [{"type": "message_start", "message": start}]
    calls = iter(reply.tool_calls)
    for index, block in enumerate(_content(reply, number)):
        deltas: list[dict[str, Any]]
        match block["type"]:
            case "text":
                empty = {**block, "text": ""}
                cuts = pieces(block["text"], reply.words_per_event)
                deltas = [{"type": "text_delta", "text": cut} for cut in cuts]
            case "thinking":
                empty = {**block, "thinking": "", "signature": ""}
                cuts = pieces(block["thinking"], reply.words_per_event)
                deltas = [{"type": "thinking_delta", "thinking": cut} for cut in cuts]
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
            case _:
                empty = block
                text = arguments_text(next(calls))
                cuts = ["", *fragments("" if text == "{}" else text)]
                deltas = [{"type": "input_json_delta", "partial_json": cut} for cut in cuts]
        events.append({"type": "content_block_start", "index": index, "content_block": empty})
        if not index:
            events.append({"type": "ping"})
        for delta in deltas:
            events.append({"type": "content_block_delta", "index": index, "delta": delta})
        events.append({"type": "content_block_stop", "index": index})
    delta = {"stop_reason": _FINISH[reply.finish], "stop_sequence": None}
    events.append({"type": "message_delta", "delta": delta, "usage": usage})
    events.append({"type": "message_stop"})
    return [sse(event, event["type"]) for event in events]


def _content(reply: Reply, number: int) -> list[dict[str, Any]]:
    """Return the blocks of the answer; those of tools come last, and with empty input."""
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        content.append({"type": "thinking", "thinking": reply.reasoning, "signature": _SIGNATURE})
    if reply.text:
        content.append({"type": "text", "text": reply.text})
    for index, call in enumerate(reply.tool_calls):
        made_up = f"toolu_mock{number:04d}{index}"
        content.append({"type": "tool_use", "id": call.id or made_up, "name": call.name, "input": {}})
    return content


def _message(
    view: ChatView,
    number: int,
    content: list[dict[str, Any]],
    stop_reason: str | None,
    usage: dict[str, Any],
) -> dict[str, Any]:
    return {
        "id": f"msg_mock{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": view.model,
        "content": content,
        "stop_reason": stop_reason,
        "stop_sequence": None,
        "usage": usage,
    }


def _usage(view: ChatView, reply: Reply) -> dict[str, Any]:
    count = tokens(view, reply)
    return {
        "input_tokens": count.input - count.cached,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": count.cached,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": count.output,
        "output_tokens_details": {"thinking_tokens": count.reasoning},
        "service_tier": "standard",
    }
