"""Cache hints on the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from fiber.types.content import Document, Image, Opaque, Reasoning, Text, ToolResult
from fiber.types.messages import ChatMessage
from fiber.types.tools import Tool

Body = Callable[..., Any]
Notes = Callable[..., list[str]]

SHORT = {"type": "ephemeral"}
LONG = {"type": "ephemeral", "ttl": "1h"}
system, user, assistant = ChatMessage.system, ChatMessage.user, ChatMessage.assistant


def native(data: str) -> Opaque:
    """A part's own JSON, from the place the tests call."""
    return Opaque(data, "anthropic", "api.anthropic.com")


def marks(body: Any) -> list[Any]:
    """The breakpoints of a body, in wire order; None for blocks without one."""

    def blocks() -> Iterator[Any]:
        yield from body.get("tools", [])
        contents = [body.get("system", []), *(message["content"] for message in body["messages"])]
        for content in contents:
            yield from [] if isinstance(content, str) else content

    return [block.get("cache_control") for block in blocks()]


def test_hint_marks_the_last_block_of_its_item(body: Body) -> None:
    """A hint on a tool, a system prompt, a message or a part is a breakpoint at its end."""
    sent = body(
        system("A", cache_hint="extended"),
        user((Text("a"), Text("b")), cache_hint="ephemeral"),
        assistant("ok"),
        user((Image(url="https://x", cache_hint="ephemeral"), Text("c"))),
        tools=(Tool("f"), Tool("g", cache_hint="extended")),
    )

    assert marks(sent) == [None, LONG, LONG, None, SHORT, SHORT, None]


def test_hint_on_a_result_and_inside_it(body: Body) -> None:
    """A hint on a tool message, or on a part inside a result, marks the result's block."""
    inner = ToolResult("b", (Text("t", cache_hint="extended"), Document(file_id="f")))
    whole = ChatMessage.tool("a", "1", cache_hint="ephemeral")

    sent = body(whole, ChatMessage("tool", (inner,)))["messages"][0]["content"]

    assert [block["cache_control"] for block in sent] == [LONG, LONG]
    assert "cache_control" not in sent[1]["content"][0]


def test_message_hint_falls_on_the_results_when_there_is_nothing_else(body: Body) -> None:
    """The hint of a message of results marks the last of them."""
    message = ChatMessage("tool", (ToolResult("a"), ToolResult("b")), cache_hint="ephemeral")

    assert marks(body(message)) == [None, SHORT]


def test_hint_passes_over_empty_text_and_thinking(body: Body, notes: Notes) -> None:
    """Empty text is not sent, thinking may not be marked; with nothing left the hint is dropped."""
    thought = Reasoning("", native('{"type":"thinking","signature":"s"}'))
    said = assistant((Text("a"), thought, Text("")), cache_hint="ephemeral")
    hidden = assistant((thought,), cache_hint="ephemeral")

    assert marks(body(said, user("x"))) == [SHORT, None]
    assert marks(body(hidden, user("x"))) == [None]
    assert notes(hidden, user("x")) == ["dropped cache_hint"]


def test_sealed_block_can_be_marked(body: Body) -> None:
    """A breakpoint on a sealed block is added to its own JSON."""
    part = Text("t", cache_hint="ephemeral", native=native('{"type":"text","text":"t","x":1.0}'))
    twice = assistant((part,), cache_hint="extended")

    sent = body(twice, user("x"))["messages"][0]["content"]

    assert sent == [{"type": "text", "text": "t", "x": 1.0, "cache_control": LONG}]


def test_only_the_last_four_breakpoints_stay(body: Body, notes: Notes) -> None:
    """The API takes four breakpoints; the earliest in wire order go, with one note."""
    talk = [system("A", cache_hint="ephemeral")]
    talk += [user(f"{n}", cache_hint="ephemeral") for n in range(4)]
    tools = (Tool("f", cache_hint="ephemeral"),)

    assert marks(body(*talk, tools=tools)) == [None, None, SHORT, SHORT, SHORT, SHORT]
    assert notes(*talk, tools=tools) == ["dropped cache_hint"]


def test_an_hour_never_comes_behind_five_minutes(body: Body, notes: Notes) -> None:
    """A 5-minute breakpoint before a 1-hour one becomes a 1-hour one, for it is part of its prefix."""
    talk = (
        system("A", cache_hint="ephemeral"),
        user("b", cache_hint="extended"),
        user("c", cache_hint="ephemeral"),
    )

    assert marks(body(*talk)) == [LONG, LONG, SHORT]
    assert notes(*talk) == ["mapped cache_hint"]
