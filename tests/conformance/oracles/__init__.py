"""
What a recording says, read with plain `json` and nothing of the library.

Each module reads one format:

* `answer(payloads)` puts the JSON values of a reply or a stream together to an `Answer`;
* `refusal(status, value)` names the class of the error that a refused request stands for, from the provider's
  documentation;
* `UNREAD` lists members that are known and that nobody needs, so that what is new stands out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any

from fiber.types.result import ChatResult, Choice

BY_STATUS: Mapping[int, str] = {
    400: "FiberBadRequestError",
    401: "FiberAuthError",
    402: "FiberQuotaError",
    403: "FiberAuthError",
    404: "FiberBadRequestError",
    413: "FiberBadRequestError",
    422: "FiberBadRequestError",
    429: "FiberRateLimitError",
    503: "FiberOverloadedError",
    529: "FiberOverloadedError",
}
"""What a status means where no code says more; every other one is the provider's failure."""


@dataclass
class Said:
    """
    One choice.

    Attributes:
        calls: Id (None where none was given), name, and arguments: text as sent, or a value when sent as JSON.
        finish: Why it ended, in the library's words, before calls are considered.
        raw: The same in the provider's words.
        seals: Signatures and ciphertexts, which have to go back.
    """

    text: str = ""
    reasoning: str = ""
    calls: list[tuple[str | None, str, Any]] = field(default_factory=list)
    finish: str | None = None
    raw: Any = None
    seals: list[str] = field(default_factory=list)


@dataclass
class Answer:
    """What an answer says; `usage` has the counts to be compared, None for what was not said."""

    choices: dict[int, Said] = field(default_factory=dict)
    usage: dict[str, int | None] = field(default_factory=dict)

    def choice(self, number: int = 0) -> Said:
        """Return a choice, made when it is new."""
        return self.choices.setdefault(number, Said())


def differences(answer: Answer, result: ChatResult) -> list[str]:
    """Say where *result* is not what the recording says."""
    found: list[str] = []
    choices = {choice.index: choice for choice in result.choices}
    for number, said in answer.choices.items():
        if number not in choices:
            found.append(f"choice {number} is missing")
        else:
            found.extend(_of_choice(said, choices[number]))
    for name, count in answer.usage.items():
        if (got := getattr(result.usage, name)) != count:
            found.append(f"{name} is {got}, the recording says {count}")
    return found


def _of_choice(said: Said, choice: Choice) -> list[str]:
    finish = "tool_calls" if said.calls and said.finish in ("stop", None) else said.finish
    pairs = (
        ("text", choice.text, said.text),
        ("reasoning", choice.message.reasoning, said.reasoning),
        ("finish_reason", choice.finish_reason, finish),
        ("raw_finish_reason", choice.raw_finish_reason, said.raw),
        ("number of tool calls", len(choice.tool_calls), len(said.calls)),
    )
    found = [
        f"{what} is {str(got)[:80]!r}, the recording says {str(true)[:80]!r}"
        for what, got, true in pairs
        if got != true
    ]
    for call, (id, name, arguments) in zip(choice.tool_calls, said.calls, strict=False):
        if call.name != name or id not in (None, call.id):
            found.append(f"a tool call is {call.name} ({call.id}), the recording says {name} ({id})")
        if not _same_arguments(call.arguments_json, arguments):
            found.append(
                f"arguments of {name} are {call.arguments_json[:80]!r}, the recording says {str(arguments)[:80]!r}"
            )
    if len({call.id for call in choice.tool_calls}) != len(choice.tool_calls):
        found.append("two tool calls have one id")
    return found


def _same_arguments(got: str, true: Any) -> bool:
    if isinstance(true, str):
        return got == true
    try:
        return bool(json.loads(got) == true)
    except ValueError:
        return False


def reading(format: str) -> ModuleType:
    """Return the oracle of *format*."""
    module: ModuleType = import_module(f"tests.conformance.oracles.{format}")
    return module


def names(*words: str) -> frozenset[str]:
    """Return the names in *words*, which are parted by blanks."""
    return frozenset(" ".join(words).split())


def members(value: Any) -> dict[str, Any]:
    """Return *value* when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def text(value: Any) -> str:
    """Return *value* when it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def whole(value: Any) -> int | None:
    """Return *value* when it is a number."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
