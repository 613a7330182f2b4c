"""One more try for an answer that is not the JSON asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anyio
import msgspec
import pydantic
import pytest

from fiber import (
    FiberBadRequestError,
    FiberParsingError,
    FiberTimeoutError,
    FiberValidationError,
    ResponseFormat,
    Timeouts,
)
from fiber._chain import Call, Handler
from fiber._engine import run_sync
from fiber._reply import Reply
from fiber.layers import default_layers
from fiber.layers.repair import repair
from fiber.testing.fake import FakeReply, json_reply
from tests.kit import Watch, answer, refused, scripted, streamed, watched, whole


class City(msgspec.Struct):
    """What is asked for."""

    name: str


class Town(pydantic.BaseModel):
    """What is asked for, with a longer complaint."""

    name: str


PARIS = json.dumps({"name": "Paris"})
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}
LOOSE = ResponseFormat("json_schema", SCHEMA, strict=False, python_type=City)


def counted(text: str, **usage: Any) -> FakeReply:
    """Make a whole answer with other usage."""
    return json_reply(answer(text, usage=usage))


# -- both tries ---------------------------------------------------------------------------------------------------


async def on_loop(fiber: Any) -> Any:
    """Call asynchronously."""
    return await fiber.chat("Where?", response_format=City, repair=True)


WORLDS: dict[str, Callable[[Any], Any]] = {
    "asyncio": lambda fiber: anyio.run(on_loop, fiber, backend="asyncio"),
    "trio": lambda fiber: anyio.run(on_loop, fiber, backend="trio"),
    "blocking": lambda fiber: fiber.sync.chat("Where?", response_format=City, repair=True),
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_an_answer_that_does_not_fit_is_asked_for_once_more(world: Callable[[Any], Any]) -> None:
    """The second answer is the result; receipt, usage and warnings tell of both."""
    fiber, transport, watch = watched(whole("{}"), whole(PARIS))

    result = world(fiber)

    assert result.parsed == City("Paris")
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.total_tokens) == (6, 10, 16)
    assert [(attempt.number, attempt.error) for attempt in result.receipt.attempts] == [(1, None), (2, None)]
    assert [warning for warning in result.warnings if "once more" in warning]
    assert (transport.closed, watch.outcomes) == (2, ["complete"])
    assert watch.endings[0].usage == result.usage


def test_the_model_sees_its_answer_and_the_error() -> None:
    """History, answer, and the error in our words; everything else is asked as before."""
    fiber, transport = scripted(whole("{}"), whole(PARIS))

    fiber.sync.chat([("system", "Be brief."), ("user", "Where?")], response_format=City, temperature=0.5, repair=True)

    first, second = (sent.json() for sent in transport.requests)
    assert second["messages"][:3] == [*first["messages"], {"role": "assistant", "content": "{}"}]
    assert second["messages"][3]["role"] == "user"
    assert "missing required field `name`" in second["messages"][3]["content"]
    assert len(second["messages"]) == 4
    assert {**second, "messages": None} == {**first, "messages": None}


def test_the_error_is_shortened() -> None:
    """A validator may say more than the model needs."""
    fiber, transport = scripted(whole(json.dumps({"name": ["x" * 900] * 9})), whole(PARIS))

    result = fiber.sync.chat("Where?", response_format=Town, repair=True)

    assert result.parsed == Town(name="Paris")
    assert len(transport.requests[1].json()["messages"][-1]["content"]) < 700


@pytest.mark.parametrize("wanted", [City, Town, SCHEMA, LOOSE, "json_object", list[int]], ids=str)
def test_every_json_format_can_be_repaired(wanted: Any) -> None:
    """Whether the provider holds the model to it or not."""
    good = '{"value": [1]}' if wanted == list[int] else PARIS
    fiber, transport = scripted(whole("Paris, of course"), whole(good))

    result = fiber.sync.chat("Where?", response_format=wanted, repair=True)

    assert result.parsed is not None
    assert len(transport.requests) == 2


def test_the_first_choice_decides() -> None:
    """Others are neither looked at nor shown."""
    choices = [
        {"index": number, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        for number, text in enumerate([PARIS, "{}"])
    ]
    fiber, transport = scripted(json_reply(answer(choices=choices)))

    result = fiber.sync.chat("Where?", response_format=City, repair=True, n=2)

    assert (result.parsed, len(transport.requests)) == (City("Paris"), 1)


# -- when nothing is asked again ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "parsed"),
    [(whole(PARIS), City("Paris")), (json_reply(answer("{", "length")), None)],
    ids=["good", "cut"],
)
def test_an_answer_that_fits_or_is_not_whole_is_taken(reply: FakeReply, parsed: Any) -> None:
    """One exchange, and no word of repair."""
    fiber, transport, watch = watched(reply)

    result = fiber.sync.chat("Where?", response_format=City, repair=True)

    assert (result.parsed, result.usage.total_tokens, result.warnings) == (parsed, 8, ())
    assert (len(transport.requests), watch.outcomes) == (1, ["complete"])


@pytest.mark.parametrize("options", [{}, {"repair": False}, {"repair": None}])
def test_nothing_is_repaired_unless_asked(options: dict[str, Any]) -> None:
    """It costs an exchange."""
    fiber, transport = scripted(whole("{}"))

    with pytest.raises(FiberParsingError):
        fiber.sync.chat("Where?", response_format=City, **options)

    assert len(transport.requests) == 1


def test_a_call_without_repair_meets_no_coroutine_of_the_layer() -> None:
    """The layer hands over what is next."""
    fiber, _, watch = watched(whole())
    fiber.sync.chat("Hi")

    async def core(call: Call) -> Reply:
        return Reply("value")

    coroutine: Any = repair(watch.calls[0], core)

    assert coroutine.__qualname__.endswith("core")
    assert run_sync(coroutine).value == "value"


@pytest.mark.parametrize(
    ("stream", "options", "words"),
    [
        (True, {"response_format": City}, "stream"),
        (False, {}, "response_format"),
        (False, {"response_format": "text"}, "response_format"),
    ],
)
def test_repair_needs_an_answer_that_can_be_checked(stream: bool, options: dict[str, Any], words: str) -> None:
    """A stream has been given out, and text is never wrong; nothing is sent."""
    fiber, transport = scripted()
    call: Any = fiber.sync.chat_stream if stream else fiber.sync.chat

    with pytest.raises(FiberValidationError, match=words) as caught:
        call("Where?", repair=True, **options)

    assert (caught.value.parameter, caught.value.outcome) == ("repair", "not_sent")
    assert transport.requests == []


# -- when the second try fails ------------------------------------------------------------------------------------


def test_a_second_answer_that_does_not_fit_is_the_usual_error() -> None:
    """Strictly: with the second answer, and the usage of both, in `partial`."""
    fiber, transport, watch = watched(whole("{}"), whole("[]"))

    with pytest.raises(FiberParsingError) as caught:
        fiber.sync.chat("Where?", response_format=City, repair=True)

    assert caught.value.partial is not None
    assert (caught.value.partial.text, caught.value.partial.usage.total_tokens) == ("[]", 16)
    assert (len(caught.value.attempts), len(transport.requests), watch.outcomes) == (2, 2, ["error"])


def test_a_second_loose_answer_that_does_not_fit_is_a_warning() -> None:
    """As it would be without repair."""
    fiber, _ = scripted(whole("{}"), whole("[]"))

    result = fiber.sync.chat("Where?", response_format=LOOSE, repair=True)

    assert (result.text, result.parsed, len(result.warnings)) == ("[]", None, 2)


def test_a_refused_second_try_is_raised_with_the_first_answer() -> None:
    """It was paid for."""
    fiber, _, watch = watched(whole("{}"), refused(400))

    with pytest.raises(FiberBadRequestError) as caught:
        fiber.sync.chat("Where?", response_format=City, repair=True)

    assert caught.value.partial is not None
    assert (caught.value.partial.text, caught.value.partial.usage.total_tokens) == ("{}", 8)
    assert [attempt.error for attempt in caught.value.partial.receipt.attempts] == [None, "FiberBadRequestError"]
    assert watch.outcomes == []


# -- other layers -------------------------------------------------------------------------------------------------


def test_layers_below_see_two_replies_and_those_above_one() -> None:
    """Each ends once, with what it used."""
    below, above = Watch(), Watch()
    *outer, innermost = default_layers()
    fiber, _ = scripted(
        counted("{}", prompt_tokens=1, completion_tokens=1, total_tokens=2),
        counted(PARIS, prompt_tokens=10, completion_tokens=10, total_tokens=20),
        layers=(above, *outer, below, innermost),
    )

    fiber.sync.chat("Where?", response_format=City, repair=True)

    used = [[ending.usage and ending.usage.total_tokens for ending in watch.endings] for watch in (below, above)]
    assert used == [[2, 20], [22]]


def test_usage_that_only_one_answer_told_is_kept() -> None:
    """A cost too."""
    fiber, _ = scripted(
        counted("{}", prompt_tokens=1, completion_tokens=1, total_tokens=2, cost=0.5),
        json_reply(answer(PARIS, usage=None)),
    )

    result = fiber.sync.chat("Where?", response_format=City, repair=True)

    assert (result.usage.total_tokens, str(result.receipt.cost_usd)) == (2, "0.5")


def test_each_try_may_be_retried() -> None:
    """Retry stands below."""
    busy = refused(503, retry_after="1")
    fiber, transport = scripted(busy, whole("{}"), busy, whole(PARIS))

    result = fiber.sync.chat("Where?", response_format=City, repair=True)

    assert (result.parsed, len(result.receipt.attempts), transport.slept) == (City("Paris"), 4, [1.0, 1.0])


def test_one_deadline_covers_both_tries() -> None:
    """The second has what the first has left."""
    slow = FakeReply(200, whole().headers, (4.0, *whole("{}").chunks))
    fiber, transport = scripted(slow, slow, timeouts=Timeouts(total=6))

    with pytest.raises(FiberTimeoutError) as caught:
        fiber.sync.chat("Where?", response_format=City, repair=True)

    assert (caught.value.timer, transport.clock) == ("total", 6.0)
    assert caught.value.partial is not None


def test_observers_are_told_without_content() -> None:
    """Telemetry logs it as it logs a retry."""
    told: list[tuple[str, dict[str, Any]]] = []

    async def observe(call: Call, next: Handler) -> Reply:
        call.journal.observers.append(lambda call, event, facts: told.append((event, dict(facts))))
        return await next(call)

    fiber, _ = scripted(whole("{}"), whole(PARIS), layers=(observe, *default_layers()))

    fiber.sync.chat("Where?", response_format=City, repair=True)

    assert told == [("repair", {"attempt": 1})]


def test_a_view_may_repair_by_default() -> None:
    """The call may still say no."""
    fiber, transport = scripted(whole("{}"), whole(PARIS), streamed(PARIS))
    view = fiber.with_options(repair=True, response_format=City)

    assert view.sync.chat("Where?").parsed == City("Paris")
    assert view.sync.chat_stream("Where?", repair=False).collect().parsed == City("Paris")
    assert len(transport.requests) == 3
