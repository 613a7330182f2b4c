"""
`fiber demo`: the library at work on every format, over real sockets, without a key and without a network.

Each step checks what it shows; the command fails when something is not as it should be.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from fiber._errors import FiberStreamInterruptedError
from fiber._fiber import Fiber
from fiber.cli import output
from fiber.cli.client import mocked
from fiber.testing import MockServer
from fiber.types.config import RetryPolicy
from fiber.types.events import TextDelta
from fiber.types.messages import ChatMessage
from fiber.types.result import ChatResult

FORMATS = {
    "OpenAI Chat Completions": "openai:gpt-mock",
    "OpenAI Responses": "openai-responses:gpt-mock",
    "Anthropic Messages": "anthropic:claude-mock",
    "Gemini generateContent": "gemini:gemini-mock",
}
EVENT_DELAY_SECONDS = 0.03


class City(msgspec.Struct):
    """What the structured step asks for."""

    city: str
    country: str
    population: int


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the final table."""

    format: str
    name: str
    seconds: float | None
    tokens: str
    attempts: int
    outcome: str


def run(options: argparse.Namespace) -> int:
    """Run every step on every format and print what each call took."""
    steps: list[Step] = []
    with MockServer(event_delay_seconds=EVENT_DELAY_SECONDS) as server:
        fiber = mocked(server, retry=RetryPolicy(base_backoff_seconds=0.05))
        try:
            for title, model in FORMATS.items():
                print(f"\n=== {title} ({model})")
                for name, step in STEPS.items():
                    result, outcome = step(fiber, model)
                    steps.append(_step(title, name, result, outcome))
        finally:
            fiber.sync.close()
        print(f"\n{len(server.requests)} requests reached the mock server at {server.url}.\n")
    output.print_table(
        "What each call took",
        ("format", "step", "seconds", "tokens in/out", "attempts", "outcome"),
        [
            (step.format, step.name, _seconds(step.seconds), step.tokens, str(step.attempts), step.outcome)
            for step in steps
        ],
    )
    return 0


def _ask(fiber: Fiber, model: str) -> tuple[ChatResult, str]:
    result = fiber.sync.chat("What is the capital of France?", model=model)
    print(f"ask        {result.text}")
    _check(bool(result.text), "the answer has text")
    return result, str(result.finish_reason)


def _stream(fiber: Fiber, model: str) -> tuple[ChatResult, str]:
    print("stream     ", end="")
    with fiber.sync.chat_stream("Count to five: one two three four five.", model=model) as stream:
        for event in stream:
            if isinstance(event, TextDelta):
                print(event.text, end="", flush=True)
        result = stream.result
    print()
    _check(stream.text == result.text, "the pieces are the text")
    return result, str(result.finish_reason)


def get_weather(city: str) -> str:
    """Look up the weather in a city."""
    return f"21 degrees and sunny in {city}"


def _tool(fiber: Fiber, model: str) -> tuple[ChatResult, str]:
    history = [ChatMessage.user("What is the weather in Paris?")]
    first = fiber.sync.chat(history, model=model, tools=[get_weather])
    _check(len(first.tool_calls) == 1, "one tool is called")
    call = first.tool_calls[0]
    answer = get_weather(**call.arguments)
    print(f"tool       {call.name}({call.arguments_json}) -> {answer}")
    history += [first.message, ChatMessage.tool(call, answer)]
    result = fiber.sync.chat(history, model=model, tools=[get_weather])
    print(f"           {result.text}")
    _check(answer in result.text, "the answer has the tool's result")
    return result, f"{first.finish_reason}, then {result.finish_reason}"


def _structured(fiber: Fiber, model: str) -> tuple[ChatResult, str]:
    result = fiber.sync.chat("Describe Paris.", model=model, response_format=City)
    city = result.parsed
    print(f"structured {city!r}")
    _check(isinstance(city, City), "the answer is a City")
    return result, str(result.finish_reason)


def _retry(fiber: Fiber, model: str) -> tuple[ChatResult, str]:
    result = fiber.sync.chat("Are you there?", model=f"{model}-rate-limited")
    statuses = [str(attempt.status) for attempt in result.receipt.attempts]
    print(f"retry      HTTP {' then '.join(statuses)}: {result.text}")
    _check(statuses == ["429", "200"], "the second attempt succeeded")
    return result, f"{result.finish_reason} after {statuses[0]}"


def _cut(fiber: Fiber, model: str) -> tuple[ChatResult, str]:
    said = ""
    try:
        for piece in fiber.sync.ask_stream("Tell me a story of many words.", model=f"{model}-cut"):
            said += piece
    except FiberStreamInterruptedError as error:
        print(f"cut stream {said!r}, then {type(error).__name__}")
        partial = error.partial or ChatResult()
        _check(partial.text == said, "the error has what came")
        return partial, "reported as cut"
    raise SystemExit("fiber demo: a cut stream was taken for a whole one")


STEPS: dict[str, Callable[[Fiber, str], tuple[ChatResult, str]]] = {
    "ask": _ask,
    "stream": _stream,
    "tool round trip": _tool,
    "structured output": _structured,
    "retry after 429": _retry,
    "cut stream": _cut,
}


def _step(title: str, name: str, result: ChatResult, outcome: str) -> Step:
    usage, receipt = result.usage, result.receipt
    counts = ("?" if count is None else str(count) for count in (usage.input_tokens, usage.output_tokens))
    return Step(title, name, receipt.seconds, "/".join(counts), max(1, len(receipt.attempts)), outcome)


def _seconds(seconds: float | None) -> str:
    return "?" if seconds is None else f"{seconds:.3f}"


def _check(is_so: bool, what: str) -> None:
    if not is_so:
        raise SystemExit(f"fiber demo: it is not so that {what}")
