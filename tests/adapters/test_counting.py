"""Counting by the provider: what is asked, in every format, and recorded answers."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fiber import PROVIDERS, ChatMessage, ChatRequest, Provider, Tool
from fiber.adapters import load
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.target import Target
from tests.conformance.recordings import FOLDER

ROWS = {row.name: row for row in PROVIDERS}
TOOL = Tool("look", "Look.", {"type": "object", "properties": {"city": {"type": "string"}}})
ASKED = ChatRequest(
    messages=(ChatMessage.system("Be brief."), ChatMessage.user("Where?")), tools=(TOOL,), max_tokens=100
)


def question(name: str, model: str, request: ChatRequest = ASKED) -> tuple[str, Any, HTTPRequest]:
    """Return path and body of what a row is asked, and the whole request."""
    row: Provider = ROWS[name]
    if row.places:
        row = row.at(**dict.fromkeys(row.places, "here"))
    assert isinstance(row.counting, str)
    adapter = load(row.counting)
    target = Target(
        provider=name, model=model, base_url=row.base_url, quirks=row.quirks, adapt_request=row.adapt_request
    )
    assert adapter.counting is not None
    asked = adapter.counting.build(adapter.build_request(request, target, stream=False), target)
    return asked.url.removeprefix(row.base_url), msgspec.json.decode(asked.body), asked


@pytest.mark.parametrize(
    ("row", "model", "path", "members"),
    [
        ("anthropic", "claude-sonnet-4-6", "/v1/messages/count_tokens", {"model", "messages", "system", "tools"}),
        (
            "vertex-anthropic",
            "claude-sonnet-4-6@default",
            "/models/count-tokens:rawPredict",
            {"model", "messages", "system", "tools", "anthropic_version"},
        ),
        (
            "bedrock-mantle-anthropic",
            "anthropic.claude-opus-4-7",
            "/v1/messages/count_tokens",
            {"model", "messages", "system", "tools"},
        ),
        ("openai", "gpt-6-sol", "/responses/input_tokens", {"model", "input", "tools"}),
        ("openai-responses", "gpt-6-sol", "/responses/input_tokens", {"model", "input", "tools"}),
        ("gemini", "gemini-3.8-flash", "/v1/models/gemini-3.8-flash:countTokens", {"generateContentRequest"}),
        (
            "vertex",
            "gemini-3.8-flash",
            "/models/gemini-3.8-flash:countTokens",
            {"contents", "systemInstruction", "tools", "generationConfig"},
        ),
        ("bedrock", "global.amazon.nova-2-lite-v1:0", "/model/amazon.nova-2-lite-v1%3A0/count-tokens", {"input"}),
        ("bedrock-anthropic", "eu.anthropic.claude-x", "/model/anthropic.claude-x/count-tokens", {"input"}),
    ],
)
def test_each_row_is_asked_where_it_counts(row: str, model: str, path: str, members: set[str]) -> None:
    """With those members of a chat that its endpoint takes."""
    where, body, asked = question(row, model)

    assert (where, set(body)) == (path, members)
    assert asked.method == "POST"


def test_every_row_that_counts_has_a_question() -> None:
    """All other rows say that they have none."""
    counting = {row.name for row in PROVIDERS if row.counting}

    assert counting == {
        *("anthropic", "openai", "openai-responses", "gemini", "vertex", "vertex-anthropic"),
        *("bedrock", "bedrock-anthropic", "bedrock-mantle-anthropic"),
    }


def test_gemini_is_asked_with_the_model_in_the_body() -> None:
    """A whole generateContentRequest names its model, as it stands in the path."""
    _, body, _ = question("gemini", "tunedModels/my model")

    assert body["generateContentRequest"]["model"] == "tunedModels/my model"
    assert {"contents", "systemInstruction", "tools"} <= set(body["generateContentRequest"])


def test_bedrock_is_asked_with_what_would_be_sent() -> None:
    """Converse as an object, the body of InvokeModel as base64."""
    _, converse, _ = question("bedrock", "amazon.nova-2-lite-v1:0")
    _, invoked, _ = question("bedrock-anthropic", "anthropic.claude-x")

    assert set(converse["input"]["converse"]) == {"messages", "system", "toolConfig"}
    assert {"anthropic_version", "messages", "max_tokens"} <= set(
        json.loads(b64decode(invoked["input"]["invokeModel"]["body"]))
    )


def test_the_caller_has_the_last_word() -> None:
    """Members, headers and the query of the caller's own reach the question."""
    more = msgspec.structs.replace(
        ASKED, extra_body={"system": "Else."}, extra_headers={"anthropic-beta": "b"}, extra_query={"a": "1"}
    )
    path, body, asked = question("anthropic", "claude-sonnet-4-6", more)

    assert (path, body["system"]) == ("/v1/messages/count_tokens?a=1", "Else.")
    assert ("anthropic-beta", "b") in asked.headers


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the recorded exchanges, each with its adapter."""
    for name, adapter in (("anthropic", "anthropic"), ("gemini", "gemini"), ("openai", "openai_responses")):
        with (FOLDER / f"{name}.count_tokens.jsonl").open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                yield adapter, row


def test_recorded_answers_are_read() -> None:
    """Every good answer gives the number in it; a bad one gives an error."""
    if not FOLDER.is_dir():
        reason = "../shared/wire is missing: there are no recordings to read"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    read = 0
    for name, row in recorded():
        adapter = load(name)
        target = Target(provider=name, model="m", base_url="https://example.com")
        head, body = HTTPHead(row["status"], row["response_headers"]), row["response_body"].encode()
        assert adapter.counting is not None
        if row["status"] >= 300:
            assert adapter.parse_error(head, body, target).status_code == row["status"]
            continue
        said = json.loads(body)

        assert adapter.counting.parse(head, body, target) == said.get("input_tokens", said.get("totalTokens"))
        read += 1
    assert read >= 15


def test_bedrock_names_its_number_otherwise() -> None:
    """In both envelopes."""
    for name in ("bedrock", "bedrock-anthropic"):
        row = ROWS[name]
        target = Target(provider=name, model="m", base_url="https://example.com", quirks=row.quirks)
        assert isinstance(row.counting, str)
        counting = load(row.counting).counting
        assert counting is not None

        assert counting.parse(HTTPHead(200), b'{"inputTokens": 7}', target) == 7
