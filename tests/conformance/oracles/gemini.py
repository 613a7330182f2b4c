"""
Gemini `generateContent`, also on Vertex AI.

Facts: https://ai.google.dev/api/generate-content (FinishReason, UsageMetadata),
https://ai.google.dev/gemini-api/docs/troubleshooting, and for `partialArgs`
https://cloud.google.com/vertex-ai/generative-ai/docs/multimodal/function-calling (read 2026-11-20).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.conformance.oracles import BY_STATUS, Answer, Said, members, names, text, whole

_FILTERED = names(
    "SAFETY RECITATION BLOCKLIST PROHIBITED_CONTENT SPII LANGUAGE IMAGE_SAFETY IMAGE_PROHIBITED_CONTENT",
    "IMAGE_RECITATION MODEL_ARMOR",
)
_BROKEN = names(
    "MALFORMED_FUNCTION_CALL UNEXPECTED_TOOL_CALL TOO_MANY_TOOL_CALLS MISSING_THOUGHT_SIGNATURE MALFORMED_RESPONSE"
)
FINISH: Mapping[str, str] = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    **dict.fromkeys(_FILTERED, "content_filter"),
    **dict.fromkeys(_BROKEN, "error"),
}
_NUMBERS = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")

UNREAD: Mapping[str, frozenset[str]] = {
    "Reply": names("createTime"),
    "Candidate": names("avgLogprobs", "urlContextMetadata"),
    "Content": names("role"),
    # They go back as they came.
    "Part": names("executableCode", "codeExecutionResult"),
}


def answer(payloads: list[Any]) -> Answer:
    """Put a reply, or the chunks of a stream, together."""
    made = Answer()
    usage: dict[str, Any] = {}
    blocked: dict[str, Any] = {}
    for payload in map(members, payloads):
        counts = members(payload.get("usageMetadata"))
        if any(name.endswith("TokenCount") for name in counts):
            usage = counts
        feedback = members(payload.get("promptFeedback"))
        if feedback.get("blockReason") or feedback.get("blockReasonMessage"):
            blocked = feedback
        for position, candidate in enumerate(payload.get("candidates") or ()):
            _take(made.choice(candidate.get("index", position)), candidate)
    if blocked and not made.choices:
        made.choices[0] = Said(finish="content_filter", raw=blocked.get("blockReason"))
    made.usage = _usage(usage)
    return made


def refusal(status: int, value: Any) -> str:
    """Name the class of an error answer."""
    if isinstance(value, list) and value:
        value = value[0]
    error = members(members(value).get("error"))
    words, details = text(error.get("message")), error.get("details") or []
    if "API key not valid" in words or any(detail.get("reason") == "API_KEY_INVALID" for detail in details):
        return "FiberAuthError"  # a wrong key is a 400 here
    if "exceeds the maximum number of tokens allowed" in words:
        return "FiberContextLengthError"
    if error.get("status") == "NOT_FOUND" and "model" in words.lower():
        return "FiberModelNotFoundError"
    if status == 429 and "PerDay" in str(details):
        return "FiberQuotaError"
    return BY_STATUS.get(status, "FiberProviderError")


def _take(said: Said, candidate: dict[str, Any]) -> None:
    for part in members(candidate.get("content")).get("parts") or ():
        said.seals.append(text(part.get("thoughtSignature")))
        if "functionCall" in part:
            _call(said, part["functionCall"])
        elif part.get("thought"):
            said.reasoning += text(part.get("text"))
        else:
            said.text += text(part.get("text"))
    reason = candidate.get("finishReason")
    if reason is not None:
        said.raw = _NUMBERS[reason] if isinstance(reason, int) else reason
        said.finish = FINISH.get(said.raw, "other")


def _call(said: Said, call: dict[str, Any]) -> None:
    """Take a whole call, or a piece of one whose arguments come leaf by leaf."""
    if call.get("name"):
        said.calls.append((call.get("id") or None, call["name"], call.get("args") or {}))
    for leaf in call.get("partialArgs") or ():
        value = next((leaf[name] for name in ("stringValue", "numberValue", "boolValue") if name in leaf), None)
        steps = [name or int(index) for name, index in _STEP.findall(leaf["jsonPath"])]
        if value is not None or "nullValue" in leaf:
            _put(said.calls[-1][2], steps, value)


def _put(node: Any, steps: list[Any], value: Any) -> None:
    """Set a leaf, or lengthen the string that is there."""
    step, *further = steps
    is_new = step not in node if isinstance(node, dict) else step == len(node)
    if is_new:
        fresh = value if not further else [] if isinstance(further[0], int) else {}
        node.update({step: fresh}) if isinstance(node, dict) else node.append(fresh)
        if not further:
            return
    if further:
        _put(node[step], further, value)
    else:
        node[step] += value


def _usage(said: dict[str, Any]) -> dict[str, int | None]:
    """Count; the provider's own output excludes the thoughts, unless the total shows that they are in it."""
    names = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "totalTokenCount")
    prompt, candidates, thoughts, total = (whole(said.get(name)) for name in names)
    given = None if prompt is None else prompt + (whole(said.get("toolUsePromptTokenCount")) or 0)
    made = None if candidates is None and thoughts is None else (candidates or 0) + (thoughts or 0)
    if given is not None and made is None and given == total:
        made = 0  # a count of 0 is left out
    if given is not None and candidates is not None and thoughts and given + candidates == total:
        made = candidates
    return {
        "input_tokens": given,
        "output_tokens": made,
        "total_tokens": total,
        "cache_read_tokens": whole(said.get("cachedContentTokenCount")),
        "reasoning_tokens": thoughts,
    }
