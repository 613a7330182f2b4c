"""The lines of a batch: from a line of input to the keywords of a call, from its outcome to a line of output."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import msgspec

from fiber._errors import FiberError, FiberValidationError
from fiber.cli.output import facts_of
from fiber.types.calls import KNOWN
from fiber.types.result import ChatResult

START = b'{"line":'
"""How each line of output begins."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the input: its number, from 1, and what stands in it."""

    number: int
    text: bytes

    @property
    def fingerprint(self) -> int:
        """A number of 64 bits for the text, never 0."""
        return int.from_bytes(blake2b(self.text, digest_size=8).digest(), "big") or 1


def lines_of(path: Path) -> Iterator[Line]:
    """
    Read the lines of *path* one by one; empty ones are left out, and counted.

    Raises:
        FiberValidationError: It cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(file, start=1):
                text = (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).strip()
                if text:
                    yield Line(number, text)
    except OSError as error:
        raise FiberValidationError(
            f"The input {path} cannot be read: {error.strerror}.", parameter="input", outcome="not_sent"
        ) from error


def id_of(line: Line) -> Any:
    """Return the id that *line* gives itself, or its number."""
    try:
        value = msgspec.json.decode(line.text)
    except (ValueError, RecursionError):
        return line.number
    return value.get("id", line.number) if isinstance(value, dict) else line.number


def call_of(line: Line) -> tuple[Any, dict[str, Any]]:
    """
    Return the messages and the keywords that *line* asks for.

    Raises:
        FiberValidationError: It is neither a text nor an object with `messages` and keywords of `chat`.
    """
    try:
        value = msgspec.json.decode(line.text)
    except (ValueError, RecursionError) as error:
        raise _wrong(line, f"is not JSON ({error})") from None
    if isinstance(value, str):
        return value, {}
    if not isinstance(value, dict) or "messages" not in value:
        raise _wrong(line, "has no messages")
    options = {name: said for name, said in value.items() if name not in ("id", "messages")}
    if unknown := sorted(options.keys() - KNOWN):
        raise _wrong(line, f"has {unknown[0]!r}, which is no keyword of chat", unknown[0])
    return value["messages"], options


def answer_of(line: Line, outcome: ChatResult | FiberError) -> bytes:
    """Return the line of output for *line*: its `result`, or its `error`."""
    answer: dict[str, Any] = {"line": line.number, "id": id_of(line), "input": f"{line.fingerprint:016x}"}
    if isinstance(outcome, FiberError):
        answer["error"] = facts_of(outcome)
    else:
        answer["result"] = {
            "text": outcome.text,
            "tool_calls": [
                {"id": call.id, "name": call.name, "arguments_json": call.arguments_json} for call in outcome.tool_calls
            ],
            "finish_reason": outcome.finish_reason,
            "usage": outcome.usage,
            "cost_usd": outcome.usage.cost_usd,
            "model": outcome.model,
            "provider": outcome.provider,
            "request_id": outcome.request_id,
        }
    try:
        return msgspec.json.encode(answer, enc_hook=str) + b"\n"
    except UnicodeEncodeError:  # half a character, from a provider that cuts texts anywhere
        plain = msgspec.to_builtins(answer, enc_hook=str)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace") + b"\n"


def _wrong(line: Line, what: str, parameter: str = "messages") -> FiberValidationError:
    return FiberValidationError(
        f'Line {line.number} {what}: write {{"messages": ..., "max_tokens": ...}} with keywords of chat, or a "text".',
        parameter=parameter,
        outcome="not_sent",
    )
