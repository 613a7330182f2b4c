"""Targets in order: what moves on and what does not, what is told, what is dropped on the way."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from fiber import (
    NO_RETRY,
    ChatMessage,
    Fiber,
    FiberConnectionError,
    FiberContextLengthError,
    FiberError,
    FiberFallbackError,
    FiberModelNotFoundError,
    FiberRateLimitError,
    FiberValidationError,
    Log,
    ModelCatalog,
    Reasoning,
    RetryPolicy,
    Timeouts,
)
from fiber.layers import default_layers
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, sse_reply
from fiber.types.content import Opaque
from tests.kit import KEY, START, Watch, piece, refused, scripted, streamed, whole
from tests.parity.test_same_everywhere import asyncio_world, blocking_world, trio_world

FIRST, SECOND, THIRD = "openai:first", "openai:second", "openai:third"
CLAUDE = "anthropic:claude-test"
FROM_CLAUDE = json_reply(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-test-1",
        "content": [{"type": "text", "text": "from Claude"}],
        "stop_reason": "end_turn",
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
)
LOST = FiberConnectionError("lost", outcome="unknown")


def client(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client of two providers, without retries."""
    keys = {"openai": KEY, "anthropic": KEY}
    return scripted(*script, **{"api_keys": keys, "default_model": FIRST, "retry": NO_RETRY, **options})


def models(transport: FakeTransport) -> list[str]:
    """Return the models that were asked."""
    return [request.json()["model"] for request in transport.requests]


MOVING: dict[str, Any] = {
    "429": refused(429, "rate_limit_exceeded"),
    "an empty purse": refused(429, "insufficient_quota"),
    "500": refused(500),
    "502": refused(502),
    "503": refused(503),
    "529": refused(529),
    "503 that asks not to come again": refused(503, x_should_retry="false"),
    "408": refused(408),
    "409": refused(409),
    "no such model": refused(404, "model_not_found"),
    "no connection": FiberConnectionError("refused", outcome="not_sent"),
    "lost": LOST,
    "not JSON": FakeReply(200, {"content-type": "text/html"}, (b"<p>",)),
    "first_event": FakeReply(delay_seconds=6.0),
}
STAYING: dict[str, tuple[Any, str]] = {
    "400": (refused(400), "FiberBadRequestError"),
    "401": (refused(401), "FiberAuthError"),
    "403": (refused(403), "FiberAuthError"),
    "422": (refused(422), "FiberBadRequestError"),
    "too long": (refused(400, "context_length_exceeded"), "FiberContextLengthError"),
    "refused content": (refused(400, "content_filter"), "FiberContentFilterError"),
    "an odd 4xx": (refused(418), "FiberProviderError"),
    "total": (FakeReply(delay_seconds=99.0), "FiberTimeoutError"),
    "a deadline that is over": (FakeReply(503, {}, (20.0,)), "FiberTimeoutError"),
}


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", MOVING.values(), ids=MOVING)
def test_a_failure_of_the_target_moves_on(reply: Any, stream: bool, world: Callable[..., Any]) -> None:
    """The next target answers, whole or as a stream, in all three worlds."""
    good = streamed("A") if stream else whole("A")
    fiber, transport = client(reply, good, timeouts=Timeouts(first_event=5, total=20))

    result = world(fiber, stream, {"fallback": [SECOND]})

    assert result.text == "A"
    assert models(transport) == ["first", "second"]
    assert [attempt.model for attempt in result.receipt.attempts] == ["first", "second"]
    assert "FiberError" not in result.warnings[0]
    assert result.warnings[0].startswith("model warned: openai:first failed with Fiber")
    assert result.warnings[0].endswith("openai:second was asked")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("reply", "expected"), STAYING.values(), ids=STAYING)
def test_a_mistake_of_the_caller_stays(reply: Any, expected: str, stream: bool) -> None:
    """Another target would say the same, or nobody waits for it; the error is that of the one target."""
    fiber, transport = client(reply, timeouts=Timeouts(total=20))

    with pytest.raises(FiberError) as caught:
        blocking_world(fiber, stream, {"fallback": [SECOND]})

    assert type(caught.value).__name__ == expected
    assert models(transport) == ["first"]


WINDOWS = ModelCatalog(
    overrides={f"openai:{name}": {"max_input": room} for name, room in (("first", 8000), ("second", 9000))}
)
LONG = "word " * 16_000


@pytest.mark.parametrize("world", ["asyncio", "trio", "blocking", "streamed"])
def test_what_cannot_fit_goes_to_a_larger_window(world: str) -> None:
    """Smaller ones that are known are passed over without a request; the caller hears of them."""
    streams = world == "streamed"
    fiber, transport = client(streamed("A") if streams else whole("A"), catalog=WINDOWS, fallback=[SECOND, THIRD])

    if streams:
        result = fiber.sync.chat_stream(LONG).collect()
    elif world == "blocking":
        result = fiber.sync.chat(LONG)
    else:
        result = anyio.run(fiber.chat, LONG, backend=world)

    assert result.text == "A"
    assert models(transport) == ["third"]
    assert [said.partition(" failed with ")[0] for said in result.warnings] == [
        "model warned: openai:first",
        "model warned: openai:second",
    ]


def test_what_fits_no_window_is_too_long() -> None:
    """Its error is the one that a single model would raise, so that whoever shortens goes on doing so."""
    fiber, transport = client(refused(400, "context_length_exceeded"), catalog=WINDOWS)

    with pytest.raises(FiberContextLengthError) as caught:
        fiber.sync.chat(LONG, fallback=[SECOND])
    with pytest.raises(FiberContextLengthError) as said:
        fiber.sync.chat(LONG, fallback=[THIRD, SECOND])

    assert (caught.value.model, caught.value.outcome, caught.value.attempts) == ("second", "not_sent", ())
    assert (said.value.model, said.value.outcome) == ("third", "rejected")
    assert models(transport) == ["third"]


def test_a_stream_moves_on_before_its_first_content_only() -> None:
    """Afterwards part of the answer has been given out."""
    early, late = sse_reply(START, cut=True), sse_reply(START, piece("x"), cut=True)
    fiber, transport = client(early, late)

    with pytest.raises(FiberError) as caught:
        fiber.sync.chat_stream("Hi", fallback=[SECOND, THIRD]).collect()

    assert type(caught.value).__name__ == "FiberStreamInterruptedError"
    assert models(transport) == ["first", "second"]


def test_each_target_has_its_own_retries() -> None:
    """Exactly `max_attempts` requests reach each, and all share one deadline."""
    fiber, transport = client(*[refused(503)] * 4, retry=RetryPolicy(max_attempts=2, base_backoff_seconds=0))

    with pytest.raises(FiberFallbackError):
        fiber.sync.chat("Hi", fallback=[SECOND])

    assert models(transport) == ["first", "first", "second", "second"]


def test_targets_share_the_deadline() -> None:
    """What the first took, the second does not have."""
    slow = FakeReply(delay_seconds=99.0)
    fiber, transport = client(slow, slow, timeouts=Timeouts(total=20, first_event=15))

    with pytest.raises(FiberFallbackError) as caught:
        fiber.sync.chat("Hi", fallback=[SECOND])

    assert [error.timer for error in caught.value.errors] == ["first_event", "total"]  # type: ignore[attr-defined]
    assert transport.clock == 20


def test_exhaustion_lists_every_target() -> None:
    """With the error of each, every attempt, the shortest wait, and whether anything may have been done."""
    lost = FiberConnectionError("lost", outcome="unknown")
    script = (refused(429, "rate_limit_exceeded", retry_after="9"), lost, refused(503, retry_after="4"))
    fiber, _ = client(*script)

    with pytest.raises(FiberFallbackError) as caught:
        fiber.sync.chat("Hi", fallback=[SECOND, THIRD])
    error = pickle.loads(pickle.dumps(caught.value))

    assert [type(each).__name__ for each in error.errors] == [
        *("FiberRateLimitError", "FiberConnectionError", "FiberOverloadedError"),
    ]
    assert [attempt.model for attempt in error.attempts] == ["first", "second", "third"]
    assert (error.retry_after, error.outcome, error.is_retryable) == (4.0, "unknown", True)
    assert (
        "All 3 targets that were asked failed: openai:first: FiberRateLimitError 429;"
        " openai:second: FiberConnectionError; openai:third: FiberOverloadedError 503." in error.message
    )
    assert caught.value.__cause__ is caught.value.errors[-1]


def test_a_mistake_at_a_later_target_ends_it() -> None:
    """A refused key is told, and what came before is too."""
    fiber, transport = client(refused(503), refused(401))

    with pytest.raises(FiberFallbackError) as caught:
        fiber.sync.chat("Hi", fallback=[SECOND, THIRD])

    assert [error.status_code for error in caught.value.errors] == [503, 401]
    assert caught.value.is_retryable
    assert models(transport) == ["first", "second"]


def test_a_later_target_that_cannot_be_asked_is_left_out() -> None:
    """It has no key, or not what was asked for; nothing is sent to it."""
    fiber, transport = client(refused(503), whole("A"), retry=NO_RETRY)

    result = fiber.sync.chat("Hi", seed=1, fallback=["mistral:m", CLAUDE, SECOND])

    assert result.text == "A"
    assert models(transport) == ["first", "second"]
    assert [warning.split(", ")[0] for warning in result.warnings] == [
        "model warned: openai:first failed with FiberOverloadedError",
        "model warned: mistral:m failed with FiberAuthError",
        "model warned: anthropic:claude-test failed with FiberCapabilityError",
    ]


@pytest.mark.parametrize(("options", "expected"), [({"top_k": 5}, "FiberCapabilityError"), ({}, "FiberAuthError")])
def test_a_first_target_that_cannot_be_asked_is_a_mistake(options: dict[str, Any], expected: str) -> None:
    """It is raised before anything is sent."""
    fiber, transport = client(api_keys={"openai": KEY} if options else {"anthropic": KEY})

    with pytest.raises(FiberError) as caught:
        fiber.sync.chat("Hi", fallback=[CLAUDE], **options)

    assert type(caught.value).__name__ == expected
    assert transport.requests == []


def test_sealed_parts_stay_with_their_provider() -> None:
    """They are dropped and listed when the provider changes, and so are members in one provider's words."""
    native = Opaque("reasoning", '{"type": "thinking"}', "openai", "api.openai.com")
    said = ChatMessage.assistant([Reasoning("I thought", native=native), "Yes."])
    messages = [ChatMessage.user("Hi"), said, ChatMessage.user("Sure?")]
    fiber, transport = client(refused(503), FROM_CLAUDE)

    result = fiber.sync.chat(
        messages, max_tokens=9, fallback=[CLAUDE], extra_body={"x": 1}, extra_headers={"x-a": "b"}, extra_query={}
    )

    assert result.text == "from Claude"
    assert (result.provider, result.model) == ("anthropic", "claude-test-1")
    assert [warning.partition(":")[0] for warning in result.warnings] == [
        *("model warned", "extra_body dropped", "extra_headers dropped", "reasoning dropped"),
    ]
    assert [text.partition(":")[0] for text in result.receipt.dropped] == ["extra_body", "extra_headers", "reasoning"]
    assert transport.requests[0].json()["x"] == 1
    assert "x" not in transport.requests[1].json()
    assert "x-a" not in transport.requests[1].headers


def test_members_in_its_own_words_stay_with_the_provider() -> None:
    """Another model of it gets them; so does a target that comes back to it."""
    fiber, transport = client(refused(503), refused(503), whole())

    result = fiber.sync.chat("Hi", max_tokens=9, fallback=[CLAUDE, SECOND], extra_body={"x": 1})

    assert [request.json().get("x") for request in transport.requests] == [1, None, 1]
    assert result.receipt.dropped == ()


def test_a_conversation_kept_by_a_provider_stays_there() -> None:
    """Another provider does not know what was said before, so it is not asked."""
    fiber, transport = client(refused(503), refused(503), default_model="openai-responses:a")

    with pytest.raises(FiberFallbackError):
        fiber.sync.chat("Hi", previous_response_id="r1", fallback=[CLAUDE, "openai-responses:b"])

    assert models(transport) == ["a", "b"]


def test_a_client_has_its_own_fallback() -> None:
    """A call may have another, or none."""
    fiber, transport = client(refused(503), whole(), refused(503), whole(), refused(503), fallback=[SECOND])

    fiber.sync.chat("Hi")
    fiber.with_options(fallback=[THIRD]).sync.chat("Hi")
    with pytest.raises(FiberError):
        fiber.sync.chat("Hi", fallback=[])

    assert models(transport) == ["first", "second", "first", "third", "first"]


@pytest.mark.parametrize("names", ["openai:x", [""], [1], 7, {"a": 1}], ids=repr)
def test_fallback_is_a_list_of_models(names: Any) -> None:
    """Anything else is told before anything is sent."""
    fiber, _ = client()

    with pytest.raises(FiberValidationError, match="fallback must be a list of models") as caught:
        fiber.sync.chat("Hi", fallback=names)

    assert (caught.value.parameter, caught.value.outcome) == ("fallback", "not_sent")


def test_an_unknown_model_is_told_at_once() -> None:
    """Not in the outage in which it would be needed."""
    fiber, transport = client()

    with pytest.raises(FiberModelNotFoundError):
        fiber.sync.chat("Hi", fallback=["nobody-knows"])

    assert transport.requests == []


def test_layers_inside_see_every_target_those_outside_one_call() -> None:
    """And a call without alternatives is handed on as it is."""
    inner, outer = Watch(), Watch()
    layers = (outer, *default_layers(), inner)
    fiber, _ = client(refused(503), whole(), whole(), layers=layers)

    fiber.sync.chat("Hi", fallback=[SECOND])
    fiber.sync.chat("Hi")

    assert [call.target.model for call in inner.calls] == ["first", "second", "first"]
    assert [call.target.model for call in outer.calls] == ["first", "first"]
    assert outer.outcomes == inner.outcomes == ["complete", "complete"]


def test_moving_on_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """In the log, in the events of a stream, and in the receipt when an answer may be paid twice."""
    fiber, _ = client(LOST, streamed("A"))
    with caplog.at_level(logging.INFO, "fiber"), fiber.sync.chat_stream("Hi", fallback=[SECOND]) as stream:
        events = list(stream)

    told = caplog.records[0]
    assert (told.message, told.provider, told.model, told.next) == ("fallback", "openai", "first", SECOND)  # type: ignore[attr-defined]
    assert [event.message for event in events if isinstance(event, Log)] == list(stream.result.warnings)
    assert stream.result.receipt.possible_duplicate_charge


def test_a_call_that_is_cancelled_moves_nowhere() -> None:
    """Nobody wants the answer any more."""
    fiber, transport = client(refused(503))
    stream = fiber.sync.chat_stream("Hi", fallback=[SECOND])
    opened = transport.open

    async def open(*arguments: Any) -> Any:
        stream.cancel()
        return await opened(*arguments)

    transport.open = open  # type: ignore[method-assign]

    assert list(stream) == []
    assert len(transport.requests) == 1


def test_no_key_is_shown() -> None:
    """The alternatives of a call name their targets only."""
    watch = Watch()
    fiber, _ = client(refused(503), whole(), layers=(watch, *default_layers()))

    fiber.sync.chat("Hi", fallback=[SECOND])

    assert "fallbacks=(Alternative('openai:second'),)" in repr(watch.calls[0])
    assert KEY not in repr(watch.calls[0])


def test_tools_in_words_are_in_words_everywhere() -> None:
    """A fallback is asked as the first target was."""
    fiber, transport = client(refused(503), whole('<tool_call>{"name": "f", "arguments": {}}</tool_call>'))

    result = fiber.sync.chat("Hi", tools=[{"name": "f"}], emulate_tools=True, fallback=[SECOND])

    assert [call.name for call in result.tool_calls] == ["f"]
    assert all("tools" not in request.json() for request in transport.requests)


def test_an_empty_outcome_of_all_is_not_retryable() -> None:
    """When no target can be asked later either."""
    fiber, _ = client(refused(404, "model_not_found"), refused(404, "model_not_found"))

    with pytest.raises(FiberFallbackError) as caught:
        fiber.sync.chat("Hi", fallback=[SECOND])

    assert (caught.value.is_retryable, caught.value.retry_after) == (False, None)
    assert not isinstance(caught.value, FiberRateLimitError)
