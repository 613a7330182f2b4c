"""
Azure OpenAI in the words of the `openai` client: the requests of `cases`, with a key and with an Entra token.

Dated versions are the business of `AzureOpenAI`. The addresses of v1 take the plain client, as Microsoft documents it
(https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle, read 2026-11-20); `AzureOpenAI` can only
ask for Responses there, and only with a version in the query. Runs in the environment of the official clients, which
has no fiber.
"""

from __future__ import annotations

from typing import Any

import openai
from material import KEY, TOKEN
from sdk_openai import USER, chat_cases, responses_cases

FORMATS = ("azure", "azure-dated", "azure-responses")
_DATE = "2024-10-21"
_WITH_TOKEN: dict[str, dict[str, Any]] = {"token": {}}


def azure_chat_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `chat.completions.create` by case; Azure takes no files there."""
    return {name: said for name, said in chat_cases().items() if name not in ("document", "file_id")} | _WITH_TOKEN


def azure_responses_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `responses.create` by case."""
    return responses_cases() | _WITH_TOKEN


def send(format: str, base: str, what: str, model: str, said: dict[str, Any]) -> None:
    """Send one request, read the answer to its end."""
    client = _client(format, base, with_token=what == "token")
    if format == "azure-responses":
        answer: Any = client.responses.create(**{"model": model, "input": [USER], **said})
    else:
        answer = client.chat.completions.create(**{"model": model, "messages": [USER], **said})
    if said.get("stream"):
        for _ in answer:
            pass


def _client(format: str, base: str, *, with_token: bool) -> openai.OpenAI:
    if format == "azure":
        return openai.OpenAI(base_url=f"{base}/openai/v1/", api_key=TOKEN if with_token else KEY, max_retries=0)
    place: Any = {"azure_endpoint": base, "api_version": _DATE}
    if format == "azure-responses":
        place = {"base_url": f"{base}/openai/v1/", "api_version": "preview"}
    credential: Any = {"azure_ad_token_provider": lambda: TOKEN} if with_token else {"api_key": KEY}
    return openai.AzureOpenAI(**place, **credential, max_retries=0)
