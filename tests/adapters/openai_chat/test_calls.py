"""Tool calls, in all the ways in which servers cut them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber.adapters.openai_chat import ADAPTER
from fiber.types.content import Opaque
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target

HEAD = HTTPHead(200)
TARGET = Target(provider="row", model="asked", base_url="https://host.example/v1")


def streamed(*deltas: Any) -> ChatResult:
    """Stream one chunk for each list of tool-call pieces."""
    decoder = ADAPTER.stream_decoder(HEAD, TARGET)
    events = []
    for pieces in deltas:
        chunk = {"model": "m", "choices": [{"index": 0, "delta": {"tool_calls": pieces}}]}
        events += decoder.feed(f"data: {json.dumps(chunk)}\n\n".encode())
    events += decoder.feed(b'data: {"choices":[{"finish_reason":"tool_calls"}]}\n\ndata: [DONE]\n\n')
    assert decoder.error is None
    ended = [event.tool_call for event in events if event.type == "tool-call-end"]
    starts = [(e.index, e.id, e.name) for e in events if e.type == "tool-call-start"]
    result = decoder.result()
    assert tuple(ended) == result.tool_calls
    assert starts == [(i, c.id, c.name) for i, c in enumerate(result.tool_calls)]
    for number, call in enumerate(ended):
        pieces = [e.arguments_delta for e in events if e.type == "tool-call-delta" and e.index == number]
        assert "".join(pieces) == call.arguments_json
    return result


def whole(*calls: Any) -> ChatResult:
    """Decode a reply with *calls*."""
    choice = {"message": {"content": None, "tool_calls": calls}, "finish_reason": "tool_calls"}
    return ADAPTER.parse_response(HEAD, json.dumps({"choices": [choice]}).encode(), TARGET)


def calls(result: ChatResult) -> list[tuple[str, str, str]]:
    """Return ids, names and arguments."""
    return [(call.id, call.name, call.arguments_json) for call in result.tool_calls]


def piece(arguments: Any = None, *, name: Any = None, **members: Any) -> dict[str, Any]:
    """Make a piece of a call."""
    function = {"name": name, "arguments": arguments}
    return {**members, "function": {k: v for k, v in function.items() if v is not None}}


def test_interleaved_calls() -> None:
    """Pieces find their call by index."""
    result = streamed(
        [piece("", name="f", index=0, id="a"), piece("", name="g", index=1, id="b")],
        [piece('{"x"', index=1), piece("{", index=0)],
        [piece("}", index=0), piece(":1}", index=1)],
    )

    assert calls(result) == [("a", "f", "{}"), ("b", "g", '{"x":1}')]


def test_pieces_without_index() -> None:
    """Pieces without an index find their call by id, and without both go to the latest."""
    result = streamed(
        [piece("{", name="f", id="a")], [piece("}", id="a")], [piece("", name="g", id="b")], [piece("{}")]
    )

    assert calls(result) == [("a", "f", "{}"), ("b", "g", "{}")]


def test_whole_calls_without_index_and_id() -> None:
    """Calls that bring a name but nothing else are different calls with ids of ours."""
    result = streamed([piece("{}", name="f"), piece("{}", name="f", id="")])

    assert calls(result) == [("call_0_0", "f", "{}"), ("call_0_1", "f", "{}")]


def test_same_index_for_every_call() -> None:
    """A new id with a name at a known index is a new call; a repeated one is not."""
    result = streamed(
        [piece("{}", name="f", index=0, id="a")],
        [piece("{", name="g", index=0, id="b")],
        [piece("}", name="g", index=0, id="b")],
        [piece("", index=0, id="c")],
    )

    assert calls(result) == [("a", "f", "{}"), ("b", "g", "{}")]


def test_arguments_as_object_and_null() -> None:
    """Arguments given as an object become JSON text; null is nothing."""
    result = streamed(
        [piece({"a": 1}, name="f", index=0, id="a")],
        [{"index": 1, "id": "b", "function": {"name": "g", "arguments": None}}],
    )

    assert calls(result) == [("a", "f", '{"a":1}'), ("b", "g", "{}")]


def test_name_that_comes_late() -> None:
    """A call is announced when its name is known, with the arguments that came before."""
    result = streamed([piece("{", index=0, id="a")], [piece("}", name="f", index=0)])

    assert calls(result) == [("a", "f", "{}")]


def test_name_that_never_comes() -> None:
    """A call without a name is still given out."""
    assert calls(streamed([piece("{}", index=0, id="a")])) == [("a", "", "{}")]


def test_broken_arguments_are_kept() -> None:
    """Arguments that are no JSON are kept as they came."""
    assert calls(whole(piece('{"a":', name="f", id="a"))) == [("a", "f", '{"a":')]


@pytest.mark.parametrize("nonsense", [None, 7, []])
def test_nonsense_is_no_call(nonsense: Any) -> None:
    """What is no object is no call."""
    assert calls(whole(nonsense, piece("{}", name="f", id="a"))) == [("a", "f", "{}")]


def test_odd_types_are_tolerated() -> None:
    """Ids, names and indexes of the wrong type count as missing."""
    assert calls(streamed([piece("{}", name=7, index="0", id=5)])) == [("call_0_0", "", "{}")]


def test_extra_members_survive_byte_for_byte() -> None:
    """A whole call with members of its own is sent back exactly as it came."""
    raw = (
        '{"id":"a", "type":"function","function":{"name":"f","arguments":"{}"},'
        '"extra_content":{"google":{"thought_signature":"c2ln", "n":1.0}}}'
    )
    body = f'{{"choices":[{{"message":{{"tool_calls":[{raw}]}}}}]}}'.encode()

    result = ADAPTER.parse_response(HEAD, body, TARGET)
    again = ADAPTER.build_request(ChatRequest(messages=(ChatMessage.user("q"), result.message)), TARGET, stream=False)

    assert result.tool_calls[0].native is not None
    assert result.tool_calls[0].native.data == raw
    assert raw.encode() in again.body


@pytest.mark.parametrize(
    "pieces",
    [
        [[{**piece("{}", name="f", index=0, id="a"), "extra_content": {"s": 1}}]],
        [[{**piece("{", name="f", index=0, id="a"), "extra_content": {"s": 1}}], [piece("}", index=0)]],
        [[piece("{}", name="f", index=0, id="a")], [{"index": 0, "extra_content": {"s": 1}}]],
    ],
)
def test_extra_members_survive_a_stream(pieces: Any) -> None:
    """Members of its own are put back around a call that came in pieces."""
    native = streamed(*pieces).tool_calls[0].native

    assert native is not None
    assert native.value() == {
        "id": "a",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"s": 1},
    }


def test_extra_members_of_the_function_survive() -> None:
    """Members inside `function` are kept, and an id of ours is used where there is none."""
    call = {"function": {"name": "f", "arguments": "{}", "thought_signature": "s"}}

    native = whole(call).tool_calls[0].native

    assert native is not None
    assert native.value()["function"]["thought_signature"] == "s"
    assert native.value()["id"] == "call_0_0"


def test_custom_tool_calls() -> None:
    """A custom tool's free text is the arguments, and the call is sent back as it came."""
    call = {"id": "a", "type": "custom", "custom": {"name": "sh", "input": "ls -l"}}
    pieces = [{**call, "index": 0, "custom": {"name": "sh", "input": "ls"}}]
    rest = [{"index": 0, "custom": {"input": " -l"}}]

    one, two = whole(call), streamed(pieces, rest)

    assert calls(one) == calls(two) == [("a", "sh", "ls -l")]
    assert one.tool_calls[0].native is not None
    assert two.tool_calls[0].native is not None
    assert one.tool_calls[0].native.value() == two.tool_calls[0].native.value() == call


def test_unknown_kind_of_call_is_kept() -> None:
    """A call of a kind nobody has told us about stays opaque."""
    call = {"id": "a", "type": "mcp", "mcp": {"server": "s"}}

    parts = whole(call).message.parts

    assert parts == (Opaque(json.dumps(call), "row", "host.example", "tool_calls"),)
