"""
Rows of servers on one's own machine, in OpenAI's chat format; they need no key, and send one that is given.

Facts as of 2026-11-20, from the documentation that each row names.
"""

from __future__ import annotations

from fiber.providers.auth import unsigned
from fiber.providers.compatible import compatible
from fiber.providers.row import Provider

LMSTUDIO = Provider(
    name="lmstudio",
    base_url="http://localhost:1234/v1",
    base_url_env=("LM_STUDIO_BASE_URL", "LMSTUDIO_BASE_URL"),
    base_path="/v1",
    key_env=("LM_API_TOKEN",),
    auth=unsigned,
    needs_key=False,
    aliases=("lm-studio",),
    quirks=compatible(
        members={"top_k": "top_k"},
        unsupported={"response_format.json_object": "LM Studio holds an answer to a schema only"},
    ),
    docs_url="https://lmstudio.ai/docs/developer/openai-compat/chat-completions",
)

LLAMACPP = Provider(
    name="llamacpp",
    base_url="http://127.0.0.1:8080/v1",
    base_url_env=("LLAMACPP_BASE_URL",),
    base_path="/v1",
    key_env=("LLAMACPP_API_KEY", "LLAMA_API_KEY"),
    auth=unsigned,
    needs_key=False,
    aliases=("llama.cpp", "llama-server"),
    quirks=compatible(members={"top_k": "top_k"}),
    docs_url="https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md",
)

VLLM = Provider(
    name="vllm",
    base_url="http://localhost:8000/v1",
    base_url_env=("VLLM_BASE_URL",),
    base_path="/v1",
    key_env=("VLLM_API_KEY",),
    auth=unsigned,
    needs_key=False,
    quirks=compatible(members={"top_k": "top_k"}, unsupported={"user": "vLLM accepts it and does nothing with it"}),
    docs_url="https://docs.vllm.ai/en/latest/serving/openai_compatible_server/",
)

LOCAL = (LMSTUDIO, LLAMACPP, VLLM)
