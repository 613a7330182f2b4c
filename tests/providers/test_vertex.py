"""Vertex AI: places, paths, and what Claude's body is like there."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import Fiber, FiberAuthError, FiberCapabilityError
from fiber.providers.vertex import VERTEX, VERTEX_ROWS, with_host
from fiber.testing import FakeTransport, MockServer, json_reply
from tests.kit import answer

TOKEN = "ya29.a0-token-of-nobody"
PROJECT = "https://us-central1-aiplatform.googleapis.com/v1/projects/p/locations/us-central1"


def client(*script: Any, key: Any = TOKEN) -> tuple[Fiber, FakeTransport]:
    """Make a client in one project over *script*."""
    transport = FakeTransport(*script)
    rows = [row.at(project="p", location="us-central1") for row in VERTEX_ROWS]
    return Fiber(providers=rows, api_keys={"vertex": key}, transport=transport), transport


@pytest.mark.parametrize(
    ("location", "host"),
    [
        (None, "aiplatform.googleapis.com"),
        ("global", "aiplatform.googleapis.com"),
        ("us", "aiplatform.us.rep.googleapis.com"),
        ("eu", "aiplatform.eu.rep.googleapis.com"),
        ("europe-west4", "europe-west4-aiplatform.googleapis.com"),
    ],
)
def test_host_follows_from_the_location(location: str | None, host: str) -> None:
    """The global one has no prefix, and several regions together have a host of another kind."""
    words = {"project": "p"} if location is None else {"project": "p", "location": location}

    assert with_host(words) == {"project": "p", "location": location or "global", "host": host}
    assert VERTEX.at(**words).base_url.startswith(f"https://{host}/v1/projects/p/locations/{location or 'global'}/")


def test_gemini_is_at_its_publisher() -> None:
    """With the method in the path, the token as a bearer, and metadata as labels."""
    reply = {"candidates": [{"content": {"parts": [{"text": "Hello"}], "role": "model"}, "finishReason": "STOP"}]}
    fiber, transport = client(json_reply(reply))

    fiber.sync.chat("Hi", model="vertex:gemini-3.8-flash", metadata={"team": "a"})

    request = transport.requests[0]
    assert request.json()["labels"] == {"team": "a"}
    assert request.url == f"{PROJECT}/publishers/google/models/gemini-3.8-flash:generateContent"
    assert request.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("version", "options"),
    [("2026-10-21", {}), ("vertex-2023-10-16", {"extra_headers": {"anthropic-version": "vertex-2023-10-16"}})],
)
def test_claude_has_its_version_in_the_body(version: str, options: dict[str, Any]) -> None:
    """No model there, for it stands in the path; the message is Anthropic's otherwise."""
    reply = {"id": "m", "type": "message", "role": "assistant", "content": [], "stop_reason": "end_turn", "usage": {}}
    fiber, transport = client(json_reply(reply))

    fiber.sync.chat("Hi", model="vertex-anthropic:claude-sonnet-4-5@20250929", max_tokens=9, **options)

    request = transport.requests[0]
    assert request.url == f"{PROJECT}/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict"
    assert request.json().keys() == {"anthropic_version", "messages", "max_tokens"}
    assert request.json()["anthropic_version"] == version
    assert request.headers.get("anthropic-version") == options.get("extra_headers", {}).get("anthropic-version")


def test_claude_streams_by_another_method() -> None:
    """And says so in the body too."""
    with MockServer() as server:
        path = VERTEX_ROWS[1].at(project="p", location="eu").base_url.partition("/v1")
        row = VERTEX_ROWS[1].replace(base_url=f"{server.url}/v1{path[2]}")
        fiber = Fiber(providers=[row], api_keys={"vertex-anthropic": TOKEN})
        with fiber.sync.chat_stream("hello", model="vertex-anthropic:claude;x", max_tokens=9) as stream:
            result = stream.collect()
        fiber.sync.close()

    request = server.requests[0]
    assert result.text == "You said: hello"
    assert request.path.endswith("/publishers/anthropic/models/claude%3Bx:streamRawPredict")
    assert request.json is not None
    assert request.json["stream"] is True


def test_models_of_many_are_behind_the_openai_format() -> None:
    """With the publisher before the model's name."""
    fiber, transport = client(json_reply(answer()))

    fiber.sync.chat("Hi", model="vertex-openai:google/gemini-3.8-flash", max_tokens=5)

    request = transport.requests[0]
    assert request.url == f"{PROJECT}/endpoints/openapi/chat/completions"
    assert (request.json()["model"], request.json()["max_tokens"]) == ("google/gemini-3.8-flash", 5)


def test_token_may_be_asked_for_at_every_call() -> None:
    """A callable keeps it fresh, and serves all three rows."""
    tokens = iter(["t-1", "t-2"])
    fiber, transport = client(json_reply(answer()), json_reply(answer()), key=lambda: next(tokens))

    for _ in range(2):
        fiber.sync.chat("Hi", model="vertex-openai:google/m")

    assert [request.headers["authorization"] for request in transport.requests] == ["Bearer t-1", "Bearer t-2"]


def test_token_is_needed() -> None:
    """The error names the variable."""
    fiber, _ = client(key=lambda: "")

    with pytest.raises(FiberAuthError, match="VERTEX_ACCESS_TOKEN"):
        fiber.sync.chat("Hi", model="vertex:gemini-3.8-flash")


@pytest.mark.parametrize("option", [{"store": True}, {"service_tier": "flex"}])
def test_what_only_the_other_api_has_is_refused(option: dict[str, Any]) -> None:
    """Vertex has no stored answers, and tiers in headers."""
    fiber, _ = client()

    with pytest.raises(FiberCapabilityError, match="Vertex AI"):
        fiber.sync.chat("Hi", model="vertex:gemini-3.8-flash", **option)
