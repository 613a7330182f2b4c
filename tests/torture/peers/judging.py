"""
Puts what a cell showed into one category.

A pure function of the cell and what was seen, so that its rules can be tested without any library.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from tests.torture.outcome import Mode
from tests.torture.peers.libraries import LIBRARIES
from tests.torture.peers.wanted import (
    LEAST_WAIT_SECONDS,
    calls_of,
    check_of,
    is_final,
    text_is_good,
    words,
)

MEMORY_BYTES = 200 * 1024 * 1024
"""More than that is too much for an answer whose text is short."""
_SLACK_SECONDS = 0.05

CATEGORIES: Mapping[str, str] = {
    "expected": "as expected",
    "foreign": "an exception that is not the library's own",
    "wrong_success": "an error, a part or nothing taken for an answer",
    "unencodable": "text that cannot be encoded",
    "no_end": "no end within the limit",
    "rejected": "a good answer rejected, or a passing fault not retried",
    "wrong_kind": "the library's own exception, of a misleading kind",
    "retried": "asked again too early, or after a final refusal",
    "key": "the key sent to another origin",
    "memory": "memory grown by more than 200 MiB",
}
"""Each cell is in one: the first that fits, in this order behind `expected`."""

_KINDS: Mapping[str, frozenset[str]] = {
    # Kind -> names of classes, looked for from the most special base to the most general.
    "timeout": frozenset({"APITimeoutError", "Timeout", "FiberTimeoutError"}),
    "connection": frozenset({"APIConnectionError", "FiberConnectionError"}),
    "interrupted": frozenset({"FiberStreamInterruptedError"}),
    "parsing": frozenset(
        {"APIResponseValidationError", "UnknownApiResponseError", "JSONSchemaValidationError", "FiberParsingError"}
    ),
    "content_filter": frozenset({"FiberContentFilterError"}),
    "error": frozenset({"MidStreamFallbackError"}),
}
_BROKEN = frozenset({"connection", "interrupted", "parsing", "error"})
_STATUSES: Mapping[str, frozenset[int]] = {
    "auth": frozenset({400, 401, 403}),
    "bad_request": frozenset({400, 404, 413, 422}),
    "content_filter": frozenset({400}),
    "context_length": frozenset({400, 413}),
    "model_not_found": frozenset({400, 404}),
    "overloaded": frozenset({429, 500, 503, 529}),
    "provider": frozenset({307, 408, 409, 425, 500, 502, 503, 504, 529, 599}),
    "quota": frozenset({400, 402, 403, 429}),
    "rate_limit": frozenset({429}),
}
"""What statuses tell about a word of the expectation, whatever the class is called."""


class Cell(NamedTuple):
    """What is played."""

    library: str
    format: str
    fault: str
    mode: Mode


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """
    What it showed.

    Attributes:
        outcome: What the worker wrote; empty when it was stopped at the limit or died.
        said: What a good answer says.
        requests: How many met the fault, or came where a redirect leads.
        waits: Seconds between one request and the next.
        key_left: The key came to another origin.
        grown_bytes: By how much the memory grew.
        seconds: What the call took.
    """

    outcome: Mapping[str, Any]
    said: str
    requests: int = 1
    waits: Sequence[float] = ()
    key_left: bool = False
    grown_bytes: int = 0
    seconds: float = 0.0


def judge(cell: Cell, seen: Seen) -> str:
    """Return the category."""
    outcome = seen.outcome
    found = _of_outcome(cell, seen, outcome) if outcome else "no_end"
    if found != "expected":
        return found
    if seen.key_left:
        return "key"
    if _hasty(cell, seen):
        return "retried"
    return "memory" if seen.grown_bytes > MEMORY_BYTES else "expected"


def kind_of(error: Mapping[str, Any]) -> str:
    """Return the kind of a library's own exception: one of `_KINDS`, `status`, or `error` where it says no more."""
    for base in error["bases"]:
        name = base.rpartition(".")[2]
        for kind, names in _KINDS.items():
            if name in names:
                return kind
        if name == "APIError" and base == error["bases"][0]:
            return "error"
    return "status" if (error["status"] or 0) >= 300 else "error"


def is_own(library: str, error: Mapping[str, Any]) -> bool:
    """Tell whether an exception belongs to what the library's documentation tells callers to catch."""
    roots = LIBRARIES[library].own
    return any(
        base == root or (root.endswith(".") and base.startswith(root)) for base in error["bases"] for root in roots
    )


def _of_outcome(cell: Cell, seen: Seen, outcome: Mapping[str, Any]) -> str:
    right = words(cell.fault, cell.format, cell.mode)
    if "error" in outcome:
        if not is_own(cell.library, outcome["error"]):
            return "foreign"
        if _fits(right, outcome["error"]):
            return "expected"
        return "rejected" if right == {"ok"} else "wrong_kind"
    if "unreadable" in outcome:
        return "rejected" if "ok" in right else "wrong_success"
    if outcome["told"]:
        return "rejected" if right == {"ok"} else "expected"
    if not outcome["encodes"]:
        return "unencodable"
    if "ok" not in right:
        return "expected" if outcome["text"] == seen.said else "wrong_success"
    return "expected" if _is_good(cell, seen, outcome) else "wrong_success"


def _fits(right: frozenset[str], error: Mapping[str, Any]) -> bool:
    kind = kind_of(error)
    if kind in right:
        return True
    if kind == "status":
        return any(error["status"] in _STATUSES.get(word, ()) for word in right)
    if kind == "error":  # "something is wrong" is never misleading where something is
        return right != {"ok"}
    if "timeout" in right and kind == "connection":
        return True
    return bool(right & _BROKEN) and kind in _BROKEN


def _is_good(cell: Cell, seen: Seen, outcome: Mapping[str, Any]) -> bool:
    if not text_is_good(cell.fault, cell.format, cell.mode, seen.said, outcome["text"]):
        return False
    check = _CHECKS.get(check_of(cell.fault, cell.format, cell.mode))
    return check is None or check([call["arguments"] for call in outcome["calls"]])


def _hasty(cell: Cell, seen: Seen) -> bool:
    if is_final(cell.fault, cell.format, cell.mode):
        return seen.requests > calls_of(cell.fault, cell.format, cell.mode)
    least = LEAST_WAIT_SECONDS.get(cell.fault, 0.0)
    return any(wait < least - _SLACK_SECONDS for wait in seen.waits)


def _read(arguments: object) -> object:
    """Read arguments that a library leaves as text."""
    try:
        return json.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        return arguments


def _kept(*good: object) -> Callable[[list[object]], bool]:
    return lambda found: len(found) == 1 and (found[0] in good or _read(found[0]) in good)


_CHECKS: Mapping[str, Callable[[list[object]], bool]] = {
    "two_calls": lambda found: [_read(one) for one in found] == [{"city": "Paris"}, {"city": "Rome"}],
    "arguments_empty": _kept("", {}, None),
    "arguments_cut": _kept('{"city": "Par'),
    "arguments_text": _kept("Paris, please"),
    "arguments_list": _kept('["Paris"]', ["Paris"]),
    "arguments_twice": _kept({"city": "Paris"}),
    "arguments_huge": _kept({"city": "a" * 10_000_000}),
}
"""Checks of tool calls; what is counted of usage and how an unknown finish is called is each library's own affair."""
