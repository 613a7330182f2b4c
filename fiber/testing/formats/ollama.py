"""
Ollama's own API: `POST /api/chat`.

Source: https://docs.ollama.com/api/chat, `api/types.go` of ollama/ollama (read 2026-11-21). A stream is
lines of JSON, and what comes when nobody says otherwise; a tool call comes whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fiber.testing.formats import errors
from fiber.testing.formats.common import (
    Asked,
    arguments_object,
    encode,
    function_tools,
    last_text,
    pieces,
    tokens,
    tool_results,
)
from fiber.testing.script import Failure, Reply
from fiber.testing.view import ChatView, count_words, items, mapping, number, refuse

name = "ollama"
content_type = "application/json; charset=utf-8"
error = errors.ollama
_CREATED = "2026-01-01T00:00:00Z"
_ROLES = ("assistant", "system", "tool", "user")
_MILLISECONDS = {"total_duration": 4, "load_duration": 1, "prompt_eval_duration": 1, "eval_duration": 2}
"""What every answer of the mock says it took."""


def stream_type(view: ChatView) -> str:
    """Return the content type of a stream."""
    return "application/x-ndjson"


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: Ollama would answer 400.
    """
    body = asked.json
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise refuse("model is required")
    messages = items(body.get("messages"))
    for message in messages:
        if message.get("role") not in _ROLES or not isinstance(message.get("content", ""), str):
            raise refuse("invalid message: a role and a text are expected")
    form = body.get("format")
    return ChatView(
        model=body["model"],
        stream=body.get("stream") is not False,
        last_text=last_text(messages),
        tools=function_tools(body, "invalid tool: function.name is required"),
        tool_results=tool_results(messages),
        schema=form if isinstance(form, dict) else {} if form == "json" else None,
        reasoning=bool(body.get("think")),
        max_tokens=number(mapping(body.get("options")).get("num_predict")),
        words=sum(count_words(message.get("content")) for message in messages),
    )


def error_frame(failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
    """Return the line that breaks a stream."""
    return encode(errors.ollama_error(failure, view.model)) + b"\n"


def headers(number: int) -> dict[str, str]:
    """Return the headers of the answer to request *number*: Ollama has none of its own."""
    return {}


def models(names: Sequence[str]) -> bytes:
    """Return the list of models."""
    return encode({"models": [{"name": name, "model": name, "modified_at": _CREATED} for name in names]})


def whole(view: ChatView, reply: Reply, number: int) -> bytes:
    """Return the body of a complete answer."""
    message: dict[str, Any] = {"content": reply.text}
    if reply.reasoning:
        message["thinking"] = reply.reasoning
    if reply.tool_calls:
        message["tool_calls"] = _calls(reply, number)
    return encode(_line(view, message, **_ending(view, reply)))


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """Return the lines of a streamed answer."""
    step = reply.words_per_event
    messages: list[dict[str, Any]] = [{"content": "", "thinking": cut} for cut in pieces(reply.reasoning, step)]
    messages += [{"content": cut} for cut in pieces(reply.text, step)]
    messages += [{"content": "", "tool_calls": [call]} for call in _calls(reply, number)]
    lines = [_line(view, message, done=False) for message in messages]
    return [encode(line) + b"\n" for line in [*lines, _line(view, {"content": ""}, **_ending(view, reply))]]


def _line(view: ChatView, message: dict[str, Any], **members: Any) -> dict[str, Any]:
    said = {"role": "assistant", **message}
    return {"model": view.model, "created_at": _CREATED, "message": said, **members}


def _calls(reply: Reply, number: int) -> list[dict[str, Any]]:
    return [
        {
            "id": call.id or f"call_mock{number:04d}{index}",
            "function": {"index": index, "name": call.name, "arguments": arguments_object(call)},
        }
        for index, call in enumerate(reply.tool_calls)
    ]


def _ending(view: ChatView, reply: Reply) -> dict[str, Any]:
    count = tokens(view, reply)
    counts = {"prompt_eval_count": count.input, "eval_count": count.output}
    took = {name: milliseconds * 1_000_000 for name, milliseconds in _MILLISECONDS.items()}
    # Whoever calls tools stops, too.
    return {"done": True, "done_reason": "length" if reply.finish == "length" else "stop", **took, **counts}
