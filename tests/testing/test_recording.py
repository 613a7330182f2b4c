"""The transport that writes down what it hears."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from fiber import NO_RETRY, NO_TIMEOUTS, Fiber, FiberConnectionError, FiberTimeoutError, FiberValidationError, Timeouts
from fiber._engine import run_sync
from fiber.testing import FakeReply, FakeTransport, MockServer, Recorder, sse_reply
from fiber.testing.cassette import Exchange, load
from fiber.testing.fake import lost
from fiber.transports.base import DeadlineReached
from fiber.transports.crew import Crew
from fiber.types.http import HTTPRequest, Secret
from tests.kit import DONE, FINISH, MODEL, START, frames, piece, streamed, whole

KEY = "canary-key-0123456789"
"""Nothing that looks like a key."""
CANARY = 'the canary\'s "Käfig"\nis open'
REQUEST = HTTPRequest("GET", "http://x/y")


def recorded(path: Path, *script: Any, redact: Callable[[str], str] | None = None) -> tuple[Fiber, FakeTransport]:
    """Make a client over a recorder over *script*, and what plays the script."""
    fake = FakeTransport(*script)
    recorder = Recorder(path, transport=fake, redact=redact)
    return Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=recorder, retry=NO_RETRY), fake


def ending(exchange: Exchange) -> tuple[str, float]:
    """Return how an exchange ended, and when."""
    return exchange.ended.how, exchange.ended.seconds


def test_an_exchange_is_written_with_its_chunks_and_times(tmp_path: Path) -> None:
    """Boundaries stay, and times count from the request."""
    path = tmp_path / "x.jsonl"
    script = sse_reply(START, 0.25, piece("Hel"), 0.5, piece("lo"), FINISH, DONE)
    fiber, fake = recorded(path, FakeReply(200, script.headers, script.chunks, delay_seconds=1.0))
    fake.clock = 100.0

    text = "".join(fiber.sync.ask_stream("Hi"))
    (exchange,) = load(path)

    assert text == "Hello"
    assert exchange.asked.json["messages"] == [{"role": "user", "content": "Hi"}]
    assert exchange.answered is not None
    assert (exchange.answered.status, exchange.answered.seconds) == (200, 1.0)
    assert tuple(chunk.data for chunk in exchange.chunks) == tuple(c for c in script.chunks if isinstance(c, bytes))
    assert [chunk.seconds for chunk in exchange.chunks] == [1.0, 1.25, 1.75, 1.75, 1.75]
    assert ending(exchange) == ("complete", 1.75)


def test_the_client_sees_what_the_transport_saw(tmp_path: Path) -> None:
    """What is masked is masked in the file only."""
    fiber, fake = recorded(tmp_path / "x.jsonl", whole(f"Your key is {KEY}", x_secret="s"))

    result = fiber.sync.chat("Hi")

    assert result.text == f"Your key is {KEY}"
    assert fake.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert fake.closed == 1


@pytest.mark.parametrize(
    ("error", "how"),
    [
        (FiberConnectionError(f"No connection for {KEY}", outcome="not_sent"), "FiberConnectionError"),
        (FiberTimeoutError("late", timer="connect", seconds=5.0, outcome="not_sent"), "FiberTimeoutError"),
    ],
)
def test_an_error_instead_of_an_answer_is_written(tmp_path: Path, error: FiberConnectionError, how: str) -> None:
    """With its class, and its words without the key."""
    path = tmp_path / "x.jsonl"
    fiber, _ = recorded(path, error)

    with pytest.raises(type(error)):
        fiber.sync.ask("Hi")
    (exchange,) = load(path)

    assert (exchange.answered, exchange.ended.how) == (None, "error")
    assert exchange.ended.failure is not None
    assert exchange.ended.failure.error == how
    assert KEY not in exchange.ended.failure.message


def test_an_error_in_the_body_is_written(tmp_path: Path) -> None:
    """After what came before it."""
    path = tmp_path / "x.jsonl"
    fiber, _ = recorded(path, sse_reply(START, piece("Hel"), 2.0, lost()))

    with pytest.raises(FiberConnectionError):
        run_sync(read_all(fiber))
    (exchange,) = load(path)

    assert (len(exchange.chunks), ending(exchange)) == (2, ("error", 2.0))


async def read_all(fiber: Fiber) -> bytes:
    """Read one raw answer to its end."""
    response = await fiber.request("GET", "/y", provider="openai")
    return response.body


def test_an_answer_that_is_left_early_is_written_as_far_as_it_was_read(tmp_path: Path) -> None:
    """Closed by its reader, or dropped."""
    path = tmp_path / "x.jsonl"
    fiber, fake = recorded(path, streamed("a", "b"), streamed("a", "b"))

    with fiber.sync.chat_stream("Hi") as stream:
        next(iter(stream))
    dropped: Any = iter(fiber.sync.ask_stream("Hi"))
    next(dropped)
    del dropped
    gc.collect()

    assert [(exchange.ended.how, len(exchange.chunks)) for exchange in load(path)] == [("closed", 2), ("closed", 2)]
    assert fake.closed == 2


@pytest.mark.parametrize("script", [FakeReply(delay_seconds=9.0), FakeReply(chunks=(b"a", 9.0))])
def test_silence_is_written(tmp_path: Path, script: FakeReply) -> None:
    """Nothing came until the reader's time was up."""
    path = tmp_path / "x.jsonl"
    fiber, _ = recorded(path, script)

    with pytest.raises(FiberTimeoutError):
        fiber.sync.request("GET", "/y", provider="openai", timeout=Timeouts(total=2.0))

    assert [ending(exchange) for exchange in load(path)] == [("silence", 2.0)]


def test_what_failed_for_no_reason_of_the_network_is_not_written(tmp_path: Path) -> None:
    """A mistake in a script is nobody's answer."""
    path = tmp_path / "x.jsonl"
    fiber, _ = recorded(path)

    with pytest.raises(AssertionError, match="the script has no answer"):
        fiber.sync.ask("Hi")

    assert not path.exists()


def test_exchanges_stand_in_the_order_in_which_they_began(tmp_path: Path) -> None:
    """Whichever ends first; and the file holds those that have ended."""
    path = tmp_path / "x.jsonl"
    recorder = Recorder(path, transport=FakeTransport(FakeReply(201), FakeReply(202)))

    first, second = (run_sync(recorder.open(REQUEST, NO_TIMEOUTS, None)) for _ in range(2))
    run_sync(recorder.close(second))
    between = [exchange.answered.status for exchange in load(path) if exchange.answered]
    run_sync(recorder.read(first, None))
    run_sync(recorder.close(first))

    assert between == [202]
    assert [exchange.answered.status for exchange in load(path) if exchange.answered] == [201, 202]


def test_an_answer_that_ends_while_the_file_is_written_is_written_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when the collector closes one in the middle: nobody waits for anybody, and the file has both."""
    path = tmp_path / "x.jsonl"
    recorder = Recorder(path, transport=FakeTransport(FakeReply(201), FakeReply(202)))
    first, second = (run_sync(recorder.open(REQUEST, NO_TIMEOUTS, None)) for _ in range(2))
    replace = os.replace

    def replace_in_turn(*paths: Any) -> None:
        recorder.discard(second)
        replace(*paths)

    monkeypatch.setattr(os, "replace", replace_in_turn)
    recorder.discard(first)

    assert len(load(path)) == 2


def test_a_file_that_cannot_be_written_fails_the_call(tmp_path: Path) -> None:
    """And the answer is closed all the same."""
    path = tmp_path / "x.jsonl"
    fiber, fake = recorded(path, whole())
    path.mkdir()

    with pytest.raises(FiberValidationError, match="cannot be written"):
        fiber.sync.ask("Hi")

    assert fake.closed == 1


def test_the_rest_is_left_to_the_transport(tmp_path: Path) -> None:
    """Time, waits, batches, the end."""
    fake = FakeTransport(DeadlineReached())
    recorder, done = Recorder(tmp_path / "x.jsonl", transport=fake), []

    async def one(item: int) -> None:
        done.append(item)

    async def all_of(crew: Crew[None]) -> None:
        async with crew:
            async for _ in crew:
                pass

    run_sync(recorder.sleep(2.0))
    run_sync(all_of(recorder.crew(one, [1, 2], 1)))
    run_sync(recorder.shutdown())

    assert (recorder.now(), fake.slept, done) == (2.0, [2.0], [1, 2])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_one_recorder_hears_both_faces(tmp_path: Path, backend: str) -> None:
    """Over the real transports, also blocking code inside a running loop."""
    path = tmp_path / "x.jsonl"
    with MockServer() as server:
        urls = {"openai": server.base_url("openai")}
        fiber = Fiber(api_keys={"openai": KEY}, base_urls=urls, default_model=MODEL, transport=Recorder(path))

        async def main() -> list[str]:
            async with fiber:
                streamed_text = "".join([text async for text in fiber.ask_stream("One, two")])
                return [await fiber.ask("One"), streamed_text, fiber.sync.ask("Two")]

        said = anyio.run(main, backend=backend)

    assert said == ["You said: One", "You said: One, two", "You said: Two"]
    assert [ending(exchange)[0] for exchange in load(path)] == ["complete"] * 3


def test_a_batch_is_recorded_from_all_its_threads(tmp_path: Path) -> None:
    """None is lost."""
    path = tmp_path / "x.jsonl"
    with MockServer() as server:
        urls = {"openai": server.base_url("openai")}
        fiber = Fiber(api_keys={"openai": KEY}, base_urls=urls, default_model=MODEL, transport=Recorder(path))

        fiber.sync.batch_chat([f"Say {n}" for n in range(40)], concurrency=8)
        fiber.sync.close()

    assert {e.asked.json["messages"][0]["content"] for e in load(path)} == {f"Say {n}" for n in range(40)}


def test_no_canary_reaches_the_file(tmp_path: Path) -> None:
    """Neither the key, in a header, a URL, a prompt, an answer cut anywhere or an error; nor what the hook hides."""
    path = tmp_path / "x.jsonl"
    whole_answer = whole(f"{KEY} {CANARY}", set_cookie=f"session={KEY}", x_request_id=KEY, x_new=KEY)
    dribble = b"".join(chunk for chunk in sse_reply(*frames(KEY, CANARY)).chunks if isinstance(chunk, bytes))
    stream = FakeReply(200, {"content-type": "text/event-stream"}, tuple(bytes([byte]) for byte in dribble))
    failure = FiberConnectionError(f"{KEY} {CANARY}", outcome="not_sent")
    fiber, _ = recorded(
        path, whole_answer, stream, failure, FakeReply(), redact=lambda text: text.replace(CANARY, "[hidden]")
    )

    assert CANARY in fiber.sync.ask(f"{KEY} {CANARY}")
    assert fiber.sync.chat_stream([("user", CANARY)], extra_headers={"cookie": KEY}).collect().text == KEY + CANARY
    with pytest.raises(FiberConnectionError):
        fiber.sync.ask(CANARY)
    fiber.sync.request("GET", f"/{KEY}", provider="openai", params={"key": "another-canary", "q": KEY})
    data = path.read_bytes()

    assert len(load(path)) == 4
    assert data.count(b"[hidden]") == 6
    for canary in (KEY, "another-canary", "session", "Käfig", "K\\u00e4fig", "is open"):
        assert canary.encode() not in data, canary


def test_a_key_may_be_said_in_any_header(tmp_path: Path) -> None:
    """A request that carries it in another one is masked as well."""
    path = tmp_path / "x.jsonl"
    recorder = Recorder(path, transport=FakeTransport(FakeReply(200, {"date": KEY}, (KEY.encode(),))))
    request = HTTPRequest("POST", "http://x/y", (("x-other", Secret(KEY)), ("accept", f"a/b;{KEY}")), KEY.encode())

    response = run_sync(recorder.open(request, NO_TIMEOUTS, None))
    run_sync(recorder.read(response, None))

    assert KEY.encode() not in path.read_bytes()


def test_a_cancelled_call_is_not_written(tmp_path: Path) -> None:
    """Before its head came there is nothing to tell."""
    path = tmp_path / "x.jsonl"

    class Endless(FakeTransport):
        async def open(self, *arguments: Any) -> Any:
            await asyncio.sleep(3600)

    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=Recorder(path, transport=Endless()))

    async def main() -> None:
        task = asyncio.ensure_future(fiber.ask("Hi"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])

    asyncio.run(main())

    assert not path.exists()
