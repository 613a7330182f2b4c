"""Conversations."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from fiber import (
    ChatMessage,
    Fiber,
    FiberBadRequestError,
    FiberContextLengthError,
    FiberStreamInterruptedError,
    FiberValidationError,
    FileHistories,
    Image,
    MemoryHistories,
    ModelCatalog,
    SQLiteHistories,
    Tool,
)
from fiber.testing.fake import FakeTransport, json_reply, sse_reply
from tests.kit import START, answer, piece, refused, scripted, streamed, whole


def sent(transport: FakeTransport, at: int = -1) -> list[tuple[str, Any]]:
    """Return roles and contents of the messages of a request."""
    return [(message["role"], message.get("content")) for message in transport.requests[at].json()["messages"]]


async def talk(fiber: Fiber, id: str, histories: Any, *, stream: bool) -> list[ChatMessage]:
    """Say two things, each on an object of its own."""
    for words in ("One", "Two"):
        conversation = fiber.conversation(id, system="Be brief.", histories=histories)
        if stream:
            await conversation.stream(words).collect()
        else:
            await conversation.send(words)
    return list(await fiber.conversation(id, histories=histories).history())


def talk_sync(fiber: Fiber, id: str, histories: Any, *, stream: bool) -> list[ChatMessage]:
    """The same, blocking."""
    for words in ("One", "Two"):
        conversation = fiber.sync.conversation(id, system="Be brief.", histories=histories)
        if stream:
            conversation.stream(words).collect()
        else:
            conversation.send(words)
    return list(fiber.sync.conversation(id, histories=histories).load())


WORLDS: dict[str, Callable[..., list[ChatMessage]]] = {
    "asyncio": lambda *given, stream: anyio.run(lambda: talk(*given, stream=stream), backend="asyncio"),
    "trio": lambda *given, stream: anyio.run(lambda: talk(*given, stream=stream), backend="trio"),
    "blocking": talk_sync,
}


@pytest.mark.parametrize("kind", ["memory", "file", "sqlite"])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("world", WORLDS)
def test_a_conversation_goes_on_where_it_was_left(world: str, stream: bool, kind: str, tmp_path: Path) -> None:
    """In each world, whole or streamed, in each store; what was said is sent again, the instructions once."""
    histories = {
        "memory": MemoryHistories,
        "file": lambda: FileHistories(tmp_path),
        "sqlite": lambda: SQLiteHistories(tmp_path / "talks.db"),
    }[kind]()
    reply = streamed if stream else whole
    fiber, transport = scripted(reply("First"), reply("Second"))

    history = WORLDS[world](fiber, "c1", histories, stream=stream)

    words = [("system", "Be brief."), ("user", "One"), ("assistant", "First"), ("user", "Two")]
    assert sent(transport) == words
    assert [(message.role, message.text) for message in history] == [*words, ("assistant", "Second")]


def test_a_conversation_moves_between_providers() -> None:
    """Whoever answers gets all that was said."""
    fiber, transport = scripted(
        whole("First"),
        json_reply({"type": "message", "content": [{"type": "text", "text": "Second"}], "stop_reason": "end_turn"}),
        api_keys={"openai": "k", "anthropic": "k"},
    )
    conversation = fiber.sync.conversation(temperature=None)
    conversation.send("One")
    result = conversation.send("Two", model="anthropic:claude-sonnet-5-5", max_tokens=50)

    assert result.text == "Second"
    assert [role for role, _ in sent(transport)] == ["user", "assistant", "user"]


def test_tools_are_answered_in_it() -> None:
    """The call of the answer, then its result."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    first = json_reply(answer(choices=[{"index": 0, "message": message, "finish_reason": "tool_calls"}]))
    fiber, transport = scripted(first, whole("Done"))
    conversation = fiber.sync.conversation(tools=[Tool("f")])

    result = conversation.send("Go")
    conversation.send(ChatMessage.tool(result.tool_calls[0], "21"))

    assert [role for role, _ in sent(transport)] == ["user", "assistant", "tool"]
    assert len(conversation.history()) == 4


@pytest.mark.parametrize("world", ["whole", "cut", "left"])
def test_nothing_is_kept_of_what_failed(world: str) -> None:
    """The same can be said again."""
    script = [refused(400)] if world == "whole" else [sse_reply(START, piece("Hel"), cut=True)]
    fiber, transport = scripted(*script, whole("Fine"))
    conversation = fiber.sync.conversation()
    if world == "whole":
        with pytest.raises(FiberBadRequestError):
            conversation.send("Hi")
    elif world == "cut":
        with pytest.raises(FiberStreamInterruptedError):
            conversation.stream("Hi").collect()
    else:
        with conversation.stream("Hi") as stream:
            next(stream)
    history = conversation.history()
    conversation.send("Hi")

    assert history == ()
    assert sent(transport) == [("user", "Hi")]


def test_a_stream_that_cannot_begin_leaves_the_conversation_free() -> None:
    """The next one may try."""
    fiber, _ = scripted(refused(400), whole("Fine"))
    conversation = fiber.sync.conversation()
    with pytest.raises(FiberBadRequestError):
        conversation.stream("Hi").collect()

    assert conversation.send("Hi").text == "Fine"


def test_one_call_at_a_time() -> None:
    """A second one would not know what the first is told."""
    fiber, transport = scripted(streamed("A"), whole("B"))
    conversation = fiber.sync.conversation("c1")
    with conversation.stream("One") as stream:
        next(stream)
        with pytest.raises(FiberValidationError, match="one call at a time"):
            conversation.send("Two")

    assert len(transport.requests) == 1
    assert conversation.send("Two").text == "B"


def test_who_was_overtaken_is_told() -> None:
    """Two objects of one conversation: nothing that the other said is lost, and `load` catches up."""
    histories = MemoryHistories()
    fiber, _ = scripted(*(whole(str(number)) for number in range(4)))
    one, two = (fiber.sync.conversation("c1", histories=histories) for _ in range(2))
    one.send("A")
    two.load()
    one.send("B")
    with pytest.raises(FiberValidationError, match="load"):
        two.send("C")
    two.load()
    two.send("C")

    assert [message.text for message in two.history()] == ["A", "0", "B", "1", "C", "3"]


def test_it_can_be_cleared() -> None:
    """Its instructions stay."""
    fiber, transport = scripted(whole(), whole())
    conversation = fiber.sync.conversation(system="Be brief.")
    conversation.send("One")
    conversation.clear()
    conversation.send("Two")

    assert sent(transport) == [("system", "Be brief."), ("user", "Two")]


LONG = "word " * 100


def test_what_does_not_fit_is_not_sent_and_not_lost() -> None:
    """The oldest turns are left out of the request, and the result says so."""
    fiber, transport = scripted(*(whole("ok") for _ in range(4)))
    conversation = fiber.sync.conversation(system="Be brief.", max_input_tokens=350)
    results = [conversation.send(f"{number} {LONG}") for number in range(4)]

    assert [role for role, _ in sent(transport, 2)] == ["system", *("user", "assistant") * 2, "user"]
    assert [text[0] for role, text in sent(transport) if role == "user"] == ["1", "2", "3"]
    assert results[2].warnings == ()
    assert "2 of 8 were left out" in results[3].warnings[0]
    assert len(conversation.history()) == 9
    with pytest.raises(FiberContextLengthError):
        conversation.send("word " * 1000)


def test_a_stream_says_what_was_left_out_too() -> None:
    """Its call is made anew when it is opened, and keeps its notes."""
    fiber, _ = scripted(whole("ok"), streamed("ok"))
    conversation = fiber.sync.conversation(max_input_tokens=200)
    conversation.send(f"1 {LONG}")
    result = conversation.stream(f"2 {LONG}").collect()

    assert "2 of 3 were left out" in result.warnings[0]


def test_what_the_model_reads_is_the_bound_where_none_was_said() -> None:
    """Four fifths of it, for tokens are estimated; a model that is not known has none."""
    catalog = ModelCatalog(overrides={"openai:gpt-test": {"max_input": 300}})
    fiber, transport = scripted(*(whole("ok") for _ in range(6)), catalog=catalog)
    conversation = fiber.sync.conversation()
    for number in range(3):
        conversation.send(f"{number} {LONG}")
    last = sent(transport)
    for number in range(3):
        conversation.send(f"{number} {LONG}", model="openai:unknown")

    assert [role for role, _ in last] == ["user", "assistant", "user"]
    assert len(sent(transport)) == 11


def test_what_is_sent_can_be_chosen() -> None:
    """By a function of messages and tokens; it is asked only when there may be too much."""
    asked: list[int] = []

    def last_two(messages: tuple[ChatMessage, ...], most: int) -> tuple[ChatMessage, ...]:
        asked.append(most)
        return messages[-2:]

    fiber, transport = scripted(*(whole("ok") for _ in range(2)))
    conversation = fiber.sync.conversation(max_input_tokens=100, trim=last_two)
    conversation.send("Hi")
    conversation.send(["word " * 50, "Hi"])

    assert asked == [100]
    assert len(sent(transport)) == 2


def test_pictures_are_counted_before_they_are_sent() -> None:
    """Short text is not counted, anything else is."""
    fiber, _ = scripted(whole())
    conversation = fiber.sync.conversation(max_input_tokens=900)
    with pytest.raises(FiberContextLengthError):
        conversation.send(ChatMessage.user([Image(url="https://x.example/a.png")]))


def test_its_id_reaches_logs_and_never_the_provider(caplog: pytest.LogCaptureFixture) -> None:
    """As a bound field, beside those of the call."""
    caplog.set_level(logging.INFO, "fiber")
    fiber, transport = scripted(whole())
    fiber.sync.conversation("c1", context={"a": 1}).send("Hi", context={"b": 2})

    (record,) = caplog.records
    assert record.__dict__["conversation_id"] == "c1"
    assert record.__dict__["b"] == 2
    assert b"c1" not in transport.requests[0].body


RESPONSE = {"object": "response", "status": "completed", "model": "gpt-test"}


def test_a_provider_may_keep_the_state() -> None:
    """Then only what is new is sent, after the id of the last answer, unless another provider is asked."""

    def said(id: str) -> Any:
        content = [{"type": "output_text", "text": "ok", "annotations": []}]
        item = {"type": "message", "id": f"m_{id}", "role": "assistant", "status": "completed", "content": content}
        return json_reply({**RESPONSE, "id": id, "output": [item]})

    fiber, transport = scripted(said("r1"), said("r2"), whole())
    conversation = fiber.sync.conversation(provider_state=True, model="openai-responses:gpt-test")
    conversation.send("One")
    conversation.send("Two")
    bodies = [request.json() for request in transport.requests]
    conversation.send("Three", model="openai:gpt-test")

    assert [body["store"] for body in bodies] == [True, True]
    assert [body.get("previous_response_id") for body in bodies] == [None, "r1"]
    assert [len(body["input"]) for body in bodies] == [1, 1]
    assert len(sent(transport)) == 5


@pytest.mark.parametrize(
    ("options", "parameter"),
    [({"id": ""}, "id"), ({"id": 3}, "id"), ({"max_input_tokens": 0}, "max_input_tokens")],
)
def test_a_conversation_is_checked_when_it_is_made(options: dict[str, Any], parameter: str) -> None:
    """Its id and its bound; an unknown keyword is a TypeError."""
    fiber, _ = scripted()
    with pytest.raises(FiberValidationError) as caught:
        fiber.conversation(**options)
    with pytest.raises(TypeError, match="tempreature"):
        fiber.conversation(tempreature=1)  # type: ignore[call-arg]

    assert caught.value.parameter == parameter
    with pytest.raises(FiberValidationError, match="forget_text"):
        fiber.conversation().stream("Hi", forget_text=True)


def test_a_conversation_without_a_name_gets_one() -> None:
    """Another each; it is shown."""
    fiber, _ = scripted()
    one, two = fiber.conversation(), fiber.sync.conversation()

    assert len({one.id, two.id}) == 2
    assert repr(one) == f"Conversation({one.id!r})"
    assert repr(two) == f"SyncConversation({two.id!r})"
