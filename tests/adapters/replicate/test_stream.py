"""Streams of plain text."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberContentFilterError, FiberError, FiberParsingError, FiberProviderError
from fiber._errors import FiberStreamInterruptedError as Interrupted
from fiber.types.events import MessageEnd, MessageStart, TextDelta
from tests.adapters.replicate.conftest import Tools
from tests.strategies import pieces

FIXTURES = Path(__file__).parents[2] / "fixtures" / "replicate"
CASES = sorted(FIXTURES.iterdir())
DONE = b"event: done\ndata: {}\n\n"

each_case = pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)


@each_case
def test_stream_gives_the_result_of_the_whole_reply(tools: Tools, case: Path) -> None:
    """But for the id and the body, which a stream does not have."""
    whole = tools.parse((case / "response.json").read_bytes().replace(b'"asked"', b'"meta/meta-llama-3-8b-instruct"'))
    decoder, _ = tools.stream((case / "stream.sse").read_bytes())

    assert (decoder.error, decoder.done) == (None, True)
    assert decoder.result() == msgspec.structs.replace(whole, body=b"", response_id=None)


@each_case
@given(data=st.data())
def test_stream_in_any_pieces_is_the_same(case: Path, data: st.DataObject) -> None:
    """Whatever the cuts, byte by byte included."""
    tools, said = Tools(), (case / "stream.sse").read_bytes()
    cuts = data.draw(st.lists(st.integers(0, len(said)), max_size=12))

    whole, events = tools.stream(said)
    cut, same = tools.stream(*pieces(said, cuts))
    drip, drops = tools.stream(*(said[at : at + 1] for at in range(len(said))))

    assert cut.result() == drip.result() == whole.result()
    assert same == drops == events


def test_events_carry_text_as_it_is(tools: Tools) -> None:
    """Line ends and spaces included; what follows the end is not read, and other events say nothing."""
    decoder, events = tools.stream(
        tools.event("output", "a\n\nb"),
        tools.event("logs", "hm"),
        tools.event("", "odd"),
        tools.event("output", " c "),
        DONE + tools.event("output", "late"),
    )

    assert [event.text for event in events if isinstance(event, TextDelta)] == ["a\n\nb", " c "]
    assert isinstance(events[0], MessageStart)
    assert isinstance(events[-1], MessageEnd)
    assert decoder.result().text == "a\n\nb c "


@pytest.mark.parametrize(
    ("end", "kind", "said", "code"),
    [
        (b'event: error\ndata: {"detail": "boom"}\n\n' + DONE, FiberProviderError, "boom", "failed"),
        (b"event: error\ndata: plain boom\n\n", FiberProviderError, "plain boom", "failed"),
        (b'event: error\ndata: {"detail": "flagged as sensitive (E005)"}\n\n', FiberContentFilterError, "flag", "E005"),
        (b'event: done\ndata: {"reason": "error"}\n\n', FiberProviderError, "was failed", "failed"),
        (b'event: done\ndata: {"reason": "canceled"}\n\n', FiberProviderError, "was canceled", "canceled"),
        (b"event: done\ndata: {oops\n\n", FiberParsingError, "cannot be read", None),
        (b"", Interrupted, "before it was complete", None),
        (b'event: done\ndata: {"rea', Interrupted, "before it was complete", None),
    ],
)
def test_stream_that_does_not_end_well_says_so(
    tools: Tools, end: bytes, kind: type[FiberError], said: str, code: str | None
) -> None:
    """With what came until then."""
    decoder, _ = tools.stream(tools.event("output", "Hel"), end)

    assert type(decoder.error) is kind
    assert said in str(decoder.error)
    assert decoder.error.provider_code == code
    assert decoder.error.partial is not None
    assert decoder.error.partial.text == "Hel"
    assert not decoder.done


def test_done_that_is_no_object_is_an_end(tools: Tools) -> None:
    """It gives no reason."""
    decoder, _ = tools.stream(tools.event("output", "Hi"), tools.event("done", "1"))

    assert (decoder.error, decoder.done) == (None, True)
