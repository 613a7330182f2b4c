"""
Rows of gateways: one door to many providers, in OpenAI's chat format.

Facts as of 2026-11-20, from the documentation that each row names.
"""

from __future__ import annotations

from fiber.providers import hooks
from fiber.providers.auth import unsigned
from fiber.providers.compatible import compatible, refused
from fiber.providers.row import Provider
from fiber.types.target import Quirks

OPENROUTER = Provider(
    name="openrouter",
    base_url="https://openrouter.ai/api/v1",
    base_url_env=("OPENROUTER_BASE_URL",),
    base_path="/api/v1",
    key_env=("OPENROUTER_API_KEY",),
    quirks=Quirks(reasoning="object", members={"top_k": "top_k"}),
    adapt_request=hooks.openrouter,
    docs_url="https://openrouter.ai/docs/api-reference/chat-completion",
)

VERCEL = Provider(
    name="vercel",
    base_url="https://ai-gateway.vercel.sh/v1",
    base_url_env=("AI_GATEWAY_BASE_URL",),
    base_path="/v1",
    key_env=("AI_GATEWAY_API_KEY", "VERCEL_OIDC_TOKEN"),
    quirks=compatible(reasoning="object"),
    docs_url="https://vercel.com/docs/ai-gateway/openai-compat",
)

HUGGINGFACE = Provider(
    name="huggingface",
    base_url="https://router.huggingface.co/v1",
    base_url_env=("HUGGINGFACE_BASE_URL",),
    base_path="/v1",
    key_env=("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"),
    aliases=("hf",),
    quirks=compatible(
        unsupported={
            **refused("Hugging Face does not use it", "n", "logit_bias"),
            **refused("Hugging Face takes text and pictures", "content.audio", "content.document"),
        }
    ),
    docs_url="https://huggingface.co/docs/inference-providers/tasks/chat-completion",
)

HUGGINGFACE_ENDPOINT = HUGGINGFACE.replace(
    name="huggingface-endpoint",
    base_url="https://{host}/v1",
    base_url_env=("HF_ENDPOINT_BASE_URL",),
    aliases=(),
    key_of="huggingface",
    docs_url="https://huggingface.co/docs/inference-endpoints/index",
)
"""A dedicated endpoint at an address of one's own; while it wakes up, it answers 503 and says for how long."""

LITELLM = Provider(
    name="litellm",
    base_url="http://localhost:4000/v1",
    base_url_env=("LITELLM_BASE_URL", "LITELLM_PROXY_API_BASE"),
    base_path="/v1",
    key_env=("LITELLM_API_KEY", "LITELLM_PROXY_API_KEY"),
    auth=unsigned,
    needs_key=False,
    quirks=Quirks(system_role="system", members={"top_k": "top_k"}),
    docs_url="https://docs.litellm.ai/docs/proxy/user_keys",
)

GATEWAYS = (OPENROUTER, VERCEL, HUGGINGFACE, HUGGINGFACE_ENDPOINT, LITELLM)
