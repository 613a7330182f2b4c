"""
Rows of Azure OpenAI and Microsoft Foundry: other addresses and other ways to sign, for formats that are known.

A key goes into a header of its own, an Entra token is a bearer token: both may be given in the place of a key, a token
best as a callable that keeps it fresh.

Sources, read 2026-11-20: https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle (both kinds of
addresses), openai-python 3.51 `lib/azure.py` (variables, paths), anthropic-sdk-python 2.11 `lib/foundry`.
"""

from __future__ import annotations

from urllib.parse import quote

from fiber.providers.auth import header_or_token
from fiber.providers.row import Provider
from fiber.types.draft import Draft
from fiber.types.request import ChatRequest
from fiber.types.target import Quirks, Target

_NO_DOCUMENTS = {"content.document": "Azure takes no documents on Chat Completions; use the row azure-responses"}


def deployment(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Put the deployment, which is what a model is called here, into the path; the body has none."""
    url = f"{target.base_url}/deployments/{quote(target.model, safe='')}/chat/completions"
    return draft._replace(url=url, body={name: said for name, said in draft.body.items() if name != "model"})


AZURE = Provider(
    name="azure",
    base_url="https://{resource}.openai.azure.com/openai/v1",
    base_url_env=("AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"),
    base_path="/openai/v1",
    key_env=("AZURE_OPENAI_AD_TOKEN", "AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    auth=header_or_token("api-key"),
    aliases=("azure-openai",),
    quirks=Quirks(unsupported=_NO_DOCUMENTS),
    docs_url="https://learn.microsoft.com/azure/ai-foundry/openai/latest",
)

AZURE_RESPONSES = AZURE.replace(
    name="azure-responses",
    adapter="openai_responses",
    aliases=(),
    key_of="azure",
    quirks=Quirks(family="azure"),
)

AZURE_DATED = AZURE.replace(
    name="azure-dated",
    base_url="https://{resource}.openai.azure.com/openai",
    base_url_env=AZURE.base_url_env,
    base_path="/openai",
    models_path="",
    aliases=(),
    key_of="azure",
    quirks=Quirks(family="azure", api_version="2024-10-21", unsupported=_NO_DOCUMENTS),
    adapt_request=deployment,
    docs_url="https://learn.microsoft.com/azure/ai-foundry/openai/reference",
)
"""The older addresses, with a deployment in the path and a version in the query."""

AZURE_ANTHROPIC = Provider(
    name="azure-anthropic",
    adapter="anthropic",
    base_url="https://{resource}.services.ai.azure.com/anthropic",
    base_url_env=("ANTHROPIC_FOUNDRY_BASE_URL",),
    base_path="/anthropic",
    places={"resource": ("ANTHROPIC_FOUNDRY_RESOURCE",)},
    key_env=("ANTHROPIC_FOUNDRY_API_KEY",),
    auth=header_or_token("x-api-key"),
    models_path="/v1/models",
    docs_url="https://learn.microsoft.com/azure/ai-foundry/foundry-models/how-to/use-foundry-models-claude",
)

AZURE_ROWS = (AZURE, AZURE_RESPONSES, AZURE_DATED, AZURE_ANTHROPIC)
