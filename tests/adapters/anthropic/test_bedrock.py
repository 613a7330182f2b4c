"""Messages inside of Amazon Bedrock's `InvokeModel`."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fiber._errors import FiberCapabilityError, FiberModelNotFoundError, FiberOverloadedError, FiberRateLimitError
from fiber.adapters.anthropic import ADAPTER
from fiber.framing.sse import SSEDecoder
from fiber.testing.formats.event_stream import event, exception
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Quirks, Target
from fiber.types.tools import Tool

FIXTURES = Path(__file__).parents[2] / "fixtures" / "anthropic"
HOST = "https://bedrock-runtime.us-east-1.amazonaws.com"
TARGET = Target(
    provider="bedrock-anthropic",
    model="us.anthropic.claude-sonnet-4-6-v1:0",
    base_url=HOST,
    quirks=Quirks(platform="bedrock", api_version="bedrock-2023-05-31"),
)
STREAM = HTTPHead(200, {"content-type": "application/vnd.amazon.eventstream"})


def ask(*, stream: bool = False, target: Target = TARGET, **parameters: Any) -> HTTPRequest:
    """Build a request."""
    request = ChatRequest(messages=(ChatMessage.user("Hi"),), max_tokens=9, **parameters)
    return ADAPTER.build_request(request, target, stream=stream)


@pytest.mark.parametrize(("stream", "verb"), [(False, "invoke"), (True, "invoke-with-response-stream")])
def test_letter_is_put_into_the_envelope(stream: bool, verb: str) -> None:
    """The model stands in the path and the version in the body, and nothing of it elsewhere."""
    request = ask(stream=stream, temperature=0.5)

    headers = dict(request.headers)
    assert request.url == f"{HOST}/model/us.anthropic.claude-sonnet-4-6-v1%3A0/{verb}"
    assert msgspec.json.decode(request.body) == {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 9,
        "messages": [{"role": "user", "content": "Hi"}],
        "temperature": 0.5,
    }
    assert headers["accept"] == ("application/vnd.amazon.eventstream" if stream else "application/json")
    assert "anthropic-version" not in headers


def test_headers_of_the_api_move_into_the_body() -> None:
    """Beta features, another version and the service tier are said as Bedrock wants them."""
    request = ask(
        extra_headers={"Anthropic-Beta": "a-1, b-2,", "anthropic-version": "2026-10-21", "X-Own": "1"},
        service_tier="flex",
    )

    body, headers = msgspec.json.decode(request.body), dict(request.headers)
    assert body["anthropic_beta"] == ["a-1", "b-2"]
    assert body["anthropic_version"] == "2026-10-21"
    assert "service_tier" not in body
    assert headers["x-amzn-bedrock-service-tier"] == "flex"
    assert headers["x-own"] == "1"
    assert not {"anthropic-beta", "Anthropic-Beta", "anthropic-version"} & headers.keys()


def test_version_decides_about_sampling_as_elsewhere() -> None:
    """The old version samples, the new one does not."""
    new = msgspec.structs.replace(TARGET, quirks=Quirks(platform="bedrock", api_version="2026-10-21"))

    with pytest.raises(FiberCapabilityError, match="temperature"):
        ask(target=new, temperature=0.5)

    assert b'"tools"' in ask(tools=(Tool("look"),)).body


@pytest.mark.parametrize("case", ["thinking_and_tools", "utf8_split_in_delta", "web_search_citations"])
def test_stream_in_chunks_is_the_stream(case: str) -> None:
    """Anthropic's events in an event stream say what they say as server-sent events."""
    data = (FIXTURES / case / "stream.sse").read_bytes()
    plain, packed = ADAPTER.stream_decoder(HTTPHead(200), TARGET), ADAPTER.stream_decoder(STREAM, TARGET)
    plain.feed(data)
    frames = SSEDecoder().feed(data)

    for frame in frames:
        payload = {"bytes": base64.b64encode(frame.data).decode(), "p": "abc"}
        packed.feed(event("chunk", msgspec.json.encode(payload)))

    assert packed.done
    assert packed.error is None
    expected = msgspec.structs.replace(plain.result(), headers={})
    assert msgspec.structs.replace(packed.result(), headers={}) == expected


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("throttlingException", FiberRateLimitError), ("serviceUnavailableException", FiberOverloadedError)],
)
def test_exception_in_a_stream_has_its_class(kind: str, expected: type[Exception]) -> None:
    """Bedrock's own exceptions are its own, not Anthropic's."""
    decoder = ADAPTER.stream_decoder(STREAM, TARGET)

    decoder.feed(exception(kind, b'{"message":"No."}'))

    assert type(decoder.error) is expected


def test_error_of_bedrock_has_its_class() -> None:
    """The header tells whose error it is."""
    head = HTTPHead(400, {"x-amzn-errortype": "ValidationException:"})

    error = ADAPTER.parse_error(head, b'{"message":"The provided model identifier is invalid."}', TARGET)

    assert type(error) is FiberModelNotFoundError
    assert error.provider_code == "ValidationException"
