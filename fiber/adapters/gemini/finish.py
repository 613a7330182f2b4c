"""
Why an answer ended, and what is to be said about it.

Documentation: https://ai.google.dev/api/generate-content#FinishReason. Facts as of google-genai
3.4.0, November 2026.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.gemini.schema import Candidate
from fiber.adapters.jsons import objects, text_or_none
from fiber.types.result import FinishReason

_FILTERED = frozenset(
    {
        "SAFETY",
        "RECITATION",
        "BLOCKLIST",
        "PROHIBITED_CONTENT",
        "SPII",
        "IMAGE_SAFETY",
        "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION",
        "MODEL_ARMOR",
        "ESCALATION",
        "LANGUAGE",
        "PUP_LIMITED_DISABLED",
    }
)
_BROKEN = frozenset(
    {
        "MALFORMED_FUNCTION_CALL",
        "UNEXPECTED_TOOL_CALL",
        "TOO_MANY_TOOL_CALLS",
        "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    }
)
_NUMBERS = ("FINISH_REASON_UNSPECIFIED", "STOP", "MAX_TOKENS", "SAFETY", "RECITATION", "OTHER")
"""Numbers come where a proxy asks for `enum-encoding=int`; beyond these the two APIs differ."""
_HARMLESS = ("NEGLIGIBLE", "LOW", "HARM_PROBABILITY_UNSPECIFIED")


def finish_reason(said: Any) -> tuple[FinishReason, str]:
    """Return the unified and the provider's word; a word that is not known is `other`."""
    if isinstance(said, int) and 0 <= said < len(_NUMBERS):
        said = _NUMBERS[said]
    word = str(said)
    if word == "STOP":
        return "stop", word
    if word == "MAX_TOKENS":
        return "length", word
    if word in _FILTERED:
        return "content_filter", word
    return ("error" if word in _BROKEN else "other"), word


def warning_of(candidate: Candidate, word: str) -> str | None:
    """Return what a caller should know about an end that is not a plain stop."""
    if word == "STOP":
        return None  # its message says "Model generated function call(s)." and the like
    details = [text_or_none(candidate.finishMessage), flagged(candidate.safetyRatings)]
    if word == "CONTINUATION":
        details.append(
            "the answer goes on: send the same request again with"
            ' extra_body={"generationConfig": {"continuationToken": '
            f'"{candidate.continuationToken}"'
            "}}"
        )
    known = [detail for detail in details if detail]
    return f"The answer ended with {word}: {'; '.join(known)}." if known else None


def flagged(ratings: Any) -> str | None:
    """Return the safety ratings that stand out, None when there are none."""
    found = [
        f"{rating.get('category')} {rating.get('probability')}"
        for rating in objects(ratings)
        if rating.get("blocked") is True or rating.get("probability") not in _HARMLESS
    ]
    return ", ".join(found) or None
