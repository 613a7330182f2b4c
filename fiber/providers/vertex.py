"""
Rows of Google Vertex AI: Gemini, Claude and models behind OpenAI's format, in a project and a location.

The key is an OAuth access token of one hour, so best a callable that keeps it fresh.

Sources, read 2026-11-20: https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations (hosts),
google-genai 3.4 and anthropic-sdk-python 2.11 `lib/vertex` (variables, paths, what the body lacks).
"""

from __future__ import annotations

from urllib.parse import quote

from fiber.providers.compatible import compatible
from fiber.providers.row import Provider, Words
from fiber.types.draft import Draft
from fiber.types.request import ChatRequest
from fiber.types.target import Quirks, Target

_PROJECT = "https://{host}/v1/projects/{project}/locations/{location}"
_PLACES = {
    "project": ("GOOGLE_CLOUD_PROJECT", "VERTEXAI_PROJECT"),
    "location": ("GOOGLE_CLOUD_LOCATION", "VERTEXAI_LOCATION"),
}
_SEVERAL_REGIONS = ("us", "eu")


def with_host(words: Words) -> Words:
    """Add the host of a location, and the location when it is not said."""
    location = words.get("location") or "global"
    if location == "global":
        host = "aiplatform.googleapis.com"
    elif location in _SEVERAL_REGIONS:
        host = f"aiplatform.{location}.rep.googleapis.com"
    else:
        host = f"{location}-aiplatform.googleapis.com"
    return {"host": host, **words, "location": location}


def raw_predict(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Send a message of Anthropic's as Vertex wants it: the model in the path, the version in the body."""
    headers = dict(draft.headers)
    body = {name: said for name, said in draft.body.items() if name != "model"}
    body["anthropic_version"] = headers.pop("anthropic-version")
    method = "streamRawPredict" if draft.stream else "rawPredict"
    url = f"{target.base_url}/models/{quote(target.model, safe='@')}:{method}"
    return draft._replace(url=url, body=body, headers=tuple(headers.items()))


VERTEX = Provider(
    name="vertex",
    adapter="gemini",
    base_url=f"{_PROJECT}/publishers/google",
    places=_PLACES,
    fill=with_host,
    key_env=("VERTEX_ACCESS_TOKEN",),
    aliases=("vertexai", "google-vertex"),
    default_model="gemini-3.8-flash",
    models_path="",
    counting="gemini",
    quirks=Quirks(
        api_version="-",  # it stands in the base URL
        members={"metadata": "labels"},
        unsupported={
            "store": "Vertex AI keeps no answers to come back to",
            "service_tier": "Vertex AI reads it from headers: X-Vertex-AI-LLM-Shared-Request-Type in extra_headers",
        },
    ),
    docs_url="https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference",
)

VERTEX_ANTHROPIC = VERTEX.replace(
    name="vertex-anthropic",
    adapter="anthropic",
    base_url=f"{_PROJECT}/publishers/anthropic",
    places={
        "project": ("ANTHROPIC_VERTEX_PROJECT_ID", *_PLACES["project"]),
        "location": ("CLOUD_ML_REGION", *_PLACES["location"]),
    },
    aliases=(),
    default_model="claude-sonnet-5-5",
    counting="anthropic",
    key_of="vertex",
    quirks=Quirks(),
    adapt_request=raw_predict,
    docs_url="https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude",
)

VERTEX_OPENAI = VERTEX.replace(
    name="vertex-openai",
    adapter="openai_chat",
    base_url=f"{_PROJECT}/endpoints/openapi",
    aliases=(),
    default_model="google/gemini-3.8-flash",
    counting="",
    key_of="vertex",
    quirks=compatible(),
    docs_url="https://cloud.google.com/vertex-ai/generative-ai/docs/start/openai",
)

VERTEX_ROWS = (VERTEX, VERTEX_ANTHROPIC, VERTEX_OPENAI)
