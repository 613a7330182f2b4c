"""Each fixture gives the same result whole, streamed, and streamed in any pieces."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiber.adapters.openai_responses import ADAPTER
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target

ROOT = Path(__file__).parents[2] / "fixtures" / "openai_responses"
CASES = sorted(path.name for path in ROOT.iterdir())
HEAD = HTTPHead(200, {"x-request-id": "req_1"})
TARGET = Target(provider="openai", model="asked", base_url="https://api.openai.com/v1")


def stream(*chunks: bytes) -> tuple[list[StreamEvent], ChatResult]:
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


def comparable(value: Any) -> Any:
    """Return a value with what is sealed in it decoded: a whole reply spells its white space."""
    if isinstance(value, ChatResult):
        return comparable(msgspec.to_builtins(msgspec.structs.replace(value, body=b"")))
    if isinstance(value, list | tuple):
        return [comparable(each) for each in value]
    if isinstance(value, dict):
        sealed = value.get("type") == "opaque"
        return {
            name: json.loads(each) if sealed and name == "data" else comparable(each) for name, each in value.items()
        }
    return value


@pytest.mark.parametrize("case", CASES)
def test_whole_reply_is_as_expected(case: str) -> None:
    """The fixture says what its reply means."""
    expected = json.loads((ROOT / case / "expected.json").read_text())
    result = whole(case)

    assert {
        "text": result.text,
        "reasoning": result.reasoning,
        "finish_reason": result.finish_reason,
        "raw_finish_reason": result.raw_finish_reason,
        "calls": [[call.id, call.name, call.arguments_json] for call in result.tool_calls],
        "parts": [part.__struct_config__.tag for part in result.message.parts],
        "citations": [each.url for each in result.citations],
    } == expected
    assert result.usage.input_tokens == 120
    assert result.usage.cache_write_1h_tokens == 2
    assert result.usage.server_tool_uses == {"web_search": 1}


@pytest.mark.parametrize("case", CASES)
def test_stream_gives_the_whole_reply(case: str) -> None:
    """A stream and the whole reply of one answer give the same result, seals included."""
    events, result = stream((ROOT / case / "stream.sse").read_bytes())

    assert comparable(result) == comparable(whole(case))
    assert "".join(event.text for event in events if event.type == "text-delta") == result.text
    assert [event.type for event in (events[0], events[-1])] == ["message-start", "message-end"]


@pytest.mark.parametrize("case", CASES)
def test_reply_goes_back_as_it_came(case: str) -> None:
    """The answer appended to the history is sent as the items it was, reasoning included."""
    request = ChatRequest(messages=(ChatMessage.user("q"), whole(case).message))
    made = ADAPTER.build_request(request, TARGET, stream=False)

    output = json.loads((ROOT / case / "response.json").read_bytes())["output"]
    assert json.loads(made.body)["input"][1:] == output
    assert made.notes == ()


@pytest.mark.parametrize("case", CASES)
def test_stream_comes_byte_by_byte(case: str) -> None:
    """Events do not depend on how the bytes arrive."""
    data = (ROOT / case / "stream.sse").read_bytes()

    assert stream(*(data[at : at + 1] for at in range(len(data)))) == stream(data)


@pytest.mark.parametrize("case", CASES)
def test_stream_comes_with_the_next_frame_behind(case: str) -> None:
    """Each chunk may end with the first bytes of the next frame."""
    data = (ROOT / case / "stream.sse").read_bytes()
    frames = data.split(b"\n\n")
    shifted = [frame[-3:] + b"\n\n" + after[:-3] for frame, after in pairwise(frames)]

    assert stream(frames[0][:-3], *shifted) == stream(data)


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=settings.default.max_examples // 3)
@given(data=st.data())
def test_stream_comes_in_any_pieces(case: str, data: st.DataObject) -> None:
    """No way to cut the bytes changes the events."""
    body = (ROOT / case / "stream.sse").read_bytes()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    bounds = [0, *cuts, len(body)]

    assert stream(*(body[a:b] for a, b in pairwise(bounds))) == stream(body)


@pytest.mark.parametrize("case", CASES)
def test_stream_cut_anywhere_is_no_answer(case: str) -> None:
    """However much is missing at the end, the answer is not whole and cannot be replayed."""
    frames = (ROOT / case / "stream.sse").read_bytes().split(b"\n\n")[:-2]

    for count in range(len(frames) + 1):
        decoder = ADAPTER.stream_decoder(HEAD, TARGET)
        decoder.feed(b"".join(frame + b"\n\n" for frame in frames[:count]))
        decoder.finish()

        assert not decoder.done
        assert type(decoder.error).__name__ == "FiberStreamInterruptedError"
        parts = decoder.result().message.parts
        assert all(getattr(part, "native", None) is None for part in parts if part.__class__.__name__ != "Image")
