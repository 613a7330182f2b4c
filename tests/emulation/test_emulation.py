"""Chats whose tools are told in words."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fiber import (
    ChatMessage,
    ChatRequest,
    ChatResult,
    Fiber,
    FiberCapabilityError,
    FiberOverloadedError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    Log,
    MessageEnd,
    Quirks,
    ServerTool,
    Text,
    Timeouts,
    Tool,
    ToolCall,
    openai_compatible,
)
from fiber._emulation import EmulatedTools, emulated, turn_of
from fiber._emulation.reading import OPEN
from fiber._operations import Chat
from fiber.adapters import load
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, sse_reply
from fiber.types.content import Opaque
from tests.emulation.samples import said
from tests.emulation.test_decoder import HEAD, TARGETS, streamed, whole
from tests.kit import DONE, FINISH, START, answer, piece, scripted, watched

MODELS = {"openai_chat": "openai:gpt-x", "anthropic": "anthropic:claude-x"}
WEATHER = Tool("weather", "Tell the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
ASKED = [ChatMessage.user("Weather in Paris and Rome?")]
CALLS = said("weather", '{"city": "Paris"}') + "\n" + said("weather", '{"city":"Rome"}')
USED = {"tools": [WEATHER], "emulate_tools": True}


def reply(adapter: str, text: str, *, stream: bool) -> FakeReply:
    """Make an answer with *text*, a stream a few characters at a time."""
    if not stream:
        return json_reply(whole(adapter, text))
    pieces = [text[at : at + 5] for at in range(0, len(text), 5)]
    return FakeReply(200, {"content-type": "text/event-stream"}, (streamed(adapter, *pieces),))


def client(*script: FakeReply) -> tuple[Fiber, FakeTransport]:
    """Make a client of two providers over *script*."""
    transport = FakeTransport(*script)
    return Fiber(api_keys={"openai": "key", "anthropic": "key"}, transport=transport), transport


def ask(fiber: Fiber, history: Any, *, stream: bool, **options: Any) -> ChatResult:
    """Ask for a whole answer or a stream."""
    if stream:
        return fiber.sync.chat_stream(history, **options).collect()
    return fiber.sync.chat(history, **options)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("adapter", MODELS)
def test_a_round_trip(adapter: str, stream: bool) -> None:
    """Calls are read, told again with their results, and the next turn's ids are new."""
    again = said("weather", '{"city": "Rome"}')
    script = [reply(adapter, text, stream=stream) for text in (f"Let me look.\n{CALLS}", again, "Sunny.")]
    fiber, transport = client(*script)
    history = [ChatMessage.system("Be brief."), *ASKED]
    results = []
    for _ in script:
        results.append(ask(fiber, history, stream=stream, model=MODELS[adapter], **USED))
        history.append(results[-1].message)
        history += [ChatMessage.tool(call.id, f"sunny {call.id}") for call in results[-1].tool_calls]

    assert results[0].message.parts == (
        Text("Let me look.\n"),
        ToolCall("call_1_0_1", "weather", '{"city": "Paris"}'),
        ToolCall("call_1_0_2", "weather", '{"city":"Rome"}'),
    )
    assert results[1].tool_calls == (ToolCall("call_2_0_1", "weather", '{"city": "Rome"}'),)
    assert [result.finish_reason for result in results] == ["tool_calls", "tool_calls", "stop"]
    assert [result.text for result in results] == ["Let me look.\n", "", "Sunny."]

    bodies = [request.json() for request in transport.requests]
    messages = [message for message in bodies[2]["messages"] if message["role"] != "system"]
    system = bodies[2].get("system") or bodies[2]["messages"][0]["content"]
    assert system.startswith("Be brief.\n\nYou can call tools.")
    assert '{"name":"weather","description":"Tell the weather."' in system
    assert [(message["role"], flat(message["content"])) for message in messages] == [
        ("user", "Weather in Paris and Rome?"),
        (
            "assistant",
            "Let me look.\n\n"
            '<tool_call>{"name":"weather","arguments":{"city": "Paris"}}</tool_call>\n'
            '<tool_call>{"name":"weather","arguments":{"city":"Rome"}}</tool_call>',
        ),
        (
            "user",
            '<tool_result id="call_1_0_1" name="weather">\nsunny call_1_0_1\n</tool_result>\n'
            '<tool_result id="call_1_0_2" name="weather">\nsunny call_1_0_2\n</tool_result>',
        ),
        ("assistant", '<tool_call>{"name":"weather","arguments":{"city": "Rome"}}</tool_call>'),
        ("user", '<tool_result id="call_2_0_1" name="weather">\nsunny call_2_0_1\n</tool_result>'),
    ]
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & {name for body in bodies for name in body}


def flat(content: Any) -> str:
    """Return the text of one that is text, or one block of it."""
    if isinstance(content, str):
        return content
    (block,) = content
    return str(block["text"])


@pytest.mark.parametrize("policy", ["raise", "drop"])
def test_emulation_is_told(policy: Any) -> None:
    """In the warnings, and in a stream as a log event, whatever the policy."""
    fiber, _ = client(reply("openai_chat", "A", stream=False), reply("openai_chat", "A", stream=True))
    options = {"model": MODELS["openai_chat"], "on_unsupported": policy, **USED}

    result = fiber.sync.chat("Hi", **options)  # type: ignore[arg-type]
    logs = [event for event in fiber.sync.chat_stream("Hi", **options) if isinstance(event, Log)]  # type: ignore[arg-type]

    assert [warning.split(":")[0] for warning in result.warnings] == ["tools warned"]
    assert [log.message for log in logs] == list(result.warnings)


def test_a_call_that_cannot_be_read_is_a_warning() -> None:
    """It stays text, and the answer ends as it did."""
    fiber, _ = client(reply("openai_chat", f"{OPEN}no", stream=False))

    result = fiber.sync.chat("Hi", model=MODELS["openai_chat"], **USED)  # type: ignore[arg-type]

    assert (result.text, result.finish_reason) == (f"{OPEN}no", "stop")
    assert "stays text" in result.warnings[1]


def test_a_whole_answer_to_a_stream_gives_the_events_of_its_calls() -> None:
    """And a stream as a whole answer its calls."""
    fiber, _ = client(reply("openai_chat", CALLS, stream=False), reply("openai_chat", CALLS, stream=True))
    options = {"model": MODELS["openai_chat"], **USED}

    events = list(fiber.sync.chat_stream("Hi", **options))  # type: ignore[arg-type]
    result = fiber.sync.chat("Hi", **options)  # type: ignore[arg-type]

    assert [event.type for event in events].count("tool-call-end") == len(result.tool_calls) == 2
    assert isinstance(events[-1], MessageEnd)
    assert events[-1].finish_reason == "tool_calls"


@pytest.mark.parametrize("stream", [False, True])
def test_without_an_offer_no_call_is_read(stream: bool) -> None:
    """With `tool_choice="none"`, and with calls in the history alone: tags of the answer are text."""
    history = [*ASKED, ChatMessage.assistant(tool_calls=[ToolCall("c", "weather")]), ChatMessage.tool("c", "sunny")]
    fiber, transport = client(*[reply("openai_chat", CALLS, stream=stream)] * 2)
    options = {"model": MODELS["openai_chat"], "emulate_tools": True, "stream": stream}

    none = ask(fiber, "Hi", **options, tools=[WEATHER], tool_choice="none")
    past = ask(fiber, history, **options)

    assert none.text == past.text == CALLS
    assert transport.requests[0].json()["messages"] == [{"role": "user", "content": "Hi"}]
    assert [message["role"] for message in transport.requests[1].json()["messages"]] == ["user", "assistant", "user"]
    assert past.warnings == none.warnings != ()


@pytest.mark.parametrize("options", [{}, {"emulate_tools": False}, {"emulate_tools": None}])
def test_nothing_is_emulated_unasked(options: dict[str, Any]) -> None:
    """Tools go to the provider as they are, and tags are text; a client may ask for all its calls."""
    fiber, transport = scripted(*[json_reply(answer(CALLS))] * 2)
    asking = fiber.with_options(emulate_tools=True, tools=[WEATHER])

    assert fiber.sync.chat("Hi", tools=[WEATHER], **options).text == CALLS
    assert len(asking.sync.chat("Hi").tool_calls) == 2
    assert ["tools" in request.json() for request in transport.requests] == [True, False]


def test_a_row_without_tools_takes_them_in_words() -> None:
    """Nothing of what the row lacks is left in the request."""
    lacking = dict.fromkeys(("tools", "tool_choice", "parallel_tool_calls"), "the server has no tools")
    row = openai_compatible("small", "https://small.example/v1")
    fiber, _ = scripted(
        json_reply(answer(CALLS)), providers=[row.replace(quirks=Quirks(unsupported=lacking))], default_model="small:x"
    )

    with pytest.raises(FiberCapabilityError):
        fiber.sync.chat("Hi", tools=[WEATHER])
    result = fiber.sync.chat(
        "Hi", tools=[WEATHER], tool_choice="required", parallel_tool_calls=False, emulate_tools=True
    )

    assert len(result.tool_calls) == 2


def test_a_call_can_overrule_the_client() -> None:
    """With False."""
    fiber, transport = scripted(json_reply(answer("A")))

    fiber.with_options(emulate_tools=True).sync.chat("Hi", tools=[WEATHER], emulate_tools=False)

    assert "tools" in transport.requests[0].json()


@pytest.mark.parametrize("tool", [ServerTool("web_search"), Opaque('{"type":"x"}', kind="x")])
def test_other_tools_cannot_be_emulated(tool: Any) -> None:
    """Nothing is sent, whatever the policy."""
    fiber, transport = scripted()

    with pytest.raises(FiberCapabilityError, match="only functions") as caught:
        fiber.sync.chat("Hi", tools=[WEATHER, tool], emulate_tools=True, on_unsupported="drop")

    assert (caught.value.parameter, caught.value.outcome, transport.requests) == ("tools", "not_sent", [])


def test_a_chat_without_tools_is_left_alone() -> None:
    """There is nothing to emulate."""
    chat = Chat(ChatRequest(messages=(ChatMessage.user("Hi"),)), load("openai_chat"))

    assert emulated(chat) is chat
    assert isinstance(
        emulated(Chat(msgspec.structs.replace(chat.request, tools=(WEATHER,)), chat.adapter)), EmulatedTools
    )


@pytest.mark.parametrize(
    ("ids", "turn"),
    [
        ((), "call_1_"),
        (("toolu_1", "call_0_0", "call_10_0_1"), "call_1_"),
        (("call_1_0_1", "call_1_0_2", "call_3_0_1"), "call_2_"),
    ],
)
def test_ids_are_new_to_the_conversation(ids: tuple[str, ...], turn: str) -> None:
    """Whoever made the earlier ones."""
    assert turn_of(tuple(ChatMessage.assistant(tool_calls=[ToolCall(id, "f")]) for id in ids)) == turn


def test_an_error_in_a_whole_answer_carries_its_calls() -> None:
    """What came before it is read too."""
    failed = {"message": {"content": CALLS}, "error": {"message": "no", "code": 503}, "finish_reason": "error"}
    body = msgspec.json.encode(answer(choices=[failed]))
    request = ChatRequest(messages=(ChatMessage.user("Hi"),), tools=(WEATHER,))
    operation = emulated(Chat(request, load("openai_chat")))

    with pytest.raises(FiberOverloadedError) as caught:
        operation.parse(HEAD, body, TARGETS["openai_chat"])

    assert caught.value.partial is not None
    assert len(caught.value.partial.tool_calls) == 2


def test_a_stream_that_breaks_carries_its_calls() -> None:
    """The connection is lost behind a call and inside another."""
    frames = [START, piece(said("weather")), piece(OPEN)]
    fiber, _, watch = watched(sse_reply(*frames, cut=True))

    with pytest.raises(FiberStreamInterruptedError) as caught:
        fiber.sync.chat_stream("Hi", **USED).collect()  # type: ignore[arg-type]

    assert caught.value.partial is not None
    assert caught.value.partial.message.parts == (ToolCall("call_1_0_1", "weather", "{}"), Text(OPEN))
    assert watch.outcomes == ["truncated"]


def test_a_call_in_the_making_feeds_the_timers() -> None:
    """No event tells its pieces, but they are content; silence is none."""
    call = said("weather")
    slow = [frame for at in range(0, len(call), 10) for frame in (2.0, piece(call[at : at + 10]))]
    timeouts = Timeouts(first_event=3, stall=3)
    fiber, _ = scripted(
        sse_reply(START, *slow, FINISH, DONE), sse_reply(START, piece(OPEN), 4.0, FINISH, DONE), timeouts=timeouts
    )

    result = fiber.sync.chat_stream("Hi", **USED).collect()  # type: ignore[arg-type]
    with pytest.raises(FiberTimeoutError) as caught:
        fiber.sync.chat_stream("Hi", **USED).collect()  # type: ignore[arg-type]

    assert len(result.tool_calls) == 1
    assert result.receipt.first_event_seconds == 2.0
    assert caught.value.timer == "stall"
