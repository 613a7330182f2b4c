"""From calls to business events."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec
import pytest

from fiber import (
    NO_RETRY,
    BusinessEvent,
    Cache,
    CacheHit,
    CacheWrite,
    CallCompleted,
    CallFailed,
    CallStarted,
    EventScope,
    Fiber,
    FiberOverloadedError,
    ProviderCall,
    TokenUsage,
)
from fiber.registry.lockfile import Binding, Lockfile
from fiber.testing.fake import EPOCH, FakeReply, FakeTransport, json_reply
from tests.kit import KEY, answer, refused, scripted, streamed, whole
from tests.layers.test_budget import Flat

TARGET: dict[str, Any] = {"provider": "openai", "model": "gpt-test"}


def told(*script: Any, **options: Any) -> tuple[Fiber, list[BusinessEvent], FakeTransport]:
    """Make a client over *script*, and the list of what it tells; complete once the client is closed."""
    events: list[BusinessEvent] = []
    fiber, transport = scripted(*script, on_event=events.append, prices=Flat(), **options)
    return fiber, events, transport


def payloads(events: list[BusinessEvent]) -> list[Any]:
    """Return what *events* tell."""
    return [event.payload for event in events]


def test_a_call_is_told_from_beginning_to_end() -> None:
    """Whom it went to, each attempt, what it used up and how long it took."""
    slow = whole(**{"x-request-id": "r1"})
    fiber, events, _ = told(FakeReply(slow.status, slow.headers, slow.chunks, delay_seconds=0.5))

    fiber.sync.chat("Hi")
    fiber.sync.close()

    assert payloads(events) == [
        CallStarted(**TARGET),
        ProviderCall(**TARGET, number=1, status=200, seconds=0.5, request_id="r1"),
        TokenUsage(
            **TARGET,
            input_tokens=3,
            output_tokens=5,
            total_tokens=8,
            cost_usd=Decimal("0.00008"),
            cost_status="priced",
        ),
        CallCompleted(**TARGET, seconds=0.5, attempts=1, finish_reason="stop", request_id="r1"),
    ]
    assert [event.timestamp.timestamp() - EPOCH for event in events] == [0.0, 0.5, 0.5, 0.5]
    assert all(event.timestamp.tzinfo is UTC for event in events)


def test_a_stream_has_its_first_event() -> None:
    """In seconds from the beginning."""
    slow = streamed("a", "b")
    fiber, events, _ = told(FakeReply(200, slow.headers, (0.5, *slow.chunks)))

    fiber.sync.chat_stream("Hi").collect()
    fiber.sync.close()
    begun, *_, ended = payloads(events)

    assert begun == CallStarted(**TARGET, stream=True)
    assert (ended.first_event_seconds, ended.seconds) == (0.5, 0.5)


def test_a_failure_says_why() -> None:
    """In the provider's code and status, never in its words."""
    fiber, events, _ = told(refused(503, "engine_busy", "canary"), retry=NO_RETRY)

    with pytest.raises(FiberOverloadedError):
        fiber.sync.chat("Hi")
    fiber.sync.close()

    assert payloads(events)[-1] == CallFailed(
        **TARGET,
        seconds=0.0,
        attempts=1,
        error_kind="FiberOverloadedError",
        http_status=503,
        reason="engine_busy",
    )


def test_an_error_of_a_stranger_has_its_class() -> None:
    """A layer may raise anything."""

    async def broken(call: Any, next: Any) -> Any:
        raise KeyError("canary")

    fiber, events, _ = told(layers=(broken,))

    with pytest.raises(KeyError):
        fiber.sync.chat("Hi")
    fiber.sync.close()

    assert payloads(events)[-1] == CallFailed(**TARGET, seconds=0.0, error_kind="KeyError")


def test_the_cache_tells_the_tokens_that_it_saves() -> None:
    """Those of the answer that it keeps."""
    fiber, events, _ = told(whole(), cache=Cache(), cache_policy="write_through")

    for _ in range(2):
        fiber.sync.chat("Hi")
    fiber.sync.close()
    saved = {"input_tokens": 3, "output_tokens": 5, "total_tokens": 8}

    assert CacheWrite(**TARGET, **saved) in payloads(events)
    assert CacheHit(**TARGET, **saved) in payloads(events)
    assert payloads(events)[-1] == CallCompleted(**TARGET, seconds=0.0, finish_reason="stop", cached=True)


@pytest.mark.parametrize("usage", [None, {}])
def test_what_is_not_known_is_not_told(usage: Any) -> None:
    """A provider that counts nothing has used up nothing that is known."""
    fiber, events, _ = told(json_reply(answer(usage=usage)))

    fiber.sync.chat("Hi")
    fiber.sync.close()

    assert not any(isinstance(payload, TokenUsage) for payload in payloads(events))


def test_a_raw_request_is_told_as_one() -> None:
    """Without a model, and without tokens."""
    fiber, events, _ = told(json_reply({}))

    fiber.sync.request("GET", "/models", provider="openai")
    fiber.sync.close()

    assert payloads(events)[0] == CallStarted(provider="openai", model="", operation="request")
    assert [event.event_type for event in events] == ["request", "provider_call", "response"]


def test_a_fallback_is_told_for_the_one_that_answered() -> None:
    """Its attempts are those of both."""
    fiber, events, _ = told(*(refused(503) for _ in range(4)), whole(), fallback=["openai:second"])

    fiber.sync.chat("Hi")
    fiber.sync.close()
    asked = [payload.model for payload in payloads(events) if isinstance(payload, ProviderCall)]

    assert payloads(events)[0].model == "gpt-test"
    assert payloads(events)[-1].model == asked[-1] == "second"
    assert set(asked) == {"gpt-test", "second"}


def test_an_alias_is_told() -> None:
    """The beginning says what was asked for."""
    lockfile = Lockfile(profiles={"default": {"fast": Binding(models=("openai:gpt-test",))}})
    fiber, events, _ = told(whole(), lockfile=lockfile)

    fiber.sync.chat("Hi", model="fast")
    fiber.sync.close()

    assert payloads(events)[0] == CallStarted(**TARGET, alias="fast")


def test_the_scope_is_what_the_application_says() -> None:
    """By bound fields of these names; the others are metadata, and a label is a label."""
    fiber, events, _ = told(whole())
    user = UUID(int=7)

    with fiber.bind(user_id=user, session_id=None, tenant="t9"):
        fiber.sync.chat("Hi", label="greeting", context={"request_id": 12})
    fiber.sync.close()

    assert {event.scope for event in events} == {EventScope(request="12", user=str(user))}
    assert [event.metadata for event in events] == [{"tenant": "t9"}] * 4
    assert {event.label for event in events} == {"greeting"}


def test_without_bound_fields_there_is_no_scope() -> None:
    """Nothing is made up."""
    fiber, events, _ = told(whole())

    fiber.sync.chat("Hi")
    fiber.sync.close()

    assert events[0].scope == EventScope()
    assert events[0].metadata == {}


def test_there_is_no_content_in_any_event() -> None:
    """No prompt, no answer, no key: in the values, and in what they are as JSON."""
    fiber, events, _ = told(
        whole("canary answer"),
        refused(400, "bad", f"canary {KEY}"),
        streamed("canary", " stream"),
        cache=Cache(),
    )

    fiber.sync.chat("canary prompt", user="canary", cache_policy="write_through")
    with pytest.raises(Exception, match="400"):
        fiber.sync.chat("canary")
    fiber.sync.chat_stream("canary").collect()
    fiber.sync.close()
    said = repr(events) + msgspec.json.encode(events).decode()

    assert len(events) == 12
    assert "canary" not in said
    assert KEY not in said


def test_timestamps_are_read_back_from_json() -> None:
    """As moments in UTC."""
    fiber, events, _ = told(whole())

    fiber.sync.chat("Hi")
    fiber.sync.close()
    again = msgspec.json.decode(msgspec.json.encode(events), type=list[BusinessEvent])

    assert again == events
    assert again[0].timestamp == datetime.fromtimestamp(EPOCH, UTC)
