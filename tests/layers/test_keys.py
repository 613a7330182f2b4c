"""Pools of keys: whose turn it is, who rests and for how long, what is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from fiber import (
    NO_RETRY,
    AWSKeys,
    Cache,
    Fiber,
    FiberAuthError,
    FiberConnectionError,
    FiberError,
    FiberQuotaError,
    FiberRateLimitError,
    FiberValidationError,
    KeyPool,
    Provider,
    RetryPolicy,
    Timeouts,
    default_layers,
)
from fiber.layers.keys import Keys
from fiber.testing.fake import FakeReply, FakeTransport, sse_reply
from tests.kit import START, piece, refused, scripted, streamed, whole
from tests.parity.test_same_everywhere import asyncio_world, blocking_world, trio_world

KEYS = ["sk-canary-one-0123", "sk-canary-two-0123", "sk-canary-three-0123"]
FAST = refused(429, "rate_limit_exceeded")
POOR = refused(429, "insufficient_quota")
WRONG = refused(401, "invalid_api_key")


def client(*script: Any, keys: Any = KEYS, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client with a pool of keys, without retries."""
    return scripted(*script, **{"api_keys": {"openai": keys}, "retry": NO_RETRY, **options})


def used(transport: FakeTransport, keys: Any = KEYS) -> list[int]:
    """Return the numbers of the keys that were sent."""
    sent = [request.headers["authorization"].removeprefix("Bearer ") for request in transport.requests]
    return [list(keys).index(key) + 1 for key in sent]


def fail(fiber: Fiber, **options: Any) -> FiberError:
    """Make a call that fails."""
    with pytest.raises(FiberError) as caught:
        fiber.sync.chat("Hi", **options)
    return caught.value


def test_keys_are_used_in_turn() -> None:
    """One after another, and from the beginning again."""
    fiber, transport = client(*[whole()] * 4)

    results = [fiber.sync.chat("Hi") for _ in range(4)]

    assert used(transport) == [1, 2, 3, 1]
    assert [result.receipt.attempts[0].key for result in results] == [1, 2, 3, 1]


def test_each_model_has_turns_of_its_own() -> None:
    """A key that one model refuses may be good for another."""
    fiber, transport = client(FAST, whole(), whole())

    fiber.sync.chat("Hi", model="openai:a")
    fiber.sync.chat("Hi", model="openai:b")

    assert used(transport) == [1, 2, 1]


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("reply", [FAST, POOR, WRONG, refused(403)])
def test_a_refused_key_gives_way_at_once(reply: Any, stream: bool, world: Callable[..., Any]) -> None:
    """The next one is asked within the same attempt, without a wait, in all three worlds."""
    fiber, transport = client(reply, streamed("A") if stream else whole("A"))

    result = world(fiber, stream, {})

    assert result.text == "A"
    assert used(transport) == [1, 2]
    assert [(attempt.number, attempt.key) for attempt in result.receipt.attempts] == [(1, 1), (2, 2)]
    assert transport.slept == []


@pytest.mark.parametrize(
    "reply",
    [refused(503), refused(500), refused(529), refused(400), FiberConnectionError("lost", outcome="unknown")],
)
def test_what_is_not_said_of_the_key_is_raised(reply: Any) -> None:
    """Another key would meet the same outage, and make it worse."""
    fiber, transport = client(reply, whole())

    fail(fiber)

    assert used(transport) == [1]


def test_what_may_have_begun_is_not_begun_with_another_key() -> None:
    """The key rests all the same; whether to begin anew is for the retry layer."""
    begun = FiberRateLimitError("too fast", status_code=429, outcome="unknown")
    fiber, transport = client(begun, whole(), retry=NO_RETRY)

    error = fail(fiber)
    fiber.sync.chat("Hi")

    assert (error.outcome, error.retry_after) == ("unknown", None)
    assert used(transport) == [1, 2]


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        (FAST, 5),
        (refused(429, "rate_limit_exceeded", retry_after="9"), 9),
        (refused(429, "rate_limit_exceeded", retry_after="99999"), 3600),
        (POOR, 300),
        (WRONG, 300),
    ],
)
def test_a_refused_key_rests(reply: Any, seconds: float) -> None:
    """As long as the provider said, an hour at most; else longer for quota and wrong keys than for haste."""
    fiber, transport = client(reply, *[whole()] * 4, keys=KEYS[:2])

    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")
    transport.clock = seconds - 0.1
    fiber.sync.chat("Hi")
    transport.clock = seconds
    fiber.sync.chat("Hi")

    assert used(transport) == [1, 2, 2, 2, 1]


def test_each_key_is_asked_once_an_attempt() -> None:
    """Also when its rest is over at once."""
    fiber, transport = client(*[refused(429, "rate_limit_exceeded", retry_after="0")] * 3)

    error = fail(fiber)

    assert used(transport) == [1, 2, 3]
    assert [attempt.key for attempt in error.attempts] == [1, 2, 3]
    assert error.retry_after == 0


def test_the_error_is_that_of_the_key_that_is_free_first() -> None:
    """With the wait until then, whichever was asked last."""
    fiber, transport = client(POOR, refused(429, "rate_limit_exceeded", retry_after="7"), WRONG)

    error = fail(fiber)

    assert isinstance(error, FiberRateLimitError)
    assert (error.retry_after, error.status_code, error.outcome) == (7, 429, "rejected")
    assert error.is_retryable
    assert used(transport) == [1, 2, 3]


@pytest.mark.parametrize("kind", [FiberRateLimitError, FiberQuotaError, FiberAuthError])
def test_nothing_is_sent_while_all_rest(kind: type[FiberError]) -> None:
    """The error has the class of what the provider said, and the wait."""
    reply = {FiberRateLimitError: FAST, FiberQuotaError: POOR, FiberAuthError: WRONG}[kind]
    fiber, transport = client(*[reply] * 3)
    asked = fail(fiber)
    transport.clock = 2

    error = fail(fiber)

    assert type(error) is type(asked) is kind
    assert asked.retry_after is not None
    assert error.retry_after == asked.retry_after - 2
    assert (error.status_code, error.provider_code) == (asked.status_code, asked.provider_code)
    assert (error.provider, error.model, error.outcome) == ("openai", "gpt-test", "not_sent")
    assert error.attempts == ()
    assert len(transport.requests) == 3


def test_retry_waits_until_the_first_key_is_free() -> None:
    """Its attempts are those of a single key, each with as many requests as there are keys at most."""
    hints = [refused(429, "rate_limit_exceeded", retry_after=seconds) for seconds in ("3", "2", "9")]
    fiber, transport = client(*hints, FAST, whole("A"), retry=RetryPolicy(max_attempts=3))

    result = fiber.sync.chat("Hi")

    assert result.text == "A"
    assert used(transport) == [1, 2, 3, 2, 1]
    assert transport.slept == [2, 1]
    assert [attempt.waited_seconds for attempt in result.receipt.attempts] == [0, 0, 0, 2, 1]


def test_a_wait_that_ends_a_rounding_error_early_is_over() -> None:
    """The key is free at the moment for which the error said so."""
    fiber, transport = client(refused(429, "rate_limit_exceeded", retry_after="0.1"), whole("A"), keys=KEYS[:1])
    transport.clock = 1e6 + 0.3
    fail(fiber)
    transport.clock += 0.1 - 1e-9

    assert fiber.sync.chat("Hi").text == "A"


def test_a_deadline_that_is_over_ends_the_search() -> None:
    """The error is that of the key that was asked."""
    slow = FakeReply(429, {"content-type": "application/json"}, (b'{"error": {"code": "rate_limit_exceeded"}}',), 4.0)
    fiber, transport = client(slow, slow, timeouts=Timeouts(total=4.5))
    transport.read = late(transport)  # type: ignore[method-assign]

    error = fail(fiber)

    assert isinstance(error, FiberRateLimitError)
    assert used(transport) == [1]


def late(transport: FakeTransport) -> Any:
    """Return a `read` that takes a second more, and does not look at its limit."""
    read = transport.read

    async def reading(response: Any, until: float | None) -> bytes:
        body = await read(response, until)
        transport.clock += 1
        return body

    return reading


def test_a_stream_that_is_refused_in_its_middle_lays_its_key_to_rest() -> None:
    """The next call takes another key."""
    broken = sse_reply(START, piece("x"), {"error": {"message": "no", "code": "rate_limit_exceeded"}})
    fiber, transport = client(broken, streamed("A"), streamed("B"), keys=KEYS[:2])

    with pytest.raises(FiberRateLimitError):
        fiber.sync.chat_stream("Hi").collect()
    fiber.sync.chat_stream("Hi").collect()
    fiber.sync.chat_stream("Hi").collect()

    assert used(transport) == [1, 2, 2]


def test_a_key_that_cannot_be_fetched_gives_way() -> None:
    """It rests for a short time, for nobody refused it."""
    fiber, transport = client(*[whole()] * 3, keys=[str, KEYS[0]])

    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")
    transport.clock = 5
    fiber.sync.chat("Hi")

    assert used(transport) == [1, 1, 1]
    assert fiber.sync.has_key("openai")


def test_no_key_is_shown() -> None:
    """A provider that repeats them does not bring them into errors, receipts or calls."""
    echoes = [refused(401, "invalid_api_key", f"wrong key: {key}") for key in KEYS]
    fiber, _ = client(*echoes, retry=RetryPolicy(max_attempts=2))

    error = fail(fiber)

    shown = f"{error!r} {error.raw_response} {error.attempts} {error.__context__!r} {fiber!r}"
    assert not any(key in shown for key in KEYS)
    assert "***" in shown


def test_rests_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """With the number of the key, and never the key."""
    fiber, _ = client(FAST, whole())

    with caplog.at_level(logging.WARNING, logger="fiber"):
        fiber.sync.chat("Hi")

    [record] = caplog.records
    assert record.message == "key_rest"
    facts = vars(record)
    assert {name: facts[name] for name in ("key", "rest_ms", "error_kind", "http_status", "reason")} == {
        "key": 1,
        "rest_ms": 5000,
        "error_kind": "FiberRateLimitError",
        "http_status": 429,
        "reason": "rate_limit_exceeded",
    }


def test_a_cancelled_stream_asks_no_other_key() -> None:
    """What is cancelled while a key is asked does not go on with the next."""
    fiber, transport = client(FAST, streamed())
    stream = fiber.sync.chat_stream("Hi")
    read = transport.read

    async def cancelling(response: Any, until: float | None) -> bytes:
        stream.cancel()
        return await read(response, until)

    transport.read = cancelling  # type: ignore[method-assign]
    with pytest.raises(FiberError):
        stream.collect()

    assert used(transport) == [1]


def test_keys_that_belong_together_are_signed_as_ever() -> None:
    """Each request is signed with one of them."""
    pool = KeyPool([AWSKeys("AKIAONE", "secret"), AWSKeys("AKIATWO", "secret")])
    fiber, transport = scripted(
        refused(403),
        whole(),
        api_keys={"bedrock": pool},
        base_urls={"bedrock": "https://bedrock-runtime.eu-west-1.amazonaws.com"},
        default_model="bedrock:m",
        retry=NO_RETRY,
    )

    with pytest.raises(FiberError):
        fiber.sync.chat("Hi")

    assert [request.headers["authorization"].split("/")[0].split("=")[1] for request in transport.requests] == [
        "AKIAONE",
        "AKIATWO",
    ]


def test_the_cache_belongs_to_the_pool() -> None:
    """An answer that came with one key is that of all of them, and of no other pool."""
    cache = Cache()
    fiber, transport = client(whole("A"), cache=cache, cache_policy="write_through")
    other, asked = client(whole("B"), keys=KEYS[:2], cache=cache, cache_policy="write_through")

    answers = [client.sync.chat("Hi").text for client in (fiber, fiber, other)]

    assert answers == ["A", "A", "B"]
    assert (len(transport.requests), len(asked.requests)) == (1, 1)


def test_the_layer_is_there_for_pools_only() -> None:
    """A client of single keys does without."""
    kinds = [type(layer) for layer in default_layers()]

    assert Keys not in kinds
    assert [type(layer) for layer in default_layers(keys=True)] == [*kinds, Keys]


def test_other_layers_need_the_one_for_pools() -> None:
    """A pool that nobody would look into is refused when the client is made, and when a row is added."""
    row = Provider(name="acme", base_url="https://acme.test/v1")
    plain, _ = scripted()
    pooled, transport = scripted(whole("A"), layers=default_layers(keys=True))

    with pytest.raises(FiberValidationError) as made:
        client(layers=default_layers())
    with pytest.raises(FiberValidationError) as added:
        plain.register_provider(row, api_key=KEYS)
    answer = pooled.sync.register_provider(row, api_key=KEYS).chat("Hi", model="acme:m")

    assert made.value.parameter == added.value.parameter == "api_keys"
    assert "default_layers(keys=True)" in made.value.message
    assert (answer.text, used(transport)) == ("A", [1])


def test_single_keys_pass_the_layer() -> None:
    """A row with one key beside one with a pool is asked as ever."""
    fiber, transport = scripted(
        WRONG, api_keys={"openai": KEYS[0], "mistral": KEYS}, retry=NO_RETRY, default_model="openai:m"
    )

    error = fail(fiber)

    assert [attempt.key for attempt in error.attempts] == [None]
    assert len(transport.requests) == 1


def test_turns_of_models_are_forgotten() -> None:
    """Those of the model that was not used for longest, when there are very many."""
    fiber, transport = client(*[whole()] * 1026)

    for number in [*range(1025), 0]:
        fiber.sync.chat("Hi", model=f"openai:m{number}")

    assert set(used(transport)) == {1}


def test_calls_at_once_share_the_keys() -> None:
    """Each gets the next one, also while others are on their way."""
    fiber, transport = client(*[whole()] * 6)

    async def run() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(6):
                group.start_soon(fiber.chat, "Hi")

    anyio.run(run)

    assert sorted(used(transport)) == [1, 1, 2, 2, 3, 3]


def test_from_env_takes_pools() -> None:
    """A list that is given stands beside what the environment has."""
    fiber = Fiber.from_env(
        api_keys={"openai": KEYS}, default_model="openai:m", transport=FakeTransport(FAST, whole("A"))
    )

    assert fiber.sync.chat("Hi").text == "A"
