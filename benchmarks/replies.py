"""
What the server of the benchmarks answers: whole replies and the events of streams, in four formats.

Members, and the sizes of heads and events, are those of real traffic, because a client pays for what it skips too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle, islice

from client import MODEL, WHOLE_BYTES

_REPEATED_BYTES = 4096
"""Of the text that `openai_responses` says again at the end of a stream; the rest of a longer one is left out."""

_SENTENCE = "The river was wide there, and nobody on the other bank could hear what they said. "
_STARTED = 1760000000
_TRAFFIC = (
    "date: Fri, 21 Nov 2025 10:00:00 GMT",
    "server: cloudflare",
    "cf-ray: 9a1f00c0ffee0000-ZRH",
    "cf-cache-status: DYNAMIC",
    "strict-transport-security: max-age=31536000; includeSubDomains; preload",
    "x-content-type-options: nosniff",
    "x-request-id: req_0123456789abcdef0123456789abcdef",
    "request-id: req_0123456789abcdef0123456789abcdef",
    "x-ratelimit-limit-requests: 10000",
    "x-ratelimit-limit-tokens: 2000000",
    "x-ratelimit-remaining-requests: 9999",
    "x-ratelimit-remaining-tokens: 1998765",
    "x-ratelimit-reset-requests: 6ms",
    "x-ratelimit-reset-tokens: 37ms",
    "openai-organization: user-0123456789abcdef01234567",
    "openai-processing-ms: 512",
    "openai-version: 2020-10-01",
    "access-control-expose-headers: X-Request-ID",
    'alt-svc: h3=":443"; ma=86400',
)


def text_of(size: int, number: int = 0) -> str:
    """Return *size* bytes of words; *number* moves where they begin, for some clients refuse repetition."""
    start = number % 8 * 7
    return (_SENTENCE * (2 + (start + size) // len(_SENTENCE)))[start : start + size]


def head(media_type: str, length: int | None) -> bytes:
    """Return the head of an answer of *length* bytes, of a chunked one for None."""
    framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    return "\r\n".join(("HTTP/1.1 200 OK", f"content-type: {media_type}", framing, *_TRAFFIC, "", "")).encode()


def whole(format: str) -> bytes:
    """Return a whole answer, its head included."""
    text = text_of(WHOLE_BYTES)
    body: dict[str, object] = {
        "openai_chat": {
            "id": "chatcmpl-0123456789abcdef",
            "object": "chat.completion",
            "created": _STARTED,
            "model": MODEL,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": text, "refusal": None, "annotations": []},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": _openai_usage(100),
            "service_tier": "default",
            "system_fingerprint": "fp_0123456789",
        },
        "openai_responses": _response("completed", text),
        "anthropic": {**_message(), "content": [{"type": "text", "text": text}], "stop_reason": "end_turn"},
        "gemini": _candidate(text, 100, "STOP"),
    }[format]
    encoded = _json(body)
    return head("application/json", len(encoded)) + encoded


def events(format: str, count: int, size: int) -> Iterator[bytes]:
    """Yield the events of a stream of *count* deltas of *size* bytes of text, each as it stands in the body."""
    texts = islice(cycle([text_of(size, number) for number in range(8)]), count)
    return _STREAMS[format](texts, count, size)


def chunk(data: bytes) -> bytes:
    """Return *data* as one chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def _openai_chat(texts: Iterator[str], count: int, size: int) -> Iterator[bytes]:
    frame = {
        "id": "chatcmpl-0123456789abcdef",
        "object": "chat.completion.chunk",
        "created": _STARTED,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_0123456789",
    }

    def choice(delta: dict[str, object], finish: str | None = None) -> dict[str, object]:
        return {**frame, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    yield _data(choice({"role": "assistant", "content": "", "refusal": None}))
    for text in texts:
        yield _data(choice({"content": text}))
    yield _data(choice({}, "stop"))
    yield _data({**frame, "choices": [], "usage": _openai_usage(count)})
    yield b"data: [DONE]\n\n"


def _openai_responses(texts: Iterator[str], count: int, size: int) -> Iterator[bytes]:
    numbers = iter(range(count + 16))
    place = {"item_id": "msg_0123456789abcdef", "output_index": 0, "content_index": 0}
    said: list[str] = []

    def event(kind: str, **members: object) -> bytes:
        return _named(kind, {"type": kind, "sequence_number": next(numbers), **members})

    yield event("response.created", response=_response("in_progress"))
    yield event("response.in_progress", response=_response("in_progress"))
    item = {"id": place["item_id"], "type": "message", "status": "in_progress", "content": [], "role": "assistant"}
    yield event("response.output_item.added", output_index=0, item=item)
    yield event("response.content_part.added", **place, part=_part(""))
    for text in texts:
        if len(said) * size < _REPEATED_BYTES:
            said.append(text)
        yield event("response.output_text.delta", **place, delta=text, logprobs=[], obfuscation="0123456789")
    everything = "".join(said)
    yield event("response.output_text.done", **place, text=everything, logprobs=[])
    yield event("response.content_part.done", **place, part=_part(everything))
    done = {**item, "status": "completed", "content": [_part(everything)]}
    yield event("response.output_item.done", output_index=0, item=done)
    yield event("response.completed", response=_response("completed", everything))


def _anthropic(texts: Iterator[str], count: int, size: int) -> Iterator[bytes]:
    yield _named("message_start", {"type": "message_start", "message": _message()})
    block = {"type": "text", "text": ""}
    yield _named("content_block_start", {"type": "content_block_start", "index": 0, "content_block": block})
    yield _named("ping", {"type": "ping"})
    for text in texts:
        delta = {"type": "text_delta", "text": text}
        yield _named("content_block_delta", {"type": "content_block_delta", "index": 0, "delta": delta})
    yield _named("content_block_stop", {"type": "content_block_stop", "index": 0})
    end = {"stop_reason": "end_turn", "stop_sequence": None}
    yield _named("message_delta", {"type": "message_delta", "delta": end, "usage": {"output_tokens": count}})
    yield _named("message_stop", {"type": "message_stop"})


def _gemini(texts: Iterator[str], count: int, size: int) -> Iterator[bytes]:
    for number, text in enumerate(texts, 1):
        yield _data(_candidate(text, number, "STOP" if number == count else None))


_STREAMS = {
    "openai_chat": _openai_chat,
    "openai_responses": _openai_responses,
    "anthropic": _anthropic,
    "gemini": _gemini,
}


def _openai_usage(output: int) -> dict[str, object]:
    return {
        "prompt_tokens": 1000,
        "completion_tokens": output,
        "total_tokens": 1000 + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": 0,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _response(status: str, text: str | None = None) -> dict[str, object]:
    message = {
        "id": "msg_0123456789abcdef",
        "type": "message",
        "status": "completed",
        "content": [_part(text or "")],
        "role": "assistant",
    }
    usage = {
        "input_tokens": 1000,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": 100,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1100,
    }
    return {
        "id": "resp_0123456789abcdef",
        "object": "response",
        "created_at": _STARTED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": MODEL,
        "output": [] if text is None else [message],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": None if text is None else usage,
        "metadata": {},
    }


def _part(text: str) -> dict[str, object]:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _message() -> dict[str, object]:
    return {
        "id": "msg_0123456789abcdefghijklmn",
        "type": "message",
        "role": "assistant",
        "model": MODEL,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {
            "input_tokens": 1000,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": 1,
            "service_tier": "standard",
        },
    }


def _candidate(text: str, output: int, finish: str | None) -> dict[str, object]:
    candidate: dict[str, object] = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {
        "promptTokenCount": 1000,
        "candidatesTokenCount": output,
        "totalTokenCount": 1000 + output,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 1000}],
    }
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": MODEL, "responseId": "0123456789abcdef"}


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _data(value: object) -> bytes:
    return b"data: " + _json(value) + b"\n\n"


def _named(name: str, value: object) -> bytes:
    return b"event: " + name.encode() + b"\n" + _data(value)
