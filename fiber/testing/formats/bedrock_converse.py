"""
Amazon Bedrock Converse: `POST /model/{model}/converse` and `.../converse-stream`.

Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html, botocore 1.44.5 (read
2026-11-21). A stream is a binary event stream, each payload padded by a member `p`; `inputTokens` leaves out what was
read from the cache; an error is named by a header.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from fiber.testing.formats import event_stream
from fiber.testing.formats.common import (
    Asked,
    Refusal,
    arguments_object,
    arguments_text,
    encode,
    fragments,
    message_of,
    pieces,
    tokens,
    whole_seconds,
)
from fiber.testing.script import Failure, Finish, Reply
from fiber.testing.view import ChatView, OfferedTool, count_words, items, mapping, number, refuse, text_of

name = "bedrock_converse"
content_type = "application/json"
_SIGNATURE = "bW9jay1zaWduYXR1cmU="
_FINISH: Mapping[Finish, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "guardrail_intervened",
    "refusal": "end_turn",
}
_ERRORS: Mapping[str, tuple[int, str, str]] = {
    # Kind -> status, exception, message.
    "bad_request": (400, "ValidationException", "The request is not valid."),
    "bad_key": (403, "UnrecognizedClientException", "The security token included in the request is invalid."),
    "permission": (403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
    "model_not_found": (400, "ValidationException", "The provided model identifier is invalid."),
    "context_length": (400, "ValidationException", "Input is too long for requested model."),
    "content_filter": (400, "ValidationException", "The request was blocked by a policy."),
    "rate_limit": (429, "ThrottlingException", "Too many requests, please wait before trying again."),
    "quota": (400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account."),
    "server_error": (500, "InternalServerException", "The system encountered an unexpected error."),
    "overloaded": (503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
}


def stream_type(view: ChatView) -> str:
    """Return the content type of a stream."""
    return "application/vnd.amazon.eventstream"


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: Bedrock would answer 400.
    """
    body = asked.json
    messages = items(body.get("messages"))
    _check(messages)
    config = mapping(body.get("toolConfig"))
    specs = [mapping(tool.get("toolSpec")) for tool in items(config.get("tools"))]
    tools = [
        OfferedTool(str(spec["name"]), mapping(mapping(spec.get("inputSchema")).get("json")))
        for spec in specs
        if "name" in spec
    ]
    choice = mapping(config.get("toolChoice"))
    form = mapping(mapping(body.get("outputConfig")).get("textFormat"))
    users = [text_of(turn.get("content")) for turn in messages if turn["role"] == "user"]
    spoken = [text for text in users if text]
    extra = mapping(body.get("additionalModelRequestFields"))
    own = mapping(extra.get("tool_choice"))
    return ChatView(
        model=asked.model,
        stream=asked.verb == "converse-stream",
        last_text=spoken[-1] if spoken else "",
        tools=tuple(tools),
        tool_choice="required" if choice.keys() & {"any", "tool"} else "none" if own.get("type") == "none" else "auto",
        tool_name=mapping(choice.get("tool")).get("name"),
        parallel=own.get("disable_parallel_tool_use") is not True,
        tool_results=_results(messages),
        schema=_schema(form),
        reasoning=mapping(extra.get("thinking")).get("type") in ("adaptive", "enabled"),
        max_tokens=number(mapping(body.get("inferenceConfig")).get("maxTokens")),
        words=count_words(body.get("system")) + sum(count_words(turn.get("content")) for turn in messages),
    )


def _check(messages: Sequence[Mapping[str, Any]]) -> None:
    if not messages:
        raise refuse("1 validation error detected: Value at 'messages' failed to satisfy constraint")
    roles = [turn.get("role") for turn in messages]
    if not {*roles} <= {"user", "assistant", "system"}:
        raise refuse("1 validation error detected: Value at 'messages.1.member.role' failed to satisfy constraint")
    if any(first == then for first, then in pairwise(roles)):
        raise refuse("A conversation must alternate between user and assistant roles.")
    for index, turn in enumerate(messages):
        if not turn.get("content"):
            raise refuse(f"The content field in the Message object at messages.{index} is empty.")


def _schema(form: Mapping[str, Any]) -> Mapping[str, Any] | None:
    described = mapping(mapping(form.get("structure")).get("jsonSchema"))
    if "schema" not in described:
        return None
    try:
        return mapping(msgspec.json.decode(str(described["schema"])))
    except msgspec.DecodeError:
        raise refuse("The value at outputConfig.textFormat.structure.jsonSchema.schema is no JSON.") from None


def _results(messages: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    last = mapping(messages[-1])
    blocks = [mapping(block["toolResult"]) for block in items(last.get("content")) if "toolResult" in block]
    return tuple(text_of(block.get("content")) for block in blocks)


def whole(view: ChatView, reply: Reply, number: int) -> bytes:
    """Return the body of a complete answer."""
    content: list[dict[str, Any]] = []
    if reply.reasoning:
        thought = {"text": reply.reasoning, "signature": _SIGNATURE}
        content.append({"reasoningContent": {"reasoningText": thought}})
    if reply.text:
        content.append({"text": reply.text})
    for id, call in zip(_ids(reply, number), reply.tool_calls, strict=True):
        content.append({"toolUse": {"toolUseId": id, "name": call.name, "input": arguments_object(call)}})
    return encode(
        {
            "metrics": {"latencyMs": 100 + number},
            "output": {"message": {"content": content, "role": "assistant"}},
            "stopReason": _FINISH[reply.finish],
            "usage": _usage(view, reply),
        }
    )


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """Return the events of a streamed answer."""
    events: list[tuple[str, dict[str, Any]]] = [("messageStart", {"role": "assistant"})]
    blocks: list[tuple[dict[str, Any] | None, list[dict[str, Any]]]] = []
    if reply.reasoning:
        cuts = [{"text": cut} for cut in pieces(reply.reasoning, reply.words_per_event)]
        blocks.append((None, [{"reasoningContent": cut} for cut in (*cuts, {"signature": _SIGNATURE})]))
    if reply.text:
        blocks.append((None, [{"text": cut} for cut in pieces(reply.text, reply.words_per_event)]))
    for id, call in zip(_ids(reply, number), reply.tool_calls, strict=True):
        cuts = [{"input": cut} for cut in fragments(arguments_text(call))]
        blocks.append(({"toolUse": {"toolUseId": id, "name": call.name}}, [{"toolUse": cut} for cut in cuts]))
    for index, (start, deltas) in enumerate(blocks):
        place = {"contentBlockIndex": index}
        if start is not None:
            events.append(("contentBlockStart", {**place, "start": start}))
        events += [("contentBlockDelta", {**place, "delta": delta}) for delta in deltas]
        events.append(("contentBlockStop", place))
    events.append(("messageStop", {"stopReason": _FINISH[reply.finish]}))
    events.append(("metadata", {"usage": _usage(view, reply), "metrics": {"latencyMs": 100 + number}}))
    return [
        event_stream.event(kind, encode({**payload, "p": "abcdefghijklmnop"[: 1 + place % 16]}))
        for place, (kind, payload) in enumerate(events)
    ]


def error(failure: Failure, model: str = "", key: str = "") -> Refusal:
    """Return the failure as Bedrock sends it."""
    status, kind, message = _ERRORS[failure.kind]
    headers = {"x-amzn-errortype": f"{failure.own_code or kind}:http://internal.amazon.com/coral/com.amazon.bedrock/"}
    if failure.retry_after is not None:
        headers["retry-after"] = whole_seconds(failure.retry_after)
    body = encode({"message": message_of(failure, message)})
    return Refusal(failure.status or status, {**headers, **failure.headers}, body)


def error_frame(failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
    """Return the exception that breaks a stream."""
    _, kind, message = _ERRORS[failure.kind]
    kind = failure.own_code or kind
    return event_stream.exception(kind[:1].lower() + kind[1:], encode({"message": message_of(failure, message)}))


def headers(number: int) -> dict[str, str]:
    """Return the headers of the answer to request *number*."""
    return {"x-amzn-requestid": f"00000000-0000-4000-8000-{number:012x}"}


def models(names: Sequence[str]) -> bytes:
    """Return the list of models."""
    return encode({"modelSummaries": [{"modelId": name, "modelName": name} for name in names]})


def _ids(reply: Reply, number: int) -> list[str]:
    return [call.id or f"tooluse_mock{number:04d}{index}" for index, call in enumerate(reply.tool_calls)]


def _usage(view: ChatView, reply: Reply) -> dict[str, Any]:
    count = tokens(view, reply)
    return {
        "inputTokens": count.input - count.cached,
        "outputTokens": count.output,
        "totalTokens": count.input + count.output,
        "cacheReadInputTokens": count.cached,
        "cacheWriteInputTokens": 0,
    }
