"""
The logical requests of `cases` in the words of the `openai` client: keywords of `chat.completions` and of `responses`.

Written as the vendor's documentation does it; where the client has two spellings, the plain one.
"""

from __future__ import annotations

from typing import Any

from material import BIG, CITY, EMPTY, PDF, PICTURE_URL, PNG, SAID, WAV, base64_of

USER = {"role": "user", "content": SAID}
SUMMARY = "Weather of a city."
SAMPLING = {"temperature": 0.2, "top_p": 0.9}
PNG_URL = "data:image/png;base64," + base64_of(PNG)
PDF_URL = "data:application/pdf;base64," + base64_of(PDF)
LABELS = {"user": "u1", "metadata": {"k": "v"}, "store": True, "service_tier": "flex"}
ARGUMENTS = '{"city":"Zürich"}'


def user(*parts: Any) -> list[Any]:
    """Make a message of parts."""
    return [{"role": "user", "content": list(parts)}]


def chat_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `chat.completions.create` by case; model and messages have defaults."""

    def function(name: str, description: str, schema: Any, **more: Any) -> Any:
        return {
            "type": "function",
            "function": {"name": name, "description": description, "parameters": schema, **more},
        }

    def call(id: str, name: str, arguments: str) -> Any:
        return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}

    def result(id: str, content: str) -> Any:
        return {"role": "tool", "tool_call_id": id, "content": content}

    tools = [function("get_weather", SUMMARY, CITY), function("get_time", "Time of day.", EMPTY)]
    text = {"type": "text", "text": SAID}
    first = call("call_1", "get_weather", ARGUMENTS)
    two_rounds = [
        USER,
        {"role": "assistant", "tool_calls": [first, call("call_2", "get_time", "{}")]},
        result("call_1", "no such city"),
        result("call_2", "noon"),
        {"role": "assistant", "content": "It is noon."},
        {"role": "user", "content": "Thanks!"},
    ]
    one_round = [
        USER,
        {"role": "assistant", "content": "I will look.", "tool_calls": [first]},
        result("call_1", "21 degrees"),
    ]
    schema = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY, "strict": True}}
    return {
        "text": {},
        "system": {"messages": [{"role": "system", "content": "Be brief."}, USER]},
        "developer": {"messages": [{"role": "developer", "content": "Be brief."}, USER]},
        "history": {
            "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}, USER]
        },
        "stream": {"stream": True, "max_completion_tokens": BIG},
        "stop": {"stop": ["END", "\n\n"], "max_completion_tokens": BIG},
        "tools_auto": {"tools": tools, "tool_choice": "auto"},
        "tools_named": {"tools": tools, "tool_choice": {"type": "function", "function": {"name": "get_weather"}}},
        "tools_required": {"tools": tools, "tool_choice": "required"},
        "tools_none": {"tools": tools, "tool_choice": "none"},
        "tools_serial": {"tools": tools, "parallel_tool_calls": False},
        "tools_strict": {"tools": [function("get_weather", SUMMARY, CITY, strict=True)]},
        "tools_stream": {"tools": tools, "stream": True},
        "tool_result": {"messages": one_round, "tools": tools},
        "tool_results": {"messages": two_rounds, "tools": tools},
        "image": {"messages": user(text, {"type": "image_url", "image_url": {"url": PNG_URL}})},
        "image_url": {"messages": user(text, {"type": "image_url", "image_url": {"url": PICTURE_URL}})},
        "detail": {"messages": user({"type": "image_url", "image_url": {"url": PICTURE_URL, "detail": "low"}})},
        "document": {"messages": user({"type": "file", "file": {"filename": "a.pdf", "file_data": PDF_URL}}, text)},
        "file_id": {"messages": user({"type": "file", "file": {"file_id": "file-1"}}, text)},
        "audio": {
            "messages": user(text, {"type": "input_audio", "input_audio": {"data": base64_of(WAV), "format": "wav"}})
        },
        "schema": {"response_format": schema},
        "json": {"response_format": {"type": "json_object"}},
        "sampling": {
            **SAMPLING,
            "seed": 7,
            "frequency_penalty": 0.5,
            "presence_penalty": -0.5,
            "n": 2,
            "logprobs": True,
            "top_logprobs": 3,
            "logit_bias": {"50256": -100},
        },
        "labels": LABELS,
        "reasoning": {"reasoning_effort": "low"},
        "extras": {"extra_body": {"verbosity": "low"}, "extra_query": {"beta": "a b"}},
    }


def responses_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `responses.create` by case; model and input have defaults."""

    def function(name: str, description: str, schema: Any, **more: Any) -> Any:
        return {"type": "function", "name": name, "description": description, "parameters": schema, **more}

    def call(id: str, name: str, arguments: str) -> Any:
        return {"type": "function_call", "call_id": id, "name": name, "arguments": arguments}

    def result(id: str, output: str) -> Any:
        return {"type": "function_call_output", "call_id": id, "output": output}

    tools = [function("get_weather", SUMMARY, CITY), function("get_time", "Time of day.", EMPTY)]
    text = {"type": "input_text", "text": SAID}
    first = call("call_1", "get_weather", ARGUMENTS)
    two_rounds = [
        USER,
        first,
        call("call_2", "get_time", "{}"),
        result("call_1", "no such city"),
        result("call_2", "noon"),
        {"role": "assistant", "content": "It is noon."},
        {"role": "user", "content": "Thanks!"},
    ]
    one_round = [USER, {"role": "assistant", "content": "I will look."}, first, result("call_1", "21 degrees")]
    return {
        "text": {},
        "system": {"input": [{"role": "system", "content": "Be brief."}, USER]},
        "developer": {"input": [{"role": "developer", "content": "Be brief."}, USER]},
        "history": {"input": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}, USER]},
        "stream": {"stream": True, "max_output_tokens": BIG},
        "tools_auto": {"tools": tools, "tool_choice": "auto"},
        "tools_named": {"tools": tools, "tool_choice": {"type": "function", "name": "get_weather"}},
        "tools_required": {"tools": tools, "tool_choice": "required"},
        "tools_none": {"tools": tools, "tool_choice": "none"},
        "tools_serial": {"tools": tools, "parallel_tool_calls": False},
        "tools_strict": {"tools": [function("get_weather", SUMMARY, CITY, strict=True)]},
        "tools_stream": {"tools": tools, "stream": True},
        "tool_result": {"input": one_round, "tools": tools},
        "tool_results": {"input": two_rounds, "tools": tools},
        "image": {"input": user(text, {"type": "input_image", "image_url": PNG_URL})},
        "image_url": {"input": user(text, {"type": "input_image", "image_url": PICTURE_URL})},
        "document": {"input": user({"type": "input_file", "filename": "a.pdf", "file_data": PDF_URL}, text)},
        "file_id": {"input": user({"type": "input_file", "file_id": "file-1"}, text)},
        "schema": {"text": {"format": {"type": "json_schema", "name": "city", "schema": CITY, "strict": True}}},
        "json": {"text": {"format": {"type": "json_object"}}},
        "sampling": {
            **SAMPLING,
            "max_output_tokens": BIG,
            "top_logprobs": 3,
            "include": ["message.output_text.logprobs"],
        },
        "labels": LABELS,
        "reasoning": {"reasoning": {"effort": "low", "summary": "auto"}},
        "sealed": {"store": False, "reasoning": {"effort": "high"}, "include": ["reasoning.encrypted_content"]},
        "previous": {"previous_response_id": "resp_0"},
        "web_search": {"tools": [{"type": "web_search"}]},
    }
