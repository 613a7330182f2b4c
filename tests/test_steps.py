"""The further exchanges of an attempt: one after another, inside its timers, and stopped when nobody waits any more."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from typing import Any

import anyio
import msgspec
import pytest

from fiber import (
    NO_RETRY,
    Fiber,
    FiberConnectionError,
    FiberError,
    FiberOverloadedError,
    FiberParsingError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    Provider,
    RetryPolicy,
    Timeouts,
)
from fiber._steps import STOP_SECONDS
from fiber.adapters import load
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, lost, sse_reply
from fiber.transports.base import HTTPResponse, blocking_face
from fiber.types.http import HTTPHead, HTTPRequest, Step
from fiber.types.target import Target
from tests.kit import DONE, FINISH, KEY, START, frames, piece, refused, whole

HOME = "https://slow.example/v1"
JOB = f"{HOME}/jobs/1"
STOP = f"{JOB}/stop"


def follow(head: HTTPHead, body: bytes, target: Target, *, stream: bool) -> Step | None:
    """Go where `later` says, after so many seconds."""
    said = msgspec.json.decode(body)
    if "later" not in said:
        return None
    stop = HTTPRequest("POST", STOP) if said.get("stop", True) else None
    return Step(request=HTTPRequest("GET", said["later"]), wait_seconds=said.get("wait", 0.0), stop=stop)


ROW = Provider(
    name="slow",
    base_url=HOME,
    adapter=replace(load("openai_chat"), follow=follow),
    answer_hosts=("files.example", ".streams.example"),
    headers=(("x-tenant", "t1"),),
)


def promised(url: str = JOB, **members: Any) -> FakeReply:
    """Make an answer that says where the answer is."""
    return json_reply({"later": url, **members}, 201)


def client(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client of the slow provider."""
    transport = FakeTransport(*script)
    options = {"providers": [ROW], "api_keys": {"slow": KEY}, "default_model": "slow:m", "retry": NO_RETRY, **options}
    return Fiber(transport=transport, **options), transport


def urls(transport: FakeTransport) -> list[str]:
    """Return where the requests went."""
    return [request.url for request in transport.requests]


def test_answer_is_fetched_from_where_it_is() -> None:
    """Exchange by exchange, with waits between; the receipt has one attempt with the last status."""
    fiber, transport = client(promised(), promised(wait=0.5), promised(wait=0.5), whole("A"))

    result = fiber.sync.chat("Hi")

    assert result.text == "A"
    assert urls(transport)[1:] == [JOB] * 3
    assert transport.slept == [0.5, 0.5]
    assert [(attempt.status, attempt.seconds) for attempt in result.receipt.attempts] == [(200, 1.0)]


def test_every_exchange_has_the_key_and_the_headers_of_the_row() -> None:
    """The first one alone has a body."""
    fiber, transport = client(promised(), whole("A"))

    fiber.sync.chat("Hi")

    for request in transport.requests:
        assert request.headers["authorization"] == f"Bearer {KEY}"
        assert (request.headers["x-tenant"], request.headers["user-agent"]) == ("t1", "fiber-llm")
    assert transport.requests[1].body == b""


def test_stream_is_fetched_from_where_it_is() -> None:
    """And nothing is stopped that came to its end."""
    fiber, transport = client(promised("https://eu.streams.example/s/1"), sse_reply(*frames("A", "B")))

    result = fiber.sync.chat_stream("Hi").collect()

    assert result.text == "AB"
    assert urls(transport)[1:] == ["https://eu.streams.example/s/1"]
    assert transport.requests[1].headers["authorization"] == f"Bearer {KEY}"


def test_stream_that_comes_whole_is_given_out() -> None:
    """In one piece, after as many exchanges as it takes."""
    fiber, _ = client(promised(), promised(wait=0.5), whole("A"))

    assert fiber.sync.chat_stream("Hi").collect().text == "A"


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/a",
        "https://a.b.streams.example/a",
        f"{HOME}/jobs/2",
        "https://FILES.example/a",
    ],
)
def test_key_goes_to_hosts_of_the_provider(url: str) -> None:
    """The one of the base URL, and those that the row names."""
    fiber, transport = client(promised(url), whole("A"))

    assert fiber.sync.chat("Hi").text == "A"
    assert urls(transport)[1:] == [url]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/a",
        "https://streams.example.evil.example/a",
        "https://evilstreams.example/a",
        "https://streams.example/a",
        "https://files.example:8443/a",
        "https://files.example@evil.example/a",
        "https://me:x@files.example/a",
        "https://evil.example@eu.streams.example/a",
        "http://files.example/a",
        "http://slow.example/v1/jobs/1",
        "https://slow.example:444/v1",
        "file:///etc/passwd",
        "https://[/",
        "",
    ],
)
def test_key_goes_nowhere_else(url: str) -> None:
    """Nothing is sent there, what was begun is stopped, and it is not tried again."""
    fiber, transport = client(promised(url), json_reply({}), retry=RetryPolicy())

    with pytest.raises(FiberParsingError, match="the key does not go there") as caught:
        fiber.sync.chat("Hi")

    assert urls(transport)[1:] == [STOP]
    assert (caught.value.outcome, caught.value.provider, caught.value.model) == ("unknown", "slow", "m")
    assert "x@" not in str(caught.value)


def test_row_without_further_hosts_stays_at_home() -> None:
    """As most do."""
    row = ROW.replace(answer_hosts=())
    fiber, transport = client(promised("https://files.example/a"), json_reply({}), providers=[row])

    with pytest.raises(FiberParsingError):
        fiber.sync.chat("Hi")
    assert urls(transport)[1:] == [STOP]


# -- stopped ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "kind"),
    [
        ((refused(503),), FiberOverloadedError),
        ((lost(),), FiberConnectionError),
        ((FakeReply(200, {"content-type": "application/json"}, (lost(),)),), FiberConnectionError),
        ((sse_reply(START, piece("A"), cut=True),), FiberStreamInterruptedError),
        ((sse_reply(START, piece("A")),), FiberStreamInterruptedError),
    ],
)
def test_failure_after_the_first_exchange_stops_the_work(script: tuple[Any, ...], kind: type[FiberError]) -> None:
    """Once; and its outcome is unknown, for the provider had begun."""
    fiber, transport = client(promised(), *script, json_reply({}))

    with pytest.raises(kind) as caught:
        fiber.sync.chat_stream("Hi").collect()

    assert urls(transport)[1:] == [JOB, STOP]
    assert transport.requests[-1].method == "POST"
    assert transport.requests[-1].headers["authorization"] == f"Bearer {KEY}"
    if kind is FiberOverloadedError:
        assert caught.value.outcome == "unknown"


def test_attempt_is_repeated_from_its_beginning_and_once_only() -> None:
    """What was begun may have cost something: that is told."""
    script = (promised(), refused(503), json_reply({}), promised(), refused(503), json_reply({}))
    fiber, transport = client(*script, retry=RetryPolicy(base_backoff_seconds=0.0))

    with pytest.raises(FiberOverloadedError) as caught:
        fiber.sync.chat("Hi")

    first = f"{HOME}/chat/completions"
    assert urls(transport) == [first, JOB, STOP, first, JOB, STOP]
    assert len(caught.value.attempts) == 2


def test_nothing_is_stopped_that_is_over_or_cannot_be() -> None:
    """An answer that cannot be read is over; and some providers have no way."""
    over, done = client(promised(), json_reply({"odd": 1}))
    endless, same = client(promised(stop=False), refused(503))

    with pytest.raises(FiberParsingError):
        over.sync.chat("Hi")
    with pytest.raises(FiberOverloadedError):
        endless.sync.chat("Hi")

    assert urls(done)[1:] == urls(same)[1:] == [JOB]


@pytest.mark.parametrize(
    ("answers", "times"),
    [
        ((refused(500),), 1),
        ((FakeReply(delay_seconds=STOP_SECONDS + 1),), 1),
        ((lost(), json_reply({})), 2),
        ((lost(), lost()), 2),
    ],
)
def test_whoever_gives_up_hears_nothing_of_the_stopping(answers: Any, times: int) -> None:
    """It does not take long; over a connection that breaks, by the closing of the client perhaps, it is tried again."""
    fiber, transport = client(promised(), refused(503), *answers)

    with pytest.raises(FiberOverloadedError):
        fiber.sync.chat("Hi")
    assert urls(transport)[2:] == [STOP] * times
    assert transport.clock <= STOP_SECONDS


@pytest.mark.parametrize("way", ["close", "cancel"])
def test_stream_that_is_left_stops_the_work(way: str) -> None:
    """By whoever closes it, once; reading it to its end does not."""
    script = (promised(), sse_reply(START, piece("A"), 1.0, piece("B"), FINISH, DONE), json_reply({}))
    fiber, transport = client(*script)
    stream = fiber.sync.chat_stream("Hi")
    next(stream)

    getattr(stream, way)()
    stream.close()

    assert urls(transport)[1:] == [JOB, STOP]


# -- timers -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("timeouts", "timer"),
    [
        (Timeouts(total=None, first_event=1.2), "first_event"),
        (Timeouts(total=1.2, first_event=None), "total"),
        (Timeouts(total=1.2, first_event=50), "total"),
    ],
)
def test_timers_hold_over_all_exchanges(timeouts: Timeouts, timer: str) -> None:
    """A wait does not outlast them; then the work is stopped."""
    fiber, transport = client(*[promised(wait=0.5)] * 3, json_reply({}), timeouts=timeouts)

    with pytest.raises(FiberTimeoutError) as caught:
        fiber.sync.chat("Hi")

    assert caught.value.timer == timer
    assert transport.slept == [0.5, 0.5, pytest.approx(0.2)]
    assert urls(transport)[1:] == [JOB, JOB, STOP]


def test_wait_that_is_over_already_is_none() -> None:
    """Slow heads may have used the time up."""
    late = FakeReply(201, {"content-type": "application/json"}, (b'{"later":"%s",' % JOB.encode(), 2.0, b'"wait":1}'))
    fiber, transport = client(late, json_reply({}), timeouts=Timeouts(total=None, first_event=1))

    with pytest.raises(FiberTimeoutError):
        fiber.sync.chat("Hi")
    assert transport.slept == []


def test_without_timers_a_wait_is_as_long_as_it_is() -> None:
    """Nothing bounds it."""
    fiber, transport = client(promised(wait=90.0), whole("A"), timeouts=Timeouts(total=None, first_event=None))

    assert fiber.sync.chat("Hi").text == "A"
    assert transport.slept == [90.0]


# -- loops --------------------------------------------------------------------------------------------------------


class Looped(FakeTransport):
    """A transport of a loop: its waits suspend, and it has a face for blocking code."""

    def __init__(self, blocking: Any, *script: Any) -> None:
        super().__init__(*script)
        self.blocking = blocking
        self.threads: list[threading.Thread] = []

    async def sleep(self, seconds: float) -> None:
        """Wait for ever."""
        await anyio.sleep_forever()

    def detach(self, work: Any) -> None:
        """Work in a thread."""
        thread = threading.Thread(target=work)
        self.threads.append(thread)
        thread.start()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_cancelled_task_stops_the_work_beside_the_loop(backend: str) -> None:
    """Over the blocking face, for the task itself may await nothing more."""
    blocking = FakeTransport(json_reply({}))
    transport = Looped(blocking, promised(wait=60.0))
    fiber = Fiber(providers=[ROW], api_keys={"slow": KEY}, transport=transport)

    async def main() -> None:
        with anyio.move_on_after(0.01):
            await fiber.chat("Hi", model="slow:m")

    anyio.run(main, backend=backend)
    for thread in transport.threads:
        thread.join()

    assert urls(blocking) == [STOP]
    assert len(transport.requests) == 1


class Suspending(FakeTransport):
    """A transport that knows a loop only."""

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Suspend first."""
        await asyncio.sleep(0)
        return await super().open(request, timeouts, until)


def test_transport_without_a_blocking_face_cannot_stop() -> None:
    """And nothing comes of trying."""
    transport = Suspending(promised(), refused(503))
    fiber = Fiber(providers=[ROW], api_keys={"slow": KEY}, transport=transport, retry=NO_RETRY)

    with pytest.raises(FiberOverloadedError):
        asyncio.run(fiber.chat("Hi", model="slow:m"))
    assert urls(transport)[1:] == [JOB]


def test_client_knows_the_blocking_face_of_its_loops() -> None:
    """The transports that it makes itself can stop work too."""
    fiber = Fiber(api_keys={"openai": KEY})

    loops, threads = fiber._settings.transport, fiber._blocking

    assert blocking_face(loops) is threads is not loops
    assert blocking_face(threads) is threads
