"""
OpenAI Chat Completions: `POST /v1/chat/completions`.

Source: https://platform.openai.com/docs/api-reference/chat, openai-python 3.51.0 (read 2026-11-20).
OpenAI itself sends no reasoning text here; `reasoning_content` is what compatible servers call it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fiber.testing.formats import errors, openai
from fiber.testing.formats.common import (
    CREATED,
    Asked,
    arguments_text,
    encode,
    fragments,
    last_text,
    pieces,
    sse,
    tokens,
    tool_results,
)
from fiber.testing.script import Failure, MockCall, Reply
from fiber.testing.view import (
    ChatView,
    count_words,
    items,
    mapping,
    number,
    refuse,
    unanswered,
)

name = "openai_chat"
content_type = openai.CONTENT_TYPE
error = errors.openai
headers = openai.headers
models = openai.models
_ROLES = ("assistant", "developer", "function", "system", "tool", "user")


def stream_type(view: ChatView) -> str:
    """Return the content type of a stream."""
    return openai.STREAM_TYPE


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: OpenAI would answer 400.
    """
    body = asked.body
    model = openai.need(body, "model", str)
    messages = items(openai.need(body, "messages", list))
    _check(messages)
    tools = []
    for index, tool in openai.functions(body):
        function = openai.need(tool, "function", dict, f"tools[{index}].")
        tools.append(openai.offered(function, f"tools[{index}].function."))
    mode, tool_name = openai.choice(body)
    options = mapping(body.get("stream_options"))
    return ChatView(
        model=model,
        stream=body.get("stream") is True,
        last_text=last_text(messages),
        tools=tuple(tools),
        tool_choice=mode,
        tool_name=tool_name,
        parallel=body.get("parallel_tool_calls") is not False,
        tool_results=tool_results(messages),
        schema=_schema(mapping(body.get("response_format"))),
        reasoning=body.get("reasoning_effort") not in (None, "none"),
        max_tokens=number(body.get("max_completion_tokens")) or number(body.get("max_tokens")),
        include_usage=options.get("include_usage") is True,
        words=sum(count_words(message.get("content")) for message in messages),
    )


def _check(messages: Sequence[Mapping[str, Any]]) -> None:
    if not messages:
        raise refuse(
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
            "messages",
            "empty_array",
        )
    for index, message in enumerate(messages):
        role = openai.need(message, "role", str, f"messages[{index}].")
        if role not in _ROLES:
            raise refuse(
                f"Invalid value: '{role}'. Supported values are: {', '.join(_ROLES)}.",
                f"messages[{index}].role",
                "invalid_value",
            )
        calls = [str(call.get("id")) for call in items(message.get("tool_calls"))]
        results = []
        for follower in messages[index + 1 :]:
            if follower.get("role") != "tool":
                break
            results.append(str(follower.get("tool_call_id")))
        if missing := unanswered(calls, results):
            raise refuse(
                "An assistant message with 'tool_calls' must be followed by tool messages"
                " responding to each 'tool_call_id'. The following tool_call_ids did not have"
                f" response messages: {', '.join(missing)}",
                f"messages.[{index + len(results) + 1}].role",
            )


def _schema(form: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if form.get("type") == "json_object":
        return {}
    if form.get("type") != "json_schema":
        return None
    wrapper = openai.need(form, "json_schema", dict, "response_format.")
    openai.need(wrapper, "name", str, "response_format.json_schema.")
    return mapping(wrapper.get("schema"))


def whole(view: ChatView, reply: Reply, number: int) -> bytes:
    """Return the body of a complete answer."""
    refused = reply.finish == "refusal"
    message: dict[str, Any] = {
        "role": "assistant",
        "content": None if refused or (reply.tool_calls and not reply.text) else reply.text,
        "refusal": reply.text if refused else None,
        "annotations": [],
    }
    if reply.reasoning:
        message["reasoning_content"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = [
            _call(call, f"call_mock{number:04d}{index}", arguments_text(call))
            for index, call in enumerate(reply.tool_calls)
        ]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": openai.FINISH[reply.finish],
    }
    usage = _usage(view, reply)
    return encode({**_head(view, number, ""), "choices": [choice], "usage": usage})


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """Return the events of a streamed answer."""
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": "", "refusal": None}]
    step = reply.words_per_event
    deltas += [{"reasoning_content": piece} for piece in pieces(reply.reasoning, step)]
    key = "refusal" if reply.finish == "refusal" else "content"
    deltas += [{key: piece} for piece in pieces(reply.text, step)]
    for index, call in enumerate(reply.tool_calls):
        start = _call(call, f"call_mock{number:04d}{index}", "")
        deltas.append({"tool_calls": [{"index": index, **start}]})
        for piece in fragments(arguments_text(call)):
            deltas.append({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})

    head = _head(view, number, ".chunk")
    unknown = {"usage": None} if view.include_usage else {}
    found = []
    for delta, reason in [*((delta, None) for delta in deltas), ({}, openai.FINISH[reply.finish])]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        found.append(sse({**head, "choices": [choice], **unknown}))
    if view.include_usage:
        found.append(sse({**head, "choices": [], "usage": _usage(view, reply)}))
    return [*found, b"data: [DONE]\n\n"]


def error_frame(failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
    """Return the event that breaks a stream."""
    return sse({"error": errors.openai_error(failure, view.model)})


def _head(view: ChatView, number: int, suffix: str) -> dict[str, Any]:
    return {
        "id": f"chatcmpl-mock{number:06d}",
        "object": f"chat.completion{suffix}",
        "created": CREATED + number,
        "model": view.model,
        "service_tier": "default",
        "system_fingerprint": "fp_mock",
    }


def _call(call: MockCall, made_up_id: str, arguments: str) -> dict[str, Any]:
    return {
        "id": call.id or made_up_id,
        "type": "function",
        "function": {"name": call.name, "arguments": arguments},
    }


def _usage(view: ChatView, reply: Reply) -> dict[str, Any]:
    count = tokens(view, reply)
    return {
        "prompt_tokens": count.input,
        "completion_tokens": count.output,
        "total_tokens": count.input + count.output,
        "prompt_tokens_details": {**openai.input_details(count), "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": count.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
