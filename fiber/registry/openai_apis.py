"""
Which of OpenAI's two APIs a request is for, where the caller leaves that open: rules as data, read from the top.

What decides is the request and what stands in this library's code about models; never the catalogue, which may be
replaced, and never anything fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from fiber._errors import FiberError
from fiber.adapters import load
from fiber.adapters.openai_responses.content import KINDS
from fiber.adapters.openai_responses.models import facts
from fiber.providers.first_party import OPENAI, OPENAI_RESPONSES
from fiber.types.content import Opaque
from fiber.types.request import ChatRequest
from fiber.types.target import Target
from fiber.types.tools import Tool

CHAT, RESPONSES = OPENAI.name, OPENAI_RESPONSES.name
"""The rows of Chat Completions and of the Responses API."""

LONG_CHARACTERS = 256_000

MODELS = {
    # Words in the names of models that one of the two does not have.
    "audio": CHAT,
    "search-preview": CHAT,
    "search-api": CHAT,
    "o1-mini": CHAT,
    "o1-pro": RESPONSES,
    "o3-pro": RESPONSES,
    "deep-research": RESPONSES,
}
"""
Sources, read 2026-11-22: the endpoints on OpenAI's pages of models, as audited in truefoundry/models pull request 2006;
sigoden/aichat pull request 1318; dimagi/open-chat-studio issue 1871. What is missing here is told by the provider, and
the other API is asked then.
"""

SHARED_MEMBERS = frozenset(
    (
        *("metadata", "moderation", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_options"),
        *("safety_identifier", "service_tier", "store", "temperature", "top_logprobs", "top_p", "user"),
    )
)
"""Members of a body that mean the same to both."""

RESPONSES_MEMBERS = frozenset(
    (
        *("access_programs", "background", "context_management", "conversation", "image", "include", "input"),
        *("instructions", "max_output_tokens", "max_tool_calls", "previous_response_id", "prompt", "reasoning"),
        *("text", "truncation"),
    )
)
"""
Members that only the Responses API has; any other is taken for one of Chat Completions, where it always went.

Source: https://platform.openai.com/docs/api-reference/responses/create, read 2026-11-20.
"""

_CHAT_PARTS = frozenset(("text", "image_url", "input_audio", "file", "refusal", ""))
_SHARED_PARTS = _CHAT_PARTS & KINDS
_STATE = frozenset(("background", "conversation", "previous_response_id", "store"))


class Question(NamedTuple):
    """
    What the rules look at.

    Attributes:
        model: As OpenAI spells it.
        lacking: What each API cannot take of the request: a parameter, or a part; empty when it takes all.
        words: In whose words the caller wrote what is not in our own.
        history: From which API the latest sealed part of the conversation came.
        characters: Length of the request as JSON.
        functions: The model may call functions, or other tools, of the caller.
    """

    model: str
    lacking: dict[str, str]
    words: str = ""
    history: str = ""
    characters: int = 0
    functions: bool = False


class Rule(NamedTuple):
    """
    One reason for one of the two.

    Attributes:
        row: Which.
        why: The reason, in words that end the sentence "it is asked because".
        holds: Whether it holds for a question.
    """

    row: str
    why: str
    holds: Callable[[Question], bool]


class Choice(NamedTuple):
    """
    What was decided.

    Attributes:
        row: Who is asked.
        why: In words.
        other: Who is asked when that API says that it does not have such a thing; nobody when None.
    """

    row: str
    why: str
    other: str | None = None


def _only(row: str, other: str) -> Callable[[Question], bool]:
    return lambda asked: bool(asked.lacking[other] and not asked.lacking[row])


def _is_only_in(row: str) -> Callable[[Question], bool]:
    return lambda asked: any(word in asked.model and at == row for word, at in MODELS.items())


RULES: tuple[Rule, ...] = (
    Rule(RESPONSES, "Chat Completions cannot take {lacking[openai]}", _only(RESPONSES, CHAT)),
    Rule(CHAT, "the Responses API cannot take {lacking[openai-responses]}", _only(CHAT, RESPONSES)),
    Rule(RESPONSES, "something is said in its own words", lambda asked: asked.words == RESPONSES),
    Rule(CHAT, "something is said in its own words", lambda asked: asked.words == CHAT),
    Rule(RESPONSES, "the model is there only", _is_only_in(RESPONSES)),
    Rule(CHAT, "the model is there only", _is_only_in(CHAT)),
    Rule(RESPONSES, "the conversation has parts that only it can read", lambda asked: asked.history == RESPONSES),
    Rule(CHAT, "the conversation has parts that only it can read", lambda asked: asked.history == CHAT),
    Rule(CHAT, "the request is longer than 256,000 characters", lambda asked: asked.characters > LONG_CHARACTERS),
    Rule(
        RESPONSES,
        "the model reasons, and has no functions to call",
        lambda asked: not asked.functions and facts(asked.model).reasons not in ("never", "unknown"),
    ),
    Rule(RESPONSES, "there are no functions to call", lambda asked: not asked.functions),
    Rule(CHAT, "there are functions to call", lambda asked: asked.functions),
)
"""The first that holds decides, and the last two leave nothing open."""


def choose(asked: Question) -> Choice:
    """Return what the first rule says that holds."""
    rule = next(rule for rule in RULES if rule.holds(asked))
    other = CHAT if rule.row == RESPONSES else RESPONSES
    is_open = not (asked.words or asked.lacking[other])
    return Choice(rule.row, rule.why.format(lacking=asked.lacking), other if is_open else None)


def question(request: ChatRequest, chat: Target, responses: Target) -> Question:
    """Look at *request* as it would go to *chat* and to *responses*, rows of the two formats; nothing is sent."""
    bodies, lacking = {}, {}
    for row, target, format in ((CHAT, chat, "openai_chat"), (RESPONSES, responses, "openai_responses")):
        bodies[row], lacking[row] = _built(request, target, format)
    body = bodies[CHAT]
    return Question(
        model=chat.model,
        lacking=lacking,
        words=next(_words(request), ""),
        history=_history(request),
        characters=len(body.decode()) if len(body) > LONG_CHARACTERS else len(body),
        functions=any(isinstance(tool, Tool) or _is_custom(tool) for tool in request.tools or ()),
    )


def keeps_state(request: ChatRequest) -> bool:
    """Say whether *request* itself says what the provider keeps, or goes on with something that it kept."""
    said = request.store is not None or request.previous_response_id is not None
    return said or not _STATE.isdisjoint(request.extra_body or ())


def _built(request: ChatRequest, target: Target, format: str) -> tuple[bytes, str]:
    """Return the body of *request* in *format*, or the name of what the format does not have."""
    strict = msgspec.structs.replace(request, on_unsupported="raise")
    try:
        return load(format).build_request(strict, target, stream=False).body, ""
    except FiberError as error:
        return b"", getattr(error, "parameter", None) or "it"
    except (UnicodeEncodeError, TypeError, RecursionError, OverflowError):
        return b"", "messages"  # nobody can; the call itself says why


def _words(request: ChatRequest) -> Iterator[str]:
    """Yield in whose words something of *request* is, where it is not in those of both."""
    body = set(request.extra_body or ())
    if body & RESPONSES_MEMBERS:
        yield RESPONSES
    if body - RESPONSES_MEMBERS - SHARED_MEMBERS:
        yield CHAT
    for tool in request.tools or ():
        if isinstance(tool, Opaque) and not tool.provider:
            yield CHAT if _nests(tool) else RESPONSES
    for message in request.messages:
        for part in message.parts:
            if isinstance(part, Opaque) and not part.provider and part.kind not in _SHARED_PARTS:
                yield CHAT if part.kind in _CHAT_PARTS else RESPONSES
    if request.reasoning is not None and request.reasoning.summary:
        yield RESPONSES  # Chat Completions leaves that out, and says so


def _history(request: ChatRequest) -> str:
    """Return the API that the latest sealed part in the history of *request* came from; empty without one."""
    parts = [part for message in request.messages for part in message.parts]
    seals = (part if isinstance(part, Opaque) else part.native for part in reversed(parts))
    return next((seal.provider for seal in seals if seal is not None and seal.provider in (CHAT, RESPONSES)), "")


def _nests(tool: Opaque) -> bool:
    """Say whether *tool* is in the words of Chat Completions, which nest what a tool is under its type."""
    try:
        return tool.kind in tool.value()
    except (msgspec.DecodeError, TypeError):
        return False


def _is_custom(tool: Any) -> bool:
    """Tell a tool in a provider's words that the caller runs from those that the provider runs."""
    return isinstance(tool, Opaque) and tool.kind == "custom"
