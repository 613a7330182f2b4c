"""
What the mock model answers when nobody told it.

A word in the model's name makes a fault; else the reply comes from the request alone. Pure and
deterministic: the same request gets the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import msgspec

from fiber.testing.samples import sample
from fiber.testing.script import Failure, MockCall, Reply
from fiber.testing.view import ChatView

RETRY_AFTER_SECONDS = 0.2
"""What `rate-limited` asks to wait; formats that know whole seconds only make it 1."""

REFUSED: Mapping[str, Failure] = {
    # Word in the model's name -> the failure of every request.
    "bad-key": Failure(code="bad_key"),
    "no-access": Failure(code="permission"),
    "unknown-model": Failure(code="model_not_found"),
    "too-long": Failure(code="context_length"),
    "filtered": Failure(code="content_filter"),
    "throttled": Failure(code="rate_limit", retry_after=RETRY_AFTER_SECONDS),
    "quota": Failure(code="quota"),
    "broken": Failure(code="server_error"),
    "overloaded": Failure(code="overloaded"),
}
ONCE: Mapping[str, Failure] = {
    # ... the failure of the first request for that model; later ones succeed.
    "rate-limited": Failure(code="rate_limit", retry_after=RETRY_AFTER_SECONDS),
    "flaky": Failure(code="server_error"),
}
CHANGED: Mapping[str, Callable[[Reply], Reply]] = {
    # ... what becomes of the usual reply.
    "cut": lambda reply: replace(reply, end="drop"),
    "no-end": lambda reply: replace(reply, end="clean"),
    "stall": lambda reply: replace(reply, end="stall"),
    "late-error": lambda reply: replace(reply, end="error"),
    "slow": lambda reply: replace(reply, delay_seconds=0.3, event_delay_seconds=0.05),
    "thinking": lambda reply: replace(reply, reasoning=reply.reasoning or "Let me think about it."),
    "refusing": lambda reply: replace(reply, text="I cannot help with that.", tool_calls=(), finish_reason="refusal"),
}
SPECIAL_WORDS: tuple[str, ...] = (*REFUSED, *ONCE, *CHANGED, "parallel")
"""Every word that does something in a model's name; `parallel` calls every tool that is offered."""


def answer(view: ChatView, earlier: int) -> Reply | Failure:
    """
    Answer a request as its model's name and its content say.

    Args:
        earlier: How many requests for this model came before.
    """
    for word, failure in REFUSED.items():
        if named(word, view.model):
            return failure
    for word, failure in ONCE.items():
        if named(word, view.model) and not earlier:
            return failure
    reply = usual_reply(view)
    for word, change in CHANGED.items():
        if named(word, view.model):
            reply = change(reply)
    return reply


def named(word: str, model: str) -> bool:
    """Tell whether *word* is a word of the name: `cut` is in `gpt-cut`, not in `execute`."""
    return re.search(rf"(?<![a-z0-9]){word}(?![a-z0-9])", model.lower()) is not None


def usual_reply(view: ChatView) -> Reply:
    """Call the tools, tell their results, fit the schema asked for, or repeat what was said."""
    reasoning = f"The user said: {view.last_text}" if view.reasoning else ""
    if calls := tool_calls(view):
        return Reply(tool_calls=calls, reasoning=reasoning)
    if view.schema is not None:
        value = sample(view.schema) if view.schema else {"answer": spoken(view)}
        return Reply(msgspec.json.encode(value).decode(), reasoning=reasoning)
    text = spoken(view)
    words = re.findall(r"\S+\s*", text)
    if view.max_tokens is not None and len(words) > view.max_tokens:
        cut = "".join(words[: view.max_tokens]).rstrip()
        return Reply(cut, reasoning=reasoning, finish_reason="length")
    return Reply(text, reasoning=reasoning)


def spoken(view: ChatView) -> str:
    """Say the tool results, or repeat the user."""
    if view.tool_results:
        return f"The tool says: {'; '.join(view.tool_results)}"
    return f"You said: {view.last_text}"


def tool_calls(view: ChatView) -> Sequence[MockCall]:
    """Choose the calls: none after a tool result, the named tool, all of them, or the first."""
    if view.tool_choice == "none" or view.tool_results:
        return ()
    tools = view.tools
    if view.tool_name is not None:
        tools = tuple(tool for tool in tools if tool.name == view.tool_name)
    count = len(tools) if named("parallel", view.model) and view.parallel else 1
    calls = []
    for tool in tools[:count]:
        arguments = sample({"type": "object", **tool.schema})
        calls.append(MockCall(tool.name, arguments if isinstance(arguments, dict) else {}))
    return calls
