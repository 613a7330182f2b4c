"""
Ollama in the words of its own client: the requests of `cases`, and what the client makes of answers.

Runs in the environment of the official clients, which has no fiber.
"""

from __future__ import annotations

from typing import Any

import ollama
from material import BIG, CITY, EMPTY, KEY, PNG, SAID, base64_of
from sdk_openai import SUMMARY, USER


def ollama_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `Client.chat` by case; model and messages have defaults."""

    def function(name: str, description: str, schema: Any) -> Any:
        return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}

    tools = [function("get_weather", SUMMARY, CITY), function("get_time", "Time of day.", EMPTY)]
    first = {"function": {"name": "get_weather", "arguments": {"city": "Zürich"}}}
    one_round = [
        USER,
        {"role": "assistant", "content": "I will look.", "tool_calls": [first]},
        {"role": "tool", "tool_name": "get_weather", "content": "21 degrees"},
    ]
    two_rounds = [
        USER,
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [first, {"function": {"name": "get_time", "arguments": {}}}],
        },
        {"role": "tool", "tool_name": "get_weather", "content": "no such city"},
        {"role": "tool", "tool_name": "get_time", "content": "noon"},
        {"role": "assistant", "content": "It is noon."},
        {"role": "user", "content": "Thanks!"},
    ]
    return {
        "text": {},
        "system": {"messages": [{"role": "system", "content": "Be brief."}, USER]},
        "history": {
            "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}, USER]
        },
        "stream": {"stream": True, "options": {"num_predict": BIG}},
        "stop": {"options": {"stop": ["END", "\n\n"], "num_predict": BIG}},
        "tools_auto": {"tools": tools},
        "tools_none": {},
        "tools_stream": {"tools": tools, "stream": True},
        "tool_result": {"messages": one_round, "tools": tools},
        "tool_results": {"messages": two_rounds, "tools": tools},
        "image": {"messages": [{"role": "user", "content": SAID, "images": [base64_of(PNG)]}]},
        "schema": {"format": CITY},
        "json": {"format": "json"},
        "sampling": {
            "options": {
                "temperature": 0.2,
                "top_p": 0.9,
                "top_k": 5,
                "seed": 7,
                "frequency_penalty": 0.5,
                "presence_penalty": -0.5,
            }
        },
        "logprobs": {"logprobs": True, "top_logprobs": 3},
        "thinking": {"think": "low"},
        "no_thinking": {"think": False},
        "extras": {"options": {"num_ctx": 8192}, "keep_alive": "5m"},
    }


def send(base: str, model: str, said: dict[str, Any]) -> None:
    """Send one request, read the answer to its end."""
    answer = _client(base).chat(**{"model": model, "messages": [USER], **said})
    if said.get("stream"):
        for _ in answer:
            pass


def read(base: str, model: str, *, stream: bool) -> tuple[str, list[Any], str | None, dict[str, int | None]]:
    """Ask; return text, calls, finish reason and usage."""
    text = ""
    calls: list[Any] = []
    found = _client(base).chat(model=model, messages=[USER], stream=stream)
    last: Any = None
    for last in found if stream else [found]:
        text += last.message.content or ""
        calls += [[None, each.function.name, dict(each.function.arguments)] for each in last.message.tool_calls or ()]
    # Who calls tools stops, too.
    finish = "tool_calls" if calls and last.done_reason == "stop" else last.done_reason
    return text, calls, finish, {"input": last.prompt_eval_count, "output": last.eval_count}


def _client(base: str) -> Any:
    return ollama.Client(host=base, headers={"Authorization": f"Bearer {KEY}"})
