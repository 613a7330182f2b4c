"""The mock's Bedrock Converse: what it reads, what it answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fiber import NO_RETRY, AWSKeys, Fiber, Transport
from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters.bedrock_converse import ADAPTER
from fiber.framing.event_stream import EventStreamDecoder
from fiber.testing import MockServer, Recorder, Replay
from fiber.testing.formats import bedrock_converse, bedrock_invoke, route
from fiber.testing.formats.common import Asked
from fiber.testing.script import Failure, MockCall, RefusedError, Reply
from fiber.testing.view import ChatView, OfferedTool
from fiber.types.http import HTTPHead
from fiber.types.target import Target

TARGET = Target(provider="bedrock", model="m", base_url="https://h")
VIEW = ChatView(model="m", words=4)
SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}}
CALLS = (MockCall("look", {"city": "Rome"}), MockCall("go", {}, "mine"))
FULL = Reply("Let me look.", tool_calls=CALLS, reasoning="Two tools.", usage=(100, 50, 80))


def read(body: dict[str, Any], verb: str = "converse") -> ChatView:
    """Read a request."""
    said = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}], **body}
    return bedrock_converse.read(Asked(said, {}, "m", verb))


@pytest.mark.parametrize(
    ("path", "kind", "model", "verb"),
    [
        ("/model/a.b%3A0/converse", "chat", "a.b:0", "converse"),
        ("/model/arn%3Ax%2Fy/converse-stream", "chat", "arn:x/y", "converse-stream"),
    ],
)
def test_paths_name_the_model(path: str, kind: str, model: str, verb: str) -> None:
    """The encoded path holds it, and whether a stream is wanted."""
    found = route("POST", path, {}, {})

    assert found == (bedrock_converse, kind, model, verb)


def test_request_is_read() -> None:
    """Tools, format, limits, reasoning, results."""
    form = {"type": "json_schema", "structure": {"jsonSchema": {"schema": json.dumps(SCHEMA), "name": "x"}}}
    view = read(
        {
            "toolConfig": {
                "tools": [{"toolSpec": {"name": "look", "inputSchema": {"json": SCHEMA}}}, {"cachePoint": {}}]
            },
            "outputConfig": {"textFormat": form},
            "inferenceConfig": {"maxTokens": 9},
            "additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
            "system": [{"text": "Be brief."}],
        },
        "converse-stream",
    )
    answered = read(
        {
            "messages": [
                {"role": "user", "content": [{"text": "Hi"}]},
                {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c", "name": "look", "input": {}}}]},
                {"role": "user", "content": [{"toolResult": {"toolUseId": "c", "content": [{"text": "seen"}]}}]},
            ]
        }
    )

    assert (view.model, view.stream, view.last_text, view.words) == ("m", True, "Hi", 3)
    assert view.tools == (OfferedTool("look", SCHEMA),)
    assert (view.schema, view.max_tokens, view.reasoning) == (SCHEMA, 9, True)
    assert answered.tool_results == ("seen",)


@pytest.mark.parametrize(
    ("body", "choice", "name", "parallel"),
    [
        ({}, "auto", None, True),
        ({"toolConfig": {"toolChoice": {"any": {}}}}, "required", None, True),
        ({"toolConfig": {"toolChoice": {"tool": {"name": "look"}}}}, "required", "look", True),
        ({"additionalModelRequestFields": {"tool_choice": {"type": "none"}}}, "none", None, True),
        (
            {"additionalModelRequestFields": {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}},
            "auto",
            None,
            False,
        ),
    ],
)
def test_choices_are_read(body: dict[str, Any], choice: str, name: str | None, parallel: bool) -> None:
    """Converse's own, and Claude's beside it."""
    view = read(body)

    assert (view.tool_choice, view.tool_name, view.parallel) == (choice, name, parallel)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "tool", "content": [{"text": "x"}]}]}, "role"),
        ({"messages": [{"role": "user", "content": [{"text": "x"}]}] * 2}, "alternate"),
        ({"messages": [{"role": "user", "content": []}]}, "is empty"),
        ({"outputConfig": {"textFormat": {"structure": {"jsonSchema": {"schema": "{"}}}}}, "no JSON"),
    ],
)
def test_wrong_requests_are_refused(body: dict[str, Any], words: str) -> None:
    """As Bedrock refuses them."""
    with pytest.raises(RefusedError) as caught:
        read(body)

    assert words in (caught.value.failure.message or "")


@pytest.mark.parametrize("reply", [FULL, Reply("Hi", finish_reason="length"), Reply(finish_reason="content_filter")])
def test_answers_are_read_by_the_adapter(reply: Reply) -> None:
    """Whole and streamed they say the same."""
    whole = ADAPTER.parse_response(HTTPHead(200), bedrock_converse.whole(VIEW, reply, 7), TARGET)
    decoder = ADAPTER.stream_decoder(HTTPHead(200), TARGET)
    decoder.feed(b"".join(bedrock_converse.frames(VIEW, reply, 7)))

    streamed = decoder.result()
    assert decoder.done
    assert (streamed.text, streamed.reasoning, streamed.finish_reason) == (
        whole.text,
        whole.reasoning,
        whole.finish_reason,
    )
    assert [(c.id, c.name, c.arguments) for c in streamed.tool_calls] == [
        (c.id, c.name, c.arguments) for c in whole.tool_calls
    ]
    assert streamed.usage == whole.usage
    assert (whole.text, whole.finish_reason) == (reply.text, reply.finish)


def test_stream_has_the_shape_of_bedrock() -> None:
    """Blocks of text have no start, every payload is padded, and the counts come last."""
    messages = EventStreamDecoder().feed(b"".join(bedrock_converse.frames(VIEW, FULL, 7)))

    kinds = [str(message.headers[":event-type"]) for message in messages]
    assert [kind for kind in kinds if kind != "contentBlockDelta"] == [
        "messageStart",
        "contentBlockStop",
        "contentBlockStop",
        "contentBlockStart",
        "contentBlockStop",
        "contentBlockStart",
        "contentBlockStop",
        "messageStop",
        "metadata",
    ]
    assert all(json.loads(message.payload)["p"] for message in messages)
    assert json.loads(messages[-1].payload)["usage"] == {
        "inputTokens": 20,
        "outputTokens": 50,
        "totalTokens": 150,
        "cacheReadInputTokens": 80,
        "cacheWriteInputTokens": 0,
    }


def test_invocation_is_anthropics_letter_in_an_envelope() -> None:
    """Whole and streamed the row of Claude reads the same; without its version a letter is refused."""
    with MockServer() as server:
        server.reply(FULL, times=2, format="bedrock_invoke")
        url = server.base_url("bedrock")
        client = Fiber(api_keys={"bedrock": "a-bearer-key"}, base_urls={"bedrock": url}).sync
        whole = client.chat("Hi", model="bedrock-anthropic:a.b:0")
        streamed = client.chat_stream("Hi", model="bedrock-anthropic:a.b:0").collect()
        client.close()

    assert [request.format for request in server.requests] == ["bedrock_invoke"] * 2
    for result in (whole, streamed):
        assert (result.text, result.reasoning, result.finish_reason) == (FULL.text, FULL.reasoning, "tool_calls")
        assert [(call.name, call.arguments) for call in result.tool_calls] == [("look", {"city": "Rome"}), ("go", {})]
    with pytest.raises(RefusedError):
        bedrock_invoke.read(Asked({"messages": [], "max_tokens": 9}, {}, "m", "invoke"))


KINDS: dict[str, type[FiberError]] = {
    "bad_request": FiberBadRequestError,
    "bad_key": FiberAuthError,
    "permission": FiberAuthError,
    "model_not_found": FiberModelNotFoundError,
    "context_length": FiberContextLengthError,
    "content_filter": FiberBadRequestError,
    "rate_limit": FiberRateLimitError,
    "quota": FiberQuotaError,
    "server_error": FiberProviderError,
    "overloaded": FiberOverloadedError,
}


@pytest.mark.parametrize("kind", KINDS)
def test_failures_are_read_by_the_adapter(kind: str) -> None:
    """Whole and in a stream each failure has its class."""
    refusal = bedrock_converse.error(Failure(code=kind, retry_after=1.5), "m", "key")
    decoder = ADAPTER.stream_decoder(HTTPHead(200), TARGET)
    decoder.feed(bedrock_converse.error_frame(Failure(code=kind), VIEW, 7, 3))

    error = ADAPTER.parse_error(HTTPHead(refusal.status, refusal.headers), refusal.body, TARGET)
    assert type(error) is type(decoder.error) is KINDS[kind]
    assert error.retry_after == 2


def test_own_codes_and_words_are_sent_as_they_are() -> None:
    """A code that is no known kind is the exception's name."""
    failure = Failure(424, "ModelErrorException", message="Broke.")
    refusal = bedrock_converse.error(failure)

    (broken,) = EventStreamDecoder().feed(bedrock_converse.error_frame(failure, VIEW, 7, 3))
    assert refusal.status == 424
    assert refusal.headers["x-amzn-errortype"].startswith("ModelErrorException:")
    assert json.loads(refusal.body) == {"message": "Broke."}
    assert broken.headers[":exception-type"] == "modelErrorException"


def test_headers_and_models_are_those_of_bedrock() -> None:
    """Each answer has its own id; the list has summaries."""
    first, second = (bedrock_converse.headers(number)["x-amzn-requestid"] for number in (1, 2))

    assert first != second
    assert json.loads(bedrock_converse.models(["a.b"]))["modelSummaries"][0]["modelId"] == "a.b"
    assert bedrock_converse.stream_type(VIEW) == "application/vnd.amazon.eventstream"


def test_what_was_recorded_is_played_without_keys(tmp_path: Path) -> None:
    """Binary streams and the header that names an error are kept; signature, token and keys are not."""
    path = tmp_path / "bedrock.json"
    keys = AWSKeys("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "SESSIONTOKENEXAMPLE", region="eu-west-1")
    answers = Reply("Grüße", words_per_event=1), Failure(code="rate_limit")

    def ask(transport: Transport, url: str) -> tuple[str, type[BaseException]]:
        client = Fiber(api_keys={"bedrock": keys}, base_urls={"bedrock": url}, transport=transport, retry=NO_RETRY).sync
        text = client.chat_stream("Hi", model="bedrock:m").collect().text
        with pytest.raises(FiberError) as caught:
            client.chat("Hi", model="bedrock:m")
        client.close()
        return text, caught.type

    with MockServer() as server:
        server.enqueue(*answers)
        url = server.base_url("bedrock")
        first = ask(Recorder(path), url)

    assert first == ask(Replay(path), url) == ("Grüße", FiberRateLimitError)
    kept = path.read_text(encoding="utf-8")
    assert not [secret for secret in (*keys.texts(), "Signature=") if secret in kept]
