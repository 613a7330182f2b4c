"""
Ollama's own API.

Facts: https://docs.ollama.com/api/chat and /api/errors (read 2026-11-21).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.conformance.oracles import BY_STATUS, Answer, members, names, text, whole

FINISH: Mapping[str, str] = {"stop": "stop", "length": "length"}

UNREAD: Mapping[str, frozenset[str]] = {
    # The last two are of a made-up fixture.
    "Reply": names("created_at id object"),
    "Message": names("role"),
    "Function": names("index"),
}


def answer(payloads: list[Any]) -> Answer:
    """Put a reply, or the lines of a stream, together; a reply is one line."""
    made = Answer()
    said = made.choice()
    for line in payloads:
        message = line["message"]
        said.text += message.get("content") or ""
        said.reasoning += message.get("thinking") or ""
        for call in message.get("tool_calls") or ():
            said.calls.append((call.get("id"), call["function"]["name"], call["function"]["arguments"] or {}))
    last = payloads[-1]
    assert last["done"] is True
    said.raw = last.get("done_reason")
    said.finish = None if said.raw is None else FINISH.get(said.raw, "other")
    given, wrote = whole(last.get("prompt_eval_count")), whole(last.get("eval_count"))
    made.usage = {
        "input_tokens": given,
        "output_tokens": wrote,
        "total_tokens": None if given is None or wrote is None else given + wrote,
    }
    return made


def refusal(status: int, value: Any) -> str:
    """Name the class of an error answer."""
    words = text(members(value).get("error"))
    if status == 404 and words.startswith("model ") and words.endswith("not found"):
        return "FiberModelNotFoundError"
    return BY_STATUS.get(status, "FiberProviderError")
