"""
Cohere in the words of its own client: the requests of `cases`, and what the client makes of answers.

Runs in the environment of the official clients, which has no fiber.
"""

from __future__ import annotations

import json
from typing import Any

import cohere
from material import BIG, CITY, EMPTY, KEY, PICTURE_URL, PNG, SAID, base64_of
from sdk_openai import SUMMARY, USER

FINISH = {"COMPLETE": "stop", "STOP_SEQUENCE": "stop", "MAX_TOKENS": "length", "TOOL_CALL": "tool_calls"}


def cohere_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `ClientV2.chat` by case; model and messages have defaults."""

    def function(name: str, description: str, schema: Any) -> Any:
        return {"type": "function", "function": {"name": name, "description": description, "parameters": schema}}

    def call(id: str, name: str, arguments: str) -> Any:
        return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}

    def seen(url: str) -> Any:
        parts = [{"type": "text", "text": SAID}, {"type": "image_url", "image_url": {"url": url}}]
        return {"messages": [{"role": "user", "content": parts}]}

    weather = function("get_weather", SUMMARY, CITY)
    tools = [weather, function("get_time", "Time of day.", EMPTY)]
    first = call("call_1", "get_weather", '{"city":"Zürich"}')
    one_round = [
        USER,
        {"role": "assistant", "content": "I will look.", "tool_calls": [first]},
        {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"},
    ]
    two_rounds = [
        USER,
        {"role": "assistant", "tool_calls": [first, call("call_2", "get_time", "{}")]},
        {"role": "tool", "tool_call_id": "call_1", "content": "no such city"},
        {"role": "tool", "tool_call_id": "call_2", "content": "noon"},
        {"role": "assistant", "content": "It is noon."},
        {"role": "user", "content": "Thanks!"},
    ]
    return {
        "text": {},
        "system": {"messages": [{"role": "system", "content": "Be brief."}, USER]},
        "history": {
            "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}, USER]
        },
        "stream": {"stream": True, "max_tokens": BIG},
        "stop": {"stop_sequences": ["END", "\n\n"], "max_tokens": BIG},
        "tools_auto": {"tools": tools},
        "tools_named": {"tools": [weather], "tool_choice": "REQUIRED"},
        "tools_required": {"tools": tools, "tool_choice": "REQUIRED"},
        "tools_none": {"tools": tools, "tool_choice": "NONE"},
        "tools_strict": {"tools": [weather], "strict_tools": True},
        "tools_stream": {"tools": tools, "stream": True},
        "tool_result": {"messages": one_round, "tools": tools},
        "tool_results": {"messages": two_rounds, "tools": tools},
        "image": seen(f"data:image/png;base64,{base64_of(PNG)}"),
        "image_url": seen(PICTURE_URL),
        "documents": {"documents": [{"data": {"title": "Cities", "text": "Rome is old."}}]},
        "schema": {"response_format": {"type": "json_object", "json_schema": CITY}},
        "json": {"response_format": {"type": "json_object"}},
        "sampling": {
            "temperature": 0.2,
            "p": 0.9,
            "k": 5,
            "seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": 0.25,
            "logprobs": True,
        },
        "thinking": {"thinking": {"type": "enabled", "token_budget": 2048}},
        "no_thinking": {"thinking": {"type": "disabled"}},
        "extras": {"safety_mode": "STRICT", "priority": 3, "citation_options": {"mode": "FAST"}},
    }


def send(base: str, model: str, said: dict[str, Any]) -> None:
    """Send one request, read the answer to its end."""
    asked = {"model": model, "messages": [USER], **said}
    client = cohere.ClientV2(api_key=KEY, base_url=base)
    if asked.pop("stream", False):
        for _ in client.chat_stream(**asked):
            pass
    else:
        client.chat(**asked)


def read(base: str, model: str, *, stream: bool) -> tuple[str, list[Any], str | None, dict[str, int | None]]:
    """Ask; return text, calls, finish reason and usage."""
    client = cohere.ClientV2(api_key=KEY, base_url=base)
    text, finish, usage = "", "", None
    calls: list[list[str]] = []
    if stream:
        for event in client.chat_stream(model=model, messages=[USER]):
            if event.type == "content-delta":
                text += event.delta.message.content.text or ""
            elif event.type == "tool-call-start":
                call = event.delta.message.tool_calls
                calls.append([call.id, call.function.name, call.function.arguments])
            elif event.type == "tool-call-delta":
                calls[-1][2] += event.delta.message.tool_calls.function.arguments
            elif event.type == "message-end":
                finish, usage = event.delta.finish_reason, event.delta.usage
    else:
        answer = client.chat(model=model, messages=[USER])
        text = "".join(block.text for block in answer.message.content or () if block.type == "text")
        calls = [[each.id, each.function.name, each.function.arguments] for each in answer.message.tool_calls or ()]
        finish, usage = answer.finish_reason, answer.usage
    counts = {
        "input": int(usage.tokens.input_tokens),
        "output": int(usage.tokens.output_tokens),
        "cached": int(usage.cached_tokens),
    }
    return text, [[id, name, json.loads(given)] for id, name, given in calls], FINISH.get(finish, finish), counts
