"""
Cohere Chat, version 2: `POST /v2/chat`.

Source: https://docs.cohere.com/reference/chat, cohere-python 7.3.1 (read 2026-11-21). Fewer tokens are
billed than counted; what was thought before a call is its `tool_plan`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import Any

from fiber.testing.formats import errors
from fiber.testing.formats.common import (
    Asked,
    arguments_text,
    encode,
    fragments,
    function_tools,
    last_text,
    pieces,
    sse,
    tokens,
    tool_results,
)
from fiber.testing.script import Failure, Finish, MockCall, Reply
from fiber.testing.view import (
    ChatView,
    count_words,
    items,
    mapping,
    number,
    refuse,
    unanswered,
)

name = "cohere"
content_type = "application/json"
error = errors.cohere
_ROLES = ("assistant", "system", "tool", "user")
_FINISH: Mapping[Finish, str] = {
    "stop": "COMPLETE",
    "length": "MAX_TOKENS",
    "tool_calls": "TOOL_CALL",
    "content_filter": "COMPLETE",
    "refusal": "COMPLETE",
}


def stream_type(view: ChatView) -> str:
    """Return the content type of a stream."""
    return "text/event-stream"


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: Cohere would answer 400.
    """
    body = asked.json
    for field, kind in (("model", str), ("messages", list)):
        if not isinstance(body.get(field), kind):
            raise refuse(f"invalid request: {field} is required")
    messages = items(body["messages"])
    _check(messages)
    form = mapping(body.get("response_format"))
    return ChatView(
        model=body["model"],
        stream=body.get("stream") is True,
        last_text=last_text(messages),
        tools=function_tools(body, "invalid request: tools[{}].function.name is required"),
        tool_choice=str(body.get("tool_choice", "auto")).lower(),
        tool_results=tool_results(messages),
        schema=mapping(form.get("json_schema")) if form.get("type") == "json_object" else None,
        reasoning=mapping(body.get("thinking")).get("type") == "enabled",
        max_tokens=number(body.get("max_tokens")),
        words=sum(count_words(message.get("content")) for message in messages),
    )


def _check(messages: Sequence[Mapping[str, Any]]) -> None:
    if not messages:
        raise refuse("invalid request: list of messages must not be empty")
    for index, message in enumerate(messages):
        if message.get("role") not in _ROLES:
            raise refuse(f"invalid request: messages[{index}].role must be one of {', '.join(_ROLES)}")
        calls = items(message.get("tool_calls"))
        if message["role"] == "assistant" and not calls and not message.get("content"):
            raise refuse(f"invalid request: messages[{index}] must have content or tool calls")
        answers = takewhile(lambda follower: follower.get("role") == "tool", messages[index + 1 :])
        results = [str(follower.get("tool_call_id")) for follower in answers]
        if missing := unanswered([str(call.get("id")) for call in calls], results):
            raise refuse(f"invalid request: tool call id {missing[0]} has no result in the messages behind it")


def error_frame(failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
    """Return the event that breaks a stream: an end that says ERROR."""
    said = errors.cohere_error(failure, view.model)["message"]
    typed = {"error_type": failure.own_code} if failure.own_code else {}
    return _event("message-end", delta={"finish_reason": "ERROR", "usage": {}, "error": said, **typed})


def headers(number: int) -> dict[str, str]:
    """Return the headers of the answer to request *number*."""
    return {"x-debug-trace-id": f"{number:032x}", "x-endpoint-monthly-call-limit": "1000"}


def models(names: Sequence[str]) -> bytes:
    """Return the list of models."""
    return encode({"models": [{"name": name, "endpoints": ["chat"], "context_length": 128_000} for name in names]})


def whole(view: ChatView, reply: Reply, number: int) -> bytes:
    """Return the body of a complete answer."""
    message: dict[str, Any] = {"role": "assistant"}
    content: list[dict[str, Any]] = []
    if reply.reasoning and reply.tool_calls:
        message["tool_plan"] = reply.reasoning
    elif reply.reasoning:
        content.append({"type": "thinking", "thinking": reply.reasoning})
    if reply.text or not reply.tool_calls:
        content.append({"type": "text", "text": reply.text})
    if content:
        message["content"] = content
    if reply.tool_calls:
        message["tool_calls"] = [
            _call(call, number, index, arguments_text(call)) for index, call in enumerate(reply.tool_calls)
        ]
    ending = {"finish_reason": _FINISH[reply.finish], "usage": _usage(view, reply)}
    return encode({"id": _id(number), "message": message, **ending})


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """Return the events of a streamed answer."""
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    found = [_event("message-start", id=_id(number), delta={"message": empty})]
    step = reply.words_per_event
    if reply.tool_calls:
        found += [_event("tool-plan-delta", delta=_in({"tool_plan": cut})) for cut in pieces(reply.reasoning, step)]
    elif reply.reasoning:
        found += _block("thinking", pieces(reply.reasoning, step))
    if reply.text or not reply.tool_calls:
        found += _block("text", pieces(reply.text, step))
    for index, call in enumerate(reply.tool_calls):
        start = {"tool_calls": _call(call, number, index, "")}
        found.append(_event("tool-call-start", index=index, delta=_in(start)))
        for cut in fragments(arguments_text(call)):
            piece = {"tool_calls": {"function": {"arguments": cut}}}
            found.append(_event("tool-call-delta", index=index, delta=_in(piece)))
        found.append(_event("tool-call-end", index=index))
    ending = {"finish_reason": _FINISH[reply.finish], "usage": _usage(view, reply)}
    return [*found, _event("message-end", delta=ending), b"data: [DONE]\n\n"]


def _block(kind: str, cuts: Sequence[str]) -> list[bytes]:
    # The index begins at 0 for each block, as Cohere's own does behind thinking.
    return [
        _event("content-start", index=0, delta=_in({"content": {"type": kind, kind: ""}})),
        *(_event("content-delta", index=0, delta=_in({"content": {kind: cut}})) for cut in cuts),
        _event("content-end", index=0),
    ]


def _event(kind: str, **members: Any) -> bytes:
    return sse({"type": kind, **members}, kind)


def _in(message: dict[str, Any]) -> dict[str, Any]:
    return {"message": message}


def _id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012x}"


def _call(call: MockCall, number: int, index: int, arguments: str) -> dict[str, Any]:
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id or f"{call.name}_mock{number:04d}{index}", "type": "function", "function": function}


def _usage(view: ChatView, reply: Reply) -> dict[str, Any]:
    count = tokens(view, reply)
    billed = {"input_tokens": max(0, count.input - count.cached), "output_tokens": count.output}
    counted = {"input_tokens": count.input, "output_tokens": count.output}
    return {"billed_units": billed, "tokens": counted, "cached_tokens": count.cached}
