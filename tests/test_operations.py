"""The operations that calls carry."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import (
    FiberAuthError,
    FiberConnectionError,
    FiberOverloadedError,
    FiberParsingError,
    FiberValidationError,
    RawResponse,
    ResponseFormat,
)
from fiber._chain import Operation
from fiber._operations import Chat, Raw, RawDecoder, adapter_of
from fiber.adapters import load
from fiber.testing.fake import FakeReply, json_reply, lost
from fiber.types import validating
from fiber.types.http import HTTPHead
from fiber.types.target import Target
from tests.kit import KEY, refused, scripted, streamed, whole

TARGET = Target(provider="openai", model="", base_url="https://api.example/v1")
ADAPTER = load("openai_chat")


def raw(method: str = "post", path: str = "/files", **parts: object) -> Raw:
    """Make a raw operation."""
    return Raw(method, path, ADAPTER, **parts)  # type: ignore[arg-type]


def test_raw_request_is_built_from_its_parts() -> None:
    """Method, path below the base URL, query, headers, JSON."""
    request = raw(path="files", json={"a": 1}, headers={"X-A": "b"}, params={"q": "a b"}).build(TARGET, stream=False)

    assert (request.method, request.url) == ("POST", "https://api.example/v1/files?q=a+b")
    assert request.headers == (("X-A", "b"), ("content-type", "application/json"))
    assert request.body == b'{"a":1}'


@pytest.mark.parametrize(("content", "body"), [(b"abc", b"abc"), (None, b"")])
def test_raw_request_takes_bytes_as_they_are(content: bytes | None, body: bytes) -> None:
    """Without JSON there is no content type of ours."""
    request = raw(content=content).build(TARGET, stream=False)

    assert (request.body, request.headers) == (body, ())


@pytest.mark.parametrize(("method", "times"), [("GET", 8), ("head", 8), ("POST", 0), ("DELETE", 0)])
def test_only_reading_is_repeated_when_the_outcome_is_unknown(method: str, times: int) -> None:
    """Repeating what creates something may create it twice: neither here nor in the transport."""
    operation = raw(method)

    assert operation.unknown_retries == times
    assert operation.build(TARGET, stream=False).repeatable is bool(times)


@pytest.mark.parametrize(("method", "attempts"), [("GET", 4), ("POST", 1)])
def test_a_lost_connection_of_a_raw_request_is_repeated_for_reading_only(method: str, attempts: int) -> None:
    """As the operation says."""
    fiber, transport = scripted(*[FiberConnectionError("x", outcome="unknown")] * 4)

    with pytest.raises(FiberConnectionError):
        fiber.sync.request(method, "/x", provider="openai")

    assert len(transport.requests) == attempts


def test_a_rejected_raw_request_is_repeated_for_every_method() -> None:
    """The provider said that it did nothing."""
    fiber, transport = scripted(refused(503, retry_after="0"), json_reply({"ok": True}))

    response = fiber.sync.request("POST", "/x", provider="openai", json={})

    assert response.json() == {"ok": True}
    assert len(transport.requests) == 2


def test_raw_response_is_the_answer_as_it_came() -> None:
    """Status, headers without cookies, body, request id; the key was sent."""
    fiber, transport = scripted(FakeReply(201, {"x-request-id": "r1", "set-cookie": "c"}, (b"ab", b"c")))

    response = fiber.sync.request("PUT", "/x", provider="openai", content=b"1", params={"a": "b"}, headers={"x-y": "z"})

    assert response == RawResponse(status=201, headers={"x-request-id": "r1"}, body=b"abc", request_id="r1")
    sent = transport.requests[0]
    assert (sent.method, sent.url, sent.body) == ("PUT", "https://api.openai.com/v1/x?a=b", b"1")
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.headers["x-y"] == "z"
    assert transport.closed == 1


def test_raw_response_that_is_no_json_says_so() -> None:
    """It is a Fiber error."""
    with pytest.raises(FiberParsingError, match="not JSON"):
        RawResponse(status=200, headers={}, body=b"<html>").json()


def test_raw_request_that_is_no_json_is_a_validation_error() -> None:
    """Before anything is sent."""
    fiber, transport = scripted()

    with pytest.raises(FiberValidationError, match="cannot be written as JSON"):
        fiber.sync.request("POST", "/x", provider="openai", json={"x": object()})

    assert transport.requests == []


def test_a_refused_raw_request_is_typed_like_a_chat() -> None:
    """By status and code."""
    fiber, _ = scripted(refused(401, "invalid_api_key"))

    with pytest.raises(FiberAuthError):
        fiber.sync.request("GET", "/models", provider="openai")


def test_a_raw_stream_gives_the_chunks_as_they_come() -> None:
    """None is empty, and the result has the head."""
    fiber, transport = scripted(FakeReply(200, {"x-request-id": "r1"}, (b"a", b"bc")))
    stream = fiber.sync.request_stream("GET", "/x", provider="openai")

    assert list(stream) == [b"a", b"bc"]
    assert stream.result == RawResponse(status=200, headers={"x-request-id": "r1"}, body=b"", request_id="r1")
    assert transport.closed == 1


def test_a_refused_raw_stream_is_retried_and_typed() -> None:
    """Priming holds for raw streams too."""
    fiber, transport = scripted(*[refused(503, retry_after="0")] * 4)

    with pytest.raises(FiberOverloadedError):
        list(fiber.sync.request_stream("GET", "/x", provider="openai"))

    assert len(transport.requests) == 4


def test_a_raw_stream_lost_before_its_first_byte_is_repeated_for_reading() -> None:
    """Nothing was given out."""
    fiber, _ = scripted(FakeReply(200, {}, (lost(),)), FakeReply(200, {}, (b"a",)))

    assert list(fiber.sync.request_stream("GET", "/x", provider="openai")) == [b"a"]


def test_raw_decoder_is_done_at_the_end_of_the_body() -> None:
    """There is no other marker."""
    decoder = RawDecoder(HTTPHead(200))

    assert decoder.feed(b"x") == [b"x"]
    assert not decoder.done
    assert decoder.finish() == []
    assert decoder.done
    assert decoder.error is None


def test_adapters_are_loaded_by_name_or_taken_as_they_are() -> None:
    """A row may bring its own."""
    assert adapter_of("openai_chat") is ADAPTER
    assert adapter_of(ADAPTER) is ADAPTER


def test_a_redirect_is_an_error_for_every_operation() -> None:
    """A key must not follow it."""
    head = HTTPHead(307, {"location": "http://elsewhere"})

    for operation in (Chat(None, ADAPTER), raw()):  # type: ignore[arg-type]
        assert isinstance(operation.parse_error(head, b"", TARGET), FiberParsingError)


@pytest.mark.parametrize("stream", [False, True])
def test_a_chat_goes_through_the_adapter_of_its_target(stream: bool) -> None:
    """Building, parsing, decoding."""
    fiber, transport = scripted(streamed("Hello") if stream else whole())

    result = fiber.sync.chat_stream("Hi").collect() if stream else fiber.sync.chat("Hi")

    assert result.text == "Hello"
    assert transport.requests[0].json().get("stream", False) is stream
    assert Chat.unknown_retries == 1


def test_a_refused_chat_is_typed_by_the_adapter() -> None:
    """A redirect never gets there."""
    fiber, _ = scripted(refused(401, "invalid_api_key"))

    with pytest.raises(FiberAuthError):
        fiber.sync.chat("Hi")


def test_a_raw_exchange_is_never_repaired() -> None:
    """Nothing was asked of its body."""
    operation: Operation = raw()

    assert operation.repaired(RawResponse(status=200, headers={}, body=b"<html>")) is None


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ("https://user:word@b.example:8443/secret?token=x", "a redirect to https://b.example:8443, which"),
        ("/elsewhere", "a redirect to https://a.example, which"),
        ("http://[::1", "a redirect, which"),
        ("mailto:x", "a redirect, which"),
    ],
)
def test_a_redirect_is_named_by_its_origin(location: str, words: str) -> None:
    """Its path and its password are for nobody's log."""
    raw = Raw("GET", "/x", adapter_of("openai_chat"))
    target = Target(provider="p", model="", base_url="https://a.example/v1")

    error = raw.parse_error(HTTPHead(307, {"location": location}), b"", target)

    assert words in error.message
    assert "word" not in error.message.replace(words, "")


SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}, "size": {"type": "integer"}}}
HERE = pytest.mark.skipif(not validating.is_able(), reason="needs the package jsonschema")


@HERE
def test_answer_to_a_schema_is_held_to_it() -> None:
    """What does not conform is an error with its path and the result; repair shows that to the model."""
    fiber, transport = scripted(whole('{"city": 1}'), whole('{"city": 1}'), whole('{"city": "Rome"}'))

    with pytest.raises(FiberParsingError, match=r"not a JSON value of the schema: at \$\.city: 1 is not") as caught:
        fiber.sync.chat("?", response_format=SCHEMA)
    repaired = fiber.sync.chat("?", response_format=SCHEMA, repair=True)

    assert caught.value.partial is not None
    assert repaired.parsed == {"city": "Rome"}
    assert "at $.city: 1 is not of type 'string'" in transport.requests[-1].json()["messages"][-1]["content"]


@HERE
def test_answer_inside_an_object_is_held_to_the_schema_asked_for() -> None:
    """Not to the one that was sent."""
    fiber, _ = scripted(whole('{"value": [1]}'), whole('{"value": ["x"]}'))
    schema = {"type": "array", "items": {"type": "integer"}}

    assert fiber.sync.chat("?", response_format=schema).parsed == [1]
    with pytest.raises(FiberParsingError, match=r"in its member 'value': at \$\[0\]"):
        fiber.sync.chat("?", response_format=schema)


@HERE
@pytest.mark.parametrize("schema", [{**SCHEMA, "$ref": "https://example.com/x.json"}, SCHEMA], ids=["foreign", "loose"])
def test_answer_is_not_held_to_what_cannot_hold_it(schema: dict[str, Any]) -> None:
    """A schema that cannot be used here, or is not strict, loses no answer."""
    loose = ResponseFormat("json_schema", schema, strict="$ref" in schema)
    fiber, _ = scripted(whole('{"city": 1}'))

    assert fiber.sync.chat("?", response_format=loose, on_unsupported="warn").parsed == {"city": 1}


def test_without_the_extra_an_answer_is_held_to_a_schema_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A strict format is for the provider to hold; whoever names a schema to read with is told what is missing."""
    monkeypatch.setattr(validating, "find_spec", lambda name: None)
    fiber, _ = scripted(whole('{"city": 1, "size": null}'))

    result = fiber.sync.chat("?", response_format=SCHEMA)

    assert result.parsed == {"city": 1}
    with pytest.raises(FiberParsingError, match="pip install"):
        result.json(SCHEMA)


@pytest.mark.parametrize("able", [pytest.param(True, marks=HERE), False])
def test_null_for_an_optional_member_of_a_schema_is_absence(monkeypatch: pytest.MonkeyPatch, able: bool) -> None:
    """Strict mode has it there; the value is as the schema asked for it, and the text as the model said it."""
    if not able:
        monkeypatch.setattr(validating, "find_spec", lambda name: None)
    fiber, _ = scripted(whole('{"city": "Rome", "size": null}'))

    result = fiber.sync.chat("?", response_format=SCHEMA)

    assert result.parsed == {"city": "Rome"}
    assert result.json() == {"city": "Rome", "size": None}
