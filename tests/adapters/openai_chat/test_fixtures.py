"""Each recorded or synthetic answer gives the same result whole, streamed, and streamed in any pieces."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters.openai_chat import ADAPTER
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target

ROOT = Path(__file__).parents[2] / "fixtures" / "openai_chat"
CASES = sorted(path.name for path in ROOT.iterdir())
HEAD = HTTPHead(200, {"x-request-id": "req_1"})
TARGET = Target(provider="row", model="asked", base_url="https://host.example/v1")


def stream(chunks: list[bytes]) -> tuple[list[StreamEvent], ChatResult]:
    """Decode a stream cut into *chunks*."""
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    events += decoder.finish()
    assert decoder.error is None
    assert decoder.done
    return events, decoder.result()


def whole(case: str) -> ChatResult:
    """Decode the whole reply of *case*."""
    return ADAPTER.parse_response(HEAD, (ROOT / case / "response.json").read_bytes(), TARGET)


def comparable(result: ChatResult) -> Any:
    """Return all of *result* but the body and the warnings, natives as values."""
    built = msgspec.to_builtins(msgspec.structs.replace(result, body=b"", warnings=()))

    def decoded(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [decoded(item) for item in value]
        if isinstance(value, dict):
            native = value.get("type") == "opaque"
            return {
                name: json.loads(item) if native and name == "data" else decoded(item) for name, item in value.items()
            }
        return value

    return decoded(built)


@pytest.mark.parametrize("case", CASES)
def test_whole_reply_reads_as_expected(case: str) -> None:
    """A whole reply gives the text, calls, reasoning, finish reason and usage written beside it."""
    expected = json.loads((ROOT / case / "expected.json").read_text("utf-8"))

    result = whole(case)

    usage = msgspec.to_builtins(result.usage)
    assert result.text == expected["text"]
    assert result.reasoning == expected["reasoning"]
    assert result.finish_reason == expected["finish_reason"]
    assert [[c.id, c.name, c.arguments_json] for c in result.tool_calls] == expected["tool_calls"]
    assert {name: usage.get(name) for name in expected["usage"]} == expected["usage"]
    assert [citation.url for citation in result.citations] == expected.get("citations", [])
    assert result.request_id == "req_1"


@pytest.mark.parametrize("case", CASES)
def test_stream_gives_the_result_of_the_whole_reply(case: str) -> None:
    """A stream ends in the same result as the whole reply of the same answer."""
    _, result = stream([(ROOT / case / "stream.sse").read_bytes()])

    assert comparable(result) == comparable(whole(case))


@pytest.mark.parametrize("case", CASES)
def test_stream_byte_by_byte_is_the_same(case: str) -> None:
    """Bytes that come one at a time give the same events and result."""
    body = (ROOT / case / "stream.sse").read_bytes()

    assert stream([body[i : i + 1] for i in range(len(body))]) == stream([body])


@pytest.mark.parametrize("case", CASES)
def test_stream_with_the_next_frame_behind_is_the_same(case: str) -> None:
    """Frames that share a chunk with the start of the next give the same events and result."""
    body = (ROOT / case / "stream.sse").read_bytes()
    frames = body.split(b"data: ")
    shifted = [frames[0] + b"data: ", *(frame + b"data: " for frame in frames[1:-1]), frames[-1]]

    assert stream(shifted) == stream([body])


@given(case=st.sampled_from(CASES), cuts=st.lists(st.integers(0, 4000), max_size=12))
def test_stream_is_the_same_under_any_chunking(case: str, cuts: list[int]) -> None:
    """Events and result do not depend on where the bytes are cut."""
    body = (ROOT / case / "stream.sse").read_bytes()
    places = [0, *sorted(cuts), len(body)]
    chunks = [body[a:b] for a, b in pairwise(places)]

    assert stream([*chunks, body[max(places) :]]) == stream([body])


@pytest.mark.parametrize("case", CASES)
def test_text_events_add_up_to_the_text(case: str) -> None:
    """Text and reasoning of a stream are the concatenation of its deltas, and message-end is last."""
    events, result = stream([(ROOT / case / "stream.sse").read_bytes()])

    assert "".join(e.text for e in events if e.type == "text-delta") == result.text
    assert "".join(e.text for e in events if e.type == "reasoning-delta") == result.reasoning
    assert [e.type for e in events].count("message-end") == 1
    assert events[0].type == "message-start"
    assert events[-1].type == "message-end"


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("case", CASES)
def test_answer_is_sent_back_as_it_came(case: str, streamed: bool) -> None:
    """What must be sent back in the next turn is: reasoning, thinking parts, refusals, calls."""
    expected = json.loads((ROOT / case / "expected.json").read_text("utf-8"))
    result = stream([(ROOT / case / "stream.sse").read_bytes()])[1] if streamed else whole(case)
    history = (ChatMessage.user("q"), result.message, ChatMessage.user("go on"))

    built = ADAPTER.build_request(ChatRequest(messages=history), TARGET, stream=False)

    turn = json.loads(built.body)["messages"][1]
    calls = [
        {"id": i, "type": "function", "function": {"name": n, "arguments": a}} for i, n, a in expected["tool_calls"]
    ]
    assert built.notes == ()
    assert {name: turn.get(name) for name in expected.get("replayed", {})} == expected.get("replayed", {})
    assert turn.get("tool_calls", []) == calls


def test_bytes_of_reasoning_survive_a_whole_reply() -> None:
    """The reasoning details of a whole reply are kept byte for byte, numbers and order included."""
    details = b'[{"type":"reasoning.text", "text":"\\u0041", "index":0, "x":1.50}]'
    body = b'{"choices":[{"message":{"content":"a","reasoning_details":' + details + b"}}]}"

    result = ADAPTER.parse_response(HEAD, body, TARGET)

    native = result.message.parts[0].native
    assert native is not None
    assert native.data.encode() == b'{"reasoning_details":' + details + b"}"
    assert result.reasoning == "A"


def test_reasoning_is_not_sent_elsewhere() -> None:
    """Reasoning of one host is left out for another, with a note, and never pasted as text."""
    result = whole("reasoning_details")
    history = (ChatMessage.user("q"), result.message, ChatMessage.user("go on"))
    elsewhere = Target(provider="row", model="m", base_url="https://other.example/v1")

    built = ADAPTER.build_request(ChatRequest(messages=history), elsewhere, stream=False)

    assert [note.kind for note in built.notes] == ["dropped"]
    assert b"Which city" not in built.body
    assert b"Looking." in built.body
