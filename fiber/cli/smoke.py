"""`fiber smoke`: three tiny calls to one provider, to see whether key, model and way are good."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from time import monotonic
from typing import Any

from fiber._errors import FiberError, FiberValidationError
from fiber._sync import SyncFiber
from fiber.cli import output
from fiber.cli.client import client_for
from fiber.types.result import ChatResult
from fiber.types.tools import Tool

MAX_TOKENS = 512
"""Enough for a model that thinks before a word, and little money."""
SECONDS = 60.0
TOOL = Tool(
    name="get_weather",
    description="Look up the weather in a city.",
    parameters={"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)


def run(options: argparse.Namespace) -> int:
    """Make the calls, print what became of each, and return 0 when all were good."""
    told: list[dict[str, Any]] = []
    with client_for(options) as fiber:
        row = fiber.providers[fiber.route("-", provider=options.provider).provider]
        model = options.model or row.default_model
        if not model:
            raise FiberValidationError(f"{row.name} has no default model: say --model.", parameter="model")
        asked = {
            "model": model,
            "provider": row.name,
            "max_tokens": MAX_TOKENS,
            "timeout": options.timeout or SECONDS,
        }
        for name, step in STEPS.items():
            told.append({"provider": row.name, "model": model, "step": name, **_outcome(step, fiber.sync, asked)})
    if options.json:
        for line in told:
            output.print_json(line)
    else:
        columns = ("step", "seconds", "tokens", "outcome")
        output.print_table(f"{row.name}:{model}", columns, [[f"{line[name]}" for name in columns] for line in told])
    return 0 if all(line["ok"] for line in told) else 1


def _whole(fiber: SyncFiber, asked: Mapping[str, Any]) -> tuple[ChatResult, str]:
    result = fiber.chat("Reply with one word: pong", **asked)
    return result, "" if result.text.strip() else "no text came"


def _stream(fiber: SyncFiber, asked: Mapping[str, Any]) -> tuple[ChatResult, str]:
    with fiber.chat_stream("Reply with one word: pong", **asked) as stream:
        result = stream.collect()
    return result, "" if result.text.strip() else "no text came"


def _tool(fiber: SyncFiber, asked: Mapping[str, Any]) -> tuple[ChatResult, str]:
    result = fiber.chat("What is the weather in Paris? Use the tool.", tools=[TOOL], **asked)
    return result, "" if result.tool_calls else "no tool was called"


STEPS: dict[str, Callable[[SyncFiber, Mapping[str, Any]], tuple[ChatResult, str]]] = {
    "chat": _whole,
    "stream": _stream,
    "tool call": _tool,
}


def _outcome(
    step: Callable[[SyncFiber, Mapping[str, Any]], tuple[ChatResult, str]], fiber: SyncFiber, asked: Mapping[str, Any]
) -> dict[str, Any]:
    started = monotonic()
    tokens: int | None = None
    try:
        result, fault = step(fiber, asked)
        tokens = result.usage.total_tokens
        said = fault and f"{fault} (finished: {result.finish_reason})"
    except FiberError as error:  # which never holds the key
        said = f"{type(error).__name__}: {error}"
    return {
        "ok": not said,
        "seconds": round(monotonic() - started, 3),
        "tokens": "?" if tokens is None else tokens,
        "outcome": said or "ok",
    }
