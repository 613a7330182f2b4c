"""Balanced names, wherever a model may be named."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber import (
    NO_RETRY,
    Fiber,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberValidationError,
    Prompt,
    openai_compatible,
)
from fiber.testing.fake import FakeTransport
from tests.kit import KEY, refused, scripted, streamed, whole
from tests.parity.test_same_everywhere import asyncio_world, blocking_world, trio_world

EAST, WEST, FAR = "openai:east", "openai:west", "openai:far"
BALANCE = {"fast": {EAST: 3, WEST: 1}, "all": {FAR: 1, EAST: 2}}


def client(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client with balanced names, without retries."""
    return scripted(*script, **{"balance": BALANCE, "default_model": "fast", "retry": NO_RETRY, **options})


def models(transport: FakeTransport) -> list[str]:
    """Return the models that were asked."""
    return [request.json()["model"] for request in transport.requests]


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
@pytest.mark.parametrize("stream", [False, True])
def test_calls_are_shared_by_weight(stream: bool, world: Callable[..., Any]) -> None:
    """The same for whole answers and streams, in all three worlds."""
    fiber, transport = client(*[streamed() if stream else whole()] * 4)

    results = [world(fiber, stream, {"model": "fast"}) for _ in range(4)]

    assert models(transport) == ["east", "east", "west", "east"]
    assert [result.receipt.attempts[0].model for result in results] == models(transport)


def test_a_balanced_name_stands_wherever_a_model_does() -> None:
    """In a default, a view, a prompt, a request and a batch; all of them share the turns, on both faces."""
    fiber, transport = client(*[whole()] * 8)

    fiber.sync.chat("Hi")
    fiber.with_options(model="fast").sync.chat("Hi")
    Prompt("Hi").call(fiber, model="fast")
    asyncio_world(fiber, False, {"model": "fast"})
    fiber.sync.batch_chat(["Hi", {"messages": "Hi", "model": "fast"}, "Hi", "Hi"])

    assert models(transport) == ["east", "east", "west", "east"] * 2


def test_a_conversation_takes_one_turn_a_call() -> None:
    """Also when it leaves out what was said long ago, and when it streams."""
    fiber, transport = client(*[whole()] * 2, *[streamed()] * 2, balance={"fast": {EAST: 1, WEST: 1}})
    conversation = fiber.sync.conversation(max_input_tokens=30)

    for _ in range(2):
        conversation.send("word " * 5)
    for _ in range(2):
        conversation.stream("word " * 5).collect()

    assert models(transport) == ["east", "west"] * 2
    assert len(transport.requests[-1].json()["messages"]) < 7


def test_the_others_are_asked_when_one_fails() -> None:
    """The heaviest first."""
    fiber, transport = client(
        refused(503), refused(503), whole("A"), balance={"fast": {EAST: 1, WEST: 3, FAR: 2}}, default_model="fast"
    )

    result = fiber.sync.chat("Hi")

    assert result.text == "A"
    assert models(transport) == ["west", "far", "east"]


def test_others_come_before_the_fallback_of_the_client() -> None:
    """They do the same for the same price."""
    fiber, transport = client(refused(503), refused(503), whole(), fallback=[FAR])

    fiber.sync.chat("Hi")

    assert models(transport) == ["east", "west", "far"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ([], ["east"]),
        ([FAR], ["east", "far"]),
        ([FAR, "fast"], ["east", "far", "west"]),
        (["all"], ["east", "east", "far"]),
    ],
)
def test_a_call_may_say_its_own_fallback(names: list[str], expected: list[str]) -> None:
    """It takes the place of the others; where it has the balanced name, that stands for them."""
    fiber, transport = client(*[refused(503)] * 3)

    with pytest.raises(FiberError):
        fiber.sync.chat("Hi", fallback=names)

    assert models(transport) == expected


def test_a_fallback_is_balanced_too() -> None:
    """Calls that fall back on the name share its models."""
    fiber, transport = client(*[refused(503), whole()] * 4)

    for _ in range(4):
        fiber.sync.chat("Hi", model=FAR, fallback=["fast"])

    assert models(transport)[1::2] == ["east", "east", "west", "east"]


def test_a_name_that_follows_in_a_call_takes_no_turn_of_its_own() -> None:
    """So its share stays what the weights say."""
    fiber, transport = client(*[whole()] * 4, balance={"fast": {EAST: 1, WEST: 1}})

    for _ in range(4):
        fiber.sync.chat("Hi", fallback=["fast"])

    assert models(transport) == ["east", "west", "east", "west"]


def test_one_model_alone_has_no_fallback() -> None:
    """Its error is raised as it is."""
    fiber, _ = client(refused(503), balance={"fast": {EAST: 1}})

    with pytest.raises(FiberOverloadedError):
        fiber.sync.chat("Hi")


def test_provider_overrules_the_name() -> None:
    """It is then a model of that provider."""
    fiber, transport = client(whole())

    fiber.sync.chat("Hi", model="fast", provider="openai")

    assert models(transport) == ["fast"]


@pytest.mark.parametrize("is_blocking", [False, True])
def test_routes_are_explained_without_a_turn(*, is_blocking: bool) -> None:
    """Where the next call goes, and why."""
    fiber, transport = client(whole())
    face = fiber.sync if is_blocking else fiber

    first, second = face.route("fast"), face.route("fast")

    assert first == second
    assert (first.provider, first.model) == ("openai", "east")
    assert first.steps == (
        "'fast' is balanced over openai:east (3), openai:west (1): the next turn is that of openai:east",
        "'openai' before the first ':' is a provider: openai",
    )
    assert face.explain("fast") == first.steps
    assert face.validate("Hi", model="fast") == ()
    assert face.route("fast") == first
    assert face.route("fast", provider="openai").model == "fast"
    assert face.explain("fast", provider="openai") == face.route("fast", provider="openai").steps
    assert transport.requests == []


def test_a_cost_is_estimated_for_the_next_turn() -> None:
    """As for the model that has it."""
    fiber, _ = client(balance={"fast": {"openai:gpt-6-luna": 1}})

    estimate = fiber.estimate_cost("Name a river.")

    assert estimate.usd is not None
    assert estimate.usd == fiber.estimate_cost("Name a river.", model="openai:gpt-6-luna").usd


def test_a_wrong_balance_is_told_when_the_client_is_made() -> None:
    """Names that mean something already, and models that nobody has."""
    with pytest.raises(FiberValidationError):
        Fiber(balance={"gpt-6": {EAST: 1}})
    with pytest.raises(FiberModelNotFoundError):
        Fiber(balance={"fast": {"nobodys": 1}})


def test_a_row_cannot_take_the_name() -> None:
    """A view of the client is refused too; other rows are balanced like all."""
    fiber, _ = client()
    row = openai_compatible("fast", "https://acme.test/v1")
    east = openai_compatible("acme-east", "https://east.test/v1")
    made, transport = client(
        whole(), providers=[east], api_keys={"acme-east": KEY}, balance={"fast": {"acme-east:m": 1}}
    )

    with pytest.raises(FiberValidationError) as caught:
        fiber.register_provider(row)
    made.sync.chat("Hi")

    assert caught.value.parameter == "balance"
    assert [request.url.split("/v1")[0] for request in transport.requests] == ["https://east.test"]
