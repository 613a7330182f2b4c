"""Tests of what the mock server checks and lists: keys, models, paths."""

from __future__ import annotations

import http.client
import json
from contextlib import closing
from typing import Any

import pytest

from fiber.testing import MockServer
from fiber.testing.answers import SPECIAL_WORDS

CHAT = "/v1/chat/completions"
VERSION = {"anthropic-version": "2023-06-01"}


def connect(server: MockServer) -> http.client.HTTPConnection:
    """Open a client of the server."""
    return http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)


def ask(text: str = "Hi", model: str = "gpt-mock", **more: Any) -> dict[str, Any]:
    """Make the body of a chat request."""
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def post(server: MockServer, path: str, body: Any, **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
    """Send one request on a connection of its own."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with closing(connect(server)) as client:
        client.request("POST", path, data, {key.replace("_", "-"): headers[key] for key in headers})
        response = client.getresponse()
        return response, response.read()


@pytest.mark.parametrize(
    ("path", "headers", "status", "word"),
    [
        (CHAT, {"authorization": "Bearer wrong"}, 401, "invalid_api_key"),
        ("/v1/responses", {}, 401, "invalid_api_key"),
        ("/v1/messages", {**VERSION, "x-api-key": "wrong"}, 401, "authentication_error"),
        ("/v1beta/models/m:generateContent", {"x-goog-api-key": "wrong"}, 400, "API_KEY_INVALID"),
    ],
)
def test_wrong_key_is_refused_as_the_provider_does(path: str, headers: dict[str, str], status: int, word: str) -> None:
    """With a key set, another or none is refused in the provider's shape."""
    with MockServer(api_key="sk-right-and-long") as server:
        response, body = post(server, path, ask(), **headers)

    assert response.status == status
    assert word in body.decode()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (CHAT, {"authorization": "Bearer right"}),
        ("/v1/messages", {**VERSION, "x-api-key": "right"}),
        ("/v1/messages", {**VERSION, "authorization": "Bearer right"}),
        ("/v1/models/m:generateContent", {"x-goog-api-key": "right"}),
        ("/v1/models/m:generateContent?key=right", {}),
    ],
)
def test_right_key_is_taken_from_every_place(path: str, headers: dict[str, str]) -> None:
    """The key is found where each provider expects it."""
    body = ask(max_tokens=9, contents=[{"parts": [{"text": "Hi"}]}])
    with MockServer(api_key="right") as server:
        response, _ = post(server, path, body, **headers)

    assert response.status == 200


@pytest.mark.parametrize(
    ("path", "headers", "first"),
    [
        ("/v1/models", {}, "gpt-mock"),
        ("/v1/models", VERSION, "claude-mock"),
        ("/v1/models", {"x-goog-api-key": "k"}, "models/gemini-mock"),
        ("/v1beta/models", {}, "models/gemini-mock"),
        ("/cohere/v1/models", {}, "command-mock"),
        ("/api/tags", {}, "llama-mock"),
    ],
)
def test_models_are_listed_in_the_shape_that_the_headers_ask(
    server: MockServer, path: str, headers: dict[str, str], first: str
) -> None:
    """One path serves three shapes; each special word has a model."""
    with closing(connect(server)) as client:
        client.request("GET", path, headers=headers)
        listed = json.loads(client.getresponse().read())

    rows = listed.get("models") or listed["data"]
    assert (rows[0].get("id") or rows[0]["name"]) == first
    assert len(rows) == 1 + len(SPECIAL_WORDS)


def test_listed_models_can_be_chosen() -> None:
    """The names of models are the user's choice."""
    with MockServer(models=["one"]) as server, closing(connect(server)) as client:
        client.request("GET", "/v1/models")
        assert [row["id"] for row in json.loads(client.getresponse().read())["data"]] == ["one"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/nothing"), ("GET", CHAT)])
def test_unknown_path_is_404(server: MockServer, method: str, path: str) -> None:
    """A path that is nothing gets the provider's 404."""
    with closing(connect(server)) as client:
        client.request(method, path)
        response = client.getresponse()
        assert response.status == 404
        assert json.loads(response.read())["error"]["message"] == f"Invalid URL ({method} {path})"


def test_model_in_the_path_is_decoded(server: MockServer) -> None:
    """A percent-encoded model of Gemini's path comes out as it was meant."""
    body = {"contents": [{"parts": [{"text": "Hi"}]}]}

    response, _ = post(server, "/v1alpha/models/tuned%2Fa%20b:generateContent", body)

    assert response.status == 200
    assert server.requests[0].model == "tuned/a b"
