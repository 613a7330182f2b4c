"""
Gemini: `POST /{version}/models/{model}:generateContent` and `:streamGenerateContent`.

Source: https://ai.google.dev/api/generate-content, google-genai 3.4.0 (read 2026-11-20).
A stream is server-sent events with CRLF when asked by `alt=sse`, else one JSON array. The counts of
the answer leave out what was thought, and a count of 0 is not sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fiber.testing.formats import errors
from fiber.testing.formats.common import (
    Asked,
    arguments_object,
    encode,
    pieces,
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
)

name = "gemini"
content_type = "application/json; charset=UTF-8"
error = errors.gemini
_SIGNATURE = "bW9jay1zaWduYXR1cmU="
_FINISH: Mapping[Finish, str] = {
    "stop": "STOP",
    "length": "MAX_TOKENS",
    "tool_calls": "STOP",
    "content_filter": "SAFETY",
    "refusal": "STOP",
}


def stream_type(view: ChatView) -> str:
    """Return the content type of a stream."""
    return "text/event-stream" if view.sse else content_type


def _field(value: object, name: str) -> Any:
    """Read a field by its camelCase name or by its snake_case one, which Google takes as well."""
    found = mapping(value)
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
    return found.get(name, found.get(snake))


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: Google would answer 400.
    """
    body = asked.json
    contents = items(body.get("contents"))
    if not contents:
        raise refuse("* GenerateContentRequest.contents: contents is not specified\n")
    _check(contents)
    config = _field(body, "generationConfig")
    calling = _field(_field(body, "toolConfig"), "functionCallingConfig")
    mode = str(_field(calling, "mode") or "AUTO").upper()
    allowed = _field(calling, "allowedFunctionNames")
    users = [text_of(turn.get("parts")) for turn in contents if turn.get("role") != "model"]
    spoken = [text for text in users if text]
    thinking = _field(config, "thinkingConfig")
    return ChatView(
        model=asked.model,
        stream=asked.verb == "streamGenerateContent",
        last_text=spoken[-1] if spoken else "",
        tools=_tools(body),
        tool_choice={"ANY": "required", "NONE": "none"}.get(mode, "auto"),
        tool_name=allowed[0] if mode == "ANY" and isinstance(allowed, list) and allowed else None,
        tool_results=_results(contents),
        schema=_schema(config),
        reasoning=_field(thinking, "includeThoughts") is True,
        max_tokens=number(_field(config, "maxOutputTokens")),
        sse=asked.query.get("alt") == "sse",
        words=count_words(_field(body, "systemInstruction")) + sum(count_words(turn.get("parts")) for turn in contents),
    )


def _check(contents: Sequence[Mapping[str, Any]]) -> None:
    for index, turn in enumerate(contents):
        if turn.get("role") not in (None, "user", "model", "function"):
            raise refuse("Please use a valid role: user, model.")
        if not items(turn.get("parts")):
            raise refuse(f"* GenerateContentRequest.contents[{index}].parts: contents.parts must not be empty.\n")
        follower = contents[index + 1] if index + 1 < len(contents) else {}
        calls = _of(turn, "functionCall") if turn.get("role") == "model" else []
        if len(calls) != len(_of(follower, "functionResponse")):
            raise refuse(
                "Please ensure that the number of function response parts is equal to the number of"
                " function call parts of the function call turn."
            )


def _of(turn: Mapping[str, Any], kind: str) -> list[Any]:
    found = [_field(part, kind) for part in items(turn.get("parts"))]
    return [value for value in found if value is not None]


def _tools(body: Mapping[str, Any]) -> tuple[OfferedTool, ...]:
    found = []
    for tool in items(body.get("tools")):
        for function in items(_field(tool, "functionDeclarations")):
            schema = _field(function, "parametersJsonSchema") or function.get("parameters")
            found.append(OfferedTool(str(function.get("name")), mapping(schema)))
    return tuple(found)


def _results(contents: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    results = []
    for found in _of(contents[-1], "functionResponse"):
        response = mapping(_field(found, "response"))
        value = next((response[key] for key in ("output", "result") if key in response), response)
        results.append(value if isinstance(value, str) else encode(value).decode())
    return tuple(results)


def _schema(config: object) -> Mapping[str, Any] | None:
    schema = _field(config, "responseJsonSchema") or _field(config, "responseSchema")
    if isinstance(schema, dict):
        return schema
    return {} if _field(config, "responseMimeType") == "application/json" else None


def error_frame(failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
    """Return the event that breaks a stream."""
    frame = _frame(errors.gemini_error(failure, view.model), view, first=not sent)
    return frame if view.sse else frame + b"]\n"


def headers(number: int) -> dict[str, str]:
    """Return the headers of an answer: Google tells neither a request id nor limits."""
    return {"vary": "Origin, X-Origin, Referer", "x-content-type-options": "nosniff"}


def models(names: Sequence[str]) -> bytes:
    """Return the list of models."""
    rows = [
        {
            "name": f"models/{name}",
            "version": "001",
            "displayName": name.replace("-", " ").title(),
            "inputTokenLimit": 1_048_576,
            "outputTokenLimit": 65_536,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "thinking": True,
        }
        for name in names
    ]
    return encode({"models": rows})


def whole(view: ChatView, reply: Reply, number: int) -> bytes:
    """Return the body of a complete answer."""
    thought = {"text": reply.reasoning, "thought": True}
    parts = [thought, *_parts(reply)] if reply.reasoning else _parts(reply)
    return encode(_response(view, reply, number, parts or [{"text": ""}], final=True))


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """Return the events of a streamed answer; function calls come whole."""
    chunks: list[list[dict[str, Any]]] = []
    step = reply.words_per_event
    chunks += [[{"text": cut, "thought": True}] for cut in pieces(reply.reasoning, step)]
    chunks += [[{"text": cut}] for cut in pieces(reply.text, step)]
    chunks += [[part] for part in _parts(reply) if "functionCall" in part]
    if reply.tool_calls or not chunks:
        chunks.append([{"text": ""}])
    last = len(chunks) - 1
    bodies = [_response(view, reply, number, parts, final=place == last) for place, parts in enumerate(chunks)]
    found = [_frame(body, view, first=place == 0) for place, body in enumerate(bodies)]
    return found if view.sse else [*found, b"]\n"]


def _frame(body: dict[str, Any], view: ChatView, *, first: bool) -> bytes:
    if view.sse:
        return b"data: " + encode(body) + b"\r\n\r\n"
    return (b"[" if first else b",\r\n") + encode(body)


def _parts(reply: Reply) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = [{"text": reply.text}] if reply.text else []
    for index, call in enumerate(reply.tool_calls):
        found = {"name": call.name, "args": arguments_object(call)}
        part: dict[str, Any] = {"functionCall": {**found, "id": call.id} if call.id else found}
        parts.append(part if index else {**part, "thoughtSignature": _SIGNATURE})
    return parts


def _response(view: ChatView, reply: Reply, number: int, parts: list[dict[str, Any]], *, final: bool) -> dict[str, Any]:
    count = tokens(view, reply)
    usage = {
        "promptTokenCount": count.input,
        "cachedContentTokenCount": count.cached,
        "candidatesTokenCount": count.output - count.reasoning,
        "thoughtsTokenCount": count.reasoning,
        "totalTokenCount": count.input + count.output,
    }
    found: dict[str, Any] = {
        "usageMetadata": {key: value for key, value in usage.items() if value},
        "modelVersion": view.model,
        "responseId": f"mock{number:06d}",
    }
    if reply.finish == "content_filter" and not reply.text:
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **found}
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if final:
        candidate["finishReason"] = _FINISH[reply.finish]
    return {"candidates": [candidate], **found}
