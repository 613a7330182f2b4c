"""
OpenAI Responses: `POST /v1/responses`.

Source: https://platform.openai.com/docs/api-reference/responses, openai-python 3.51.0
(read 2026-11-20).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from fiber.testing.formats import errors, openai
from fiber.testing.formats.common import (
    CREATED,
    Asked,
    Refusal,
    arguments_text,
    encode,
    fragments,
    last_text,
    pieces,
    sse,
    tokens,
)
from fiber.testing.script import Failure, Reply
from fiber.testing.view import (
    ChatView,
    count_words,
    items,
    mapping,
    number,
    refuse,
    text_of,
    unanswered,
)

name = "openai_responses"
content_type = openai.CONTENT_TYPE
headers = openai.headers
models = openai.models
_FAILED = {"rate_limit": "rate_limit_exceeded", "server_error": "server_error"}
"""Codes that `response.failed` knows; other failures come as an `error` event."""


def stream_type(view: ChatView) -> str:
    """Return the content type of a stream."""
    return openai.STREAM_TYPE


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: OpenAI would answer 400.
    """
    body = asked.json
    model = openai.need(body, "model", str)
    turns = body.get("input")
    if not isinstance(turns, str | list) or not turns:
        raise refuse("Missing required parameter: 'input'.", "input", "missing_required_parameter")
    turns = [{"role": "user", "content": turns}] if isinstance(turns, str) else items(turns)
    _check(turns)
    tools = [openai.offered(tool, f"tools[{index}].") for index, tool in openai.functions(body)]
    mode, tool_name = openai.choice(body)
    return ChatView(
        model=model,
        stream=body.get("stream") is True,
        last_text=last_text(turns),
        tools=tuple(tools),
        tool_choice=mode,
        tool_name=tool_name,
        parallel=body.get("parallel_tool_calls") is not False,
        tool_results=_results(turns),
        schema=_schema(mapping(mapping(body.get("text")).get("format"))),
        reasoning=mapping(body.get("reasoning")).get("effort") not in (None, "none"),
        max_tokens=number(body.get("max_output_tokens")),
        words=count_words(body.get("instructions"))
        + sum(count_words([turn.get("content"), turn.get("output")]) for turn in turns),
    )


def _check(turns: Sequence[Mapping[str, Any]]) -> None:
    for index, turn in enumerate(turns):
        if "type" not in turn and "role" not in turn:
            raise refuse(f"Invalid value: 'input[{index}]'.", f"input[{index}]", "invalid_value")
    calls = [str(turn.get("call_id")) for turn in turns if turn.get("type") == "function_call"]
    results = [str(turn.get("call_id")) for turn in turns if turn.get("type") == "function_call_output"]
    if missing := unanswered(calls, results):
        raise refuse(f"No tool output found for function call {missing[0]}.", "input")


def _results(turns: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    last = takewhile(lambda turn: turn.get("type") == "function_call_output", reversed(turns))
    return tuple(text_of(turn.get("output")) for turn in last)[::-1]


def _schema(form: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if form.get("type") == "json_object":
        return {}
    if form.get("type") != "json_schema":
        return None
    openai.need(form, "name", str, "text.format.")
    return mapping(openai.need(form, "schema", dict, "text.format."))


def error(failure: Failure, model: str = "", key: str = "") -> Refusal:
    """Return the failure as OpenAI sends it; here an unknown model is status 400."""
    refusal = errors.openai(failure, model, key)
    if failure.kind == "model_not_found" and failure.status is None:
        return refusal._replace(status=400)
    return refusal


def whole(view: ChatView, reply: Reply, number: int) -> bytes:
    """Return the body of a complete answer."""
    return encode(_response(view, reply, number, _output(reply, number)))


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """Return the events of a streamed answer."""
    output = _output(reply, number)
    begun = _response(view, reply, number, None)
    events: list[dict[str, Any]] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
    ]
    for index, item in enumerate(output):
        events += _item_events(item, index, reply.words_per_event)
    ended = _response(view, reply, number, output)
    events.append({"type": f"response.{ended['status']}", "response": ended})
    return [sse({**event, "sequence_number": place}, event["type"]) for place, event in enumerate(events)]


def error_frame(failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
    """Return the event that breaks a stream."""
    error = errors.openai_error(failure, view.model)
    if code := _FAILED.get(failure.kind):
        failed = _response(view, Reply(), number, None)
        failed |= {"status": "failed", "error": {"code": code, "message": error["message"]}}
        return sse(
            {"type": "response.failed", "response": failed, "sequence_number": sent},
            "response.failed",
        )
    return sse({"type": "error", "error": error, "sequence_number": sent}, "error")


def _output(reply: Reply, number: int) -> list[dict[str, Any]]:
    output: list[dict[str, Any]] = []
    if reply.reasoning:
        output.append(
            {
                "id": f"rs_mock{number:04d}",
                "type": "reasoning",
                "summary": [{"type": "summary_text", "text": reply.reasoning}],
                "encrypted_content": f"bW9jay1yZWFzb25pbmct{number:04d}",
            }
        )
    if reply.text or not reply.tool_calls:
        part: dict[str, Any] = {"type": "output_text", "text": reply.text}
        part |= {"annotations": [], "logprobs": []}
        if reply.finish == "refusal":
            part = {"type": "refusal", "refusal": reply.text}
        cut = reply.finish in ("length", "content_filter")
        output.append(
            {
                "id": f"msg_mock{number:04d}",
                "type": "message",
                "status": "incomplete" if cut else "completed",
                "role": "assistant",
                "content": [part],
            }
        )
    for index, call in enumerate(reply.tool_calls):
        output.append(
            {
                "id": f"fc_mock{number:04d}{index}",
                "type": "function_call",
                "status": "completed",
                "arguments": arguments_text(call),
                "call_id": call.id or f"call_mock{number:04d}{index}",
                "name": call.name,
            }
        )
    return output


def _item_events(item: Mapping[str, Any], index: int, words: int) -> list[dict[str, Any]]:
    """Stream one output item: added, its pieces, done."""
    at = {"item_id": item["id"], "output_index": index}
    match item["type"]:
        case "reasoning":
            empty = {**item, "summary": []}
            part = item["summary"][0]
            kind, at = "reasoning_summary", {**at, "summary_index": 0}
            text, key, delta = part["text"], "text", f"{kind}_text"
        case "message":
            empty = {**item, "status": "in_progress", "content": []}
            part = item["content"][0]
            kind, at = "content", {**at, "content_index": 0}
            key = "refusal" if part["type"] == "refusal" else "text"
            text, delta = part[key], part["type"]
        case _:
            empty = {**item, "status": "in_progress", "arguments": ""}
            part, kind = None, ""
            text, key, delta = item["arguments"], "arguments", "function_call_arguments"
    logprobs: dict[str, Any] = {"logprobs": []} if delta == "output_text" else {}
    cuts = pieces(text, words) if part else fragments(text)
    middle: list[dict[str, Any]] = [
        *({"type": f"response.{delta}.delta", **at, "delta": cut, **logprobs} for cut in cuts),
        {"type": f"response.{delta}.done", **at, key: text, **logprobs},
    ]
    if part:
        added = {"type": f"response.{kind}_part.added", **at, "part": {**part, key: ""}}
        middle = [added, *middle, {"type": f"response.{kind}_part.done", **at, "part": part}]
    return [
        {"type": "response.output_item.added", "output_index": index, "item": empty},
        *middle,
        {"type": "response.output_item.done", "output_index": index, "item": item},
    ]


def _response(view: ChatView, reply: Reply, number: int, output: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Return the response object; one that has just begun when *output* is None."""
    status, why, usage = "in_progress", None, None
    if output is not None:
        count = tokens(view, reply)
        reasons = {"length": "max_output_tokens", "content_filter": "content_filter"}
        why = {"reason": reasons[reply.finish]} if reply.finish in reasons else None
        status = "incomplete" if why else "completed"
        usage = {
            "input_tokens": count.input,
            "input_tokens_details": openai.input_details(count),
            "output_tokens": count.output,
            "output_tokens_details": {"reasoning_tokens": count.reasoning},
            "total_tokens": count.input + count.output,
        }
    return {
        "id": f"resp_mock{number:06d}",
        "object": "response",
        "created_at": CREATED + number,
        "completed_at": CREATED + number if status == "completed" else None,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": why,
        "instructions": None,
        "max_output_tokens": view.max_tokens,
        "metadata": {},
        "model": view.model,
        "output": output or [],
        "parallel_tool_calls": view.parallel,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": usage,
        "user": None,
    }
