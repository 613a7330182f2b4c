"""Items of a stream: added, grown by deltas, done; and the same whatever a server forgets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber.adapters.openai_responses import ADAPTER
from fiber.types.content import Opaque, Reasoning, Text, ToolCall
from fiber.types.events import (
    ContentPart,
    TextDelta,
    ToolCallDelta,
)
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult, TokenLogprob
from fiber.types.target import Target

HEAD = HTTPHead(200, {"x-request-id": "req_1"})
TARGET = Target(provider="openai", model="asked", base_url="https://api.openai.com/v1")
MESSAGE = {"type": "message", "role": "assistant"}
CALL = {"type": "function_call", "call_id": "c1", "name": "f"}


def sse(*events: Any) -> bytes:
    """Frame events as the API does."""
    return b"".join(f"event: {event.get('type')}\ndata: {json.dumps(event)}\n\n".encode() for event in events)


def event(kind: str, index: int | None = 0, **members: Any) -> dict[str, Any]:
    """An event of an item; without an index when it is None."""
    place = {} if index is None else {"output_index": index}
    return {"type": f"response.{kind}", **place, **members}


def added(item: Any, index: int | None = 0) -> dict[str, Any]:
    """An item was added."""
    return event("output_item.added", index, item=item)


def done(item: Any, index: int | None = 0) -> dict[str, Any]:
    """An item is done."""
    return event("output_item.done", index, item=item)


def delta(words: str, index: int | None = 0, **members: Any) -> dict[str, Any]:
    """A piece of text."""
    return event("output_text.delta", index, content_index=0, delta=words, **members)


def message(words: str, **members: Any) -> dict[str, Any]:
    """A finished message."""
    return MESSAGE | {"content": [{"type": "output_text", "text": words, **members}]}


def end(kind: str = "completed", *output: Any, **members: Any) -> dict[str, Any]:
    """A terminal event."""
    response = {"id": "resp_1", "status": kind, "model": "m", "output": list(output)} | members
    return {"type": f"response.{kind}", "response": response}


def run(*events: Any, tail: bytes = b"", target: Target = TARGET) -> Any:
    """Decode a whole stream; return its decoder and its events."""
    decoder = ADAPTER.stream_decoder(HEAD, target)
    found = decoder.feed(sse(*events) + tail)
    return decoder, found + decoder.finish()


def good(*events: Any) -> ChatResult:
    """Decode a stream that ends well."""
    decoder, _ = run(*events)
    assert decoder.error is None
    assert decoder.done
    return decoder.result()


def test_calls_may_interleave() -> None:
    """Pieces belong to the item whose index they carry."""
    result = good(
        added(CALL),
        added(CALL | {"call_id": "c2"}, 1),
        event("function_call_arguments.delta", 1, delta="[2"),
        event("function_call_arguments.delta", 0, delta="[1"),
        event("function_call_arguments.delta", 1, delta="]"),
        event("function_call_arguments.delta", 0, delta="]"),
        done(CALL | {"call_id": "c2", "arguments": "[2]"}, 1),
        done(CALL | {"arguments": "[1]"}),
        end(),
    )

    assert [(call.id, call.arguments_json) for call in result.tool_calls] == [
        ("c1", "[1]"),
        ("c2", "[2]"),
    ]


@pytest.mark.parametrize("pieces", [[], ['{"a"'], ['{"a":1}']])
def test_finished_arguments_complete_the_pieces(pieces: list[str]) -> None:
    """Whatever deltas left out, the finished event brings."""
    result = good(
        added(CALL),
        *(event("function_call_arguments.delta", delta=piece) for piece in pieces),
        event("function_call_arguments.done", arguments='{"a":1}'),
        end(),
    )

    assert result.tool_calls == (ToolCall("c1", "f", '{"a":1}'),)


def test_pieces_before_the_call_is_named_wait_for_its_end() -> None:
    """A call that is named only when it is done is complete all the same."""
    result = good(
        event("function_call_arguments.delta", delta='{"a"'),
        added({"type": "function_call"}),
        event("function_call_arguments.done", arguments='{"a":1}'),
        done(CALL | {"arguments": '{"a":1}'}),
        end(),
    )

    assert result.tool_calls == (ToolCall("c1", "f", '{"a":1}'),)


@pytest.mark.parametrize("pieces", [[], ['a "', '"\n', "é𝄞"]])
def test_free_text_of_a_custom_tool_is_one_json_string(pieces: list[str]) -> None:
    """The pieces of the input are pieces of its JSON string, whatever is in them."""
    whole = "".join(pieces)
    call = {"type": "custom_tool_call", "call_id": "c1", "name": "s", "input": ""}
    decoder, found = run(
        added(call),
        *(event("custom_tool_call_input.delta", delta=piece) for piece in pieces),
        event("custom_tool_call_input.done", input=whole),
        done(call | {"input": whole}),
        end(),
    )

    (made,) = decoder.result().tool_calls
    told = "".join(each.arguments_delta for each in found if isinstance(each, ToolCallDelta))
    assert made.arguments == whole
    assert told == made.arguments_json


def test_search_steps_of_xai_are_no_calls() -> None:
    """The tools echoed at the start tell the provider's own custom calls from the caller's."""
    call = {"type": "custom_tool_call", "call_id": "xs_1", "name": "x_keyword_search", "input": ""}
    result = good(
        {"type": "response.created", "response": {"tools": [{"type": "x_search"}]}},
        added(call),
        event("custom_tool_call_input.delta", delta="{}"),
        done(call | {"input": "{}"}),
        end(),
    )

    assert result.tool_calls == ()
    assert [type(part) for part in result.message.parts] == [Opaque]


def test_sections_of_a_summary_are_parted() -> None:
    """Summary parts read as paragraphs; the sealed item follows as a part."""
    item = {
        "type": "reasoning",
        "id": "rs",
        "encrypted_content": "final",
        "summary": [{"text": "One"}, {"text": ""}, {"text": "Two"}],
    }
    decoder, found = run(
        added(item | {"encrypted_content": "early", "summary": []}),
        event("reasoning_summary_text.delta", summary_index=0, delta="On"),
        event("reasoning_summary_text.delta", summary_index=0, delta="e"),
        event("reasoning_summary_text.delta", summary_index=2, delta="Two"),
        done(item),
        done(item),
        end(),
    )

    (part,) = decoder.result().message.parts
    assert isinstance(part, Reasoning)
    assert part.text == "One\n\nTwo"
    assert part.native is not None
    assert part.native.value() == item
    assert [each.part for each in found if isinstance(each, ContentPart)] == [part]


def test_reasoning_of_open_models_is_text() -> None:
    """Open models stream their thinking itself; a summary after it is not added to it."""
    item = {"type": "reasoning", "summary": [{"text": "S"}], "content": [{"text": "Thinking"}]}
    result = good(
        added(item | {"content": [], "summary": []}),
        event("content_part.added", content_index=0, part={"type": "reasoning_text", "text": ""}),
        event("reasoning_text.delta", content_index=0, delta="Think"),
        event("reasoning_summary_text.delta", summary_index=0, delta="S"),
        done(item),
        end(),
    )

    assert result.reasoning == "Thinking"
    assert result.text == ""


def test_summary_begun_anew_ends_with_the_final_words() -> None:
    """At the token limit a summary may differ from its pieces: the result has the finished one."""
    item = {"type": "reasoning", "summary": [{"text": "I need"}]}
    result = good(
        added(item | {"summary": []}),
        event("reasoning_summary_text.delta", summary_index=0, delta="I see"),
        event("reasoning_summary_text.delta", summary_index=0, delta=" need"),
        done(item),
        end(),
    )

    assert result.reasoning == "I need"


def test_text_that_differs_from_its_pieces_is_a_warning() -> None:
    """The finished text is the result, and the difference is not hidden."""
    result = good(delta("Hallo"), done(message("Hello")), end())

    assert result.text == "Hello"
    assert "differ" in result.warnings[0]


@pytest.mark.parametrize("told", [(), ("He",), ("Hello",)])
def test_finished_text_completes_the_pieces(told: tuple[str, ...]) -> None:
    """Text that came in no delta comes with the finished item."""
    decoder, found = run(*map(delta, told), done(message("Hello")), end())

    assert decoder.result().text == "Hello"
    assert "".join(each.text for each in found if isinstance(each, TextDelta)) == "Hello"


def test_refusal_comes_in_pieces() -> None:
    """A refusal is text with its own finish reason, even when its item is never finished."""
    result = good(
        event("content_part.added", content_index=0, part={"type": "refusal", "refusal": ""}),
        event("refusal.delta", content_index=0, delta="No."),
        end(),
    )

    assert (result.text, result.finish_reason) == ("No.", "refusal")


def test_citations_come_once() -> None:
    """A source told in an event of its own is not told again by the finished item."""
    first, second = ({"type": "url_citation", "url": name} for name in "ab")
    decoder, found = run(
        delta("A"),
        event("output_text.annotation.added", content_index=0, annotation=first),
        event("output_text.annotation.added", content_index=0, annotation=None),
        done(message("A", annotations=[first, second])),
        end(),
    )

    assert [each.url for each in decoder.result().citations] == ["a", "b"]
    assert [each.type for each in found].count("citation") == 2


@pytest.mark.parametrize("repeated", [True, False])
def test_logprobs_are_told_once(repeated: bool) -> None:
    """The finished item has them, or else the deltas had."""
    token = {"token": "A", "logprob": -0.5, "bytes": [65], "top_logprobs": []}
    item = message("A", logprobs=[token] if repeated else [])

    assert good(delta("A", logprobs=[token]), done(item), end()).logprobs == (TokenLogprob("A", -0.5, (65,)),)


def test_parts_keep_the_providers_order() -> None:
    """What is done late stands where it began, be it an item or a part of a message."""
    tool = {"type": "mcp_call", "id": "mcp_1"}
    content = [{"type": "hologram"}, {"type": "output_text", "text": "A"}]
    result = good(
        added(tool),
        added(MESSAGE | {"content": []}, 1),
        event("content_part.added", 1, content_index=0, part={"type": "hologram"}),
        event("output_text.delta", 1, content_index=1, delta="A"),
        done(MESSAGE | {"content": content}, 1),
        done(tool),
        end(),
    )

    assert [type(part) for part in result.message.parts] == [Opaque, Opaque, Text]
    assert [part.kind for part in result.message.parts if isinstance(part, Opaque)] == [
        "mcp_call",
        "hologram",
    ]


def test_place_that_stays_empty_is_no_part() -> None:
    """A picture that was never made leaves nothing behind."""
    result = good(added({"type": "image_generation_call", "id": "ig_1"}), end())

    assert result.message.parts == ()


def test_items_without_index_go_by_id() -> None:
    """A server that forgets the index names its items by id."""
    result = good(
        delta("A", None, item_id="m1"),
        delta("B", None, item_id="m2"),
        delta("a", None, item_id="m1"),
        done(message("Aa") | {"id": "m1"}, None),
        done(message("Bb") | {"id": "m2"}, None),
        end(),
    )

    assert [part.text for part in result.message.parts if isinstance(part, Text)] == ["Aa", "Bb"]


def test_items_without_index_and_id_are_one() -> None:
    """With neither there is only one item it can be."""
    assert good(delta("A", None), delta("B", None), end()).text == "AB"


def test_ids_that_change_do_not_split_an_item() -> None:
    """Copilot gives one item a new id in each event; its index holds it together."""
    result = good(
        added(MESSAGE | {"id": "x1", "content": []}),
        delta("A", item_id="x2"),
        delta("B", item_id="x3"),
        done(message("AB") | {"id": "x4"}),
        end("completed", message("AB") | {"id": "x5"}),
    )

    assert result.text == "AB"
    assert len(result.message.parts) == 1


def test_reasoning_and_text_may_share_an_index() -> None:
    """A server that counts badly does not mix thinking into the answer."""
    result = good(
        event("reasoning_text.delta", content_index=0, delta="Hm"),
        delta("A"),
        done({"type": "reasoning", "content": [{"text": "Hm"}]}),
        done(message("A")),
        end(),
    )

    assert (result.reasoning, result.text) == ("Hm", "A")


def test_terminal_event_brings_what_was_not_told() -> None:
    """A server that sends only the last event, or forgets to finish items, is complete."""
    call = CALL | {"arguments": "{}"}

    assert good(end("completed", message("A"), call)).text == "A"
    assert good(delta("A"), end("completed", message("AB"))).text == "AB"
    assert good(delta("A", None, item_id="m"), end("completed", message("A") | {"id": "m"})).text == "A"
    assert len(good(done(message("A")), added(CALL, 1), end("completed", message("A"), call)).tool_calls) == 1


def test_shorter_terminal_event_takes_nothing_away() -> None:
    """Some gateways repeat only part of the output: positions there mean nothing."""
    result = good(
        done({"type": "reasoning", "id": "rs"}),
        done(message("A"), 1),
        end("completed", message("A")),
    )

    assert [type(part) for part in result.message.parts] == [Reasoning, Text]
