"""Tool calls and their results on the way to Gemini."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError, FiberValidationError
from fiber.types.content import (
    Image,
    Opaque,
    Text,
    ToolCall,
    ToolResult,
)
from fiber.types.messages import ChatMessage

PNG = b"\x89PNG\r\n\x1a\n"
HOST = "generativelanguage.googleapis.com"
user, assistant, tool = ChatMessage.user, ChatMessage.assistant, ChatMessage.tool


def own(value: Any, kind: str = "") -> Opaque:
    """A native that came from here."""
    return Opaque(json.dumps(value), "gemini", HOST, kind)


def parts(body: dict[str, Any], turn: int = -1) -> Any:
    return body["contents"][turn]["parts"]


def test_results_stand_together_in_the_order_of_the_calls(tools: Any) -> None:
    """The results of one step are one content, sorted by their calls, with the tools' names."""
    calls = (ToolCall("1", "f", '{"a":1.00}'), ToolCall("2", "g", ""))
    made = tools.build(
        user("q"),
        assistant("ok", tool_calls=calls),
        tool("2", "two"),
        ChatMessage.system("s"),
        tool("1", "one", is_error=True),
        user("go on"),
        to=tools.target("gemini-2.5-flash"),
    )

    assert b'"args":{"a":1.00}' in made.body
    assert json.loads(made.body)["contents"][1:] == [
        {
            "role": "model",
            "parts": [
                {"text": "ok"},
                {"functionCall": {"name": "f", "args": {"a": 1.0}}},
                {"functionCall": {"name": "g", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f", "response": {"error": "one"}}},
                {"functionResponse": {"name": "g", "response": {"output": "two"}}},
            ],
        },
        {"role": "user", "parts": [{"text": "go on"}]},
    ]


def test_results_in_a_user_message_come_first(tools: Any) -> None:
    """Results beside text in one message are a content before it."""
    said = user((Text("and"), ToolResult("1", "x")))

    body = tools.body(user("q"), assistant(tool_calls=[ToolCall("1", "f")]), said)

    assert "functionResponse" in parts(body, -2)[0]
    assert parts(body) == [{"text": "and"}]


def test_id_is_sent_only_when_it_came_from_here(tools: Any) -> None:
    """The provider's id goes back on both sides; ids of ours and of others do not."""
    native = own({"functionCall": {"name": "f", "args": {}, "id": "fc-1"}})
    calls = (ToolCall("fc-1", "f", native=native), ToolCall("call_0_1", "g"))

    body = tools.body(user("q"), assistant(tool_calls=calls), tool("fc-1", "x"), tool("call_0_1", "y"))

    responses = [part["functionResponse"] for part in parts(body)]
    assert [response.get("id") for response in responses] == ["fc-1", None]


def test_same_made_up_id_in_two_turns_is_told_apart(tools: Any) -> None:
    """Ids of ours repeat from turn to turn, so a result belongs to the nearest call before it."""
    body = tools.body(
        user("q"),
        assistant(tool_calls=[ToolCall("call_0_0", "f")]),
        tool("call_0_0", "x"),
        assistant(tool_calls=[ToolCall("call_0_0", "g")]),
        tool("call_0_0", "y"),
    )

    names = [parts(body, n)[0]["functionResponse"]["name"] for n in (2, 4)]
    assert names == ["f", "g"]


def test_result_without_call_needs_a_name(tools: Any) -> None:
    """A result whose call is not in the history is sent by its own name, or refused."""
    with pytest.raises(FiberValidationError, match=r"ToolResult\.name"):
        tools.build(user("q"), tool("1", "x"))

    body = tools.body(user("q"), tool("1", "x", name="f"))
    assert parts(body)[0]["functionResponse"]["name"] == "f"


def test_own_form_of_a_result_is_sent_as_it_is(tools: Any) -> None:
    """A result with a native goes out unchanged."""
    native = own({"functionResponse": {"name": "f", "response": {"a": 1}}})
    said = ChatMessage("tool", (ToolResult("1", "x", native=native),))

    assert parts(tools.body(user("q"), said)) == [native.value()]


def test_tool_message_holds_results(tools: Any) -> None:
    """Anything else in a tool message is a mistake of the caller."""
    with pytest.raises(FiberValidationError):
        tools.build(user("q"), ChatMessage("tool", (Text("a"),)))


@pytest.mark.parametrize("arguments", ["{oops", "[1]", '"a"'])
def test_arguments_that_are_no_object_are_wrapped(tools: Any, arguments: str) -> None:
    """What is no JSON object is kept as text inside one, with a note."""
    said = (user("q"), assistant(tool_calls=[ToolCall("1", "f", arguments)]), tool("1", "no"))

    assert tools.body(*said)["contents"][1]["parts"][0]["functionCall"]["args"] == {"_invalid_json": arguments}
    assert ("mapped", "tool_calls") in tools.notes(*said)


def test_media_in_results_are_parts(tools: Any) -> None:
    """Pictures in a result go inline beside the text, opaque parts as they are."""
    content = (Text("see "), Image(data=PNG), Text("this"), own({"x": 1}), Opaque("{}", "openai"))
    said = (user("q"), tool("1", content, name="f"))

    response = parts(tools.body(*said))[0]["functionResponse"]

    assert response["response"] == {"output": "see this"}
    assert response["parts"] == [
        {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}},
        {"x": 1},
    ]
    assert [kind for kind, _ in tools.notes(*said)] == ["dropped"]


@pytest.mark.parametrize(
    ("model", "part"),
    [
        ("gemini-2.5-flash", Image(data=PNG)),
        ("gemini-3-flash", Image(url="https://a.example/x.png")),
    ],
)
def test_media_in_results_that_cannot_be_sent_are_refused(tools: Any, model: str, part: Image) -> None:
    """Media in results need Gemini 3, and bytes."""
    fields = {"to": tools.target(model)}
    said = (user("q"), tool("1", (part,), name="f"))

    with pytest.raises(FiberCapabilityError):
        tools.build(*said, **fields)

    body = tools.body(*said, **fields, on_unsupported="drop")
    assert "parts" not in parts(body)[0]["functionResponse"]
