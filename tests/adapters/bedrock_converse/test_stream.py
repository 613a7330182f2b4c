"""Decoding a stream."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberParsingError, FiberStreamInterruptedError
from fiber.types.content import Image, Opaque, Reasoning, Text, ToolCall
from fiber.types.events import ContentPart, MessageEnd, MessageStart, TextDelta, ToolCallDelta, ToolCallEnd
from fiber.types.result import ChatResult

Parse = Callable[..., ChatResult]
Stream = Callable[..., Any]

START, STOP = ("messageStart", {"role": "assistant", "p": "abc"}), ("messageStop", {"stopReason": "end_turn"})
COUNTS = ("metadata", {"usage": {"inputTokens": 3, "outputTokens": 2}, "metrics": {"latencyMs": 1}, "p": "a"})
STOPPED = ("contentBlockStop", {"contentBlockIndex": 0})


def delta(index: int, **said: Any) -> tuple[str, Any]:
    """Say more of a block."""
    return "contentBlockDelta", {"contentBlockIndex": index, "delta": said}


def test_text_comes_without_a_start(stream: Stream) -> None:
    """Its blocks begin with their first delta, and the counts follow the end."""
    found = stream(START, delta(0, text="Hel"), delta(0, text="lo"), STOPPED, STOP, COUNTS)

    assert [event.text for event in found.events if isinstance(event, TextDelta)] == ["Hel", "lo"]
    assert isinstance(found.events[0], MessageStart)
    assert isinstance(found.events[-1], MessageEnd)
    assert found.early
    assert (found.result.text, found.result.finish_reason) == ("Hello", "stop")
    assert found.result.usage.total_tokens == 5
    assert found.result.warnings == ()


def test_counts_may_come_before_the_end(stream: Stream) -> None:
    """Either order makes a whole answer."""
    found = stream(START, delta(0, text="x"), STOPPED, COUNTS, STOP)

    assert found.early
    assert found.result.usage.total_tokens == 5


def test_end_without_counts_is_an_end(stream: Stream) -> None:
    """The answer is whole; that something is missing is a warning."""
    found = stream(START, delta(0, text="x"), STOPPED, STOP)

    assert found.done
    assert not found.early
    assert found.result.finish_reason == "stop"
    assert "no terminal marker" in found.result.warnings[0]


@pytest.mark.parametrize("said", [(), (START,), (START, delta(0, text="x"), COUNTS)])
def test_stream_without_its_end_is_interrupted(said: Any, stream: Stream) -> None:
    """Without `messageStop` nobody knows whether it was all."""
    found = stream(*said)

    assert type(found.error) is FiberStreamInterruptedError


def test_calls_come_in_pieces(stream: Stream) -> None:
    """Two of them, side by side; one without arguments, and one whose block was never closed."""
    found = stream(
        START,
        delta(0, text="Let me look."),
        STOPPED,
        ("contentBlockStart", {"contentBlockIndex": 1, "start": {"toolUse": {"toolUseId": "a", "name": "look"}}}),
        ("contentBlockStart", {"contentBlockIndex": 2, "start": {"toolUse": {"toolUseId": "b", "name": "go"}}}),
        delta(1, toolUse={"input": '{"x"'}),
        delta(2, toolUse={"input": ""}),
        delta(1, toolUse={"input": ": 1}"}),
        ("contentBlockStop", {"contentBlockIndex": 1}),
        ("messageStop", {"stopReason": "tool_use"}),
        COUNTS,
    )

    pieces = [event.arguments_delta for event in found.events if isinstance(event, ToolCallDelta)]
    assert pieces == ['{"x"', ": 1}", "{}"]
    assert [event.tool_call.name for event in found.events if isinstance(event, ToolCallEnd)] == ["look", "go"]
    assert found.result.tool_calls == (ToolCall("a", "look", '{"x": 1}'), ToolCall("b", "go", "{}"))
    assert found.result.finish_reason == "tool_calls"


def test_index_may_be_used_again(stream: Stream) -> None:
    """A start ends the block that was open under its index; a stop without a block is nothing."""
    found = stream(
        START,
        delta(0, text="a"),
        ("contentBlockStart", {"contentBlockIndex": 0, "start": {"toolUse": {"toolUseId": "a", "name": "look"}}}),
        STOPPED,
        STOPPED,
        delta(0, text="b"),
        STOP,
        COUNTS,
    )

    assert [type(part) for part in found.result.message.parts] == [Text, ToolCall, Text]


@pytest.mark.parametrize(
    "block",
    [
        {"reasoningContent": {"reasoningText": {"text": "Hm. So.", "signature": "s1s2"}}},
        {"reasoningContent": {"redactedContent": "AAAABBBB"}},
        {"reasoningContent": {"reasoningText": {"text": "Hm. So."}}},
    ],
)
def test_reasoning_is_the_same_streamed_and_whole(block: Any, blocks: Stream, parse: Parse) -> None:
    """It comes in pieces, then its signature in pieces; what is not signed cannot be sent back."""
    thought = block["reasoningContent"].get("reasoningText", {})
    deltas: list[Any] = [{"text": piece} for piece in ("Hm. ", "So.")] if thought else []
    deltas += [{"signature": piece} for piece in ("s1", "s2")] if "signature" in thought else []
    deltas += [{"redactedContent": piece} for piece in ("AAAA", "BBBB")] if not thought else []

    found = blocks(None, *({"reasoningContent": piece} for piece in deltas))

    assert found.result.message == parse(block).message
    sealed = [event for event in found.events if isinstance(event, ContentPart)]
    assert len(sealed) == (block["reasoningContent"] != {"reasoningText": {"text": "Hm. So."}})


def test_cited_text_is_sealed_with_its_sources(blocks: Stream) -> None:
    """Deltas bring text and sources; together they are the block that goes back."""
    source = {"title": "T", "location": {"web": {"url": "https://a"}}}

    found = blocks(None, {"text": "A"}, {"citation": source}, {"text": "B"})

    (part,) = found.result.message.parts
    assert isinstance(part, Text)
    assert part.native is not None
    assert part.native.value() == {"citationsContent": {"content": [{"text": "AB"}], "citations": [source]}}
    assert [citation.url for citation in found.result.citations] == ["https://a"]


def test_source_without_text_is_told(blocks: Stream) -> None:
    """There is no block to seal."""
    found = blocks(None, {"citation": {"title": "T"}})

    assert [citation.title for citation in found.result.citations] == ["T"]
    assert found.result.message.parts == ()


@pytest.mark.parametrize(
    ("start", "deltas", "native"),
    [
        (
            {"toolUse": {"toolUseId": "a", "name": "search", "type": "server_tool_use"}},
            [{"toolUse": {"input": '{"q":'}}, {"toolUse": {"input": "1}"}}],
            {"toolUse": {"toolUseId": "a", "name": "search", "type": "server_tool_use", "input": {"q": 1}}},
        ),
        (
            {"toolUse": {"toolUseId": "a", "name": "search", "type": "server_tool_use"}},
            [{"toolUse": {"input": "[1"}}],
            {
                "toolUse": {
                    "toolUseId": "a",
                    "name": "search",
                    "type": "server_tool_use",
                    "input": {"_invalid_json": "[1"},
                }
            },
        ),
        (
            {"toolResult": {"toolUseId": "a", "status": "success"}},
            [{"toolResult": [{"text": "x"}]}, {"toolResult": [{"json": {"y": 1}}]}, {"toolResult": 7}],
            {"toolResult": {"toolUseId": "a", "status": "success", "content": [{"text": "x"}, {"json": {"y": 1}}]}},
        ),
        ({"novelty": {"x": 1}}, [{"future": 1}], {"novelty": {"x": 1}}),
    ],
)
def test_blocks_of_the_provider_are_carried(start: Any, deltas: Any, native: Any, blocks: Stream) -> None:
    """Tools that the provider runs, their results and blocks nobody knows go back as they came."""
    found = blocks(start, *deltas)

    (part,) = found.result.message.parts
    assert isinstance(part, Opaque)
    assert part.value() == native
    assert found.result.tool_calls == ()


def test_picture_is_a_part(blocks: Stream) -> None:
    """Its format comes first, then its bytes."""
    found = blocks({"image": {"format": "png"}}, {"image": {"source": {"bytes": "iVBORw=="}}})

    (part,) = found.result.message.parts
    assert isinstance(part, Image)
    assert (part.data, part.media_type) == (b"\x89PNG", "image/png")


def test_call_without_its_start_is_kept(blocks: Stream) -> None:
    """Its arguments tell that it is one; its name is lost."""
    found = blocks(None, {"toolUse": {"input": '{"x": 1}'}})

    assert found.result.tool_calls == (ToolCall("call_0_0", "", '{"x": 1}'),)


@pytest.mark.parametrize("start", [{}, {"text": ""}, {"reasoningContent": {}}])
def test_start_that_tells_nothing_is_passed_over(start: Any, blocks: Stream) -> None:
    """Some servers send one for text; the deltas say what the block is."""
    said = {"reasoningContent": {"text": "Hm."}} if "reasoningContent" in start else {"text": "Hm."}

    found = blocks(start, said)

    expected = (Reasoning("Hm."),) if "reasoningContent" in start else (Text("Hm."),)
    assert found.result.message.parts == expected


def test_pieces_that_do_not_belong_are_not_mixed_in(blocks: Stream) -> None:
    """A block is what it began as: text is no argument, and an argument no text."""
    strangers = {"text": "x"}, {"reasoningContent": {"text": "y"}}
    call = blocks({"toolUse": {"toolUseId": "a", "name": "look"}}, {"toolUse": {"input": "{}"}}, *strangers)
    text = blocks(None, {"text": "Hi"}, strangers[1], {"toolUse": {"input": "{}"}})

    assert call.result.message.parts == (ToolCall("a", "look", "{}"),)
    assert text.result.message.parts == (Text("Hi"),)


@pytest.mark.parametrize(
    "said", [("contentBlockDelta", {"contentBlockIndex": 0}), ("initial-response", {}), ("novelty", {"x": 1})]
)
def test_events_that_say_nothing_are_passed_over(said: Any, stream: Stream) -> None:
    """A delta without a delta, and types nobody knows."""
    found = stream(START, said, delta(1, text="x"), STOP, COUNTS)

    assert found.result.text == "x"


def test_event_that_does_not_fit_is_an_error(stream: Stream) -> None:
    """With what came before it."""
    found = stream(START, delta(0, text="x"), ("contentBlockDelta", [1]))

    assert type(found.error) is FiberParsingError
    assert found.error.partial.text == "x"
