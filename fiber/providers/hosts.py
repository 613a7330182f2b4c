"""
Rows of clouds that serve others' models in OpenAI's chat format.

Facts as of 2026-11-20, from the documentation that each row names and from the vendors' own clients.
"""

from __future__ import annotations

from fiber.providers import hooks
from fiber.providers.compatible import NO_SWITCH, compatible, refused
from fiber.providers.row import Provider

_LOW_TO_HIGH = ("low", "medium", "high")

GROQ = Provider(
    name="groq",
    base_url="https://api.groq.com/openai/v1",
    base_url_env=("GROQ_BASE_URL",),
    base_path="/openai/v1",
    key_env=("GROQ_API_KEY",),
    default_model="openai/gpt-oss-120b",
    quirks=compatible(
        max_tokens_field="max_completion_tokens",
        system_role="as_is",
        unsupported={
            **refused("no model on Groq takes it", "logit_bias", "logprobs", "top_logprobs"),
            **refused("no model on Groq takes it", "frequency_penalty", "presence_penalty"),
            **refused("Groq has no such parameter", "metadata", "store"),
            "n": "Groq gives one answer; ask several times",
        },
    ),
    docs_url="https://console.groq.com/docs/api-reference#chat-create",
)

TOGETHER = Provider(
    name="together",
    base_url="https://api.together.ai/v1",
    base_url_env=("TOGETHER_BASE_URL",),
    base_path="/v1",
    key_env=("TOGETHER_API_KEY",),
    aliases=("togetherai",),
    quirks=compatible(members={"top_k": "top_k"}, efforts=("none", *_LOW_TO_HIGH)),
    adapt_request=hooks.together,
    docs_url="https://docs.together.ai/reference/chat-completions-1",
)

FIREWORKS = Provider(
    name="fireworks",
    base_url="https://api.fireworks.ai/inference/v1",
    base_url_env=("FIREWORKS_BASE_URL",),
    base_path="/inference/v1",
    key_env=("FIREWORKS_API_KEY",),
    quirks=compatible(members={"top_k": "top_k"}, efforts=("none", *_LOW_TO_HIGH)),
    docs_url="https://docs.fireworks.ai/api-reference/post-chatcompletions",
)

CEREBRAS = Provider(
    name="cerebras",
    base_url="https://api.cerebras.ai/v1",
    base_url_env=("CEREBRAS_BASE_URL",),
    base_path="/v1",
    key_env=("CEREBRAS_API_KEY",),
    default_model="gpt-oss-120b",
    quirks=compatible(
        max_tokens_field="max_completion_tokens",
        system_role="as_is",
        unsupported={"logit_bias": "Cerebras accepts it and does nothing with it"},
    ),
    docs_url="https://inference-docs.cerebras.ai/api-reference/chat-completions",
)

SAMBANOVA = Provider(
    name="sambanova",
    base_url="https://api.sambanova.ai/v1",
    base_url_env=("SAMBANOVA_BASE_URL",),
    base_path="/v1",
    key_env=("SAMBANOVA_API_KEY",),
    quirks=compatible(collapse_text=True, members={"top_k": "top_k"}, efforts=_LOW_TO_HIGH),
    docs_url="https://docs.sambanova.ai/docs/api-reference/chat-completion",
)

NVIDIA = Provider(
    name="nvidia",
    base_url="https://integrate.api.nvidia.com/v1",
    base_url_env=("NVIDIA_BASE_URL",),
    base_path="/v1",
    key_env=("NVIDIA_API_KEY", "NVIDIA_NIM_API_KEY"),
    aliases=("nim",),
    quirks=compatible(unsupported={"reasoning": NO_SWITCH}),
    docs_url="https://docs.api.nvidia.com/nim/reference/llm-apis",
)

DEEPINFRA = Provider(
    name="deepinfra",
    base_url="https://api.deepinfra.com/v1/openai",
    base_url_env=("DEEPINFRA_BASE_URL",),
    base_path="/v1/openai",
    key_env=("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
    quirks=compatible(
        collapse_text=True,  # tool messages hold strings only
        unsupported=refused("DeepInfra takes auto and none only", "tool_choice.required", "tool_choice.named"),
    ),
    docs_url="https://deepinfra.com/docs/openai_api",
)

HYPERBOLIC = Provider(
    name="hyperbolic",
    base_url="https://api.hyperbolic.xyz/v1",
    base_url_env=("HYPERBOLIC_BASE_URL",),
    base_path="/v1",
    key_env=("HYPERBOLIC_API_KEY",),
    quirks=compatible(
        unsupported={
            "reasoning": NO_SWITCH,
            **refused("Hyperbolic lists no token probabilities", "logprobs", "top_logprobs"),
        }
    ),
    docs_url="https://docs.hyperbolic.xyz",
)

NOVITA = Provider(
    name="novita",
    base_url="https://api.novita.ai/v3/openai",
    base_url_env=("NOVITA_BASE_URL",),
    base_path="/v3/openai",
    key_env=("NOVITA_API_KEY",),
    quirks=compatible(members={"top_k": "top_k"}, unsupported={"reasoning": NO_SWITCH}),
    docs_url="https://novita.ai/docs",
)

NEBIUS = Provider(
    name="nebius",
    base_url="https://api.studio.nebius.ai/v1",
    base_url_env=("NEBIUS_BASE_URL",),
    base_path="/v1",
    key_env=("NEBIUS_API_KEY",),
    quirks=compatible(unsupported={"reasoning": NO_SWITCH}),
    docs_url="https://docs.nebius.com",
)

BASETEN = Provider(
    name="baseten",
    base_url="https://inference.baseten.co/v1",
    base_url_env=("BASETEN_BASE_URL",),
    base_path="/v1",
    key_env=("BASETEN_API_KEY",),
    quirks=compatible(unsupported={"reasoning": NO_SWITCH}),
    docs_url="https://docs.baseten.co",
)

FRIENDLI = Provider(
    name="friendli",
    base_url="https://api.friendli.ai/serverless/v1",
    base_url_env=("FRIENDLI_BASE_URL",),
    base_path="/serverless/v1",
    key_env=("FRIENDLI_TOKEN",),
    quirks=compatible(unsupported={"reasoning": NO_SWITCH}),
    docs_url="https://friendli.ai/docs",
)

HOSTS = (
    GROQ,
    TOGETHER,
    FIREWORKS,
    CEREBRAS,
    SAMBANOVA,
    NVIDIA,
    DEEPINFRA,
    HYPERBOLIC,
    NOVITA,
    NEBIUS,
    BASETEN,
    FRIENDLI,
)
