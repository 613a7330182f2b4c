"""Azure: addresses, signatures and what its rows refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fiber import Fiber, FiberCapabilityError
from fiber.providers.azure import AZURE_ROWS
from fiber.testing import FakeTransport, json_reply
from fiber.types.content import Document
from fiber.types.messages import ChatMessage
from tests.kit import answer

KEY = "k" * 32
ENTRA = "eyJ0eXAi.eyJhdWQi.c2ln"
RESOURCE = "https://mine.openai.azure.com"


def sent(model: str, key: Any = KEY, urls: Any = None, **options: Any) -> Any:
    """Send one request by *model* and return it."""
    transport = FakeTransport(json_reply(answer()))
    names = [row.name for row in AZURE_ROWS]
    fiber = Fiber(
        api_keys=dict.fromkeys(names, key),
        base_urls=urls or {"azure": RESOURCE, "azure-dated": RESOURCE, "azure-responses": RESOURCE},
        transport=transport,
    )
    fiber.sync.chat("Hi", model=model, **options)
    return transport.requests[0]


def test_deployment_is_the_model_of_the_current_address() -> None:
    """The bare endpoint that Azure shows is completed, and there is no version."""
    request = sent("azure:my-deployment", max_tokens=5)

    assert request.url == f"{RESOURCE}/openai/v1/chat/completions"
    assert (request.json()["model"], request.json()["max_completion_tokens"]) == ("my-deployment", 5)
    assert request.headers["api-key"] == KEY
    assert "authorization" not in request.headers


def test_deployment_is_in_the_path_of_the_dated_address() -> None:
    """With a version in the query, and no model in the body."""
    request = sent("azure-dated:my deployment")

    assert request.url == f"{RESOURCE}/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21"
    assert "model" not in request.json()


@pytest.mark.parametrize("model", ["azure:d", "azure-dated:d"])
@pytest.mark.parametrize("key", [ENTRA, lambda: ENTRA], ids=["a string", "a callable"])
def test_token_of_entra_is_a_bearer(model: str, key: Any) -> None:
    """On both addresses, given as it is or asked for at every call."""
    request = sent(model, key)

    assert request.headers["authorization"] == f"Bearer {ENTRA}"
    assert "api-key" not in request.headers


def test_base_url_of_one_row_holds_for_those_at_the_same_address() -> None:
    """The Responses API is at the same one."""
    fiber = Fiber(base_urls={"azure": RESOURCE})

    assert fiber.providers["azure-responses"].base_url == f"{RESOURCE}/openai/v1"


def test_variables_of_azure_serve_all_its_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """One endpoint and one key, as Azure's own client reads them; a token is better than a key."""
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", f"{RESOURCE}/")
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    monkeypatch.setenv("AZURE_OPENAI_AD_TOKEN", ENTRA)
    transport = FakeTransport(json_reply(answer()))

    fiber = Fiber.from_env(transport=transport)
    fiber.sync.chat("Hi", model="azure-dated:d")

    urls = [fiber.providers[name].base_url for name in ("azure", "azure-responses", "azure-dated")]
    assert urls == [f"{RESOURCE}/openai/v1", f"{RESOURCE}/openai/v1", f"{RESOURCE}/openai"]
    assert transport.requests[0].headers["authorization"] == f"Bearer {ENTRA}"


def test_models_of_openai_have_their_rules_on_azure() -> None:
    """A deployment that is named after its model."""
    for model in ("azure:gpt-5.4-pro", "azure-dated:gpt-5.4-pro"):
        with pytest.raises(FiberCapabilityError, match="while it reasons"):
            sent(model, temperature=0.5)


def test_documents_go_by_the_responses_api() -> None:
    """Azure's chat completions take none, and the refusal says where they are taken."""
    message = ChatMessage("user", (Document(data=b"%PDF-1.7"),))

    for name in ("azure", "azure-dated"):
        row = next(row for row in AZURE_ROWS if row.name == name)
        transport = FakeTransport()
        fiber = Fiber(providers=[row.replace(base_url=RESOURCE)], api_keys={name: KEY}, transport=transport)
        with pytest.raises(FiberCapabilityError, match="azure-responses"):
            fiber.sync.chat([message], model=f"{name}:d")


def test_claude_on_azure_is_at_its_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resource makes the address; the key is Anthropic's header."""
    reply = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude",
        "content": [{"type": "text", "text": "Hello"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_RESOURCE", "mine")
    monkeypatch.setenv("ANTHROPIC_FOUNDRY_API_KEY", KEY)
    transport = FakeTransport(json_reply(reply))

    Fiber.from_env(transport=transport).sync.chat("Hi", model="azure-anthropic:claude-opus-5-5")

    request = transport.requests[0]
    assert request.url == "https://mine.services.ai.azure.com/anthropic/v1/messages"
    assert request.headers["x-api-key"] == KEY
    assert json.loads(request.body)["model"] == "claude-opus-5-5"
