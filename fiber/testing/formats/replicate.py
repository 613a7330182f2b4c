"""
Replicate's predictions: `POST /v1/models/{owner}/{name}/predictions`, then what the answer to that names.

Source: https://replicate.com/docs/reference/http and /docs/topics/predictions/streaming (read 2026-11-21). The model
knows no tools; neither reasoning nor the reason of the end is told.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from fiber.testing.formats import errors
from fiber.testing.formats.common import Asked, Promise, encode, pieces, tokens
from fiber.testing.script import Failure, Reply
from fiber.testing.view import ChatView, count_words, items, mapping, number, refuse, text_of

name = "replicate"
content_type = "application/json; charset=UTF-8"
error = errors.replicate
_CREATED = "2026-01-01T00:00:00Z"
_LIMITS = ("max_tokens", "max_new_tokens", "max_completion_tokens", "max_output_tokens")
_TURN = re.compile(r"(?:^|\n\n)User: (.*?)(?=\n\n(?:User|Assistant|System):|$)", re.DOTALL)
_SECONDS = {"predict_time": 0.003, "total_time": 0.004}
"""What every prediction of the mock says it took."""


def stream_type(view: ChatView) -> str:
    """Return the content type of a stream."""
    return "text/event-stream; charset=utf-8"


def read(asked: Asked) -> ChatView:
    """
    Read a request.

    Raises:
        RefusedError: Replicate would answer 422.
    """
    model = asked.model or asked.json.get("version")
    given = mapping(asked.json.get("input"))
    messages = items(given.get("messages"))
    if not isinstance(model, str) or not model:
        raise refuse("- version is required")
    if not isinstance(given.get("prompt"), str) and not messages:
        raise refuse("- input: prompt is required")
    users = [text_of(message.get("content")) for message in messages if message.get("role") == "user"]
    limits = [found for limit in _LIMITS if (found := number(given.get(limit))) is not None]
    return ChatView(
        model=model,
        stream=asked.json.get("stream") is True,
        last_text=users[-1] if users else _last_turn(given.get("prompt", "")),
        max_tokens=limits[0] if limits else None,
        words=sum(count_words(value) for value in given.values()),
    )


def _last_turn(prompt: str) -> str:
    turns = _TURN.findall(prompt)
    return turns[-1] if turns else prompt


def promise(view: ChatView, number: int, address: str) -> Promise:
    """Return the answer that says where the prediction will be."""
    return Promise(201, {}, encode(_prediction(view, number, address, status="starting", output=None)))


def stopped(view: ChatView, number: int, address: str) -> Promise:
    """Return the answer to whoever stops it."""
    return Promise(200, {}, encode(_prediction(view, number, address, status="canceled", output=None)))


def whole(view: ChatView, reply: Reply, number: int) -> bytes:
    """
    Return the body of a prediction that is over.

    Raises:
        ValueError: It calls tools.
    """
    _check(reply)
    count = tokens(view, reply)
    metrics = {**_SECONDS, "input_token_count": count.input, "output_token_count": count.output}
    output = pieces(reply.text, reply.words_per_event)
    return encode(_prediction(view, number, "", status="succeeded", output=output, metrics=metrics))


def frames(view: ChatView, reply: Reply, number: int) -> list[bytes]:
    """
    Return the events of a stream.

    Raises:
        ValueError: The reply calls tools.
    """
    _check(reply)
    texts = pieces(reply.text, reply.words_per_event)
    events = [_event("output", text, place) for place, text in enumerate(texts)]
    return [*events, _event("done", "{}", len(texts))]


def error_frame(failure: Failure, view: ChatView, number: int, sent: int) -> bytes:
    """Return the event that breaks a stream."""
    detail = encode({"detail": errors.replicate_error(failure)["detail"]}).decode()
    return _event("error", detail, sent)


def headers(number: int) -> dict[str, str]:
    """Return the headers of the answer to request *number*."""
    return {"ratelimit-remaining": "599", "ratelimit-reset": "1"}


def models(names: Sequence[str]) -> bytes:
    """Return the list of models."""
    results = [{"owner": "mock", "name": name, "visibility": "public"} for name in names]
    return encode({"next": None, "previous": None, "results": results})


def _event(event: str, text: str, place: int) -> bytes:
    lines = "".join(f"data: {line}\n" for line in text.split("\n"))
    return f"event: {event}\nid: 1767225600:{place}\n{lines}\n".encode()


def _prediction(view: ChatView, number: int, address: str, **members: Any) -> Mapping[str, Any]:
    itself = f"{address}/v1/predictions/mock{number}"
    urls = {"get": itself, "cancel": f"{itself}/cancel", "stream": f"{address}/v1/streams/mock{number}"}
    known: dict[str, Any] = {
        "id": f"mock{number}",
        "model": view.model,
        "version": "mock",
        "input": {},
        "logs": "",
        "error": None,
    }
    return {**known, "created_at": _CREATED, "urls": urls, **members}


def _check(reply: Reply) -> None:
    if reply.tool_calls:
        raise ValueError("Models of Replicate call no tools: this format cannot carry the reply.")
