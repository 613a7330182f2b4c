"""Tool calls in text, in whatever pieces it comes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._emulation.reading import CLOSE, OPEN, UNCLOSED, UNREADABLE, Piece, Reader, read
from fiber.types.content import Opaque, Reasoning, Text, ToolCall
from fiber.types.messages import ChatMessage
from fiber.types.result import ChatResult, Choice
from tests.emulation.samples import said, texts
from tests.strategies import words


def called(name: str, arguments: str, number: int = 1) -> ToolCall:
    """Make the call that a reader finds."""
    return ToolCall(f"c{number}", name, arguments)


def taken(*texts: str) -> tuple[list[Piece], list[str]]:
    """Feed *texts* to a reader; return all pieces, neighbouring texts joined, and the warnings."""
    reader = Reader("c")
    pieces: list[Piece] = []
    for piece in [piece for text in texts for piece in reader.feed(text)] + reader.finish():
        if isinstance(piece, Text) and pieces and isinstance(last := pieces[-1], Text):
            pieces[-1] = Text(last.text + piece.text)
        else:
            pieces.append(piece)
    return pieces, reader.warnings


F = said("f", '{"a": 1.0}')


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("", []),
        ("no call", [Text("no call")]),
        (F, [called("f", '{"a": 1.0}')]),
        (f"Look: {F} Done.", [Text("Look: "), called("f", '{"a": 1.0}'), Text(" Done.")]),
        (F + said("g", "[]"), [called("f", '{"a": 1.0}'), called("g", "[]", 2)]),
        (f'{OPEN}\n{{"name": "f"}}\n{CLOSE}', [called("f", "{}")]),
        (f'{OPEN}{{"arguments": null, "id": 7, "name": "f"}}{CLOSE}', [called("f", "null")]),
        (f"\n{F}\n \n{F}\n", [called("f", '{"a": 1.0}'), called("f", '{"a": 1.0}', 2)]),
        (" \n", [Text(" \n")]),
        ("a < b <tool", [Text("a < b <tool")]),
        (said("f", f'{{"a":"{OPEN}"}}'), [called("f", f'{{"a":"{OPEN}"}}')]),
        (said("f", r'{"a":"<\/tool_call>"}'), [called("f", r'{"a":"<\/tool_call>"}')]),
    ],
)
def test_calls_stand_in_order_with_the_text_around(text: str, pieces: list[Piece]) -> None:
    """Arguments are kept as written; white space alone beside a call is no text."""
    assert taken(text) == (pieces, [])


@pytest.mark.parametrize(
    "text",
    [
        f"{OPEN}none{CLOSE}",
        f"{OPEN}{CLOSE}",
        f"{OPEN}{{bad}}{CLOSE}",
        f'{OPEN}{{"arguments": {{}}}}{CLOSE}',
        f'{OPEN}{{"name": 1}}{CLOSE}',
        f'{OPEN}{{"name": ""}}{CLOSE}',
        f'{OPEN}{{"name": "f", "arguments": {{"a": 1,}}}}{CLOSE}',
        f'{OPEN}{{"name": "f", "arguments": {"[" * 5000}}}{CLOSE}',
        f'{OPEN}{{"name": "\ud800"}}{CLOSE}',
        f" {OPEN}\n```json\n{{}}\n```{CLOSE} ",
    ],
)
def test_what_is_no_readable_call_stays_text(text: str) -> None:
    """All of it, tags included, with a warning."""
    assert taken(text) == ([Text(text)], [UNREADABLE])


@pytest.mark.parametrize("text", [OPEN, f"{OPEN} ", f'{OPEN}{{"name": "f"}}', f"a {OPEN}{{{OPEN}{{</tool"])
def test_a_tag_that_is_not_closed_stays_text(text: str) -> None:
    """With a warning of its own."""
    assert taken(text) == ([Text(text)], [UNCLOSED])


def test_a_call_behind_talk_of_tags_is_read() -> None:
    """Only the tag that begins no call is text."""
    assert taken(f"A {OPEN} is so, or {OPEN}{{so}}: {F}") == (
        [Text(f"A {OPEN} is so, or {OPEN}{{so}}: "), called("f", '{"a": 1.0}')],
        [UNREADABLE],
    )


def test_only_what_may_be_a_call_is_held_back() -> None:
    """The shortest end of the text that could begin one, and white space that stands alone."""
    reader = Reader("c")
    steps = [
        (" ", [], True),
        ("Hello ", [Text(" Hello ")], False),
        ("a<", [Text("a")], True),
        ("b", [Text("<b")], False),
        ("<<tool_", [Text("<")], True),
        ("call>", [], True),
        (" ", [], True),
        ("x", [Text(OPEN), Text(" x")], False),
        (f'{OPEN}{{"name":', [], True),
        (f'"f"}}{CLOSE}', [called("f", "{}")], False),
        ("\n", [], True),
        ("Done", [Text("\nDone")], False),
    ]

    assert [(text, reader.feed(text), reader.holds) for text, _, _ in steps] == steps
    assert reader.finish() == []


@given(data=st.data(), text=texts)
def test_the_cuts_do_not_matter(data: st.DataObject, text: str) -> None:
    """However the text is cut, pieces and warnings are the same."""
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=24)))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]

    assert taken(*parts) == taken(text) == taken(*text)


@given(texts)
def test_nothing_is_lost(text: str) -> None:
    """Calls written again between the texts give the text, but for white space around calls."""
    pieces, _ = taken(text)

    again = "".join(
        piece.text if isinstance(piece, Text) else said(piece.name, piece.arguments_json) for piece in pieces
    )

    assert "".join(again.split()) == "".join(text.split())


@given(st.lists(st.tuples(words, words.map(json.dumps) | st.just("{}")), max_size=4))
def test_calls_that_are_well_written_are_all_read(calls: list[tuple[str, str]]) -> None:
    """Names and arguments come back as they were; a call without a name is none."""
    named = [(name, arguments) for name, arguments in calls if name]

    pieces, warnings = taken(*(said(name, arguments.replace("</", "<\\/")) for name, arguments in named))

    assert [(c.name, json.loads(c.arguments_json)) for c in pieces if isinstance(c, ToolCall)] == [
        (name, json.loads(arguments)) for name, arguments in named
    ]
    assert warnings == []


def test_a_result_without_a_tag_is_kept_as_it_is() -> None:
    """Also what its texts carry of the provider's own."""
    choice = Choice(message=ChatMessage("assistant", (Text(" ", native=Opaque("{}")), Text("a"))), finish_reason="stop")
    result = ChatResult(choices=(choice,), warnings=("w",))

    assert read(result, "t_") == result


def test_every_choice_of_a_result_is_read() -> None:
    """Calls over several texts too; other parts are kept, the reason follows, and warnings are added."""
    thought, other = Reasoning("hm", Opaque("{}")), Opaque("{}")
    native = Opaque("1")
    result = ChatResult(
        choices=(
            Choice(
                message=ChatMessage(
                    "assistant", (thought, Text(f"A{F[:20]}", native=native), other, Text(F[20:] + "B"))
                ),
                finish_reason="stop",
                raw_finish_reason="end_turn",
            ),
            Choice(index=1, message=ChatMessage("assistant", f"{F}{OPEN}"), finish_reason="length"),
            Choice(index=2, message=ChatMessage("assistant", OPEN), finish_reason="stop"),
        ),
        warnings=("w",),
    )

    first, second, third = read(result, "call_1_").choices

    assert first.message.parts == (thought, Text("A"), other, ToolCall("call_1_0_1", "f", '{"a": 1.0}'), Text("B"))
    assert (first.finish_reason, first.raw_finish_reason) == ("tool_calls", "end_turn")
    assert second.message.parts == (ToolCall("call_1_1_1", "f", '{"a": 1.0}'), Text(OPEN))
    assert (second.finish_reason, third.finish_reason, third.text) == ("length", "stop", OPEN)
    assert read(result, "call_1_").warnings == ("w", UNCLOSED, UNCLOSED)
