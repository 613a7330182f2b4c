"""Tests of how the mock's formats write answers, whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber.testing import Failure, MockCall, Reply
from fiber.testing.formats import FORMATS
from fiber.testing.view import ChatView

CALLS = [MockCall("weather", {"city": "Rome"}), MockCall("clock", id="mine")]
FULL = Reply("Let me look.", reasoning="Two tools.", tool_calls=CALLS, usage=(100, 50, 80, 20))
VIEW = ChatView(model="m", stream=True)


def whole(format: str, reply: Reply) -> Any:
    """Return the JSON of a whole answer."""
    return json.loads(FORMATS[format].whole(VIEW, reply, 7))


def frames(format: str, reply: Reply, view: ChatView = VIEW) -> list[tuple[str, Any]]:
    """Return names and JSON of the events of a stream."""
    found = []
    for frame in FORMATS[format].frames(view, reply, 7):
        event, _, data = frame.decode().rpartition("data: ")  # Ollama's lines are all data
        done = data.startswith("[DONE]")
        found.append((event[7:].strip(), "[DONE]" if done else json.loads(data)))
    return found


def test_chat_completion_has_the_shape_of_openai() -> None:
    """Text, reasoning, calls with JSON text, and usage with its details."""
    answer = whole("openai_chat", FULL)

    (choice,) = answer["choices"]
    calls = [(c["id"], c["function"]) for c in choice["message"]["tool_calls"]]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == "Let me look."
    assert choice["message"]["reasoning_content"] == "Two tools."
    assert calls == [
        ("call_mock00070", {"name": "weather", "arguments": '{"city":"Rome"}'}),
        ("mine", {"name": "clock", "arguments": "{}"}),
    ]
    assert answer["usage"]["prompt_tokens_details"]["cached_tokens"] == 80
    assert answer["usage"]["completion_tokens_details"]["reasoning_tokens"] == 20
    assert answer["usage"]["total_tokens"] == 150
    assert whole("openai_chat", Reply(tool_calls=CALLS))["choices"][0]["message"]["content"] is None


def test_chat_stream_sends_calls_in_pieces_and_usage_when_asked() -> None:
    """Arguments come in fragments by index; usage is the last event, with no choice."""
    events = frames("openai_chat", FULL)
    chunks = [data for _, data in events[:-1]]
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    parts = [call for delta in deltas for call in delta.get("tool_calls", ())]

    assert events[-1] == ("", "[DONE]")
    assert "".join(delta.get("content") or "" for delta in deltas) == "Let me look."
    assert [part["id"] for part in parts if "id" in part] == ["call_mock00070", "mine"]
    assert len([part for part in parts if part["index"] == 0]) == 3
    assert "".join(p["function"]["arguments"] for p in parts if p["index"] == 0) == '{"city":"Rome"}'
    assert chunks[-1]["choices"] == []
    assert chunks[-1]["usage"]["total_tokens"] == 150
    assert chunks[0]["usage"] is None

    quiet = frames("openai_chat", FULL, ChatView(model="m", stream=True, include_usage=False))
    assert all("usage" not in data for _, data in quiet[:-1])


def test_refusal_has_its_own_place_in_the_openai_formats() -> None:
    """A refusal is no text: it has its own field, part and events."""
    reply = Reply("I will not.", finish_reason="refusal")

    message = whole("openai_chat", reply)["choices"][0]["message"]
    part = whole("openai_responses", reply)["output"][0]["content"][0]
    names = [name for name, _ in frames("openai_responses", reply)]

    assert (message["content"], message["refusal"]) == (None, "I will not.")
    assert part == {"type": "refusal", "refusal": "I will not."}
    assert "response.refusal.delta" in names
    assert "response.output_text.delta" not in names


def test_response_has_items_in_order() -> None:
    """Reasoning, message and calls are items; input and output counts hold all tokens."""
    answer = whole("openai_responses", FULL)

    kinds = [item["type"] for item in answer["output"]]
    assert kinds == ["reasoning", "message", "function_call", "function_call"]
    assert answer["output"][3]["call_id"] == "mine"
    assert answer["status"] == "completed"
    assert answer["usage"]["input_tokens_details"]["cached_tokens"] == 80


def test_response_stream_adds_up_to_the_whole() -> None:
    """Names equal types, numbers run without gap, deltas add up, and the end holds the answer."""
    events = frames("openai_responses", FULL)
    data = [event for _, event in events]

    assert [name for name, _ in events] == [event["type"] for event in data]
    assert [event["sequence_number"] for event in data] == list(range(len(data)))
    for kind, expected in (
        ("output_text", "Let me look."),
        ("reasoning_summary_text", "Two tools."),
    ):
        deltas = [e["delta"] for e in data if e["type"] == f"response.{kind}.delta"]
        assert "".join(deltas) == expected
    assert data[-1]["response"] == whole("openai_responses", FULL)


@pytest.mark.parametrize(("finish", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")])
def test_response_that_was_cut_is_incomplete(finish: Any, reason: str) -> None:
    """An answer that was cut ends with `response.incomplete` and its reason."""
    name, data = frames("openai_responses", Reply("a", finish_reason=finish))[-1]

    assert name == "response.incomplete"
    assert data["response"]["incomplete_details"] == {"reason": reason}


def test_message_has_the_shape_of_anthropic() -> None:
    """Thinking is signed, calls hold objects, and the input count leaves out the cache."""
    answer = whole("anthropic", FULL)

    kinds = [block["type"] for block in answer["content"]]
    assert kinds == ["thinking", "text", "tool_use", "tool_use"]
    assert answer["content"][0]["signature"]
    assert answer["content"][2]["input"] == {"city": "Rome"}
    assert answer["stop_reason"] == "tool_use"
    assert answer["usage"]["input_tokens"] == 20
    assert answer["usage"]["cache_read_input_tokens"] == 80


def test_message_stream_opens_and_closes_each_block() -> None:
    """Blocks come one after another; empty arguments have no fragment but an empty one."""
    data = [event for _, event in frames("anthropic", FULL)]
    pieces = [e["delta"].get("partial_json") for e in data if e.get("index") == 2 and "delta" in e]
    empty = [e["delta"] for e in data if e.get("index") == 3 and "delta" in e]
    edges = [(e["type"], e["index"]) for e in data if "block_st" in e["type"]]

    assert edges == [(f"content_block_{edge}", index) for index in range(4) for edge in ("start", "stop")]
    assert data[2] == {"type": "ping"}
    assert "".join(pieces) == '{"city":"Rome"}'
    assert empty == [{"type": "input_json_delta", "partial_json": ""}]
    assert data[0]["message"]["usage"]["output_tokens"] == 1
    assert data[-2]["usage"]["output_tokens"] == 50
    assert data[-1] == {"type": "message_stop"}


def test_broken_arguments_can_be_sent_as_text() -> None:
    """A text of arguments is sent as it is where arguments are text."""
    reply = Reply(tool_calls=[MockCall("f", '{"a": 1')])

    call = whole("openai_chat", reply)["choices"][0]["message"]["tool_calls"][0]
    deltas = [event.get("delta", {}) for _, event in frames("anthropic", reply)]

    assert call["function"]["arguments"] == '{"a": 1'
    assert "".join(delta.get("partial_json", "") for delta in deltas) == '{"a": 1'
    with pytest.raises(ValueError, match="JSON"):
        whole("anthropic", reply)


def test_text_that_is_json_becomes_an_object_where_one_is_needed() -> None:
    """A text of arguments that holds an object is good for every format."""
    answer = whole("gemini", Reply(tool_calls=[MockCall("f", '{"a":1}')]))

    assert answer["candidates"][0]["content"]["parts"][0]["functionCall"]["args"] == {"a": 1}


def test_candidate_has_the_shape_of_gemini() -> None:
    """Thoughts are parts, the first call is signed, and counts leave out thoughts and zeros."""
    answer = whole("gemini", FULL)

    thought, text, first, second = answer["candidates"][0]["content"]["parts"]
    assert thought == {"text": "Two tools.", "thought": True}
    assert text == {"text": "Let me look."}
    assert first["functionCall"] == {"name": "weather", "args": {"city": "Rome"}}
    assert "thoughtSignature" in first
    assert second == {"functionCall": {"name": "clock", "args": {}, "id": "mine"}}
    assert answer["candidates"][0]["finishReason"] == "STOP"
    assert answer["usageMetadata"]["candidatesTokenCount"] == 30
    assert answer["usageMetadata"]["thoughtsTokenCount"] == 20
    assert "cachedContentTokenCount" not in whole("gemini", Reply("x"))["usageMetadata"]


def test_answer_has_the_shape_of_cohere() -> None:
    """What is thought before a call is its plan, else a block; fewer tokens are billed than counted."""
    answer = whole("cohere", FULL)
    thought = whole("cohere", Reply("Rome.", reasoning="Hm."))

    assert answer["message"]["tool_plan"] == "Two tools."
    assert [call["id"] for call in answer["message"]["tool_calls"]] == ["weather_mock00070", "mine"]
    assert answer["finish_reason"] == "TOOL_CALL"
    assert answer["usage"] == {
        "billed_units": {"input_tokens": 20, "output_tokens": 50},
        "tokens": {"input_tokens": 100, "output_tokens": 50},
        "cached_tokens": 80,
    }
    assert [block["type"] for block in thought["message"]["content"]] == ["thinking", "text"]


def test_stream_of_cohere_has_one_call_an_event() -> None:
    """Names equal types; a call is an object, and indexes of blocks begin anew."""
    events = frames("cohere", FULL)
    blocks = [data for _, data in frames("cohere", Reply("Rome.", reasoning="Hm.")) if "content" in str(data)]
    starts = [data for name, data in events if name == "tool-call-start"]

    assert [name for name, _ in events[:-1]] == [data["type"] for _, data in events[:-1]]
    assert (events[0][0], events[-2][0], events[-1]) == ("message-start", "message-end", ("", "[DONE]"))
    assert [start["delta"]["message"]["tool_calls"]["function"]["name"] for start in starts] == ["weather", "clock"]
    assert {block.get("index", 0) for block in blocks} == {0}


def test_answer_has_the_shape_of_ollama() -> None:
    """Arguments are objects, calls come under the reason stop, and the last line has counts and durations."""
    answer = whole("ollama", FULL)
    lines = [data for _, data in frames("ollama", FULL)]

    assert answer["message"]["thinking"] == "Two tools."
    assert answer["message"]["tool_calls"][0]["function"]["arguments"] == {"city": "Rome"}
    assert (answer["done"], answer["done_reason"]) == (True, "stop")
    assert (answer["prompt_eval_count"], answer["eval_count"], answer["load_duration"]) == (100, 50, 1_000_000)
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert "".join(line["message"]["content"] for line in lines) == "Let me look."
    assert sum("tool_calls" in line["message"] for line in lines) == 2
    assert whole("ollama", Reply("a", finish_reason="length"))["done_reason"] == "length"


def test_gemini_stream_is_events_with_crlf_or_one_array() -> None:
    """With `alt=sse` each chunk is an event; without, the chunks are one JSON array."""
    array = ChatView(model="m", stream=True, sse=False)
    gemini = FORMATS["gemini"]

    events = gemini.frames(VIEW, FULL, 7)
    joined = json.loads(b"".join(gemini.frames(array, FULL, 7)))
    broken = json.loads(gemini.frames(array, FULL, 7)[0] + gemini.error_frame(Failure(503), array, 7, 1))

    assert all(event.startswith(b"data: ") and event.endswith(b"\r\n\r\n") for event in events)
    assert [json.loads(event[6:]) for event in events] == joined
    assert [("finishReason" in chunk["candidates"][0]) for chunk in joined[-2:]] == [False, True]
    assert broken[1]["error"]["status"] == "UNAVAILABLE"
    assert gemini.stream_type(array).startswith("application/json")


def test_blocked_prompt_of_gemini_has_no_candidate() -> None:
    """A filtered answer without text is a blocked prompt; with text it ends with SAFETY."""
    blocked = whole("gemini", Reply(finish_reason="content_filter"))
    cut = whole("gemini", Reply("Well", finish_reason="content_filter"))

    assert "candidates" not in blocked
    assert blocked["promptFeedback"]["blockReason"]
    assert cut["candidates"][0]["finishReason"] == "SAFETY"


@pytest.mark.parametrize("format", FORMATS)
def test_empty_reply_is_still_an_answer(format: str) -> None:
    """Nothing to say, or nothing but a call, is said properly, whole and streamed."""
    replies = (Reply(), Reply("x"), Reply(tool_calls=CALLS))
    for reply in replies[:2] if format == "replicate" else replies:  # it has no calls
        assert whole(format, reply)
        assert FORMATS[format].frames(VIEW, reply, 7)


@pytest.mark.parametrize(
    ("format", "names"),
    [
        ("openai_chat", {"x-request-id", "x-ratelimit-remaining-requests"}),
        ("openai_responses", {"x-request-id", "x-ratelimit-reset-tokens"}),
        ("anthropic", {"request-id", "anthropic-ratelimit-input-tokens-remaining"}),
    ],
)
def test_headers_hold_request_id_and_limits(format: str, names: set[str]) -> None:
    """Each answer has its own id, and what remains of the limits shrinks."""
    first, second = (FORMATS[format].headers(number) for number in (1, 2))

    assert names <= set(first)
    assert [first[name] != second[name] for name in first if name.endswith("request-id")] == [True]
    remaining = [name for name in first if "remaining" in name]
    assert all(int(first[name]) > int(second[name]) for name in remaining)


def test_words_are_counted_when_usage_is_not_given() -> None:
    """Input is the words asked, output all words said, thought and passed to tools."""
    view = ChatView(model="m", words=4)
    reply = Reply("two words", reasoning="one", tool_calls=[MockCall("f", {"a": "b c"})])

    usage = json.loads(FORMATS["anthropic"].whole(view, reply, 1))["usage"]

    assert usage["input_tokens"] == 4
    assert usage["output_tokens"] == 2 + 1 + 3
    assert usage["output_tokens_details"]["thinking_tokens"] == 1


def test_same_request_gets_the_same_bytes() -> None:
    """Nothing in an answer depends on the clock or on chance."""
    for name, format in FORMATS.items():
        reply = Reply("Let me look.") if name == "replicate" else FULL
        assert format.whole(VIEW, reply, 7) == format.whole(VIEW, reply, 7)
        assert format.frames(VIEW, reply, 7) == format.frames(VIEW, reply, 7)
