"""
Rows of those who make models and serve them in OpenAI's formats.

Facts as of 2026-11-20, from the documentation that each row names and from the vendors' own clients.
"""

from __future__ import annotations

from fiber.providers import hooks
from fiber.providers.compatible import compatible, refused
from fiber.providers.first_party import GEMINI
from fiber.providers.row import Provider
from fiber.types.target import Quirks

MISTRAL = Provider(
    name="mistral",
    base_url="https://api.mistral.ai/v1",
    base_url_env=("MISTRAL_BASE_URL",),
    key_env=("MISTRAL_API_KEY",),
    prefixes=("mistral-", "ministral-", "magistral-", "codestral-", "devstral-", "pixtral-", "voxtral-"),
    default_model="mistral-large-4-0",
    quirks=compatible(
        stream_usage=False,  # it always comes, and unknown members are a 422
        members={"seed": "random_seed", "top_k": "top_k"},
        unsupported=refused("Mistral has no such parameter and answers 422 to it", "user", "store", "logit_bias"),
    ),
    adapt_request=hooks.mistral,
    docs_url="https://docs.mistral.ai/api/",
)

DEEPSEEK = Provider(
    name="deepseek",
    base_url="https://api.deepseek.com/v1",
    base_url_env=("DEEPSEEK_BASE_URL",),
    base_path="/v1",
    key_env=("DEEPSEEK_API_KEY",),
    prefixes=("deepseek-chat", "deepseek-reasoner", "deepseek-flash", "deepseek-v"),  # not deepseek-ai/..., on hosts
    default_model="deepseek-flash",
    quirks=compatible(
        collapse_text=True,
        reasoning="thinking",
        efforts=("low", "high", "max"),
        unsupported={"response_format.json_schema": "DeepSeek answers 400 on this endpoint; ask for json_object"},
    ),
    adapt_request=hooks.deepseek,
    docs_url="https://api-docs.deepseek.com/api/create-chat-completion",
)

XAI = Provider(
    name="xai",
    adapter="openai_responses",
    base_url="https://api.x.ai/v1",
    base_url_env=("XAI_BASE_URL",),
    base_path="/v1",
    key_env=("XAI_API_KEY",),
    aliases=("grok",),
    prefixes=("grok-",),
    default_model="grok-4.7",
    quirks=Quirks(unsupported={"metadata": "xAI's Responses API has no metadata"}),
    adapt_request=hooks.xai,
    docs_url="https://docs.x.ai/docs/api-reference",
)

XAI_CHAT = XAI.replace(
    name="xai-chat",
    adapter="openai_chat",
    aliases=(),
    prefixes=(),
    key_of="xai",
    quirks=Quirks(
        family="xai",
        unsupported={
            **refused("Grok 4 refuses it", "stop", "frequency_penalty", "presence_penalty"),
            "tools.strict": "xAI has no strict tools",
            "tools.web_search": "xAI searches on the Responses API only: use the row xai",
        },
    ),
    adapt_request=None,
)

PERPLEXITY = Provider(
    name="perplexity",
    adapter="openai_responses",
    base_url="https://api.perplexity.ai/v1",
    base_url_env=("PERPLEXITY_BASE_URL",),
    base_path="/v1",
    key_env=("PERPLEXITY_API_KEY", "PERPLEXITYAI_API_KEY"),
    prefixes=("sonar",),
    default_model="perplexity/sonar",
    quirks=Quirks(
        unsupported={
            **refused(
                "the Agent API has no such field and answers 400 to it",
                *("temperature", "top_p", "logprobs", "top_logprobs", "tool_choice"),
                *("user", "metadata", "service_tier", "parallel_tool_calls"),
            ),
            "response_format.json_object": "the Agent API holds an answer to a schema only",
        }
    ),
    adapt_request=hooks.perplexity,
    docs_url="https://docs.perplexity.ai/docs/agent-api/migrate-from-sonar",
)

MOONSHOT = Provider(
    name="moonshot",
    base_url="https://api.moonshot.ai/v1",
    base_url_env=("MOONSHOT_BASE_URL",),
    base_path="/v1",
    key_env=("MOONSHOT_API_KEY", "MOONSHOTAI_API_KEY", "KIMI_API_KEY"),
    aliases=("kimi",),
    prefixes=("kimi-", "moonshot-"),
    default_model="kimi-k3.1-pro",
    quirks=compatible(
        max_tokens_field="max_completion_tokens",
        collapse_text=True,
        reasoning="thinking",
        efforts=("low", "high", "max"),
        unsupported={
            **refused("Moonshot cannot force a tool; ask for it in words", "tool_choice.required", "tool_choice.named"),
            "tools.strict": "Moonshot has no strict tools",
        },
    ),
    docs_url="https://platform.moonshot.ai/docs/api/chat",
)

QWEN = Provider(
    name="qwen",
    base_url="https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
    base_url_env=("DASHSCOPE_BASE_URL",),
    base_path="/compatible-mode/v1",
    key_env=("DASHSCOPE_API_KEY", "ALIBABA_API_KEY"),
    aliases=("alibaba", "dashscope"),
    prefixes=("qwen", "qwq-", "qvq-"),
    default_model="qwen3.8-flash",
    quirks=compatible(
        reasoning="hook", unsupported={"content.document": "Qwen takes no files here; send their text or pictures"}
    ),
    adapt_request=hooks.qwen,
    docs_url="https://www.alibabacloud.com/help/en/model-studio/qwen-api-reference",
)

ZAI = Provider(
    name="zai",
    base_url="https://api.z.ai/api/paas/v4",
    base_url_env=("ZAI_BASE_URL",),
    key_env=("ZAI_API_KEY",),
    aliases=("zhipu",),
    prefixes=("glm-",),
    default_model="glm-5.3",
    models_path="",
    quirks=compatible(
        members={"user": "user_id"},
        reasoning="thinking",
        efforts=("low", "high", "max"),
        unsupported=refused(
            "Z.ai lets the model choose among tools, always",
            "tool_choice.required",
            "tool_choice.named",
            "tool_choice.none",
        ),
    ),
    adapt_request=hooks.zai,
    docs_url="https://docs.z.ai/api-reference/llm/chat-completion",
)

MINIMAX = Provider(
    name="minimax",
    base_url="https://api.minimax.io/v1",
    base_url_env=("MINIMAX_BASE_URL",),
    base_path="/v1",
    key_env=("MINIMAX_API_KEY",),
    prefixes=("MiniMax-",),
    default_model="MiniMax-M3.1-Flash",
    quirks=compatible(
        max_tokens_field="max_completion_tokens",
        reasoning="hook",
        unsupported={"n": "MiniMax gives one answer; ask several times"},
    ),
    adapt_request=hooks.minimax,
    docs_url="https://platform.minimax.io/docs/api-reference/text-openai-api",
)

META = Provider(
    name="meta",
    base_url="https://api.meta.ai/v1",
    base_url_env=("META_BASE_URL",),
    base_path="/v1",
    key_env=("META_API_KEY",),
    prefixes=("muse-",),
    default_model="muse-spark-1.3",
    quirks=compatible(
        max_tokens_field="max_completion_tokens",
        efforts=("minimal", "low", "medium", "high", "xhigh", "max"),
        unsupported=refused(
            "Meta lets the model choose among tools, always",
            "tool_choice.required",
            "tool_choice.named",
            "tool_choice.none",
        ),
    ),
    docs_url="https://llama.developer.meta.com/docs",
)

GEMINI_OPENAI = Provider(
    name="gemini-openai",
    base_url="https://generativelanguage.googleapis.com/v1beta/openai",
    base_url_env=("GEMINI_OPENAI_BASE_URL",),
    key_env=GEMINI.key_env,
    key_of="gemini",
    default_model=GEMINI.default_model,
    quirks=compatible(),
    docs_url="https://ai.google.dev/gemini-api/docs/openai",
)

LABS = (MISTRAL, DEEPSEEK, XAI, XAI_CHAT, PERPLEXITY, MOONSHOT, QWEN, ZAI, MINIMAX, META, GEMINI_OPENAI)
