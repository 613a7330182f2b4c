"""What a real engine with random weights is asked: the words do not matter, the shape of the answer does."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from faces import Face

from fiber import ChatMessage, ChatResult, FiberError, Tool
from fiber.providers.first_party import ANTHROPIC, OPENAI, OPENAI_RESPONSES

ROWS = {
    # Format -> row, what follows the address.
    "chat": (OPENAI, "/v1"),
    "responses": (OPENAI_RESPONSES, "/v1"),
    "messages": (ANTHROPIC, ""),
}
MODEL = "tiny"
TOKENS = 24
CITIES = ["Zürich", "Paris"]
# No free text: the model would repeat its favourite token inside a string until its tokens are spent.
WEATHER = Tool(
    "get_weather",
    "Weather of a city.",
    {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": CITIES}, "celsius": {"type": "boolean"}},
        "required": ["city", "celsius"],
        "additionalProperties": False,
    },
)


class Verdict(msgspec.Struct):
    """What is asked for as JSON."""

    answer: Annotated[int, msgspec.Meta(ge=0, le=99)]
    sure: bool


def text(face: Face) -> dict[str, Any]:
    """Ask for a few tokens."""
    result = face.ask("How are you?", model=MODEL, max_tokens=TOKENS)
    counted = (result.usage.input_tokens or 0) > 0
    return {
        "text": bool(result.text),
        "finish": result.finish_reason,
        "input counted": counted,
        "output_tokens": result.usage.output_tokens,
    }


def history(face: Face) -> dict[str, Any]:
    """Go on with an answer of the server's own."""
    first = face.ask([ChatMessage.system("Be brief."), ChatMessage.user("Hello")], model=MODEL, max_tokens=TOKENS)
    turns = [ChatMessage.system("Be brief."), ChatMessage.user("Hello"), first.message, ChatMessage.user("Go on")]
    return {"finish": face.ask(turns, model=MODEL, max_tokens=TOKENS).finish_reason}


def schema(face: Face) -> dict[str, Any]:
    """Ask for JSON; the engine's grammar makes random weights obey."""
    result = face.ask("Answer as JSON.", model=MODEL, max_tokens=400, response_format=Verdict)
    return {"parsed": isinstance(result.parsed, Verdict), "finish": result.finish_reason}


def tools(face: Face) -> dict[str, Any]:
    """Get calls, and answer them."""
    question = ChatMessage.user("How is the weather?")
    options: dict[str, Any] = {"model": MODEL, "max_tokens": 1500, "tools": [WEATHER]}
    first: ChatResult = face.ask(question, tool_choice="required", **options)
    names = {call.name for call in first.tool_calls}
    arguments = [call.arguments for call in first.tool_calls]
    fits = all(isinstance(a, dict) and a["city"] in CITIES and isinstance(a["celsius"], bool) for a in arguments)
    results = [ChatMessage.tool(call.id, "21 degrees") for call in first.tool_calls]
    second = face.ask([question, first.message, *results], tool_choice="none", **options | {"max_tokens": TOKENS})
    return {
        "calls": sorted(names),  # several, when the model begins again
        "arguments fit": fits,
        "finish": first.finish_reason,
        "then": second.finish_reason in ("stop", "length", "tool_calls"),
    }


def stopped(face: Face) -> dict[str, Any]:
    """Leave a stream early; the next call works."""
    face.stop_early("How are you?", model=MODEL, max_tokens=1000)
    return {"finish": face.ask("And now?", model=MODEL, max_tokens=TOKENS).finish_reason}


def too_long(face: Face) -> dict[str, Any]:
    """Say more than the context holds."""
    return _error(face, "word " * 5000)


def wrong_key(face: Face) -> dict[str, Any]:
    """Come with a wrong key; the caller made the face so."""
    return _error(face, "hello")


def _error(face: Face, prompt: str) -> dict[str, Any]:
    try:
        face.ask(prompt, model=MODEL, max_tokens=TOKENS)
    except FiberError as error:
        return {"error": type(error).__name__, "status": error.status_code}
    return {}


CASES = {
    # What to ask -> what must come.
    text: {"text": True, "finish": "length", "input counted": True, "output_tokens": TOKENS},
    history: {"finish": "length"},
    schema: {"parsed": True, "finish": "stop"},
    stopped: {"finish": "length"},
    too_long: {"error": "FiberContextLengthError", "status": 400},
    wrong_key: {"error": "FiberAuthError", "status": 401},
}
CALLING_CASES = {
    # The same, for the model that begins every answer with a tool call.
    tools: {"calls": ["get_weather"], "arguments fit": True, "finish": "tool_calls", "then": True},
}
