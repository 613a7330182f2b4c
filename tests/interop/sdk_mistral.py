"""
Mistral in the words of its own client: the requests of `cases`.

Where its keywords are those of OpenAI's Chat Completions, they are taken from there. Runs in the environment of the
official clients, which has no fiber.
"""

from __future__ import annotations

from typing import Any

from material import BIG, KEY, SAID, WAV, base64_of
from mistralai.client import Mistral
from sdk_openai import PDF_URL, SAMPLING, USER, chat_cases, user

_SAME = (
    *("text", "system", "history", "tools_auto", "tools_named", "tools_required", "tools_none", "tools_serial"),
    *("tools_strict", "tools_stream", "tool_result", "tool_results", "image", "image_url", "detail", "schema", "json"),
    "reasoning",
)


def mistral_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `chat.complete` by case; model and messages have defaults."""
    common = chat_cases()
    text = {"type": "text", "text": SAID}
    return {
        **{name: common[name] for name in _SAME},
        "stream": {"stream": True, "max_tokens": BIG},
        "stop": {"stop": ["END", "\n\n"], "max_tokens": BIG},
        "developer": common["system"],  # there is no such role
        "document": {
            "messages": user({"type": "document_url", "document_url": PDF_URL, "document_name": "a.pdf"}, text)
        },
        "file_id": {"messages": user({"type": "file", "file_id": "file-1"}, text)},
        "audio": {"messages": user(text, {"type": "input_audio", "input_audio": base64_of(WAV)})},
        "sampling": {
            **SAMPLING,
            "top_k": 5,
            "random_seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": -0.5,
            "n": 2,
            "logprobs": True,
            "top_logprobs": 3,
        },
        "labels": {"metadata": {"k": "v"}, "service_tier": "auto"},
        "prefix": {"messages": [USER, {"role": "assistant", "content": "It is", "prefix": True}]},
        "extras": {"safe_prompt": True, "prompt_mode": "reasoning"},
    }


def send(base: str, model: str, said: dict[str, Any]) -> None:
    """Send one request, read the answer to its end."""
    asked = {"model": model, "messages": [USER], **said}
    with Mistral(api_key=KEY, server_url=base) as client:
        if asked.pop("stream", False):
            with client.chat.stream(**asked) as events:
                for _ in events:
                    pass
        else:
            client.chat.complete(**asked)
