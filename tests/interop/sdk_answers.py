"""
What the official clients make of the answers of a mock provider; runs in their environment, which has no fiber.

Called with the base URLs of the mock and the answers' names as JSON; prints one line of JSON for each answer, whole and
streamed: text, tool calls, finish reason and usage, in fiber's words. The translation is written from the vendors'
documentation, not from fiber.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import anthropic
import openai
import sdk_cohere
import sdk_ollama
from google import genai
from google.genai import types
from material import BIG, KEY, SAID

USER = {"role": "user", "content": SAID}
STOP_REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
}
GEMINI_REASONS = {"STOP": "stop", "MAX_TOKENS": "length", "SAFETY": "content_filter"}


def seen(text: str, calls: list[Any], finish: str | None, usage: dict[str, int | None]) -> dict[str, Any]:
    """Put an answer into the common shape; *calls* are triples of id, name and arguments (JSON text or a value)."""
    decoded = [[id, name, json.loads(given) if isinstance(given, str) else given] for id, name, given in calls]
    return {
        "text": text,
        "calls": decoded,
        "finish": finish,
        "usage": {k: v for k, v in usage.items() if v is not None},
    }


def chat(base: str, model: str, *, stream: bool) -> dict[str, Any]:
    """Ask Chat Completions."""
    client = openai.OpenAI(base_url=base, api_key=KEY, max_retries=0)
    if stream:
        with client.chat.completions.stream(
            model=model, messages=[USER], stream_options={"include_usage": True}
        ) as events:
            try:
                events.until_done()
            except (openai.LengthFinishReasonError, openai.ContentFilterFinishReasonError):
                pass  # how the client's stream says these two reasons
            answer: Any = events.current_completion_snapshot
    else:
        answer = client.chat.completions.create(model=model, messages=[USER])
    choice, usage = answer.choices[0], answer.usage
    calls = [[call.id, call.function.name, call.function.arguments] for call in choice.message.tool_calls or ()]
    counts = {
        "input": usage.prompt_tokens,
        "output": usage.completion_tokens,
        "cached": usage.prompt_tokens_details and usage.prompt_tokens_details.cached_tokens,
        "reasoning": usage.completion_tokens_details and usage.completion_tokens_details.reasoning_tokens,
    }
    return seen(choice.message.content or "", calls, choice.finish_reason, counts)


def responses(base: str, model: str, *, stream: bool) -> dict[str, Any]:
    """Ask Responses."""
    client = openai.OpenAI(base_url=base, api_key=KEY, max_retries=0)
    if stream:
        answer: Any = None
        for event in client.responses.create(model=model, input=SAID, stream=True):
            if event.type in ("response.completed", "response.incomplete", "response.failed"):
                answer = event.response
    else:
        answer = client.responses.create(model=model, input=SAID)
    calls = [[item.call_id, item.name, item.arguments] for item in answer.output if item.type == "function_call"]
    finish = "tool_calls" if calls else "stop"
    if answer.status == "incomplete":
        why = answer.incomplete_details.reason
        finish = {"max_output_tokens": "length"}.get(why, why)
    counts = {
        "input": answer.usage.input_tokens,
        "output": answer.usage.output_tokens,
        "cached": answer.usage.input_tokens_details.cached_tokens,
        "reasoning": answer.usage.output_tokens_details.reasoning_tokens,
    }
    return seen(answer.output_text, calls, finish, counts)


def messages(base: str, model: str, *, stream: bool) -> dict[str, Any]:
    """Ask Messages."""
    client = anthropic.Anthropic(base_url=base, api_key=KEY, max_retries=0)
    if stream:
        with client.messages.stream(model=model, messages=[USER], max_tokens=BIG) as events:
            answer: Any = events.get_final_message()
    else:
        answer = client.messages.create(model=model, messages=[USER], max_tokens=BIG)
    text = "".join(block.text for block in answer.content if block.type == "text")
    calls = [[block.id, block.name, block.input] for block in answer.content if block.type == "tool_use"]
    usage = answer.usage
    cached, written = usage.cache_read_input_tokens, usage.cache_creation_input_tokens
    details = getattr(usage, "output_tokens_details", None)
    counts = {
        "input": usage.input_tokens + (cached or 0) + (written or 0),
        "output": usage.output_tokens,
        "cached": cached,
        "reasoning": getattr(details, "thinking_tokens", None),
    }
    return seen(text, calls, STOP_REASONS.get(answer.stop_reason, answer.stop_reason), counts)


def generate(base: str, model: str, *, stream: bool) -> dict[str, Any]:
    """Ask generateContent."""
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=base))
    if stream:
        chunks: list[Any] = list(client.models.generate_content_stream(model=model, contents=SAID))
    else:
        chunks = [client.models.generate_content(model=model, contents=SAID)]
    text, calls, finish, counts = "", [], None, None
    for chunk in chunks:
        for candidate in chunk.candidates or ():
            for part in (candidate.content and candidate.content.parts) or ():
                if part.text and not part.thought:
                    text += part.text
                if part.function_call:
                    calls.append([part.function_call.id, part.function_call.name, part.function_call.args or {}])
            finish = candidate.finish_reason or finish
        counts = chunk.usage_metadata or counts
    word = GEMINI_REASONS.get(finish.value, finish.value) if finish else None
    usage = {
        "input": counts.prompt_token_count,
        "output": (counts.candidates_token_count or 0) + (counts.thoughts_token_count or 0),
        "cached": counts.cached_content_token_count,
        "reasoning": counts.thoughts_token_count,
    }
    return seen(text, calls, "tool_calls" if calls and word == "stop" else word, usage)


def cohere(base: str, model: str, *, stream: bool) -> dict[str, Any]:
    """Ask Cohere."""
    return seen(*sdk_cohere.read(base, model, stream=stream))


def ollama(base: str, model: str, *, stream: bool) -> dict[str, Any]:
    """Ask Ollama."""
    return seen(*sdk_ollama.read(base, model, stream=stream))


def main() -> None:
    """Ask for every answer in every format, whole and streamed."""
    bases, names = json.loads(sys.argv[1]), json.loads(sys.argv[2])
    for ask in (chat, responses, messages, generate, cohere, ollama):
        for name in names:
            for stream in (False, True):
                case = f"{ask.__name__}.{name}{'.stream' if stream else ''}"
                try:
                    answer = ask(bases[ask.__name__], name, stream=stream)
                except Exception as error:
                    answer = {"error": f"{type(error).__name__}: {error}"[:300]}
                print(json.dumps({"case": case, "seen": answer}), flush=True)


if __name__ == "__main__":
    main()
