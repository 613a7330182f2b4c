"""Tests of the faults in what a stream says."""

from __future__ import annotations

import json
import re

import pytest

from fiber.testing.hostile.actions import End
from fiber.testing.view import ChatView
from tests.testing.hostile.wire import FORMATS, NONCE, body, payloads, played

ALL = pytest.mark.parametrize("format", FORMATS)


@ALL
def test_stream_is_cut_in_good_http(format: str) -> None:
    """Half of the events come, and the HTTP message ends well."""
    actions, inside = played("stream-cut", format, stream=True), body(played("stream-cut-inside", format, stream=True))

    assert actions[-1] == End()
    assert body(actions).endswith(b"\n")
    assert b"You " in body(actions)
    assert NONCE.encode() not in body(actions) + inside
    assert not inside.endswith(b"\n")


@ALL
def test_stream_is_empty(format: str) -> None:
    """No event at all."""
    assert body(played("stream-nothing", format, stream=True)) == b""


@pytest.mark.parametrize(("format", "mark"), [("openai_chat", b"[DONE]"), ("anthropic", b"message_stop")])
def test_end_mark(format: str, mark: bytes) -> None:
    """The end mark alone, missing, twice, and before a piece of text."""
    only, none, twice, early = (
        body(played(f"stream-{name}", format, stream=True))
        for name in ("only-mark", "no-mark", "mark-twice", "after-mark")
    )

    assert mark in only
    assert NONCE.encode() not in only
    assert mark not in none
    assert NONCE.encode() in none
    assert len(re.findall(b"data: .*" + mark, twice)) == 2
    assert b"said" in early.rpartition(mark)[2] or b"You" in early.rpartition(mark)[2]


@ALL
@pytest.mark.parametrize("fault", ["stream-error", "stream-error-first", "stream-error-then-mark", "stream-rate-limit"])
def test_error_comes_in_the_stream(fault: str, format: str) -> None:
    """The provider's error stands among the events, with text before it or not."""
    said = body(played(fault, format, stream=True))

    assert b"error" in said
    assert (b"You " in said) is (fault != "stream-error-first")


@ALL
def test_event_is_not_json(format: str) -> None:
    """Text stands where the JSON of an event should be."""
    said = body(played("stream-not-json", format, stream=True))

    assert (b"\nupstream timed out" if format == "ollama" else b"data: upstream timed out") in said
    with pytest.raises(json.JSONDecodeError):
        payloads(said)


def test_usage_stands_in_other_places() -> None:
    """Usage comes with every chunk, or with the last one that has a choice."""
    everywhere = payloads(body(played("usage-everywhere", stream=True)))
    finish = payloads(body(played("usage-in-finish", stream=True)))

    assert all(chunk["usage"] and chunk["choices"] for chunk in everywhere)
    assert [bool(chunk["usage"]) for chunk in finish] == [False] * (len(finish) - 1) + [True]


def test_usage_is_told_to_who_did_not_ask() -> None:
    """A client that did not ask for the usage gets it in the odd place all the same."""
    silent = ChatView(model="mock", stream=True, last_text=NONCE, include_usage=False)
    chunks = payloads(body(played("usage-everywhere", stream=True, view=silent)))

    assert all(chunk["usage"]["total_tokens"] == 8 for chunk in chunks)


@pytest.mark.parametrize("format", ["openai_chat", "openai_responses", "anthropic"])
def test_tool_calls_are_mixed(format: str) -> None:
    """The second call begins before the first one ends, and the events are all there."""
    mixed = body(played("calls-interleaved", format, stream=True))
    found = [match[0] for match in re.finditer(rb'"(?:Par|city|Rom|is"|e")|toolu_mock\d+|call_mock\d+', mixed)]
    ids = [each for each in found if b"mock" in each]

    assert len(dict.fromkeys(ids)) == 2
    assert ids != sorted(ids) or found.index(ids[-1]) < len(found) - 2


@pytest.mark.parametrize("format", ["openai_chat", "openai_responses", "anthropic"])
def test_tool_calls_have_gaps(format: str) -> None:
    """The second call has an index that is not the next one."""
    said = body(played("calls-with-gaps", format, stream=True))

    assert b'index":7' in said
    assert b'index":1' not in said
