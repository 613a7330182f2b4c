"""Each fixture gives the same result whole, streamed, and streamed in any pieces, and its seals go back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fiber.adapters.bedrock_converse import ADAPTER
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target
from tests.strategies import pieces

ROOT = Path(__file__).parents[2] / "fixtures" / "bedrock_converse"
CASES = sorted(path.name for path in ROOT.iterdir())
HEAD = HTTPHead(200, {"x-amzn-requestid": "req_1"})
TARGET = Target(provider="bedrock", model="amazon.nova-lite-v1:0", base_url="https://h")


def whole(case: str) -> ChatResult:
    """Decode the whole reply of *case*."""
    return ADAPTER.parse_response(HEAD, (ROOT / case / "response.json").read_bytes(), TARGET)


def streamed(*chunks: bytes) -> ChatResult:
    """Decode a stream cut into *chunks*."""
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    for chunk in chunks:
        decoder.feed(chunk)
    decoder.finish()
    assert decoder.error is None
    assert decoder.done
    return decoder.result()


def comparable(result: ChatResult) -> Any:
    """Return a result with what is sealed in it decoded: a whole reply spells its white space."""

    def read(value: Any) -> Any:
        if isinstance(value, list):
            return [read(each) for each in value]
        if not isinstance(value, dict):
            return value
        coded = {"data", "arguments_json"} & value.keys() if value.get("type") in ("opaque", "tool-call") else set()
        return {name: json.loads(each) if name in coded else read(each) for name, each in value.items()}

    return read(json.loads(msgspec.json.encode(msgspec.structs.replace(result, body=b""))))


@pytest.mark.parametrize("case", CASES)
def test_whole_reply_is_as_expected(case: str) -> None:
    """The fixture says what its reply means."""
    expected = json.loads((ROOT / case / "expected.json").read_text(encoding="utf-8"))
    result = whole(case)

    said = {
        name: getattr(result.usage if name.endswith("_tokens") else result, name)
        for name in expected
        if name != "tool_calls"
    }
    calls = [[call.id, call.name, call.arguments] for call in result.tool_calls]
    assert {**said, "tool_calls": calls} == expected


@pytest.mark.parametrize("case", CASES)
def test_stream_says_the_same(case: str) -> None:
    """At once and byte by byte."""
    data = (ROOT / case / "stream.bin").read_bytes()

    expected = comparable(whole(case))
    assert comparable(streamed(data)) == expected
    assert comparable(streamed(*(data[at : at + 1] for at in range(len(data))))) == expected


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, 2000), max_size=12))
def test_stream_says_the_same_in_any_pieces(case: str, cuts: list[int]) -> None:
    """Wherever it is cut."""
    data = (ROOT / case / "stream.bin").read_bytes()

    assert streamed(*pieces(data, [min(cut, len(data)) for cut in cuts])) == streamed(data)


@pytest.mark.parametrize("case", CASES)
def test_answer_goes_back_with_its_seals(case: str) -> None:
    """What was signed or hidden is in the next request."""
    result = whole(case)
    messages = (ChatMessage.user("Hi"), result.message, ChatMessage.user("Next"))

    sent = ADAPTER.build_request(ChatRequest(messages=messages), TARGET, stream=False).body.decode()

    natives = [part.native for part in result.message.parts if getattr(part, "native", None) is not None]
    assert all(native is not None and native.data in sent for native in natives)
    assert len(natives) == (2 if case == "thinking_and_tools" else 0)
