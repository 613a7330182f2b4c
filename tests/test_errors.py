"""The exception tree."""

from __future__ import annotations

import copy
import inspect
import pickle
import re
from typing import Any

import pytest

from fiber import _errors
from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberBudgetError,
    FiberCapabilityError,
    FiberCircuitOpenError,
    FiberClosedError,
    FiberConnectionError,
    FiberContentFilterError,
    FiberContextLengthError,
    FiberError,
    FiberFallbackError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberParsingError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    FiberValidationError,
    is_server_failure,
)
from fiber.types.content import Text
from fiber.types.messages import ChatMessage
from fiber.types.receipt import Attempt
from fiber.types.result import ChatResult, Choice, RateLimits

CLASSES = [kind for name, kind in sorted(vars(_errors).items()) if inspect.isclass(kind) and name.startswith("Fiber")]

FACTS: dict[str, Any] = {
    "provider": "openai",
    "model": "gpt-6",
    "status_code": 429,
    "provider_code": "slow_down",
    "request_id": "req_1",
    "retry_after": 1.5,
    "parameter": "n",
    "attempts": (Attempt(number=1, provider="openai", model="gpt-6", status=429),),
    "raw_response": "{}",
    "outcome": "unknown",
    "should_retry": False,
    "rate_limits": RateLimits(requests_limit=5),
}


def drawn() -> dict[str, str]:
    """Class and parent of every line of the tree in the module's docstring."""
    found: dict[str, str] = {}
    branch: dict[int, str] = {}
    for line in (_errors.__doc__ or "").splitlines():
        if match := re.search(r"^([ │├└─]*)(Fiber\w+)", line):
            depth = len(match[1])
            branch[depth] = match[2]
            found[match[2]] = branch[max((d for d in branch if d < depth), default=depth)]
    return found


def test_tree_is_as_drawn() -> None:
    """The docstring draws every class under its parent, and no other."""
    tree = {kind.__name__: kind.__bases__[0].__name__ for kind in CLASSES if kind is not FiberError}

    assert {name: parent for name, parent in drawn().items() if name != "FiberError"} == tree


def test_all_classes_are_exported() -> None:
    """`__all__` is sorted and names every class."""
    assert _errors.__all__ == sorted([*(kind.__name__ for kind in CLASSES), "Outcome"])


@pytest.mark.parametrize("kind", CLASSES)
def test_error_is_documented(kind: type[FiberError]) -> None:
    """Every class says when it is raised."""
    assert kind.__doc__


@pytest.mark.parametrize("kind", CLASSES)
def test_error_keeps_every_fact(kind: type[FiberError]) -> None:
    """Every class takes the same facts and gives them back as attributes."""
    error = kind("Something happened.", **FACTS)

    assert {name: getattr(error, name) for name in FACTS} == FACTS
    assert error.message == "Something happened."
    assert error.attempt == 1


@pytest.mark.parametrize("kind", CLASSES)
@pytest.mark.parametrize("clone", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy, copy.deepcopy])
def test_error_survives_pickle_and_copy(kind: type[FiberError], clone: Any) -> None:
    """A pickled or copied error is of the same class and has the same fields and text."""
    error = kind("Something happened.", **FACTS)
    if hasattr(error, "partial"):
        error.partial = ChatResult(choices=(Choice(message=ChatMessage("assistant", (Text("Hal"),))),))
    error.add_note("in the third batch")

    twin = clone(error)

    assert type(twin) is kind
    assert vars(twin) == vars(error)
    assert str(twin) == str(error)
    assert twin.args == ("Something happened.",)


def test_str_is_the_message_alone_when_nothing_else_is_known() -> None:
    """Without facts, the text of an error is its message."""
    assert str(FiberError("It broke.")) == "It broke."


def test_str_lists_the_known_facts() -> None:
    """The text of an error names where it happened."""
    error = FiberProviderError("It broke.", provider="openai", model="m", status_code=500, provider_code="oops")
    error.request_id = "req_1"

    assert str(error) == "It broke. [provider=openai, model=m, status=500, code=oops, request_id=req_1]"
    assert str(FiberError("It broke.", status_code=0)) == "It broke. [status=0]"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(FiberConnectionError(""), True, id="connection"),
        pytest.param(FiberTimeoutError("", timer="read"), True, id="read"),
        pytest.param(FiberTimeoutError("", timer="connect"), True, id="connect"),
        pytest.param(FiberTimeoutError("", timer="first_event"), True, id="first_event"),
        pytest.param(FiberTimeoutError("", timer="stall"), True, id="stall"),
        pytest.param(FiberTimeoutError("", timer="total"), False, id="total"),
        pytest.param(FiberTimeoutError("", timer="total", should_retry=True), False, id="total-told"),
        pytest.param(FiberTimeoutError("", should_retry=False), False, id="timeout-told"),
        pytest.param(FiberStreamInterruptedError(""), True, id="interrupted"),
        pytest.param(FiberRateLimitError("", status_code=429), True, id="rate"),
        pytest.param(FiberRateLimitError("", status_code=429, should_retry=False), False, id="rate-told"),
        pytest.param(FiberOverloadedError("", status_code=529), True, id="overloaded"),
        pytest.param(FiberQuotaError("", status_code=429), False, id="quota"),
        pytest.param(FiberQuotaError("", status_code=503), False, id="quota-503"),
        pytest.param(FiberAuthError("", status_code=401), False, id="auth"),
        pytest.param(FiberAuthError(""), False, id="no-key"),
        pytest.param(FiberBadRequestError("", status_code=400), False, id="bad"),
        pytest.param(FiberBadRequestError("", status_code=400, should_retry=True), True, id="bad-told"),
        pytest.param(FiberContextLengthError("", status_code=400), False, id="long"),
        pytest.param(FiberContentFilterError("", status_code=400), False, id="filter"),
        *(pytest.param(FiberProviderError("", status_code=s), True, id=str(s)) for s in (408, 409, 425, 429)),
        *(pytest.param(FiberProviderError("", status_code=s), True, id=str(s)) for s in (500, 502, 504, 520, 599)),
        *(pytest.param(FiberProviderError("", status_code=s), False, id=str(s)) for s in (200, 302, 418, 499)),
        pytest.param(FiberProviderError("", status_code=500, should_retry=False), False, id="500-told"),
        pytest.param(FiberProviderError("", status_code=418, should_retry=True), True, id="418-told"),
        pytest.param(FiberProviderError(""), False, id="no-status"),
        pytest.param(FiberParsingError(""), False, id="parsing"),
        pytest.param(FiberValidationError(""), False, id="validation"),
        pytest.param(FiberModelNotFoundError(""), False, id="model"),
        pytest.param(FiberCapabilityError(""), False, id="capability"),
        pytest.param(FiberClosedError(""), False, id="closed"),
        pytest.param(FiberBudgetError(""), False, id="budget"),
        pytest.param(FiberCircuitOpenError(""), False, id="circuit"),
        pytest.param(FiberFallbackError(""), False, id="fallback"),
    ],
)
def test_retryable_is_what_may_succeed_later(error: FiberError, expected: bool) -> None:
    """What is busy, slow or broken may work later, a mistake or an empty purse not; the provider's word wins."""
    assert error.is_retryable is expected


@pytest.mark.parametrize("kind", CLASSES)
def test_outcome_fits_the_class(kind: type[FiberError]) -> None:
    """Errors raised before any byte leaves say so without being told; a broken stream may have done its work."""
    ours = {FiberValidationError, FiberCapabilityError, FiberClosedError, FiberBudgetError, FiberCircuitOpenError}
    expected = "not_sent" if kind in ours else "unknown" if kind is FiberStreamInterruptedError else "rejected"

    assert kind("").outcome == expected


def test_outcome_can_be_told() -> None:
    """What is known about the attempt wins over what is usual."""
    assert FiberStreamInterruptedError("", outcome="rejected").outcome == "rejected"


def test_nothing_sent_means_no_attempt() -> None:
    """An error before the first exchange counts none."""
    assert FiberValidationError("").attempt == 0


def test_timeout_names_its_timer() -> None:
    """A timeout says which timer expired, after how long and with what in hand."""
    partial = ChatResult()
    error = FiberTimeoutError("Slow.", timer="stall", seconds=2.0, partial=partial)

    assert (error.timer, error.seconds, error.partial) == ("stall", 2.0, partial)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (FiberTimeoutError("", timer="read"), True),
        (FiberTimeoutError("", timer="total"), False),
        (FiberProviderError("", status_code=500), True),
        (FiberProviderError("", status_code=409), False),
        (FiberProviderError(""), False),
        (FiberOverloadedError("", status_code=503), False),
        (ValueError(), False),
    ],
    ids=repr,
)
def test_a_server_fails_by_timers_and_by_statuses_without_a_class(error: Exception, *, expected: bool) -> None:
    """Other classes say for themselves whose failure they are; the deadline over everything is the caller's."""
    assert is_server_failure(error) is expected
