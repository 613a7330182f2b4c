"""The transport that answers from a recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import (
    NO_RETRY,
    NO_TIMEOUTS,
    Fiber,
    FiberAuthError,
    FiberConnectionError,
    FiberError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    FiberValidationError,
    Timeouts,
)
from fiber._engine import run_sync
from fiber.testing import FakeReply, FakeTransport, MockServer, Recorder, Replay, json_reply, sse_reply
from fiber.testing.cassette import Asked, readable
from fiber.testing.fake import lost
from fiber.testing.replay import difference
from fiber.transports.base import DeadlineReached
from fiber.types.http import HTTPRequest
from tests.kit import DONE, FINISH, KEY, MODEL, START, piece, whole

REQUEST = HTTPRequest("GET", "http://x/y")
MODELS = ("openai:mock", "openai-responses:mock", "anthropic:mock", "gemini:mock")


def client(transport: Any, **options: Any) -> Fiber:
    """Make a client."""
    keys = dict.fromkeys(("openai", "anthropic", "gemini"), options.pop("key", "another-key-than-recorded"))
    return Fiber(api_keys={**keys}, default_model=MODEL, transport=transport, retry=NO_RETRY, **options)


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """Record what a client does over a script, and return the cassette."""

    def make(script: list[Any], *calls: Callable[[Fiber], Any]) -> Path:
        path = tmp_path / "x.jsonl"
        fiber = client(Recorder(path, transport=FakeTransport(*script)), key=KEY)
        for call in calls:
            try:
                call(fiber)
            except FiberError:
                pass
        return path

    return make


def asking(text: str) -> Callable[[Fiber], Any]:
    """Make a call that asks *text*."""
    return lambda fiber: fiber.sync.ask(text)


def read(transport: FakeTransport, until: float | None = None) -> list[tuple[float, bytes]]:
    """Open an answer and read it; return each piece with its time."""
    response = run_sync(transport.open(REQUEST, NO_TIMEOUTS, until))
    seen = [(transport.now(), b"")]
    while chunk := run_sync(transport.next_chunk(response, until)):
        seen.append((transport.now(), chunk))
    return [*seen, (transport.now(), b"")]


pauses = st.integers(0, 3000).map(lambda n: n / 1000)


@given(pauses, st.lists(st.tuples(pauses, st.binary(min_size=1, max_size=4)), max_size=5), pauses)
def test_chunks_come_as_they_were_cut_and_when(
    tmp_path_factory: pytest.TempPathFactory, delay: float, body: list[tuple[float, bytes]], rest: float
) -> None:
    """The same pieces at the same times, to the millisecond."""
    path = tmp_path_factory.getbasetemp() / "timed.jsonl"
    chunks = tuple(piece for pair in body for piece in pair)
    script = FakeReply(203, {"x-request-id": "r", "x-other": "o"}, (*chunks, rest), delay_seconds=delay)

    live = read(Recorder(path, transport=FakeTransport(script)))  # type: ignore[arg-type]
    replay = Replay(path)
    replay.clock = 50.0
    again = read(replay)

    assert [data for _, data in again] == [data for _, data in live]
    assert [at - 50 for at, _ in again] == pytest.approx([at for at, _ in live], abs=0.001)


def test_the_head_is_what_was_kept_of_it(record: Callable[..., Path]) -> None:
    """Status, request id, limits; and the request is there to look at."""
    path = record([whole(x_request_id="r1", x_ratelimit_remaining_requests="7", set_cookie="a=b")], asking("Hi"))
    replay = Replay(path)

    result = client(replay).sync.chat("Hi")

    assert (result.text, result.request_id) == ("Hello", "r1")
    assert result.rate_limits is not None
    assert result.rate_limits.requests_remaining == 7
    assert replay.requests[0].headers["authorization"] == "Bearer another-key-than-recorded"
    assert (replay.pending, replay.closed) == (0, 1)


@pytest.mark.parametrize("model", MODELS)
def test_every_format_replays_as_it_was(tmp_path: Path, model: str) -> None:
    """Whole and streamed, on asyncio, trio and in blocking code, the results are equal; nothing is sent."""
    path = tmp_path / "x.jsonl"

    async def talk(fiber: Fiber) -> list[Any]:
        result = await fiber.chat("One, two", model=model)
        stream = await fiber.chat_stream("Three, four", model=model).collect()
        with pytest.raises(FiberAuthError):
            await fiber.ask("Hi", model=f"{model}-bad-key")
        with pytest.raises(FiberStreamInterruptedError) as cut:
            await fiber.chat_stream("One, two, three", model=f"{model}-cut").collect()
        assert cut.value.partial is not None
        return [result.text, result.usage, stream.text, stream.usage, cut.value.partial.text]

    with MockServer() as server:
        urls = {family: server.base_url(family) for family in ("openai", "anthropic", "gemini")}
        recorder = Recorder(path)

        async def live() -> list[Any]:
            async with client(recorder, base_urls=urls) as fiber:
                return await talk(fiber)

        wanted = anyio.run(live)

    assert anyio.run(talk, client(Replay(path))) == wanted
    assert anyio.run(talk, client(Replay(path)), backend="trio") == wanted
    assert run_sync(talk(client(Replay(path)))) == wanted
    assert wanted[0] == "You said: One, two"


def test_a_cassette_needs_no_key_and_no_host(record: Callable[..., Path]) -> None:
    """Neither is compared."""
    path = record([whole()], asking("Hi"))

    fiber = client(Replay(path), key="k", base_urls={"openai": "http://127.0.0.1:1/v1"})

    assert fiber.sync.ask("Hi") == "Hello"


def test_equal_requests_get_their_answers_in_order(record: Callable[..., Path]) -> None:
    """Whatever else was asked between them."""
    path = record([whole("1"), whole("2"), whole("3")], asking("A"), asking("B"), asking("A"))

    fiber = client(Replay(path))

    assert [fiber.sync.ask(text) for text in "AAB"] == ["1", "3", "2"]


def test_an_answer_is_played_once(record: Callable[..., Path]) -> None:
    """Unless it may be repeated: then the last fitting one is, whole, each time."""
    path = record([whole("1"), whole("2")], asking("A"), asking("A"))
    once, ever = client(Replay(path)), client(Replay(path, repeat=True))

    texts = [ever.sync.ask("A") for _ in range(4)]
    once.sync.ask("A"), once.sync.ask("A")
    with pytest.raises(AssertionError, match="recorded and played 2 times: use repeat=True, or record again"):
        once.sync.ask("A")

    assert texts == ["1", "2", "2", "2"]


def test_an_unknown_request_is_told_with_what_is_known(record: Callable[..., Path]) -> None:
    """What was recorded, and where the nearest request that is left differs first."""
    path = record(
        [whole(), json_reply({}), whole()],
        asking("A"),
        lambda f: f.sync.request("GET", "/x", provider="openai"),
        asking("B"),
    )
    fiber = client(Replay(path, repeat=True))
    fiber.sync.ask("A")

    with pytest.raises(AssertionError) as caught:
        fiber.sync.ask("C", temperature=0.5)

    assert str(caught.value) == "\n".join(
        [
            f"{path} has no answer for POST /v1/chat/completions.",
            "Recorded are 3 requests:",
            "  POST /v1/chat/completions (played)",
            "  GET /v1/x",
            "  POST /v1/chat/completions",
            'First difference to POST /v1/chat/completions: body.messages[0].content is "C", recorded "B"',
        ]
    )


def test_where_nothing_is_left_there_is_no_difference(record: Callable[..., Path]) -> None:
    """Only what was played is told."""
    path = record([whole()], asking("A"))
    fiber = client(Replay(path))
    fiber.sync.ask("A")

    with pytest.raises(AssertionError, match=r"chat/completions \(played\)$"):
        fiber.sync.ask("C")


@pytest.mark.parametrize(
    ("mine", "theirs", "said"),
    [
        (b'{"a": 1, "b": 2}', b'{"a": 1}', "body.b is 2, recorded nothing"),
        (b'{"a": 1}', b'{"a": 1, "b": [2]}', "body.b is missing, recorded [2]"),
        (b'{"a": {"b": 1}, "c": 1}', b'{"a": {"b": 1}, "c": 2}', "body.c is 1, recorded 2"),
        (b'{"a": [1, {"b": 2}]}', b'{"a": [1, {"b": true}]}', "body.a[1].b is 2, recorded true"),
        (b"[1, 2]", b"[1]", "body[1] is 2, recorded nothing"),
        (b"[1]", b'{"a": 1}', 'body is [1], recorded {"a":1}'),
        (b'{"a": "%s"}' % (b"x" * 200), b'{"a": 1}', f'body.a is "{"x" * 99}..., recorded 1'),
        (b"text", b"", 'body is "text", recorded null'),
        (b"\xff", b"text", 'body is \ufffd, recorded "text"'),
        (b'"x"', b"x", "the bodies are equal, but only one of them is JSON"),
    ],
)
def test_the_first_difference_is_shown(mine: bytes, theirs: bytes, said: str) -> None:
    """By its place in the body, and not at length."""
    asked, recorded = (Asked("POST", "http://x/y", **readable(body)) for body in (mine, theirs))

    assert difference(recorded, asked) == said


def test_a_difference_before_the_body_is_shown_first() -> None:
    """The method, then the path and query."""
    recorded = Asked("POST", "http://x/y?a=1", json=1)

    assert difference(recorded, Asked("GET", "http://x/z", json=2)) == 'the method is "GET", recorded "POST"'
    assert difference(recorded, Asked("POST", "http://x/y?a=2")) == 'the target is "/y?a=2", recorded "/y?a=1"'


@pytest.mark.parametrize(
    "error",
    [
        FiberConnectionError("No connection.", outcome="not_sent", should_retry=False),
        FiberTimeoutError("The connect timer expired.", timer="connect", seconds=5.0, outcome="not_sent"),
    ],
)
def test_an_error_is_raised_again(record: Callable[..., Path], error: FiberError) -> None:
    """Of the same class, new each time, and with the same reasons to try again or not."""
    replay = Replay(record([error], asking("Hi")), repeat=True)
    raised = []

    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            client(replay).sync.ask("Hi")
        raised.append(caught.value)

    assert raised[0] is not raised[1]
    for again in raised:
        assert (again.message, again.outcome, again.is_retryable) == (error.message, error.outcome, error.is_retryable)


def test_an_error_comes_when_it_came(tmp_path: Path) -> None:
    """In place of a head, or after half a body."""

    class Slow(FakeTransport):
        async def open(self, *arguments: Any) -> Any:
            self.clock += 3.0
            raise lost()

    path = tmp_path / "x.jsonl"
    with pytest.raises(FiberConnectionError):
        read(Recorder(path, transport=Slow()))  # type: ignore[arg-type]
    replay = Replay(path)
    with pytest.raises(FiberConnectionError, match="scripted"):
        read(replay)
    with pytest.raises(FiberConnectionError):
        read(Recorder(path, transport=FakeTransport(FakeReply(chunks=(b"a", 2.0, lost())))))  # type: ignore[arg-type]
    other = Replay(path)
    with pytest.raises(FiberConnectionError, match="scripted"):
        read(other)

    assert (replay.now(), other.now()) == (3.0, 2.0)


@pytest.mark.parametrize(
    ("script", "timer"),
    [(FakeReply(delay_seconds=90.0), "first_event"), (sse_reply(START, piece("a"), 90.0), "stall")],
)
def test_silence_lasts_until_the_reader_has_enough(record: Callable[..., Path], script: FakeReply, timer: str) -> None:
    """A more patient reader waits longer, and gets the same error."""
    path = record(
        [script], lambda fiber: fiber.sync.chat_stream("Hi", timeout=Timeouts(first_event=1, stall=1)).collect()
    )
    replay = Replay(path)

    with pytest.raises(FiberTimeoutError) as caught:
        client(replay).sync.chat_stream("Hi", timeout=Timeouts(first_event=7, stall=7)).collect()

    assert (caught.value.timer, caught.value.seconds, replay.now()) == (timer, 7, 7.0)


@pytest.mark.parametrize("script", [FakeReply(delay_seconds=9.0), FakeReply(chunks=(b"a", 9.0))])
def test_a_reader_without_a_limit_learns_that_the_recording_is_over(tmp_path: Path, script: FakeReply) -> None:
    """It would wait for ever."""
    path = tmp_path / "x.jsonl"
    with pytest.raises(DeadlineReached):
        read(Recorder(path, transport=FakeTransport(script)), 2.0)  # type: ignore[arg-type]

    with pytest.raises(FiberConnectionError, match="The recording ends here"):
        read(Replay(path))


def test_nothing_is_made_up_after_a_reader_left(record: Callable[..., Path]) -> None:
    """One that reads on is told that the recording ends."""

    def leave(fiber: Fiber) -> None:
        with fiber.sync.chat_stream("Hi") as stream:
            next(iter(stream))

    path = record([sse_reply(START, piece("Hel"), piece("lo"), FINISH, DONE)], leave)

    with pytest.raises(FiberStreamInterruptedError, match="The recording ends here") as caught:
        client(Replay(path)).sync.chat_stream("Hi").collect()

    assert caught.value.partial is not None
    assert caught.value.partial.text == "Hel"


def test_what_the_hook_hid_is_hidden_from_both_sides(tmp_path: Path) -> None:
    """With the hook of the recorder the original request fits; without it, it does not."""
    path = tmp_path / "x.jsonl"

    def hide(text: str) -> str:
        return text.replace("Ada", "[name]")

    client(Recorder(path, transport=FakeTransport(whole("Hello Ada")), redact=hide)).sync.ask("I am Ada")

    assert client(Replay(path, redact=hide)).sync.ask("I am Ada") == "Hello [name]"
    with pytest.raises(AssertionError, match=r'content is "I am Ada", recorded "I am \[name\]"'):
        client(Replay(path)).sync.ask("I am Ada")


def test_a_cassette_is_read_when_the_replay_is_made(tmp_path: Path) -> None:
    """What is wrong with it is told before any call."""
    with pytest.raises(FiberValidationError, match="record it first"):
        Replay(tmp_path / "x.jsonl")
