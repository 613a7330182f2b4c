"""What a client tells: one hook for all of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from fiber import Budget, Cache, Fiber, FiberValidationError, RetryPolicy, Secret
from fiber.types.telemetry import Telemetry
from tests.kit import refused, scripted, watched, whole


def hide(name: str, value: Any) -> Any:
    """Leave the tenant out, mask the user, and fail on the rest but `run`."""
    if name == "tenant":
        return None
    if name == "user":
        return "***"
    if name == "run":
        return value
    raise LookupError(name)


def test_bound_fields_are_told_as_the_hook_leaves_them() -> None:
    """One that it returns None for, or fails on, is left out; policies see what was bound."""
    fiber, _, watch = watched(whole(), redact=hide)

    fiber.bind(tenant="t", user="u").sync.chat("Hi", context={"run": "r", "other": "o"}, label="canary")

    (call,) = watch.calls
    assert call.context == {"user": "***", "run": "r"}
    assert call.bound == {"tenant": "t", "user": "u", "run": "r", "other": "o"}
    assert call.label == ""
    assert "'o'" not in repr(call)


def test_without_a_hook_all_is_told() -> None:
    """And nothing is copied."""
    bound = {"a": 1}

    assert Telemetry().fields(bound) is bound
    assert Telemetry().left("label", "x") == "x"


def test_log_lines_see_what_the_hook_left(caplog: pytest.LogCaptureFixture) -> None:
    """That of the call, and that of a retry."""
    caplog.set_level(logging.DEBUG)
    fiber, _ = scripted(refused(503, retry_after="0"), whole(), redact=hide)

    fiber.bind(tenant="canary", user="canary", run="r7").sync.chat("Hi")

    assert [record.run for record in caplog.records] == ["r7", "r7"]  # type: ignore[attr-defined]
    assert "canary" not in str([vars(record) for record in caplog.records])


def test_a_key_that_is_bound_is_masked_without_a_hook(caplog: pytest.LogCaptureFixture) -> None:
    """It is a `Secret` like any other."""
    caplog.set_level(logging.DEBUG)
    fiber, _ = scripted(whole())

    fiber.bind(token=Secret("canary")).sync.chat("Hi")

    assert "canary" not in str([vars(record) for record in caplog.records])


def test_policies_tell_tenants_apart_that_are_hidden() -> None:
    """The cache, budgets and the decision to retry work with what was bound."""
    seen: list[Any] = []

    def decide(error: Exception, attempt: int, context: Any) -> None:
        seen.append(context["tenant"])

    fiber, transport = scripted(
        refused(503, retry_after="0"),
        whole(),
        whole(),
        redact=hide,
        cache=Cache(),
        cache_policy="write_through",
        budgets=[Budget(name="each", requests=1, per=("tenant",))],
        retry=RetryPolicy(retry_if=decide),
    )

    for tenant in ("a", "b"):
        fiber.bind(tenant=tenant).sync.chat("Hi")

    assert seen == ["a"]
    assert len(transport.requests) == 3


@pytest.mark.parametrize(("keyword", "value"), [("redact", "tenant"), ("semconv", "1.0.0")])
def test_wrong_keywords_are_told_when_the_client_is_made(keyword: str, value: Any) -> None:
    """With the name of the keyword."""
    with pytest.raises(FiberValidationError) as caught:
        Fiber(**{keyword: value})

    assert caught.value.parameter == keyword
    assert keyword in str(caught.value)
