"""Tests of the faults of JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber.framing.event_stream import EventStreamDecoder
from fiber.testing.formats.event_stream import event
from fiber.testing.hostile.body import edited
from tests.testing.hostile.wire import FORMATS, NONCE, body, head, payloads, played

BOTH = pytest.mark.parametrize("stream", [False, True])


def values(fault: str, format: str, *, stream: bool) -> list[Any]:
    """Return the JSON values of the answer."""
    said = body(played(fault, format, stream=stream))
    return payloads(said) if stream else [json.loads(said.decode())]


@BOTH
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("fault", ["json-cut", "json-trailing", "json-control", "json-quotes", "json-utf16"])
def test_json_is_broken(fault: str, format: str, *, stream: bool) -> None:
    """A strict reader refuses the body, or one of the events."""
    with pytest.raises(ValueError, match=r"delimiter|Expecting|Extra|control|codec|Invalid|Unterminated"):
        values(fault, format, stream=stream)


@BOTH
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("fault", "raw"),
    [
        ("json-nan", b'"score":NaN'),
        ("json-1e999", b":1e999"),
        ("json-30-digits", b":" + b"1" * 30),
        ("json-deep", b"[" * 100_000 + b"]" * 100_000),
        ("json-lone-surrogate", rb'\ud83d"'),
        ("json-surrogates", rb'\ud83d\udc4b"'),
        ("json-nul", rb'\u0000"'),
        ("json-bom", b"\xef\xbb\xbf"),
        ("json-invalid-utf8", b'\xff"'),
        ("json-duplicate-keys", b'"WRONG",'),
        ("null-content", b":null"),
        ("unknown-fields", b'{"brand_new":[1,{}],'),
        ("unknown-finish", b'"teleported"'),
        ("usage-strings", b'okens":"'),
        ("usage-negative", b":-1"),
        ("usage-huge", b"9" * 20),
    ],
)
def test_bytes_are_there(fault: str, raw: bytes, format: str, *, stream: bool) -> None:
    """The odd bytes stand in whole answers and in streams."""
    if format == "gemini" and fault == "usage-strings":
        raw = b'TokenCount":"'
    if format == "ollama" and fault == "usage-strings":
        raw = b'eval_count":"'

    assert raw in body(played(fault, format, stream=stream))


@BOTH
@pytest.mark.parametrize("format", FORMATS)
def test_usage_is_left_out(format: str, *, stream: bool) -> None:
    """No usage is told at any depth."""
    found = values("usage-never", format, stream=stream)

    assert found
    assert "usage" not in json.dumps(found)
    assert "eval_count" not in json.dumps(found)


@pytest.mark.parametrize("format", FORMATS)
def test_choices_are_missing_or_empty(format: str) -> None:
    """The list of answers is not there, or there is nothing in it."""
    missing, empty = (
        values("missing-choices", format, stream=False)[0],
        values("empty-choices", format, stream=False)[0],
    )

    assert NONCE not in json.dumps([missing, empty])
    assert len(empty) == len(missing) + 1


def test_new_event_is_unknown() -> None:
    """An event of a new type stands between the others."""
    assert b"event: brand_new\n" in body(played("unknown-events", stream=True))


def test_answer_comes_in_another_way() -> None:
    """A stream in the place of JSON, JSON in the place of a stream, and types that are none."""
    assert head(played("json-to-stream", stream=True)).headers["content-type"] == "application/json"
    assert json.loads(body(played("json-to-stream", stream=True)))
    assert head(played("stream-to-plain")).headers["content-type"] == "text/event-stream"
    assert body(played("stream-to-plain")).endswith(b"data: [DONE]\n\n")
    assert head(played("no-type", stream=True)).headers["content-type"] == ""
    assert head(played("text-plain")).headers["content-type"] == "text/plain"


def test_event_in_bytes_is_framed_anew() -> None:
    """Its headers stay, its length and checksums fit what became of its data; there may be several."""
    two = event("contentBlockDelta", b'{"a":1}') + event("messageStop", b"{}")

    changed = EventStreamDecoder().feed(edited(two, lambda data: data + b" and more"))

    assert [payload for _, payload in changed] == [b'{"a":1} and more', b"{} and more"]
    assert [headers[":event-type"] for headers, _ in changed] == ["contentBlockDelta", "messageStop"]
