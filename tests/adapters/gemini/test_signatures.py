"""Thought signatures on their way back to Gemini."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from fiber.adapters.gemini.messages import SKIP_SIGNATURE
from fiber.types.content import Opaque, ToolCall
from fiber.types.messages import ChatMessage

HOST = "generativelanguage.googleapis.com"
user, assistant, tool = ChatMessage.user, ChatMessage.assistant, ChatMessage.tool


def own(value: Any, kind: str = "") -> Opaque:
    """A native that came from here."""
    return Opaque(json.dumps(value), "gemini", HOST, kind)


def parts(body: dict[str, Any], turn: int = -1) -> Any:
    return body["contents"][turn]["parts"]


def signatures(body: dict[str, Any]) -> list[list[Any]]:
    return [
        [part.get("thoughtSignature") for part in content["parts"] if "functionCall" in part]
        for content in body["contents"]
        if content["role"] == "model"
    ]


def history() -> tuple[ChatMessage, ...]:
    calls = [ToolCall("1", "f"), ToolCall("2", "f")]
    results = (tool("1", "x"), tool("2", "y"))
    step = (assistant(tool_calls=calls), *results)
    return (user("old"), *step, assistant("done"), user("new"), *step, *step)


def test_foreign_calls_of_the_current_turn_get_a_stand_in(tools: Any) -> None:
    """On Gemini 3 the first call of each step since the user spoke has a signature, real or not."""
    body = tools.body(*history(), to=tools.target("gemini-4-argon"))

    dummy = [SKIP_SIGNATURE, None]
    assert signatures(body) == [[None, None], [], dummy, dummy]
    assert tools.notes(*history()) == [("warned", "thoughtSignature")]


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "my-tuned-model"])
def test_older_models_need_no_stand_in(tools: Any, model: str) -> None:
    """Only models known to be Gemini 3 or later get one."""
    body = tools.body(*history(), to=tools.target(model))

    assert {value for step in signatures(body) for value in step} == {None}


def test_real_signature_is_not_replaced(tools: Any) -> None:
    """A call that came with a signature keeps it; one that came without gets the stand-in."""
    call = {"functionCall": {"name": "f", "args": {}, "id": "i"}}
    signed = ToolCall("i", "f", native=own({**call, "thoughtSignature": "cw=="}))
    unsigned = ToolCall("i", "f", native=own(call))

    body = tools.body(
        user("q"),
        assistant(tool_calls=[signed]),
        tool("i", "x"),
        assistant(tool_calls=[unsigned]),
        tool("i", "x"),
    )

    assert signatures(body) == [["cw=="], [SKIP_SIGNATURE]]
    assert parts(body, 3) == [{**call, "thoughtSignature": SKIP_SIGNATURE}]


def test_signature_of_another_host_is_not_sent(tools: Any) -> None:
    """Signatures of Vertex are not valid here, so such a call is rebuilt without them."""
    native = Opaque('{"functionCall":{"name":"f","id":"i"},"thoughtSignature":"v"}', "vertex", "aiplatform")
    said = (user("q"), assistant(tool_calls=[ToolCall("i", "f", native=native)]), tool("i", "x"))

    body = tools.body(*said)

    assert signatures(body) == [[SKIP_SIGNATURE]]
    assert "id" not in parts(body)[0]["functionResponse"]


def test_history_survives_a_trip_through_json(tools: Any) -> None:
    """A result's message that was stored and loaded is sent as before."""
    decoder, _ = tools.stream(tools.fixture("parallel_calls", "stream.sse"))
    message = decoder.result().message
    loaded = msgspec.json.decode(msgspec.json.encode(message), type=ChatMessage)

    said = [user("q"), message, *(tool(call.id, "x") for call in message.tool_calls)]

    assert tools.build(*said) == tools.build(said[0], loaded, *said[2:])
