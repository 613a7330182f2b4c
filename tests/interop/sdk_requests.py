"""
The logical requests of `cases`, sent by the official clients; runs in their environment, which has no fiber.

Called with the address of a recorder; prints one line of JSON for each case: its name and the error, if any. Every call
is written as the vendor's documentation does it, keywords only; where the client has two spellings, the plain one.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import anthropic
import openai
import sdk_azure
import sdk_cohere
import sdk_mistral
import sdk_ollama
from google import genai
from google.genai import types
from material import BIG, CITY, EMPTY, KEY, PDF, PICTURE_URL, PNG, SAID, WAV, base64_of
from sdk_openai import SAMPLING, SUMMARY, USER, chat_cases, responses_cases, user


def messages_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `messages.create` by case; model, messages and max_tokens have defaults."""

    def call(id: str, name: str, **input: Any) -> Any:
        return {"type": "tool_use", "id": id, "name": name, "input": input}

    def result(id: str, content: str, **more: Any) -> Any:
        return {"type": "tool_result", "tool_use_id": id, "content": content, **more}

    weather = {"name": "get_weather", "description": SUMMARY, "input_schema": CITY}
    tools = [weather, {"name": "get_time", "description": "Time of day.", "input_schema": EMPTY}]
    text = {"type": "text", "text": SAID}
    first = call("call_1", "get_weather", city="Zürich")
    two_rounds = [
        USER,
        {"role": "assistant", "content": [first, call("call_2", "get_time")]},
        *user(result("call_1", "no such city", is_error=True), result("call_2", "noon")),
        {"role": "assistant", "content": "It is noon."},
        {"role": "user", "content": "Thanks!"},
    ]
    one_round = [
        USER,
        {"role": "assistant", "content": [{"type": "text", "text": "I will look."}, first]},
        *user(result("call_1", "21 degrees")),
    ]
    png = {"type": "base64", "media_type": "image/png", "data": base64_of(PNG)}
    pdf = {"type": "base64", "media_type": "application/pdf", "data": base64_of(PDF)}
    brief = {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}
    return {
        "text": {},
        "system": {"system": "Be brief."},
        "history": {
            "messages": [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"}, USER]
        },
        "stream": {"stream": True, "max_tokens": BIG},
        "stop": {"stop_sequences": ["END", "\n\n"], "max_tokens": BIG},
        "tools_auto": {"tools": tools, "tool_choice": {"type": "auto"}},
        "tools_named": {"tools": tools, "tool_choice": {"type": "tool", "name": "get_weather"}},
        "tools_required": {"tools": tools, "tool_choice": {"type": "any"}},
        "tools_none": {"tools": tools, "tool_choice": {"type": "none"}},
        "tools_serial": {"tools": tools, "tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        "serial_named": {
            "tools": tools,
            "tool_choice": {"type": "tool", "name": "get_time", "disable_parallel_tool_use": True},
        },
        "tools_strict": {"tools": [{**weather, "strict": True}]},
        "tools_stream": {"tools": tools, "stream": True},
        "tool_result": {"messages": one_round, "tools": tools},
        "tool_results": {"messages": two_rounds, "tools": tools},
        "image": {"messages": user(text, {"type": "image", "source": png})},
        "image_url": {"messages": user(text, {"type": "image", "source": {"type": "url", "url": PICTURE_URL}})},
        "document": {"messages": user({"type": "document", "source": pdf, "title": "a.pdf"}, text)},
        "schema": {"output_config": {"format": {"type": "json_schema", "schema": CITY}}},
        "user": {"metadata": {"user_id": "u1"}, "service_tier": "auto"},
        "effort": {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
        "thinking": {
            "model": "claude-sonnet-4-5",
            "max_tokens": 4096,
            "thinking": {"type": "enabled", "budget_tokens": 2048},
        },
        "no_thinking": {"thinking": {"type": "disabled"}},
        "cache": {"system": [brief]},
        "web_search": {"tools": [{"type": "web_search_20260318", "name": "web_search"}]},
    }


def generate_cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `generate_content` by case; model and contents have defaults."""

    def function(name: str, description: str, schema: Any) -> Any:
        return types.FunctionDeclaration(name=name, description=description, parameters_json_schema=schema)

    def choose(mode: str, *names: str) -> Any:
        config = types.FunctionCallingConfig(mode=mode, allowed_function_names=list(names) or None)
        return {"tools": tools, "tool_config": types.ToolConfig(function_calling_config=config)}

    def call(id: str, name: str, **args: Any) -> Any:
        return types.Part(function_call=types.FunctionCall(id=id, name=name, args=args))

    def result(id: str, name: str, **response: Any) -> Any:
        return types.Part(function_response=types.FunctionResponse(id=id, name=name, response=response))

    def said(role: str, *parts: Any) -> Any:
        return types.Content(role=role, parts=[types.Part(text=p) if isinstance(p, str) else p for p in parts])

    functions = [function("get_weather", SUMMARY, CITY), function("get_time", "Time of day.", EMPTY)]
    tools = [types.Tool(function_declarations=functions)]
    first = call("call_1", "get_weather", city="Zürich")
    two_rounds = [
        said("user", SAID),
        said("model", first, call("call_2", "get_time")),
        said(
            "user",
            result("call_1", "get_weather", error="no such city"),
            result("call_2", "get_time", output="noon"),
        ),
        said("model", "It is noon."),
        said("user", "Thanks!"),
    ]
    one_round = [
        said("user", SAID),
        said("model", "I will look.", first),
        said("user", result("call_1", "get_weather", output="21 degrees")),
    ]
    png, pdf, wav = (
        types.Part.from_bytes(data=data, mime_type=kind)
        for data, kind in ((PNG, "image/png"), (PDF, "application/pdf"), (WAV, "audio/wav"))
    )
    safety = types.SafetySetting(category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")
    thinking = types.ThinkingConfig
    return {
        "text": {},
        "system": {"config": {"system_instruction": "Be brief."}},
        "history": {"contents": [said("user", "Hello"), said("model", "Hello!"), said("user", SAID)]},
        "stream": {"stream": True, "config": {"max_output_tokens": BIG}},
        "stop": {"config": {"stop_sequences": ["END", "\n\n"], "max_output_tokens": BIG}},
        "tools_auto": {"config": choose("AUTO")},
        "tools_named": {"config": choose("ANY", "get_weather")},
        "tools_required": {"config": choose("ANY")},
        "tools_none": {"config": choose("NONE")},
        "tools_strict": {"config": {**choose("VALIDATED"), "tools": [types.Tool(function_declarations=functions[:1])]}},
        "tools_stream": {"stream": True, "config": {"tools": tools}},
        "tool_result": {"contents": one_round, "config": {"tools": tools}},
        "tool_results": {"contents": two_rounds, "config": {"tools": tools}},
        "image": {"contents": [said("user", SAID, png)]},
        "image_url": {
            "contents": [said("user", SAID, types.Part.from_uri(file_uri=PICTURE_URL, mime_type="image/png"))]
        },
        "document": {"contents": [said("user", pdf, SAID)]},
        "audio": {"contents": [said("user", SAID, wav)]},
        "schema": {"config": {"response_mime_type": "application/json", "response_json_schema": CITY}},
        "json": {"config": {"response_mime_type": "application/json"}},
        "sampling": {"config": {**SAMPLING, "top_k": 5, "seed": 7, "max_output_tokens": BIG, "candidate_count": 2}},
        "penalties": {"config": {"frequency_penalty": 0.5, "presence_penalty": -0.5, "response_logprobs": True}},
        "thinking": {"config": {"thinking_config": thinking(thinking_budget=2048, include_thoughts=True)}},
        "no_thinking": {"config": {"thinking_config": thinking(thinking_budget=0)}},
        "level": {"model": "gemini-3-flash-preview", "config": {"thinking_config": thinking(thinking_level="LOW")}},
        "safety": {"config": {"safety_settings": [safety]}},
        "web_search": {"config": {"tools": [types.Tool(google_search=types.GoogleSearch())]}},
        "code_execution": {"config": {"tools": [types.Tool(code_execution=types.ToolCodeExecution())]}},
    }


TABLES = {
    "chat": chat_cases,
    "responses": responses_cases,
    "messages": messages_cases,
    "generate": generate_cases,
    "cohere": sdk_cohere.cohere_cases,
    "ollama": sdk_ollama.ollama_cases,
    "azure": sdk_azure.azure_chat_cases,
    "azure-dated": sdk_azure.azure_chat_cases,
    "azure-responses": sdk_azure.azure_responses_cases,
    "mistral": sdk_mistral.mistral_cases,
}
OWN_MODULES: dict[str, Any] = {"cohere": sdk_cohere, "ollama": sdk_ollama, "mistral": sdk_mistral}


def send(format: str, base: str, what: str, model: str, said: dict[str, Any]) -> None:
    """Make one client, send one request, read the answer to its end."""
    if format in OWN_MODULES:
        OWN_MODULES[format].send(base, model, said)
        return
    if format in sdk_azure.FORMATS:
        sdk_azure.send(format, base, what, model, said)
        return
    if format in ("chat", "responses"):
        client = openai.OpenAI(base_url=f"{base}/v1", api_key=KEY, max_retries=0)
        if format == "chat":
            answer: Any = client.chat.completions.create(**{"model": model, "messages": [USER], **said})
        else:
            answer = client.responses.create(**{"model": model, "input": [USER], **said})
    elif format == "messages":
        claude = anthropic.Anthropic(base_url=base, api_key=KEY, max_retries=0)
        answer = claude.messages.create(**{"model": model, "max_tokens": BIG, "messages": [USER], **said})
    else:
        google = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=base))
        config = {**said.get("config", {}), "automatic_function_calling": {"disable": True}}
        method = google.models.generate_content_stream if said.get("stream") else google.models.generate_content
        answer = method(
            model=said.get("model", model),
            contents=said.get("contents", SAID),
            config=types.GenerateContentConfig(**config),
        )
    if said.get("stream"):
        for _ in answer:
            pass


def main() -> None:
    """Send everything; the second argument holds the plain and the reasoning model of each format."""
    base, models = sys.argv[1], json.loads(sys.argv[2])
    for format, table in TABLES.items():
        for what, said in table().items():
            error = ""
            try:
                thinks = what in ("reasoning", "sealed", "effort")
                send(format, f"{base}/{format}.{what}", what, models[format][thinks], said)
            except Exception as caught:
                error = f"{type(caught).__name__}: {caught}"[:300]
            print(json.dumps({"case": f"{format}.{what}", "error": error}), flush=True)


if __name__ == "__main__":
    main()
