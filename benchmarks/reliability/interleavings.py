"""Parallel tool calls as each format streams them, in pieces and mixed at random; no I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

WORDS = ("Z\u00fcrich", 'a "quoted" word', "\U0001f327\ufe0f rain", "back\\slash", "line\nbreak", "", "plain", "{[,]}")


class Asked(NamedTuple):
    """A tool call that must come out of the stream."""

    id: str
    name: str
    arguments: dict[str, Any]


def calls(random: Random) -> list[Asked]:
    """Make two to five calls."""
    return [
        Asked(f"call_{number}", random.choice(("weather", "clock", "search_2")), _arguments(random))
        for number in range(random.randint(2, 5))
    ]


def _arguments(random: Random) -> dict[str, Any]:
    values: tuple[Callable[[], Any], ...] = (
        lambda: random.choice(WORDS),
        lambda: random.randint(-(10**6), 10**6),
        lambda: random.random() < 0.5,
        lambda: " ".join(random.choices(WORDS, k=4)),
    )
    return {f"key {number}": random.choice(values)() for number in range(random.randint(0, 4))}


def pieces(text: str, random: Random) -> list[str]:
    """Cut *text* anywhere, empty pieces included."""
    cuts = sorted(random.randint(0, len(text)) for _ in range(random.randint(0, 8)))
    return [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]


def mixed(rows: list[list[Any]], random: Random) -> Iterator[Any]:
    """Yield the items of all *rows* at random, each row in its order; a row begins after the one before it."""
    begun: list[list[Any]] = []
    waiting = list(rows)
    while begun or waiting:
        if waiting and (not begun or random.random() < 0.3):
            begun.append(waiting.pop(0))
            yield begun[-1].pop(0)
        elif begun:
            row = random.choice(begun)
            if row:
                yield row.pop(0)
        begun = [row for row in begun if row]


def openai_chat(asked: list[Asked], random: Random) -> bytes:
    """Return the stream in OpenAI's chat format: by index, with gaps, sometimes several in one chunk."""
    rows, index = [], 0
    for call in asked:
        index += random.randint(1, 3)
        first = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        parts = pieces(json.dumps(call.arguments), random)
        rows.append([first, *({"index": index, "function": {"arguments": part}} for part in parts)])
    deltas = list(mixed(rows, random))
    chunks = []
    while deltas:
        count = random.randint(1, 3)
        chunks.append({"tool_calls": deltas[:count]})
        del deltas[:count]
    sent = [_data({"id": "c", "model": "m", "choices": [{"index": 0, "delta": delta}]}) for delta in chunks]
    sent.append(_data({"id": "c", "model": "m", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}))
    return b"".join(sent) + b"data: [DONE]\n\n"


def openai_responses(asked: list[Asked], random: Random) -> bytes:
    """Return the stream in OpenAI's Responses format: by output index."""
    rows, output = [], []
    for index, call in enumerate(asked):
        text = json.dumps(call.arguments)
        where = {"item_id": f"fc_{index}", "output_index": index}
        item = {"id": f"fc_{index}", "type": "function_call", "call_id": call.id, "name": call.name}
        whole = {**item, "arguments": text, "status": "completed"}
        output.append(whole)
        begun = {**item, "arguments": "", "status": "in_progress"}
        kind = "response.function_call_arguments"
        rows.append(
            [
                {"type": "response.output_item.added", "output_index": index, "item": begun},
                *({"type": f"{kind}.delta", **where, "delta": part} for part in pieces(text, random)),
                {"type": f"{kind}.done", **where, "arguments": text},
                {"type": "response.output_item.done", "output_index": index, "item": whole},
            ]
        )
    response = {"id": "resp_1", "object": "response", "model": "m", "status": "in_progress", "output": []}
    done = {**response, "status": "completed", "output": output}
    events = [{"type": "response.created", "response": response}, *mixed(rows, random)]
    return _named([*events, {"type": "response.completed", "response": done}])


def anthropic(asked: list[Asked], random: Random) -> bytes:
    """Return the stream in Anthropic's format: blocks by index."""
    rows = []
    for index, call in enumerate(asked):
        block = {"type": "tool_use", "id": call.id, "name": call.name, "input": {}}
        text = json.dumps(call.arguments) if call.arguments else ""
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in pieces(text, random)]
        rows.append(
            [
                {"type": "content_block_start", "index": index, "content_block": block},
                *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas),
                {"type": "content_block_stop", "index": index},
            ]
        )
    usage = {"input_tokens": 1, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "usage": usage}
    end = {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}}
    return _named([{"type": "message_start", "message": message}, *mixed(rows, random), end, {"type": "message_stop"}])


def gemini(asked: list[Asked], random: Random) -> bytes:
    """Return the stream in Gemini's format: whole calls, or their leaves, one after another."""
    parts: list[dict[str, Any]] = []
    for call in asked:
        head = {"name": call.name, "id": call.id}
        if random.random() < 0.5:
            parts.append({"functionCall": {**head, "args": call.arguments}})
            continue
        leaves = [leaf for key, value in call.arguments.items() for leaf in _leaves(key, value, random)]
        parts.append({"functionCall": {**head, "willContinue": True}})
        parts += [{"functionCall": {"partialArgs": [leaf], "willContinue": True}} for leaf in leaves]
        parts.append({"functionCall": {}})
    chunks = []
    while parts:
        count = random.randint(1, 3)
        chunks.append({"content": {"role": "model", "parts": parts[:count]}, "index": 0})
        del parts[:count]
    chunks.append({"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": "STOP", "index": 0})
    return b"".join(_data({"candidates": [chunk], "modelVersion": "m", "responseId": "r"}) for chunk in chunks)


def _leaves(key: str, value: Any, random: Random) -> Iterator[dict[str, Any]]:
    path = f"$['{key}']"
    if isinstance(value, bool):
        yield {"jsonPath": path, "boolValue": value}
    elif isinstance(value, int):
        yield {"jsonPath": path, "numberValue": value}
    else:
        *first, last = pieces(value, random)
        for piece in first:
            yield {"jsonPath": path, "stringValue": piece, "willContinue": True}
        yield {"jsonPath": path, "stringValue": last}


FORMATS: dict[str, Callable[[list[Asked], Random], bytes]] = {
    "openai_chat": openai_chat,
    "openai_responses": openai_responses,
    "anthropic": anthropic,
    "gemini": gemini,
}


def _data(value: Any) -> bytes:
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def _named(events: list[dict[str, Any]]) -> bytes:
    return b"".join(b"event: " + event["type"].encode() + b"\n" + _data(event) for event in events)


_MORE = {"partialArgs": [{"jsonPath": "$.a", "stringValue": "1", "willContinue": True}], "willContinue": True}
DELTAS: dict[str, tuple[bytes, bytes]] = {
    # One call begins, and one character of its arguments comes.
    "openai_chat": (
        _data({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f"}}]}}]}),
        _data({"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": "1"}}]}}]}),
    ),
    "openai_responses": (
        _named(
            [
                {
                    "type": "response.output_item.added",
                    "output_index": 0,
                    "item": {"id": "i", "type": "function_call", "call_id": "c", "name": "f", "arguments": ""},
                }
            ]
        ),
        _named(
            [
                {
                    "type": "response.function_call_arguments.delta",
                    "output_index": 0,
                    "item_id": "i",
                    "delta": "1",
                }
            ]
        ),
    ),
    "anthropic": (
        _named(
            [
                {
                    "type": "content_block_start",
                    "index": 0,
                    "content_block": {"type": "tool_use", "id": "c", "name": "f", "input": {}},
                }
            ]
        ),
        _named(
            [
                {
                    "type": "content_block_delta",
                    "index": 0,
                    "delta": {"type": "input_json_delta", "partial_json": "1"},
                }
            ]
        ),
    ),
    "gemini": (
        _data({"candidates": [{"content": {"parts": [{"functionCall": {"name": "f", "willContinue": True}}]}}]}),
        _data({"candidates": [{"content": {"parts": [{"functionCall": _MORE}]}}]}),
    ),
}
