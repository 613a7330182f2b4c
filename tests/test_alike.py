"""Calls that are made like an earlier one are what they would be without it."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest

from fiber import (
    NO_RETRY,
    ChatMessage,
    Fiber,
    FiberBudgetError,
    FiberCapabilityError,
    FiberClosedError,
    FiberValidationError,
    Image,
    ModelCatalog,
)
from fiber._calls import prepare
from fiber._chain import Call
from tests.kit import KEY, MODEL, scripted, watched, whole

KEYS = {"openai": KEY, "anthropic": KEY, "gemini": KEY}
MESSAGES: tuple[Any, ...] = (
    "Hi",
    [ChatMessage("user", "Hi"), ChatMessage("assistant", "Yes?"), ChatMessage("user", "Go on.")],
    [("system", "Be short."), ("user", "Hi")],
    [{"role": "user", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]}],
    ChatMessage("user", "Hi"),
    {"messages": "Hi", "temperature": 0.5},
)
OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"model": "openai:gpt-mock"},
    {"model": "claude-5", "max_tokens": 5},
    {"model": "gemini-9", "temperature": 1, "top_p": 0.5, "reasoning": "low"},
    {"model": "gpt-mock", "temperature": 0.5, "stop": ["x"], "label": "one", "context": {"tenant": "a"}},
    {"model": "gpt-mock", "fallback": ["claude-5"], "timeout": 3.0, "idempotency_key": "k"},
    {"provider": "anthropic", "model": "any", "on_unsupported": "warn", "seed": 3},
)


def client(**options: Any) -> Fiber:
    """Return a client of three providers."""
    return scripted(**{"api_keys": KEYS, "default_model": MODEL, **options})[0]


def shown(call: Call) -> dict[str, Any]:
    """Return all of *call* but its journal, and its chat as what it holds."""
    members = {name: getattr(call, name) for name in call.__struct_fields__ if name not in ("journal", "transport")}
    chats = [call.operation, *(other.operation for other in call.fallbacks)]
    return {**members, "operation": [(type(chat), vars(chat)) for chat in chats], "fallbacks": len(call.fallbacks)}


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_is_what_it_is_without_an_earlier_one(*, stream: bool) -> None:
    """Whatever was asked before, in whatever spelling, the call of a fresh client is the same."""
    old = client()
    for first, (messages, options) in product(MESSAGES, product(MESSAGES, OPTIONS)):
        if isinstance(first, dict) and isinstance(messages, dict) and "temperature" in options:
            continue  # said twice
        prepare(old._settings, "Earlier", {**options}, stream=stream)
        if isinstance(messages, dict) and "temperature" in options:
            continue
        made = prepare(old._settings, messages, options, stream=stream)
        fresh = prepare(client()._settings, messages, options, stream=stream)

        assert shown(made) == shown(fresh)
        assert made.journal.attempts == []
        assert made.journal.id != fresh.journal.id


def test_nothing_that_was_said_is_kept() -> None:
    """What later calls are made like holds no message, no bound field and no journal of the first."""
    made, _ = scripted(whole(), whole(), default_model=MODEL)
    with made.bind(tenant="secret-tenant"):
        made.sync.ask("secret words")

    plans = made.sync._settings.plans
    (plan,) = plans.values()

    assert "secret" not in f"{plans!r} {plan.bound!r} {plan.journal!r} {msgspec.to_builtins(plan.operation.request)!r}"  # type: ignore[attr-defined]


def test_bound_fields_are_those_of_each_call() -> None:
    """What is bound around a call, or by a view, is not what was bound around the one before."""
    made, _, watch = watched(*[whole()] * 4)
    with made.bind(tenant="a"):
        made.sync.ask("Hi")
    with made.bind(tenant="b"):
        made.sync.ask("Hi")
        made.bind(user="u").sync.ask("Hi")
    made.sync.ask("Hi")

    assert [call.bound for call in watch.calls] == [{"tenant": "a"}, {"tenant": "b"}, {"tenant": "b", "user": "u"}, {}]


@pytest.mark.parametrize(
    ("name", "good", "bad"), [("temperature", 1, True), ("max_tokens", 1, 1.0), ("top_p", 1.0, True)]
)
def test_a_value_of_another_type_is_checked_again(name: str, good: Any, bad: Any) -> None:
    """Though Python says that both are equal."""
    made, transport = scripted(*[whole()] * 3, default_model=MODEL)
    made.sync.ask("Hi", **{name: good})

    with pytest.raises(FiberValidationError, match=name):
        made.sync.ask("Hi", **{name: bad})
    assert len(transport.requests) == 1


def test_what_hangs_on_the_messages_is_looked_at_in_each_call() -> None:
    """The catalogue says that a model has no eyes, and a ceiling holds for the long call after the short one."""
    blind = client(catalog=ModelCatalog(overrides={"openai:gpt-mock": {"cannot": "vision"}}))
    frugal = client(default_max_tokens=5).with_options(token_budget=2_000)
    image = ChatMessage.user([Image(url="https://example.com/a.png")])
    for made in (blind, frugal):
        prepare(made._settings, [ChatMessage("user", "Hi")], {"model": "openai:gpt-mock"}, stream=False)

    with pytest.raises(FiberCapabilityError):
        prepare(blind._settings, [image], {"model": "openai:gpt-mock"}, stream=False)
    with pytest.raises(FiberBudgetError):
        prepare(frugal._settings, ["word " * 9_000], {"model": "openai:gpt-mock"}, stream=False)


def test_a_wrong_message_is_an_error_after_a_right_one() -> None:
    """An empty list, and a role that is none."""
    made, transport = scripted(whole(), default_model=MODEL)
    made.sync.ask([("user", "Hi")])

    for wrong in ([], "", [("nobody", "Hi")], [3]):
        with pytest.raises(FiberValidationError):
            made.sync.ask(wrong)
    assert len(transport.requests) == 1


def test_a_balance_takes_its_turns() -> None:
    """Each call of a balanced name may go elsewhere."""
    made, _, watch = watched(
        *[whole()] * 4,
        api_keys=KEYS,
        balance={"both": {"openai:a": 1, "openai:b": 1}},
        default_model="both",
        retry=NO_RETRY,
    )
    for _ in range(4):
        made.sync.ask("Hi")

    assert sorted(call.target.model for call in watch.calls) == ["a", "a", "b", "b"]


def test_a_closed_client_makes_no_call() -> None:
    """Not even one like an earlier one."""
    made, _ = scripted(whole(), default_model=MODEL)
    made.sync.ask("Hi")
    made.sync.close()

    with pytest.raises(FiberClosedError):
        made.sync.ask("Hi")


def test_so_many_are_kept() -> None:
    """Names of models may come from users."""
    made = client()
    for number in range(200):
        prepare(made._settings, "Hi", {"model": f"openai:{number}"}, stream=False)

    assert len(made._settings.plans) <= 64
