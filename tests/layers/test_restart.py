"""Streams that break after their first content and begin anew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from fiber import FiberOverloadedError, FiberStreamInterruptedError, Log, Restart, RetryPolicy
from fiber._engine import run_sync
from fiber.layers import default_layers
from fiber.testing.fake import sse_reply
from fiber.types.events import StreamEvent
from tests.kit import START, Watch, piece, refused, scripted, streamed, watched, whole

ANEW = RetryPolicy(on_midstream="restart", base_backoff_seconds=0)
CUT = sse_reply(START, piece("lost"), cut=True)


def seen(fiber: Any, **options: Any) -> list[StreamEvent]:
    """Return the events of a stream."""
    with fiber.sync.chat_stream("Hi", **options) as stream:
        return list(stream)


def test_a_restart_is_an_event() -> None:
    """It stands between what is void and the new answer, and says which attempt answers now and why."""
    fiber, _, watch = watched(CUT, streamed("A", "B"), retry=ANEW)

    events = seen(fiber)

    assert [event.type for event in events] == [
        *("message-start", "text-delta", "restart"),
        *("message-start", "text-delta", "text-delta", "usage", "message-end"),
    ]
    assert events[2] == Restart(attempt=2, reason="FiberStreamInterruptedError")
    assert watch.outcomes == ["complete"]


def test_text_and_result_are_of_the_new_answer() -> None:
    """What came before is forgotten, and the receipt says that it may have been paid."""
    fiber, transport = scripted(CUT, streamed("A", "B"), retry=ANEW)
    stream = fiber.sync.chat_stream("Hi")

    result = stream.collect()

    assert (stream.text, result.text) == ("AB", "AB")
    assert [attempt.error for attempt in result.receipt.attempts] == ["FiberStreamInterruptedError", None]
    assert result.receipt.possible_duplicate_charge
    assert transport.closed == 2


def test_notes_are_told_again() -> None:
    """They belong to the new answer too."""
    fiber, _ = scripted(CUT, streamed("A"), retry=ANEW)

    events = seen(fiber, top_k=5, on_unsupported="warn")

    assert [index for index, event in enumerate(events) if isinstance(event, Log)] == [1, 5]
    assert isinstance(events[3], Restart)


def test_inner_layers_see_every_stream_end() -> None:
    """A layer below the retries is told about the broken one and the good one, a layer above about the good one."""
    inner = Watch()
    fiber, _, outer = watched(CUT, streamed("A"), retry=ANEW)
    layers = (outer, *default_layers(), inner)
    fiber, _ = scripted(CUT, streamed("A"), retry=ANEW, layers=layers)

    fiber.sync.chat_stream("Hi").collect()

    assert inner.outcomes == ["truncated", "complete"]
    assert outer.outcomes == ["complete"]


def test_what_came_first_is_kept_when_nothing_follows() -> None:
    """The error of the last attempt is raised, with the partial answer of the first."""
    fiber, _, watch = watched(CUT, refused(400), retry=ANEW)

    with pytest.raises(Exception, match="refused") as caught:
        seen(fiber)

    assert caught.value.partial.text == "lost"  # type: ignore[attr-defined]
    assert watch.outcomes == ["error"]


def test_an_error_in_the_stream_counts_as_unknown() -> None:
    """Though the provider says that it did nothing, something had come: it is repeated once."""
    busy = sse_reply(START, piece("x"), {"error": {"message": "no", "code": 503}})
    fiber, transport = scripted(busy, busy, retry=ANEW)

    with pytest.raises(FiberOverloadedError):
        seen(fiber)

    assert len(transport.requests) == 2


def test_pieces_do_not_begin_anew() -> None:
    """A stream of text alone could not say that what it gave is void."""
    fiber, transport = scripted(CUT, retry=ANEW)

    with pytest.raises(FiberStreamInterruptedError):
        list(fiber.sync.ask_stream("Hi"))

    assert len(transport.requests) == 1


@pytest.mark.parametrize("stop", ["close", "cancel"])
@pytest.mark.parametrize("moment", ["sleep", "open", "read"])
def test_a_stream_may_be_closed_while_it_begins_anew(stop: str, moment: str) -> None:
    """Whether it waits, sends or reads: the loop over it ends, all is closed, every layer sees an end."""
    inner = Watch()
    fiber, transport, outer = watched(retry=ANEW)
    fiber, transport = scripted(CUT, streamed("A"), retry=ANEW, layers=(outer, *default_layers(), inner))
    stream = fiber.chat_stream("Hi")
    name = {"sleep": "sleep", "open": "open", "read": "next_chunk"}[moment]
    real: Callable[..., Any] = getattr(transport, name)

    async def stopping(*arguments: Any) -> Any:
        if len(transport.requests) == (2 if moment == "read" else 1) and stream.text:
            if stop == "cancel":
                stream.cancel()
            else:
                await stream.close()
        return await real(*arguments)

    setattr(transport, name, stopping)

    async def read() -> list[str]:
        return [event.type async for event in stream]

    events = run_sync(read())

    assert events == ["message-start", "text-delta"]
    assert transport.closed == len(transport.requests)
    assert outer.outcomes == ["cancelled"]
    assert inner.outcomes == (["truncated"] if moment == "sleep" else ["truncated", "cancelled"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_may_be_cancelled_while_its_stream_begins_anew(backend: str) -> None:
    """The cancellation passes, and the call ends once."""
    fiber, transport, watch = watched(CUT, streamed("A"), retry=ANEW)

    async def main() -> None:
        async def sleep(seconds: float) -> None:
            await anyio.sleep_forever()

        transport.sleep = sleep  # type: ignore[method-assign]
        with anyio.move_on_after(0):
            await fiber.chat_stream("Hi").collect()

    anyio.run(main, backend=backend)

    assert watch.outcomes == ["cancelled"]
    assert len(transport.requests) == transport.closed == 1


def test_whole_answers_are_repeated_as_ever() -> None:
    """Under the policy too, and a whole answer to a stream has nothing to begin anew."""
    fiber, transport = scripted(refused(503), whole("A"), whole("B"), retry=ANEW)

    texts = [fiber.sync.chat("Hi").text, fiber.sync.chat_stream("Hi").collect().text]

    assert texts == ["A", "B"]
    assert len(transport.requests) == 3
