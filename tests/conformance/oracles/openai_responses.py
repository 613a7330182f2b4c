"""
OpenAI Responses.

Facts: https://platform.openai.com/docs/api-reference/responses/object, .../responses-streaming and
https://platform.openai.com/docs/guides/error-codes (read 2026-11-20).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tests.conformance.oracles import BY_STATUS, Answer, Said, members, names, text, whole

_CUT: Mapping[str, str] = {"max_output_tokens": "length", "content_filter": "content_filter"}
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")
_REPLIES = ("response", "response.compaction")
_CODES: Mapping[str, str] = {
    "insufficient_quota": "FiberQuotaError",
    "invalid_api_key": "FiberAuthError",
    "model_not_found": "FiberModelNotFoundError",
    "context_length_exceeded": "FiberContextLengthError",
    "rate_limit_exceeded": "FiberRateLimitError",
    "server_is_overloaded": "FiberOverloadedError",
}

UNREAD: Mapping[str, frozenset[str]] = {
    # Mostly the request, echoed.
    "Reply": names(
        "object created_at completed_at background instructions max_output_tokens max_tool_calls metadata",
        " parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options",
        " prompt_cache_retention reasoning safety_identifier store temperature text tool_choice",
        " top_logprobs top_p truncation user frequency_penalty presence_penalty moderation billing output_text",
        " content_filters",
    ),
    # Progress of the provider's own tools: the finished item says it again.
    "Event": names(
        "sequence_number obfuscation annotation_index command_index command code diff input refusal output",
        " partial_image_index partial_image_b64 size quality background output_format",
    ),
    # Items go back as they came.
    "Item": names(
        "status encrypted_content action server_label code outputs output tools container_id error",
        " approval_request_id revised_prompt background quality size queries results operation execution caller",
        " environment max_output_length fingerprint namespace pending_safety_checks",
    ),
}


def answer(payloads: list[Any]) -> Answer:
    """
    Put a reply, or the events of a stream, together.

    A stream is what its finished items say; the last event repeats them, and brings the rest.
    """
    reply: dict[str, Any] = {}
    items: dict[Any, Any] = {}
    for payload in map(members, payloads):
        kind = payload.get("type")
        if payload.get("object") in _REPLIES and "output" in payload:
            reply = payload
        elif kind == "response.output_item.done":
            items.setdefault(payload.get("output_index", len(items)), payload["item"])
        elif kind in _ENDS:
            # Some fixtures hold the streams of several requests; the first is the answer.
            reply = {"status": kind.removeprefix("response."), **payload["response"]}
            break
    output = [item for _, item in sorted(items.items())] or reply.get("output") or []
    made = Answer()
    said = made.choice()
    refused = False
    offered = [members(tool) for tool in reply.get("tools") or ()]
    searches = any(tool.get("type") == "x_search" for tool in offered)
    for item in output:
        # xAI tells the steps of its own search as calls of tools that the caller never gave.
        if searches and item.get("type") == "custom_tool_call" and not _is_given(item, offered):
            continue
        refused = _take(said, item) or refused
    _finish(said, reply, refused=refused)
    made.usage = _usage(members(reply.get("usage")))
    return made


def refusal(status: int, value: Any) -> str:
    """Name the class of an error answer."""
    error = members(members(value).get("error"))
    for code in (error.get("code"), error.get("type")):
        if isinstance(code, str) and code in _CODES:
            return _CODES[code]
    return BY_STATUS.get(status, "FiberProviderError")


def _is_given(item: dict[str, Any], offered: list[dict[str, Any]]) -> bool:
    return any(tool.get("type") == "custom" and tool.get("name") == item.get("name") for tool in offered)


def _take(said: Said, item: dict[str, Any]) -> bool:
    """Read one item; tell whether it refuses."""
    refused = False
    said.seals.append(text(item.get("encrypted_content")))
    match item.get("type"):
        case "message" if item.get("role") != "user":  # compaction repeats what the user said
            for part in item["content"]:
                refused = refused or part["type"] == "refusal"
                said.text += text(part.get("text")) + text(part.get("refusal"))
        case "reasoning":
            parts = item.get("summary") or item.get("content") or ()
            said.reasoning += "\n\n".join(filter(None, (text(part.get("text")) for part in parts)))
        case "function_call":
            said.calls.append((item["call_id"], item["name"], item["arguments"]))
        case "custom_tool_call":
            # Free text, which becomes one JSON string.
            said.calls.append((item["call_id"], item["name"], json.dumps(item["input"], ensure_ascii=False)))
    return refused


def _finish(said: Said, reply: dict[str, Any], *, refused: bool) -> None:
    status = reply.get("status")
    if status == "incomplete":
        said.raw = members(reply.get("incomplete_details")).get("reason") or status
        said.finish = _CUT.get(said.raw, "other")
    elif status is not None:
        said.raw = status
        said.finish = ("refusal" if refused else "stop") if status == "completed" else "other"


def _usage(said: dict[str, Any]) -> dict[str, int | None]:
    read, made = members(said.get("input_tokens_details")), members(said.get("output_tokens_details"))
    return {
        "input_tokens": whole(said.get("input_tokens")),
        "output_tokens": whole(said.get("output_tokens")),
        "total_tokens": whole(said.get("total_tokens")),
        "cache_read_tokens": whole(read.get("cached_tokens")),
        "reasoning_tokens": whole(made.get("reasoning_tokens")),
    }
