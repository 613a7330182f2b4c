"""Grades what a cell showed: nothing, or the reasons why it is a miss."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Iterator, Mapping

import fiber
from fiber import ChatResult, FiberError, FiberTimeoutError
from tests.torture.cell import KEY, PATIENT, TIMEOUTS, Cell, Observed
from tests.torture.expected import expected
from tests.torture.outcome import Outcome

LATE_SECONDS = 0.1
SLACK_SECONDS = 0.25
"""What a busy machine may take besides."""

WORDS: Mapping[str, type[FiberError]] = {
    "auth": fiber.FiberAuthError,
    "bad_request": fiber.FiberBadRequestError,
    "connection": fiber.FiberConnectionError,
    "content_filter": fiber.FiberContentFilterError,
    "context_length": fiber.FiberContextLengthError,
    "interrupted": fiber.FiberStreamInterruptedError,
    "model_not_found": fiber.FiberModelNotFoundError,
    "overloaded": fiber.FiberOverloadedError,
    "parsing": fiber.FiberParsingError,
    "provider": fiber.FiberProviderError,
    "quota": fiber.FiberQuotaError,
    "rate_limit": fiber.FiberRateLimitError,
}
"""Words of `Outcome.word`; `timeout:NAME` is a FiberTimeoutError of that timer."""

_FEW = 20
"""More tokens than one short answer has, when they are counted once."""
SEVERE = ("foreign", "silent", "leak")
"""Beginnings of reasons that are worse than the others."""


def grade(cell: Cell, seen: Observed) -> list[str]:
    """Return why the cell is a miss; empty when it is as it should be."""
    want = expected(cell.fault, cell.format, cell.mode)
    reasons = [*_outcome(cell, want, seen), *_surroundings(want, seen)]
    return sorted(reasons, key=lambda reason: not reason.startswith(SEVERE))


def late(cell: Cell, seen: Observed) -> float:
    """Return by how many seconds the cell passed its deadline, 0 when by less than allowed."""
    want = expected(cell.fault, cell.format, cell.mode)
    total = (PATIENT if want.patient else TIMEOUTS).total or 0.0
    limits = [total * want.calls]
    if isinstance(seen.error, FiberTimeoutError) and seen.error.seconds is not None:
        limits.append(seen.error.seconds * max(want.requests) + 0.01)
    over = seen.seconds - min(limits)
    return over if over > LATE_SECONDS + SLACK_SECONDS else 0.0


def word_of(error: BaseException) -> str:
    """Return the word of an error, or its class where it has none."""
    if isinstance(error, FiberTimeoutError):
        return f"timeout:{error.timer}"
    return next((word for word, kind in WORDS.items() if type(error) is kind), type(error).__name__)


def _outcome(cell: Cell, want: Outcome, seen: Observed) -> Iterator[str]:
    words = want.word.split("|")
    if seen.error is None and seen.result is not None:
        if "ok" not in words:
            yield f"silent success: instead of {want.word} {seen.result.text[:60]!r} {seen.result.finish_reason}"
        else:
            yield from _good(want, seen, seen.result)
    elif seen.error is None:
        yield "no end: there is neither result nor error"
    elif not isinstance(seen.error, FiberError):
        yield f"foreign exception: {_foreign(seen.error)}"
    elif (word := word_of(seen.error)) not in words:
        yield f"wrong class: {word} instead of {want.word}: {seen.error.message[:160]}"
    elif want.fact and getattr(seen.error, want.fact[0]) != want.fact[1]:
        yield f"wrong fact: {want.fact[0]} is {getattr(seen.error, want.fact[0])!r} instead of {want.fact[1]!r}"
    elif want.mentions not in str(seen.error):
        yield f"wrong fact: {want.mentions!r} is not in {str(seen.error)[:160]!r}"
    elif want.partial and not (seen.error.partial and seen.error.partial.text):
        yield f"wrong partial: {word} without the text that came before"
    elif want.partial and want.text and seen.error.partial and not seen.said.startswith(seen.error.partial.text):
        yield f"wrong partial: {word} with another text than came: {seen.error.partial.text[:60]!r}"


def _foreign(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-1:]
    where = [f" at {frame.filename.rpartition('fiber/')[2]}:{frame.lineno}" for frame in frames]
    return "".join([f"{type(error).__name__}: {str(error)[:120]}", *where])


def _good(want: Outcome, seen: Observed, result: ChatResult) -> Iterator[str]:
    if want.text is not None and result.text != (text := want.text.replace("{said}", seen.said)):
        yield f"silent loss: {result.text[-60:]!r} ({len(result.text)}) instead of {text[-60:]!r} ({len(text)})"
    try:
        result.text.encode()
    except UnicodeEncodeError:
        yield "silent: the text cannot be encoded"
    attempts = result.receipt.attempts
    if want.attempts is not None and len(attempts) != want.attempts:
        yield f"attempts: {len(attempts)} instead of {want.attempts}"
    elif want.waited is not None and not want.waited[0] <= attempts[-1].waited_seconds <= want.waited[1]:
        yield f"wait: {attempts[-1].waited_seconds:.3f} s instead of {want.waited[0]} to {want.waited[1]}"
    if want.check and (why := CHECKS[want.check](result)):
        yield why


def _surroundings(want: Outcome, seen: Observed) -> Iterator[str]:
    if seen.requests not in want.requests:
        yield f"requests: {seen.requests} instead of {' or '.join(map(str, want.requests))}"
    if seen.afterwards != "You said: and now":
        failed = seen.afterwards.startswith("Fiber")
        yield f"{'next call failed' if failed else 'silent: the next call got'}: {seen.afterwards[:160]}"
    if seen.error is not None and KEY in _everything(seen.error):
        yield "leak: the key is in the error"
    for words in seen.noise:
        yield f"noise: {words[:160]}"


def _everything(error: BaseException) -> str:
    return "".join([repr(error), repr(vars(error)), *traceback.format_exception(error)])


def _usage_unknown(result: ChatResult) -> str:
    known = result.usage.input_tokens
    return "" if known is None else f"silent: usage was told by nobody, and is {known} tokens"


def _usage_once(result: ChatResult) -> str:
    usage = result.usage
    total = (usage.input_tokens or 0) + (usage.output_tokens or 0)
    return "" if 0 < total < _FEW and total == usage.total_tokens else f"silent: usage is not counted once: {usage}"


def _finish_unknown(result: ChatResult) -> str:
    if result.finish_reason == "other" and result.raw_finish_reason == "teleported":
        return ""
    return f"finish: {result.finish_reason!r}, {result.raw_finish_reason!r} instead of other, teleported"


def _two_calls(result: ChatResult) -> str:
    found = [call.arguments for call in result.tool_calls]
    return "" if found == [{"city": "Paris"}, {"city": "Rome"}] else f"silent: tool calls are {found}"


def _written(text: str) -> Callable[[ChatResult], str]:
    """Where arguments are an object, a text in their place stays a JSON string."""

    def check(result: ChatResult) -> str:
        found = [call.arguments_json for call in result.tool_calls]
        return (
            "" if found in ([text], [json.dumps(text)]) else f"silent: tool arguments are {found} instead of {text!r}"
        )

    return check


def _paris(result: ChatResult) -> str:
    found = [call.arguments for call in result.tool_calls]
    return "" if found == [{"city": "Paris"}] else f"silent: tool arguments are {found}"


def _nothing(result: ChatResult) -> str:
    found = [call.arguments_json for call in result.tool_calls]
    return "" if found in ([""], ["{}"], ['""']) else f"silent: tool arguments are {found}"


def _huge(result: ChatResult) -> str:
    found = [len(call.arguments["city"]) for call in result.tool_calls]
    return "" if found == [10_000_000] else f"silent: tool arguments have {found} characters"


CHECKS: Mapping[str, Callable[[ChatResult], str]] = {
    "usage_unknown": _usage_unknown,
    "usage_once": _usage_once,
    "finish_unknown": _finish_unknown,
    "two_calls": _two_calls,
    "arguments_empty": _nothing,
    "arguments_huge": _huge,
    "arguments_cut": _written('{"city": "Par'),
    "arguments_text": _written("Paris, please"),
    "arguments_list": _written('["Paris"]'),
    "arguments_twice": _paris,
}
