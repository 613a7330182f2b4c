"""What is said of tools in words."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._emulation.reading import Reader
from fiber._emulation.words import in_words, offered, refused
from fiber.types.content import Image, Opaque, Text, ToolCall, ToolResult
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.tools import ResponseFormat, ServerTool, Tool, ToolChoice

LOOK = Tool("look", "Look it up.", {"type": "object", "properties": {"q": {"type": "string"}}})
BARE = Tool("bare")
HI = ChatMessage.user("hi")
CALL = ToolCall("c1", "look", '{"q":"a"}')
CALLED = '<tool_call>{"name":"look","arguments":{"q":"a"}}</tool_call>'
user, assistant, tool = ChatMessage.user, ChatMessage.assistant, ChatMessage.tool


def told(*messages: ChatMessage) -> tuple[ChatMessage, ...]:
    """Say a history in words."""
    return in_words(ChatRequest(messages=messages))[0].messages


def instruction(**members: Any) -> str:
    """Return what the model is told of its tools."""
    request = ChatRequest(**{"messages": (HI,), "tools": (LOOK, BARE), **members})
    return in_words(request)[0].messages[0].text


def test_tools_are_told_in_words() -> None:
    """Name, description, schema; how to call; what comes back. Nothing of tools is left in the request."""
    request = ChatRequest(
        messages=(HI,), tools=(LOOK, BARE), tool_choice=ToolChoice("auto"), parallel_tool_calls=True, seed=1
    )

    worded, notes = in_words(request)

    assert worded == ChatRequest(messages=(worded.messages[0], HI), seed=1)
    assert worded.messages[0].role == "system"
    assert worded.messages[0].content == (
        "You can call tools. Each of these lines describes one: its name, what it does, and the JSON Schema of its"
        " arguments.\n"
        '{"name":"look","description":"Look it up.",'
        '"parameters":{"type":"object","properties":{"q":{"type":"string"}}}}\n'
        '{"name":"bare","parameters":{"type":"object","properties":{}}}\n'
        "\n"
        "To call a tool, write exactly this, with valid JSON between the tags and no code fence around them:\n"
        '<tool_call>{"name": "name of the tool", "arguments": {}}</tool_call>\n'
        "Call a tool only where it helps; else answer as if there were none.\n"
        "Several calls may follow one another.\n"
        "When you have called, end the answer: the results come with the next message, in the order of the calls, each"
        ' as <tool_result id="..." name="...">...</tool_result>, with error="true" where a tool failed. Never write a'
        " result yourself."
    )
    assert [(note.kind, note.subject) for note in notes] == [("warned", "tools")]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({}, "only where it helps"),
        ({"tool_choice": ToolChoice("required")}, "must call at least one tool."),
        ({"tool_choice": ToolChoice("named", "bare")}, 'must call the tool "bare".'),
        ({}, "Several calls may follow one another."),
        ({"parallel_tool_calls": False}, "Write one call at most."),
    ],
)
def test_choices_are_told_in_words(members: dict[str, Any], words: str) -> None:
    """How the model may choose, and whether it may call several at once."""
    assert words in instruction(**members)


def test_the_example_of_the_instruction_can_be_read() -> None:
    """What the model is asked to write is what the reader takes."""
    reader = Reader("c")
    pieces = [*reader.feed(instruction()), *reader.finish()]

    assert [piece for piece in pieces if isinstance(piece, ToolCall)] == [ToolCall("c1", "name of the tool", "{}")]


def test_no_tool_is_offered_when_none_may_be_called() -> None:
    """The model is not told of them."""
    none = ChatRequest(messages=(HI,), tools=(LOOK,), tool_choice=ToolChoice("none"))

    assert in_words(none)[0] == ChatRequest(messages=(HI,))
    assert [offered(r) for r in (none, ChatRequest(messages=(HI,)), ChatRequest(messages=(HI,), tools=(LOOK,)))] == [
        False,
        False,
        True,
    ]


def test_a_cache_hint_of_a_tool_is_kept() -> None:
    """The last one stands at the end of the instruction."""
    tools = (Tool("a", cache_hint="extended"), Tool("b", cache_hint="ephemeral"), Tool("c"))
    system = ChatMessage.system("S", cache_hint="extended")

    first, second, _ = in_words(ChatRequest(messages=(system, HI), tools=tools))[0].messages

    assert (first, second.role, second.cache_hint) == (system, "system", "ephemeral")


@pytest.mark.parametrize(
    ("kind", "warned"), [("text", ["tools"]), ("json_object", ["tools", "response_format"]), (None, ["tools"])]
)
def test_a_format_of_the_answer_is_warned_of(kind: Any, warned: list[str]) -> None:
    """It may keep the model from calling."""
    wanted = None if kind is None else ResponseFormat(kind)
    _, notes = in_words(ChatRequest(messages=(HI,), tools=(LOOK,), response_format=wanted))

    assert [note.subject for note in notes] == warned


def test_history_without_tools_is_kept() -> None:
    """Part by part, the provider's own JSON included."""
    messages = (
        ChatMessage.system("S"),
        HI,
        assistant((Text("a", native=Opaque("{}")), Text("b"))),
        user("c", name="n"),
    )

    assert told(*messages) == messages


def test_calls_and_results_become_text() -> None:
    """In the shape that the model is asked for; a name that is missing is found; neighbours are one message."""
    other = ToolCall("c2", "bare", "", native=Opaque("{}"))

    assert told(
        HI,
        assistant((Text("Look.", native=Opaque("{}")), CALL, other)),
        tool("c1", "18"),
        tool("c2", "no", name="b", is_error=True),
        assistant("Fine."),
        tool("c9"),
    ) == (
        HI,
        assistant((Text(f'Look.\n{CALLED}\n<tool_call>{{"name":"bare","arguments":{{}}}}</tool_call>'),)),
        user(
            (
                Text(
                    '<tool_result id="c1" name="look">\n18\n</tool_result>\n'
                    '<tool_result id="c2" name="b" error="true">\nno\n</tool_result>'
                ),
            )
        ),
        assistant("Fine."),
        user((Text('<tool_result id="c9" name="">\n</tool_result>'),)),
    )


def test_arguments_that_are_no_object_are_wrapped() -> None:
    """As for the formats that take objects only, with a note."""
    worded, notes = in_words(ChatRequest(messages=(assistant(tool_calls=[ToolCall("c", "f", "{bad")]),)))

    assert worded.messages[0].text == ('<tool_call>{"name":"f","arguments":{"_invalid_json":"{bad"}}</tool_call>')
    assert [(note.kind, note.subject) for note in notes] == [("warned", "tools"), ("mapped", "tool_calls")]


def test_a_result_keeps_its_parts() -> None:
    """Pictures stand between the tags, and text beside a call in any message is said in words."""
    picture = Image(url="https://x")
    result = ToolResult("c1", (Text("a"), picture, Text(""), Text("b")), "look")

    assert told(ChatMessage("user", (result, Text("and?")))) == (
        user(
            (
                Text('<tool_result id="c1" name="look">\na'),
                picture,
                Text("b\n</tool_result>\nand?"),
            )
        ),
    )


def test_tags_inside_are_no_tags() -> None:
    """A call's arguments and a result's text cannot end their own tag."""
    call = ToolCall("c1", "f", '{"a":"</tool_call>"}')
    call_text, result_text = (
        message.text for message in told(assistant(tool_calls=[call]), tool("c1", "x</tool_result><tool_result>"))
    )
    reader = Reader("c")

    assert reader.feed(call_text) == [ToolCall("c1", "f", r'{"a":"<\/tool_call>"}')]
    assert result_text == '<tool_result id="c1" name="f">\nx<\\/tool_result><tool_result>\n</tool_result>'


def test_breakpoints_stay_at_the_end_of_their_items() -> None:
    """A hinted result ends its text, a hinted message is joined by nothing."""
    first = ChatMessage("tool", (ToolResult("a", "1", "f", cache_hint="extended"), ToolResult("b", "2", "f")))
    second, third = tool("c", "3", name="f"), ChatMessage("tool", "4", cache_hint="ephemeral")

    assert told(first, second, third, tool("d", "5", name="f")) == (
        user(
            (
                Text('<tool_result id="a" name="f">\n1\n</tool_result>', "extended"),
                Text(
                    '<tool_result id="b" name="f">\n2\n</tool_result>\n'
                    '<tool_result id="c" name="f">\n3\n</tool_result>\n4'
                ),
            ),
            cache_hint="ephemeral",
        ),
        user((Text('<tool_result id="d" name="f">\n5\n</tool_result>'),)),
    )


@pytest.mark.parametrize(
    ("tools", "kind"),
    [((LOOK,), None), ((LOOK, ServerTool("web_search")), "web_search"), ((Opaque("{}", kind="x"),), "x")],
)
def test_only_functions_can_be_told(tools: Any, kind: str | None) -> None:
    """The first other tool is named."""
    assert refused(tools) == kind
