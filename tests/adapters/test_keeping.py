"""What a stream keeps for its result."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters import load
from fiber.adapters.keeping import MAX_STREAM_BYTES, pack, text_bytes, token_bytes, too_much
from fiber.types.http import HTTPHead
from fiber.types.result import TokenLogprob
from fiber.types.target import Target


@given(st.lists(st.text(max_size=3)), st.lists(st.text(max_size=3), min_size=1))
def test_packing_joins_what_is_new(old: list[str], new: list[str]) -> None:
    """What was packed before stays as it is, the rest becomes one piece, and the text stays the same."""
    pieces = old + new

    count = pack(pieces, len(old))

    assert (pieces, count) == ([*old, "".join(new)], len(pieces))


def test_text_takes_what_its_copies_take() -> None:
    """Every character counts for all its copies, and more when one of the text is outside of ASCII."""
    assert text_bytes("", 0) == 0
    assert text_bytes("abcd", 2) == 2 * 64 + 4 * 4
    assert text_bytes("abc\u00e4", 2) == 2 * 64 + 4 * 12


def test_text_may_have_16_mib() -> None:
    """The limit is one of memory: a quarter of it is what the text itself may have."""
    assert MAX_STREAM_BYTES == 64 * 2**20
    assert text_bytes("x" * 2**24, 0) == MAX_STREAM_BYTES


@pytest.mark.parametrize("alternatives", [0, 5])
def test_alternatives_of_a_token_count(alternatives: int) -> None:
    """A token takes as much as each of its alternatives."""
    token = TokenLogprob("a", -1.0, top=(TokenLogprob("b", -2.0),) * alternatives)

    assert token_bytes(token) == 256 * (1 + alternatives)


def test_too_much_is_final() -> None:
    """The error says how much it may be, and asking again would bring as much."""
    error = too_much()

    assert str(MAX_STREAM_BYTES) in error.message
    assert (error.is_retryable, error.outcome) == (False, "unknown")


@pytest.mark.parametrize(
    ("adapter", "begin", "more"),
    [
        ("openai_chat", "", '{"choices":[{"index":0,"delta":{"content":"%s"}}]}'),
        (
            "openai_responses",
            "",
            '{"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"%s"}',
        ),
        (
            "anthropic",
            '{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}',
            '{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"%s"}}',
        ),
        ("gemini", "", '{"candidates":[{"content":{"parts":[{"text":"%s"}]}}]}'),
    ],
)
def test_every_format_holds_to_the_limit(adapter: str, begin: str, more: str) -> None:
    """Whatever the format, good events without end become an error with what came."""
    target = Target(provider="acme", model="m", base_url="https://acme.test")
    decoder = load(adapter).stream_decoder(HTTPHead(200, {"content-type": "text/event-stream"}), target)
    frame = b"data: " + (more % ("x" * 250_000)).encode() + b"\n\n"

    decoder.feed(f"data: {begin}\n\n".encode())
    count = 0
    while decoder.error is None and count < 100:
        decoder.feed(frame)
        count += 1

    assert decoder.error is not None
    assert "adds up" in decoder.error.message
    assert decoder.error.partial is not None
    assert len(decoder.error.partial.text) == count * 250_000 > 2**24
