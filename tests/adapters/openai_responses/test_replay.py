"""Answers go back as they came, to where they came from."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber.types.content import (
    Audio,
    Image,
    Opaque,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from fiber.types.messages import ChatMessage

HOST = "api.openai.com"
system, developer = ChatMessage.system, ChatMessage.developer
user, assistant, tool = ChatMessage.user, ChatMessage.assistant, ChatMessage.tool


def seal(value: dict[str, Any], provider: str = "openai", host: str = HOST) -> Opaque:
    """Seal JSON as the parser does."""
    return Opaque(json.dumps(value), provider, host, value.get("type", ""))


def message(role: str, content: Any) -> dict[str, Any]:
    """A message item."""
    return {"type": "message", "role": role, "content": content}


REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "x=="}
CALL = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "f", "arguments": "{}"}
ANSWER = {
    "type": "message",
    "id": "msg_1",
    "role": "assistant",
    "content": [{"type": "output_text", "text": "Hi", "annotations": []}],
}


def test_answer_goes_back_byte_for_byte(ask: Any) -> None:
    """Sealed reasoning, texts and calls are sent exactly as they came, in their order."""
    sealed = [Opaque(json.dumps(v, indent=1), "openai", HOST, v["type"]) for v in (REASONING, ANSWER, CALL)]
    history = assistant(
        [
            Reasoning("shown", sealed[0]),
            Text("Hi", native=sealed[1]),
            ToolCall("c1", "f", "{}", sealed[2]),
        ]
    )

    made = ask(user("q"), history, tool("c1", "r"))

    assert ",".join(each.data for each in sealed).encode() in made.body
    assert made.notes == ()


def test_another_host_gets_plain_forms(items: Any, notes: Any) -> None:
    """What is sealed for one host stays there; texts and calls go without their ids."""
    history = assistant(
        [
            Reasoning("shown", seal(REASONING)),
            Opaque('{"type":"web_search_call","id":"ws_1"}', "openai", HOST, "web_search_call"),
            Text("Hi", native=seal(ANSWER)),
            Text("", native=seal(ANSWER)),
            ToolCall("c1", "f", "{}", seal(CALL)),
        ]
    )
    elsewhere = {"base_url": "https://other.example/v1"}

    assert items(user("q"), history, **elsewhere)[1:] == [
        message("assistant", "Hi"),
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]
    assert notes(user("q"), history, **elsewhere) == [
        "dropped reasoning",
        "dropped opaque part 'web_search_call'",
    ]


def test_items_after_lost_reasoning_lose_their_ids(items: Any, notes: Any) -> None:
    """An id asks for the reasoning before it, so without that reasoning it is not sent."""
    history = assistant(
        [
            Reasoning("cut short"),
            Text("Hi", native=seal(ANSWER)),
            ToolCall("c1", "f", "{}", seal(CALL)),
        ]
    )

    sent = items(user("q"), history)

    assert [item.get("id") for item in sent] == [None, None, None]
    assert sent[1]["content"] == ANSWER["content"]
    assert notes(user("q"), history) == ["dropped reasoning"]


def test_next_answer_keeps_its_ids(items: Any) -> None:
    """Reasoning lost in one answer says nothing about the next."""
    lost = assistant([Reasoning("cut short"), Text("A")])

    assert items(user("q"), lost, user("r"), assistant([Text("Hi", native=seal(ANSWER))]))[-1] == ANSWER


def test_reasoning_that_led_to_nothing_is_left_out(items: Any, notes: Any) -> None:
    """Reasoning needs the item it led to; at the end of a turn it is dropped with a note."""
    idle = assistant([Reasoning("", seal(REASONING))])

    assert items(user("q"), idle, user("again")) == [message("user", "q"), message("user", "again")]
    assert items(user("q"), idle) == [message("user", "q")]
    assert notes(user("q"), idle, user("again")) == ["dropped reasoning"]


def test_reasoning_in_a_message_of_its_own_is_kept(items: Any) -> None:
    """An answer split over two messages is still one turn."""
    sent = items(
        user("q"),
        assistant([Reasoning("", seal(REASONING))]),
        assistant([ToolCall("c1", "f", "{}", seal(CALL))]),
        tool("c1", "r"),
    )

    assert [item["type"] for item in sent[1:3]] == ["reasoning", "function_call"]


def test_seal_of_another_format_is_not_an_item(items: Any, notes: Any) -> None:
    """The chat format of the same provider seals other JSON, which is no input item."""
    chat = Opaque('{"id":"c1","type":"function"}', "openai", HOST, "function")
    history = assistant(
        [
            Text("A", native=Opaque("[]", "openai", HOST)),
            ToolCall("c1", "f", "{}", chat),
            Reasoning("", Opaque('{"type":"reasoning.text"}', "openai", HOST)),
        ]
    )

    assert items(user("q"), history)[1:] == [
        message("assistant", "A"),
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]
    assert notes(user("q"), history) == ["dropped reasoning"]


def test_message_of_several_parts_is_sent_once(parse: Any, items: Any) -> None:
    """The parts of one message, each sealed by itself, are joined to that message again."""
    item = ANSWER | {
        "phase": "final_answer",
        "content": [
            {"type": "output_text", "text": "A", "annotations": []},
            {"type": "output_hologram", "x": 1.50},
            {"type": "refusal", "refusal": "No."},
        ],
    }
    result = parse(item)

    assert [type(part) for part in result.message.parts] == [Text, Opaque, Text]
    assert items(user("q"), result.message)[1:] == [item]


def test_part_taken_out_of_a_message_is_not_sent(parse: Any, items: Any) -> None:
    """Each part carries only itself: what the caller removed does not come back."""
    content = [{"type": "output_text", "text": t, "annotations": []} for t in "AB"]
    result = parse(ANSWER | {"content": content})

    sent = items(user("q"), assistant([result.message.parts[1]]))

    assert sent[1] == ANSWER | {"content": content[1:]}


def test_parts_of_a_message_set_apart_do_not_repeat_its_id(parse: Any, items: Any) -> None:
    """An id is sent once: a part that no longer stands beside its message goes without it."""
    content = [{"type": "output_text", "text": t, "annotations": []} for t in "AB"]
    first, second = parse(ANSWER | {"content": content}).message.parts

    sent = items(user("q"), assistant([first, Text("between"), second]))

    assert [item.get("id") for item in sent[1:]] == ["msg_1", None, None]


def test_custom_call_goes_back_with_its_result(parse: Any, items: Any) -> None:
    """A custom tool's call and its result have types of their own."""
    call = {"type": "custom_tool_call", "id": "ctc_1", "call_id": "c1", "name": "s", "input": "hi"}
    answer = parse(call).message

    assert items(user("q"), answer, tool("c1", "r"))[1:] == [
        call,
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "r"},
    ]


@pytest.mark.parametrize(("arguments", "sent"), [('"hi"', "hi"), ("{}", "{}"), ('"cut', '"cut')])
def test_custom_call_stays_custom_on_another_host(arguments: str, sent: str, items: Any) -> None:
    """Where its seal does not fit, a custom call is written from its fields, its input as text."""
    native = seal({"type": "custom_tool_call", "call_id": "c1"}, host="elsewhere")

    assert items(user("q"), assistant([ToolCall("c1", "s", arguments, native)]))[1] == {
        "type": "custom_tool_call",
        "call_id": "c1",
        "name": "s",
        "input": sent,
    }


def test_picture_of_a_call_is_not_sent_twice(parse: Any, items: Any) -> None:
    """A picture that the model made goes back in its call alone."""
    call = {"type": "image_generation_call", "id": "ig_1", "result": "iVBORw0KGgo="}
    answer = parse(call).message

    assert [type(part) for part in answer.parts] == [Opaque, Image]
    assert items(user("q"), answer)[1:] == [call]


def test_picture_without_its_call_becomes_the_users(parse: Any, items: Any, notes: Any) -> None:
    """An assistant message holds no pictures, so one of its own is sent as a user message."""
    call = {"type": "image_generation_call", "id": "ig_1", "result": "iVBORw0KGgo="}
    picture = parse(call).message.parts[1]
    history = assistant([Text("See"), picture])

    assert [item["role"] for item in items(user("q"), history)] == ["user", "assistant", "user"]
    assert items(user("q"), history)[2]["content"][0]["type"] == "input_image"
    assert notes(user("q"), history) == ["mapped Image in an assistant message"]
    assert notes(user("q"), assistant([Text("a"), Audio(file_id="f")]), on_unsupported="drop") == [
        "dropped Audio content"
    ]


def test_sealed_result_goes_as_it_came(items: Any) -> None:
    """A result that carries its own item is sent as that item."""
    native = seal({"type": "function_call_output", "call_id": "c1", "output": "r", "id": "o1"})

    assert items(user("q"), ChatMessage("tool", (ToolResult("c1", "x", native=native),)))[1]["id"] == "o1"


def test_item_sealed_as_message_of_input_is_replayed(parse: Any, items: Any) -> None:
    """A message of another role in the output (a compaction gives such) is carried whole."""
    item = {
        "type": "message",
        "id": "msg_9",
        "role": "user",
        "content": [{"type": "input_text", "text": "earlier"}],
    }
    result = parse(item, {"type": "compaction", "id": "cmp_1", "encrypted_content": "x"})

    assert result.text == ""
    assert [part.kind for part in result.message.parts] == ["message", "compaction"]
    assert items(user("q"), result.message)[1] == item
