"""
OpenAI Chat Completions, and its dialects.

Facts: https://platform.openai.com/docs/api-reference/chat/object and .../chat-streaming,
https://platform.openai.com/docs/guides/error-codes, https://learn.microsoft.com/azure/ai-foundry/openai/ (read
2026-11-20), and the README of the recordings for the dialects.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.conformance.oracles import BY_STATUS, Answer, Said, members, names, text, whole

FINISH: Mapping[str, str] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "error": "error",
}

_CODES: Mapping[str, str] = {
    "insufficient_quota": "FiberQuotaError",
    "billing_hard_limit_reached": "FiberQuotaError",
    "invalid_api_key": "FiberAuthError",
    "model_not_found": "FiberModelNotFoundError",
    "DeploymentNotFound": "FiberModelNotFoundError",
    "context_length_exceeded": "FiberContextLengthError",
    "content_filter": "FiberContentFilterError",
    "rate_limit_exceeded": "FiberRateLimitError",
    "server_is_overloaded": "FiberOverloadedError",
    "invalid_model": "FiberModelNotFoundError",
    "model_not_available": "FiberModelNotFoundError",
}
_WORDS: Mapping[str, str] = {
    # No code says so, or only a general one.
    "invalid model ID": "FiberModelNotFoundError",
    "is not a valid model ID": "FiberModelNotFoundError",
    "The supported API model names are": "FiberModelNotFoundError",
    "Model Not Exist": "FiberModelNotFoundError",
    "Not supported model": "FiberModelNotFoundError",
    "Context size has been exceeded": "FiberContextLengthError",
    "Content violates usage guidelines": "FiberContentFilterError",
}

UNREAD: Mapping[str, frozenset[str]] = {
    # Those of the second line repeat the request, in completions that are kept; `p` is Mistral's padding.
    "Chunk": names(
        "created system_fingerprint obfuscation prompt_filter_results p",
        "tool_choice seed top_p temperature presence_penalty frequency_penalty input_user tools metadata"
        " response_format",
    ),
    "Choice": names("content_filter_results"),
    "Delta": names("role"),
}


def answer(payloads: list[Any]) -> Answer:
    """Put a reply, or the chunks of a stream, together."""
    made = Answer()
    usage: Any = None
    readers: dict[int, _Choice] = {}
    for payload in map(members, payloads):
        usage = payload.get("usage") or members(payload.get("x_groq")).get("usage") or usage
        for choice in payload.get("choices") or ():
            number = choice.get("index") or 0
            reader = readers.setdefault(number, _Choice(made.choice(number)))
            # Perplexity and Writer send both in every chunk, and an empty delta in a whole reply.
            piece, message = choice.get("delta"), choice.get("message")
            reader.take(members(message if piece is None or (message and len(payloads) == 1) else piece))
            if choice.get("finish_reason"):
                reader.said.raw = choice["finish_reason"]
    for reader in readers.values():
        reader.close()
    made.usage = _usage(members(usage))
    return made


def refusal(status: int, value: Any) -> str:
    """Name the class of an error answer."""
    if isinstance(value, list) and value:
        value = value[0]
    error = members(value).get("error", value)
    said = members(error)
    for code in (said.get("code"), said.get("type")):
        if isinstance(code, str) and code in _CODES:
            return _CODES[code]
    # Xiaomi has its words in `param`, OpenRouter those of the provider behind it in `metadata`.
    words = f"{said.get('message')} {said.get('param')} {said.get('metadata')}"
    return next((kind for each, kind in _WORDS.items() if each in words), BY_STATUS.get(status, "FiberProviderError"))


class _Choice:
    """One choice in the making: pieces of a call belong to its index, or to its id where there is none."""

    def __init__(self, said: Said) -> None:
        self.said = said
        self._refusal = ""
        self._thoughts = {"reasoning_content": "", "reasoning": "", "details": "", "parts": ""}
        self._calls: list[dict[str, Any]] = []

    def take(self, piece: dict[str, Any]) -> None:
        content = piece.get("content")
        if isinstance(content, list):
            self.said.text += "".join(text(part.get("text")) for part in content if part.get("type") == "text")
            for part in content:
                inner = part.get("thinking") if part.get("type") == "thinking" else None
                self._thoughts["parts"] += "".join(text(each.get("text")) for each in inner or ())
        else:
            self.said.text += json.dumps(content, separators=(",", ":")) if isinstance(content, dict) else text(content)
        self._refusal += text(piece.get("refusal"))
        for name in ("reasoning_content", "reasoning"):
            self._thoughts[name] += text(piece.get(name))
        for detail in piece.get("reasoning_details") or ():
            self._thoughts["details"] += text(detail.get("text")) or text(detail.get("summary"))
            self.said.seals += [text(detail.get("signature")), text(detail.get("data"))]
        for number, call in enumerate(piece.get("tool_calls") or ()):
            self._call(call, number)
        if piece.get("function_call"):
            self._call({"index": "legacy", "function": piece["function_call"]}, 0)

    def close(self) -> None:
        said = self.said
        said.text += self._refusal
        said.reasoning = next(filter(None, self._thoughts.values()), "")
        said.finish = None if said.raw is None else FINISH.get(said.raw, "other")
        if self._refusal and said.finish == "stop":
            said.finish = "refusal"
        for call in self._calls:
            arguments = call["words"] or ("{}" if call["kind"] == "function" else "")
            said.calls.append((call["id"], call["name"], arguments))

    def _call(self, piece: dict[str, Any], number: int) -> None:
        kind = "custom" if members(piece.get("custom")) else "function"
        body = members(piece.get(kind))
        id, name = piece.get("id") or None, text(body.get("name"))
        words = body.get("input" if kind == "custom" else "arguments")
        words = "" if words is None else words if isinstance(words, str) else json.dumps(words, separators=(",", ":"))
        place = piece.get("index")
        if place is None:
            place = id or number
        for call in reversed(self._calls):
            if call["place"] == place and not (name and id and call["id"] not in (None, id)):
                call["id"], call["name"] = call["id"] or id, call["name"] or name
                call["words"] += words
                return
        self._calls.append({"place": place, "id": id, "name": name, "words": words, "kind": kind})


def _usage(said: dict[str, Any]) -> dict[str, int | None]:
    prompt = members(said.get("prompt_tokens_details"))
    completion = members(said.get("completion_tokens_details") or said.get("completion_token_details"))  # Writer
    given, made, total = (whole(said.get(name)) for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    thought = whole(completion.get("reasoning_tokens", said.get("reasoning_tokens")))
    if thought and given is not None and made is not None and total == given + made + thought:
        made += thought  # xAI counts reasoning beside the answer
    return {
        "input_tokens": given,
        "output_tokens": made,
        "total_tokens": total,
        "reasoning_tokens": thought,
        **({"cache_read_tokens": whole(prompt["cached_tokens"])} if "cached_tokens" in prompt else {}),
        **({"audio_output_tokens": whole(completion["audio_tokens"])} if "audio_tokens" in completion else {}),
    }
