"""Tests of the mock's failures, and of the requests that it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber.testing import Failure
from fiber.testing.formats import FORMATS
from fiber.testing.formats.common import Asked
from fiber.testing.script import KINDS, RefusedError
from fiber.testing.view import ChatView

VIEW = ChatView(model="m", stream=True)


def read(format: str, body: dict[str, Any], **more: Any) -> ChatView:
    """Read a request in a format, with the header that Anthropic wants."""
    headers = {"anthropic-version": "1", **more.pop("headers", {})}
    return FORMATS[format].read(Asked(body, headers, **more))


def question(format: str, said: str, /, **more: Any) -> dict[str, Any]:
    """Make the smallest request of a format."""
    message = {"role": "user", "content": said}
    match format:
        case "openai_chat" | "cohere":
            return {"model": "m", "messages": [message], **more}
        case "openai_responses":
            return {"model": "m", "input": [message], **more}
        case "ollama":
            return {"model": "m", "stream": False, "messages": [message], **more}
        case "anthropic":
            return {"model": "m", "max_tokens": 99, "messages": [message], **more}
        case _:
            return {"contents": [{"role": "user", "parts": [{"text": said}]}], **more}


EXPECTED = {
    # Kind -> status in each format, and words that Anthropic's and Gemini's bodies must hold.
    "bad_request": (400, 400, 400, 400, 400, 400, "invalid_request_error", "INVALID_ARGUMENT"),
    "bad_key": (401, 401, 401, 400, 401, 401, "authentication_error", "API_KEY_INVALID"),
    "permission": (403, 403, 403, 403, 403, 403, "permission_error", "PERMISSION_DENIED"),
    "model_not_found": (404, 400, 404, 404, 404, 404, "not_found_error", "NOT_FOUND"),
    "context_length": (400, 400, 400, 400, 400, 400, "prompt is too long", "input token count"),
    "content_filter": (400, 400, 400, 400, 498, 400, "content filtering", "INVALID_ARGUMENT"),
    "rate_limit": (429, 429, 429, 429, 429, 429, "rate_limit_error", "PerMinute"),
    "quota": (429, 429, 429, 429, 429, 402, "enforced_spend_limit_reached", "PerDay"),
    "server_error": (500, 500, 500, 500, 500, 500, "api_error", "INTERNAL"),
    "overloaded": (503, 503, 529, 503, 503, 503, "overloaded_error", "UNAVAILABLE"),
}


TOLD_IN_THE_BODY = {
    name: FORMATS[name] for name in ("openai_chat", "openai_responses", "anthropic", "gemini", "cohere", "ollama")
}
"""Formats whose errors are told by their body; Bedrock's are told by a header."""


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_failures_have_each_providers_status_and_words(kind: str) -> None:
    """Every known failure has its true status and code in every format."""
    *statuses, anthropic, gemini = EXPECTED[kind]

    refusals = [format.error(Failure(code=kind), "m", "sk-0123456789") for format in TOLD_IN_THE_BODY.values()]

    assert [refusal.status for refusal in refusals] == statuses
    assert set(json.loads(refusals[0].body)["error"]) == {"message", "type", "param", "code"}
    assert str(anthropic) in refusals[2].body.decode()
    assert str(gemini) in refusals[3].body.decode()
    assert "0123456" not in refusals[0].body.decode()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, "bad_key"), (418, "bad_request"), (502, "server_error"), (529, "overloaded")],
)
def test_failure_without_a_code_is_known_by_its_status(status: int, kind: str) -> None:
    """A status alone says what kind of failure it is, and is sent as it is."""
    assert Failure(status).kind == kind
    assert FORMATS["anthropic"].error(Failure(status)).status == status
    assert Failure().kind == "bad_request"


def test_own_codes_are_sent_as_they_are() -> None:
    """A code that is no known kind stands where the provider puts its codes."""
    failure = Failure(400, "special", message="No.", parameter="top_p")
    bodies = {name: json.loads(form.error(failure).body).get("error") for name, form in TOLD_IN_THE_BODY.items()}

    assert bodies["openai_chat"]["code"] == "special"
    assert bodies["openai_chat"]["param"] == "top_p"
    assert bodies["anthropic"]["details"] == {"error_code": "special"}
    assert bodies["gemini"]["details"][0]["reason"] == "special"
    own = json.loads(FORMATS["anthropic"].error(Failure(504, "timeout_error")).body)
    assert own["error"]["type"] == "timeout_error"
    own = json.loads(FORMATS["gemini"].error(Failure(499, "CANCELLED")).body)
    assert own["error"] == {**own["error"], "status": "CANCELLED", "code": 499}


def test_waiting_time_is_in_headers_or_in_geminis_body() -> None:
    """OpenAI and Anthropic say it in headers, Gemini in its details; others' headers are added."""
    failure = Failure(429, retry_after=1.5, headers={"x-should-retry": "true"})
    refusals = {name: form.error(failure) for name, form in FORMATS.items()}

    assert refusals["openai_chat"].headers["retry-after-ms"] == "1500"
    assert refusals["anthropic"].headers == {"retry-after": "2", "x-should-retry": "true"}
    assert refusals["cohere"].headers == refusals["ollama"].headers == refusals["anthropic"].headers
    assert refusals["gemini"].headers == {"x-should-retry": "true"}
    assert b'"retryDelay":"1.5s"' in refusals["gemini"].body


def test_errors_inside_a_stream_have_each_providers_shape() -> None:
    """In-band errors are events; Responses uses `response.failed` for the codes that it knows."""
    said = {
        name: form.error_frame(Failure(code="overloaded"), VIEW, 7, 3).decode()
        for name, form in TOLD_IN_THE_BODY.items()
    }
    failed = FORMATS["openai_responses"].error_frame(Failure(code="server_error"), VIEW, 7, 3)

    assert said["openai_chat"].startswith('data: {"error":{')
    assert said["openai_responses"].startswith("event: error\n")
    assert '"sequence_number":3' in said["openai_responses"]
    assert said["anthropic"].startswith("event: error\n")
    assert "req_" in said["anthropic"]
    assert '"status":"UNAVAILABLE"' in said["gemini"]
    assert failed.startswith(b"event: response.failed\n")
    assert said["cohere"].startswith("event: message-end\n")
    assert '"finish_reason":"ERROR"' in said["cohere"]
    assert "error_type" not in said["cohere"]
    assert said["ollama"] == '{"error":"server busy, please try again.  maximum pending requests exceeded"}\n'
    own = FORMATS["cohere"].error_frame(Failure(422, "INVALID_TOOL_GENERATION"), VIEW, 7, 3)
    assert b'"error_type":"INVALID_TOOL_GENERATION"' in own


@pytest.mark.parametrize(
    ("format", "body", "said"),
    [
        ("openai_chat", {}, "Missing required parameter: 'model'."),
        ("openai_chat", {"model": 1}, "Invalid type for 'model': expected a string."),
        ("openai_chat", {"model": "m", "messages": []}, "empty array"),
        ("openai_chat", {"model": "m", "messages": [{}]}, "'messages[0].role'"),
        ("openai_chat", {"model": "m", "messages": [{"role": "x"}]}, "Invalid value: 'x'"),
        (
            "openai_chat",
            question("openai_chat", "x", tools=[{"type": "function", "name": "flat"}]),
            "'tools[0].function'",
        ),
        (
            "openai_chat",
            question("openai_chat", "x", response_format={"type": "json_schema", "name": "flat"}),
            "'response_format.json_schema'",
        ),
        ("openai_responses", {"model": "m"}, "'input'"),
        ("openai_responses", {"model": "m", "input": [{"x": 1}]}, "'input[0]'"),
        (
            "openai_responses",
            question("openai_responses", "x", tools=[{"type": "function", "function": {}}]),
            "'tools[0].name'",
        ),
        ("anthropic", {"model": "m"}, "messages: Field required"),
        ("anthropic", {"model": "m", "messages": []}, "max_tokens: Field required"),
        ("anthropic", {"model": "m", "messages": 1}, "messages: Input should be a valid list"),
        ("anthropic", {"model": "m", "messages": [], "max_tokens": 9}, "at least one message"),
        (
            "anthropic",
            {"model": "m", "messages": [{"role": "tool", "content": "x"}], "max_tokens": 9},
            "messages.0.role",
        ),
        (
            "anthropic",
            {
                "model": "m",
                "messages": [{"role": "user", "content": ""}, {"role": "user", "content": "x"}],
                "max_tokens": 9,
            },
            "non-empty content",
        ),
        ("anthropic", question("anthropic", "x", tools=[{"name": "f"}]), "input_schema"),
        ("cohere", {}, "model is required"),
        ("cohere", {"model": "m"}, "messages is required"),
        ("cohere", {"model": "m", "messages": []}, "must not be empty"),
        ("cohere", {"model": "m", "messages": [{"role": "developer"}]}, "messages[0].role"),
        ("cohere", {"model": "m", "messages": [{"role": "assistant"}]}, "content or tool calls"),
        ("cohere", question("cohere", "x", tools=[{"type": "function"}]), "tools[0].function.name"),
        ("ollama", {}, "model is required"),
        ("ollama", {"model": "m", "messages": [{"role": "developer"}]}, "invalid message"),
        ("ollama", {"model": "m", "messages": [{"role": "user", "content": []}]}, "invalid message"),
        ("ollama", question("ollama", "x", tools=[{"type": "function"}]), "invalid tool"),
        ("gemini", {}, "contents is not specified"),
        ("gemini", {"contents": [{"role": "user"}]}, "parts must not be empty"),
        ("gemini", {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "valid role"),
    ],
)
def test_request_that_is_not_valid_is_refused(format: str, body: dict[str, Any], said: str) -> None:
    """What the provider would refuse is refused, in words that name the field."""
    with pytest.raises(RefusedError) as caught:
        read(format, body)

    status, _, answer = FORMATS[format].error(caught.value.failure)
    assert status == 400
    refusal = json.loads(answer)
    error = refusal.get("error", refusal)
    assert said in (error if isinstance(error, str) else error["message"])


def test_anthropic_wants_its_version_header() -> None:
    """A request without a version is refused."""
    with pytest.raises(RefusedError, match="anthropic-version"):
        FORMATS["anthropic"].read(Asked(question("anthropic", "x"), {}))
