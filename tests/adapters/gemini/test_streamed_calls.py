"""Function calls of Gemini whose arguments are streamed."""

from __future__ import annotations

from typing import Any

from fiber._errors import FiberParsingError, FiberStreamInterruptedError
from fiber.types.content import ToolCall
from fiber.types.events import ToolCallDelta, ToolCallEnd

STOP = {"candidates": [{"finishReason": "STOP"}]}


def call(**members: Any) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"functionCall": members}]}}]}


def test_partial_arguments_are_given_as_they_come(tools: Any) -> None:
    """Arguments by JSON path are events of JSON text, and a signed call has its replay form."""
    decoder, events = tools.stream(tools.fixture("partial_args", "stream.sse"))

    deltas = [event for event in events if isinstance(event, ToolCallDelta) and event.index == 0]
    assert len(deltas) > 5
    [cook, _] = decoder.result().tool_calls
    assert "".join(event.arguments_delta for event in deltas) == cook.arguments_json
    assert cook.native is not None
    assert cook.native.value() == {
        "functionCall": {"name": "cook", "args": cook.arguments},
        "thoughtSignature": "c2lnbmVk",
    }


def test_partial_call_with_id_remembers_it(tools: Any) -> None:
    """The provider's id is part of the replay form; without id and signature there is none."""
    leaf = [{"jsonPath": "$.a", "stringValue": "x"}]

    with_id, _ = tools.stream(tools.sse(call(name="f", id="i1", partialArgs=leaf), STOP))
    without, _ = tools.stream(tools.sse(call(name="f", partialArgs=leaf), STOP))

    assert tools.natives(with_id.result()) == [{"functionCall": {"name": "f", "args": {"a": "x"}, "id": "i1"}}]
    assert without.result().tool_calls == (ToolCall("call_0_0", "f", '{"a":"x"}'),)


def test_partial_call_ends_at_the_next_call_or_the_end(tools: Any) -> None:
    """A call that never said it was over is ended by what follows; a late end mark is nothing."""
    going = {"name": "f", "willContinue": True}

    decoder, events = tools.stream(tools.sse(call(**going), call(name="g", args={}), call(), call(**going), STOP))

    assert [one.name for one in decoder.result().tool_calls] == ["f", "g", "f"]
    assert sum(isinstance(event, ToolCallEnd) for event in events) == 3


def test_interrupted_partial_call_has_no_end(tools: Any) -> None:
    """A call that was cut off is partial, and no event says it is complete."""
    leaf = [{"jsonPath": "$.a", "stringValue": "x", "willContinue": True}]

    decoder, events = tools.stream(tools.sse(call(name="f", willContinue=True, partialArgs=leaf)))

    assert isinstance(decoder.error, FiberStreamInterruptedError)
    assert decoder.error.partial is not None
    assert decoder.error.partial.tool_calls[0].arguments_json == '{"a":"x'
    assert not any(isinstance(event, ToolCallEnd) for event in events)


def test_unreadable_path_is_a_parsing_error(tools: Any) -> None:
    """Arguments that cannot be put together fail the stream; they are never guessed."""
    leaf = [{"jsonPath": "$..a", "stringValue": "x"}]

    decoder, _ = tools.stream(tools.sse(call(name="f", partialArgs=leaf, willContinue=True)))

    assert isinstance(decoder.error, FiberParsingError)
    assert (decoder.error.provider, decoder.error.model) == ("gemini", "gemini-3-flash-preview")


def test_arguments_out_of_order_are_set_at_the_end(tools: Any) -> None:
    """When leaves go back, the whole arguments are right although the pieces are not."""
    leaves = [{"jsonPath": f"$.{name}", "numberValue": n} for n, name in enumerate(("a.x", "b", "a.y"))]

    decoder, _ = tools.stream(tools.sse(call(name="f", partialArgs=leaves), STOP))

    assert decoder.result().tool_calls[0].arguments == {"a": {"x": 0, "y": 2}, "b": 1}
