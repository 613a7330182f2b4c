"""Which of OpenAI's two APIs a request is for."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import Audio, ChatMessage, Document, Reasoning, ServerTool, Text
from fiber.providers.first_party import OPENAI, OPENAI_RESPONSES
from fiber.registry.openai_apis import (
    CHAT,
    LONG_CHARACTERS,
    RESPONSES,
    RESPONSES_MEMBERS,
    RULES,
    SHARED_MEMBERS,
    Choice,
    Question,
    choose,
    keeps_state,
    question,
)
from fiber.types.content import Opaque
from fiber.types.options import chat_request
from fiber.types.target import Target

FUNCTION = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
SEARCH = ServerTool("web_search")
REASONS, SPEAKS = "gpt-6-sol", "gpt-4o"
TARGETS = tuple(
    Target(provider=row.name, model=REASONS, base_url=row.base_url, quirks=row.quirks)
    for row in (OPENAI, OPENAI_RESPONSES)
)
NEITHER, NO_CHAT, NO_RESPONSES = (
    {CHAT: chat, RESPONSES: responses} for chat, responses in (("", ""), ("effort", ""), ("", "seed"))
)


def sealed(provider: str, kind: str = "reasoning") -> Reasoning:
    """Make reasoning that only *provider* can read."""
    return Reasoning("Hm.", native=Opaque('{"type": "reasoning"}', provider, "api.openai.com", kind))


def asked(model: str = REASONS, **facts: Any) -> Question:
    """Make a question."""
    return Question(model, **{"lacking": NEITHER, **facts})


TABLE: list[tuple[Question, str, str, bool]] = [
    # The question, who is asked, a word of the reason, and whether the other may be asked instead.
    (asked(), RESPONSES, "reasons", True),
    (asked(functions=True), CHAT, "functions", True),
    (asked(SPEAKS), RESPONSES, "no functions", True),
    (asked(SPEAKS, functions=True), CHAT, "functions", True),
    (asked("nobody-knows"), RESPONSES, "no functions", True),
    (asked(characters=LONG_CHARACTERS), RESPONSES, "reasons", True),
    (asked(characters=LONG_CHARACTERS + 1), CHAT, "256,000", True),
    (asked(functions=True, history=RESPONSES), RESPONSES, "parts", True),
    (asked(history=CHAT), CHAT, "parts", True),
    (asked(history=RESPONSES, characters=LONG_CHARACTERS + 1), RESPONSES, "parts", True),
    (asked("gpt-audio-1.5"), CHAT, "there only", True),
    (asked("gpt-4o-search-preview"), CHAT, "there only", True),
    (asked("o3-pro", functions=True), RESPONSES, "there only", True),
    (asked("o3-deep-research", functions=True), RESPONSES, "there only", True),
    (asked(words=CHAT), CHAT, "own words", False),
    (asked(words=RESPONSES, functions=True), RESPONSES, "own words", False),
    (asked(lacking=NO_CHAT, functions=True), RESPONSES, "Chat Completions cannot take effort", False),
    (asked(lacking=NO_RESPONSES), CHAT, "the Responses API cannot take seed", False),
    (asked(lacking=NO_RESPONSES, history=RESPONSES, words=RESPONSES), CHAT, "seed", False),
    (asked(lacking={CHAT: "top_k", RESPONSES: "top_k"}), RESPONSES, "reasons", False),
]


@pytest.mark.parametrize(("asked", "row", "why", "is_open"), TABLE)
def test_the_first_rule_that_holds_decides(asked: Question, row: str, why: str, is_open: bool) -> None:
    """The other API may be asked instead where it could be asked at all."""
    choice = choose(asked)

    assert choice == Choice(row, choice.why, {CHAT: RESPONSES, RESPONSES: CHAT}[row] if is_open else None)
    assert why in choice.why


def test_every_rule_decides_something() -> None:
    """No rule stands behind others that leave nothing to it."""
    deciding = {next(rule for rule in RULES if rule.holds(each)) for each, *_ in TABLE}

    assert deciding == set(RULES)


REQUESTS: list[tuple[Any, dict[str, Any], str]] = [
    ("Hi", {}, RESPONSES),
    ("Hi", {"tools": [FUNCTION]}, CHAT),
    ("Hi", {"tools": [SEARCH]}, RESPONSES),
    ("Hi", {"tools": [SEARCH, FUNCTION]}, CHAT),
    ("Hi", {"tools": [ServerTool("file_search"), FUNCTION]}, RESPONSES),
    ("Hi", {"tools": [{"type": "mcp", "server_label": "x"}, FUNCTION]}, RESPONSES),
    ("Hi", {"tools": [{"type": "custom", "custom": {"name": "x"}}]}, CHAT),
    ("Hi", {"tools": [{"type": "custom", "name": "x"}]}, RESPONSES),
    ("Hi", {"tools": [Opaque("no JSON", kind="custom")]}, RESPONSES),
    *(("Hi", said, CHAT) for said in ({"n": 2}, {"seed": 1}, {"stop": ["."], "reasoning": "none"})),
    *(("Hi", {name: 0.5, "reasoning": "none"}, CHAT) for name in ("frequency_penalty", "presence_penalty")),
    ("Hi", {"logit_bias": {"1": 2}, "reasoning": "none"}, CHAT),
    ("Hi", {"seed": 1, "on_unsupported": "drop"}, CHAT),
    ("Hi", {"n": 1, "logprobs": False}, RESPONSES),
    ("Hi", {"logprobs": True, "reasoning": "none"}, RESPONSES),
    ("Hi", {"previous_response_id": "resp_1", "tools": [FUNCTION]}, RESPONSES),
    ("Hi", {"reasoning": "max", "tools": [FUNCTION]}, RESPONSES),
    ("Hi", {"reasoning": {"effort": "low", "summary": True}, "tools": [FUNCTION]}, RESPONSES),
    ("Hi", {"reasoning": {"effort": "low", "summary": False}, "tools": [FUNCTION]}, CHAT),
    ("Hi", {"reasoning": {"summary": True}, "seed": 1}, CHAT),
    ("Hi", {"safety_settings": [{}], "top_k": 1}, RESPONSES),
    ("Hi", {"extra_body": {"modalities": ["text", "audio"], "audio": {"voice": "alloy"}}}, CHAT),
    ("Hi", {"extra_body": {"background": True}, "tools": [FUNCTION]}, RESPONSES),
    ("Hi", {"extra_body": {"prompt_cache_key": "k", "store": True}}, RESPONSES),
    ("Hi", {"extra_body": {"nobody_knows": 1}}, CHAT),
    ("Hi", {"extra_headers": {"openai-project": "p"}, "extra_query": {"a": "b"}}, RESPONSES),
    ([ChatMessage("user", "Hi", name="Ann")], {}, CHAT),
    ([ChatMessage.user([Audio(data=b"x", media_type="audio/wav")])], {}, RESPONSES),
    ([ChatMessage.user([Document(url="https://x.example/a.pdf")])], {"tools": [FUNCTION]}, RESPONSES),
    ([ChatMessage.user([Opaque.of({"type": "image_url", "image_url": {"url": "x"}})])], {}, CHAT),
    ([ChatMessage.user([Opaque.of({"type": "input_file", "file_id": "f"})])], {"tools": [FUNCTION]}, RESPONSES),
    ([ChatMessage.user([Opaque.of({"type": "input_audio", "input_audio": {}})])], {}, RESPONSES),
    ([ChatMessage.user([Opaque.of({"type": "compaction"})])], {"tools": [FUNCTION]}, RESPONSES),
    ([ChatMessage.user([Opaque.of({"own": 1})])], {}, CHAT),
    ([ChatMessage("assistant", (sealed(RESPONSES), Text("Ah."))), "Hi"], {"tools": [FUNCTION]}, RESPONSES),
    ([ChatMessage("assistant", (sealed(CHAT), Text("Ah."))), "Hi"], {}, CHAT),
    ([ChatMessage("assistant", (sealed("anthropic"), Text("Ah."))), "Hi"], {"tools": [FUNCTION]}, CHAT),
    ([ChatMessage("assistant", (sealed(RESPONSES), Text("Ah."))), "Hi"], {"seed": 1}, CHAT),
    (
        [ChatMessage("assistant", (sealed(RESPONSES),)), "Hi", ChatMessage("assistant", (sealed(CHAT),)), "Ho"],
        {},
        CHAT,
    ),
    ("x" * LONG_CHARACTERS, {}, CHAT),
    ("\u00e9" * (LONG_CHARACTERS - 1000), {}, RESPONSES),
    ("\ud800", {}, RESPONSES),
]


@pytest.mark.parametrize(("messages", "options", "row"), REQUESTS, ids=lambda said: str(said)[:60])
def test_a_request_goes_where_it_can_be_said(messages: Any, options: dict[str, Any], row: str) -> None:
    """Whatever only one of the two has decides before any preference; all of it without I/O."""
    request = chat_request(messages, **options)

    assert choose(question(request, *TARGETS)).row == row


def test_members_of_a_body_belong_to_one_set() -> None:
    """What both have is in nobody's words."""
    assert not SHARED_MEMBERS & RESPONSES_MEMBERS


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"extra_body": {"truncation": "auto"}}, False),
        ({"store": True}, True),
        ({"store": False}, True),
        ({"previous_response_id": "resp_1"}, True),
        ({"extra_body": {"background": True}}, True),
        ({"extra_body": {"conversation": "conv_1"}}, True),
    ],
)
def test_who_speaks_of_state_is_not_told_what_is_kept(options: dict[str, Any], expected: bool) -> None:
    """Going on with something that was kept is a word on it, too."""
    assert keeps_state(chat_request("Hi", **options)) is expected
