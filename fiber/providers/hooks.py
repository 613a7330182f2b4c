"""
Hooks: what a single provider wants otherwise, said as a pure function from a request's draft to another.

A deviation that three providers share is a quirk (`fiber.types.target.Quirks`) and not in here. Facts as of 2026-11-20,
from the documentation that each row names, the vendors' own clients, and the live-checked profiles of pydantic-ai 2.68.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from fiber.adapters.parameters import refuse
from fiber.types.draft import Draft
from fiber.types.http import Note
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_CODE = {"type": "code_interpreter"}
_CODE_IN_CONTAINER = {**_CODE, "container": {"type": "auto"}}
_MISTRAL_ID = re.compile(r"[A-Za-z0-9]{9}")
_OPEN_QWEN = re.compile(r"qwen3(\.\d+)?-\d+b")
_SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
_OF_THE_MODEL = (
    *_SAMPLING,
    *("top_k", "stop", "seed", "logprobs", "top_logprobs", "logit_bias", "tools", "tool_choice", "response_format"),
)


def mistral(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Write ids of calls in nine letters, documents and sounds in Mistral's parts, and mark an answer to go on with."""

    def written(message: dict[str, Any]) -> dict[str, Any]:
        message = dict(message)
        if "tool_call_id" in message:
            message["tool_call_id"] = _nine(message["tool_call_id"], draft)
        if "tool_calls" in message:
            message["tool_calls"] = [
                {**call, "id": _nine(call["id"], draft)} if isinstance(call, dict) else call
                for call in message["tool_calls"]
            ]
        return message

    draft = _messages(_parts(draft, _mistral_part), written)
    *earlier, last = draft.body["messages"] or [None]
    if isinstance(last, dict) and last["role"] == "assistant" and not last.get("tool_calls"):
        draft = draft._replace(body={**draft.body, "messages": [*earlier, {**last, "prefix": True}]})
    return draft


def _nine(id_: str, draft: Draft) -> str:
    if _MISTRAL_ID.fullmatch(id_):
        return id_
    short = sha256(id_.encode()).hexdigest()[:9]
    note = Note("mapped", f"id of the tool call {id_}", f"sent as {short}: Mistral takes nine letters and digits")
    if note not in draft.notes:
        draft.notes.append(note)
    return short


def _mistral_part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] == "input_audio":
        return {"type": "input_audio", "input_audio": part["input_audio"]["data"]}
    if part["type"] == "file" and "file_id" in part["file"]:
        return {"type": "file", "file_id": part["file"]["file_id"]}
    if part["type"] == "file":
        file = part["file"]
        return {"type": "document_url", "document_url": file["file_data"], "document_name": file["filename"]}
    return part


def deepseek(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Refuse to force a tool on a model that thinks, and tell what such a model does not heed."""
    if draft.body.get("thinking") == {"type": "disabled"}:
        return draft
    forced = request.tool_choice is not None and request.tool_choice.mode in ("required", "named")
    body = dict(draft.body)
    if forced:
        why = 'DeepSeek answers 400 while it thinks; set reasoning effort "none" to force a tool'
        refuse(request, target, draft.notes, "tool_choice", why)
        del body["tool_choice"]
    for name in _SAMPLING:
        if name in body:
            draft.notes.append(Note("warned", name, "DeepSeek does not heed it while it thinks"))
    return draft._replace(body=body)


def together(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Say how many token probabilities in one number, and turn thinking off by an object."""
    body = dict(draft.body)
    wanted, most = body.pop("logprobs", None), body.pop("top_logprobs", 1)
    if wanted:
        body["logprobs"] = max(1, most)
    if body.get("reasoning_effort") == "none":
        del body["reasoning_effort"]
        body["reasoning"] = {"enabled": False}
    return draft._replace(body=body)


def perplexity(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Name Perplexity's own models in full, and the shape of an answer as its API has it."""
    body = {name: value for name, value in draft.body.items() if name not in ("text", "include")}
    if "/" not in body["model"]:
        body["model"] = f"perplexity/{body['model']}"
    form = dict(draft.body.get("text", {}).get("format", {}))
    if form.pop("type", "text") == "json_schema":
        body["response_format"] = {"type": "json_schema", "json_schema": form}
    return draft._replace(body=body)


def xai(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Leave out the usual container, which xAI's code interpreter has none of."""
    tools = draft.body.get("tools")
    if tools is None:
        return draft
    return draft._replace(
        body={**draft.body, "tools": [_CODE if tool == _CODE_IN_CONTAINER else tool for tool in tools]}
    )


def qwen(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Say how much to think in Qwen's members, and sounds as URLs."""
    body = dict(draft.body)
    wanted = request.reasoning
    if wanted is not None:
        body["enable_thinking"] = wanted.effort != "none" and wanted.budget_tokens != 0
        if wanted.budget_tokens:
            body["thinking_budget"] = wanted.budget_tokens
        if wanted.effort not in (None, "none"):
            body["reasoning_effort"] = wanted.effort
    elif not draft.stream and _OPEN_QWEN.match(target.model):
        # 400 "enable_thinking must be set to false for non-streaming calls" is the answer otherwise.
        body["enable_thinking"] = False
        draft.notes.append(Note("mapped", "reasoning", "turned off: Qwen's open models think in streams only"))
    return _parts(draft._replace(body=body), _qwen_part)


def _qwen_part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] != "input_audio":
        return part
    audio = part["input_audio"]
    return {**part, "input_audio": {**audio, "data": f"data:;base64,{audio['data']}"}}


def zai(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Keep temperature and top_p inside (0, 1), as Z.ai's own client does."""
    body = dict(draft.body)
    for name in ("temperature", "top_p"):
        if name not in body or 0 < body[name] < 1:
            continue
        asked = body[name]
        if asked >= 1:
            body[name] = 0.99
        elif name == "temperature":
            del body[name]
            body["do_sample"] = False
        else:
            body[name] = 0.01
        sent = f"sent as {body[name]}" if name in body else "sent as do_sample false"
        draft.notes.append(Note("mapped", name, f"{asked:g} {sent}: Z.ai takes more than 0 and less than 1"))
    return draft._replace(body=body)


def minimax(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """Ask for reasoning beside the text, and say how much to think as on or off."""
    body: dict[str, Any] = {**draft.body, "reasoning_split": True}
    wanted = request.reasoning
    if wanted is not None:
        off = wanted.effort == "none" or wanted.budget_tokens == 0
        body["thinking"] = {"type": "disabled" if off else "adaptive"}
        if not off and (wanted.effort or wanted.budget_tokens):
            draft.notes.append(Note("mapped", "reasoning", "sent as adaptive: MiniMax thinks or does not"))
    return draft._replace(body=body)


def openrouter(draft: Draft, request: ChatRequest, target: Target) -> Draft:
    """
    Ask for upstreams that take all that was asked; otherwise they ignore what they do not know, silently.

    Source: https://openrouter.ai/docs/features/provider-routing, read 2026-11-20.
    """
    if request.on_unsupported != "raise" or all(getattr(request, name) is None for name in _OF_THE_MODEL):
        return draft
    return draft._replace(body={**draft.body, "provider": {"require_parameters": True}})


def _messages(draft: Draft, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Draft:
    """Change the messages; what comes back as the provider wrote it stays."""
    messages = [change(message) if isinstance(message, dict) else message for message in draft.body["messages"]]
    return draft._replace(body={**draft.body, "messages": messages})


def _parts(draft: Draft, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Draft:
    """Change the parts of messages; what comes back as the provider wrote it stays."""

    def changed(message: dict[str, Any]) -> dict[str, Any]:
        content = message["content"]
        if not isinstance(content, list):
            return message
        return {**message, "content": [change(part) if isinstance(part, dict) else part for part in content]}

    return _messages(draft, changed)
