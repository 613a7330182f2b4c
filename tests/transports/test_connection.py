"""One connection, over a stream that is told what to do."""

from __future__ import annotations

import errno
import time
from types import SimpleNamespace
from typing import Any

import pytest

from fiber import FiberConnectionError, FiberError, FiberTimeoutError
from fiber._engine import run_sync
from fiber.transports import connection as module
from fiber.transports.base import DeadlineReached
from fiber.transports.connection import Connection
from fiber.transports.origin import Origin
from fiber.transports.wire import MAX_HEAD_BYTES
from fiber.transports.wire_h11 import H11Wire
from fiber.types.http import HTTPHead, HTTPRequest

ORIGIN = Origin("http", "a.example", 80)
POST = HTTPRequest("POST", "http://a.example/x", (), b"{}")
ONCE = HTTPRequest("POST", "http://a.example/x", (), b"{}", repeatable=False)
HELLO = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class FakeStream:
    """A stream that follows a script: bytes are said, exceptions raised, and an empty script is silence."""

    def __init__(self, *script: bytes | Exception, listens: int = 1000, dead: bool = False) -> None:
        self.script = list(script)
        self.listens = listens
        self.dead = dead
        self.aborted = 0
        self.written: list[int] = []
        self.dues: list[float | None] = []

    async def read(self, due: float | None) -> bytes:
        """Do what comes next in the script."""
        self.dues.append(due)
        step = self.script.pop(0) if self.script else TimeoutError()
        if isinstance(step, Exception):
            raise step
        return step

    async def write(self, data: bytes | memoryview, due: float | None) -> bool:
        """Listen, for so many times."""
        self.dues.append(due)
        self.written.append(len(data))
        return len(self.written) <= self.listens

    async def start_tls(self, *_: Any) -> None:
        """Do nothing."""

    def is_dead(self) -> bool:
        """Say so."""
        return self.dead

    def abort(self) -> None:
        """Count."""
        self.aborted += 1


def sent(
    stream: FakeStream, request: HTTPRequest = POST, seconds: float | None = 5.0, until: float | None = None
) -> tuple[Connection, HTTPHead]:
    """Send a request over a connection of its own."""
    connection = Connection(stream, H11Wire())
    return connection, run_sync(connection.send(request, ORIGIN, "/x", seconds, until))


def body(connection: Connection, until: float | None = None) -> bytes:
    """Read the body."""
    found = b""
    while piece := run_sync(connection.next_piece(5.0, until)):
        found += piece
    return found


def failed(stream: FakeStream, request: HTTPRequest = POST, **limits: Any) -> tuple[Connection, FiberError]:
    """Send a request that fails."""
    connection = Connection(stream, H11Wire())
    with pytest.raises(FiberError) as caught:
        run_sync(connection.send(request, ORIGIN, "/x", limits.get("seconds", 5.0), limits.get("until")))
    assert caught.value.__context__ is None
    return connection, caught.value


def test_an_answer_is_read_and_the_connection_ready_again() -> None:
    """Head, body, and another exchange."""
    stream = FakeStream(HELLO, HELLO)
    connection, head = sent(stream)

    assert (head.status, body(connection), connection.is_reusable()) == (200, b"hello", True)
    assert run_sync(connection.send(POST, ORIGIN, "/x", 5.0, None)).status == 200


@pytest.mark.parametrize("cut", range(1, len(HELLO)))
def test_an_answer_may_be_cut_anywhere(cut: int) -> None:
    """What came with the head is the beginning of the body."""
    connection, head = sent(FakeStream(HELLO[:cut], HELLO[cut:]))

    assert (head.status, body(connection), connection.is_reusable()) == (200, b"hello", True)


@pytest.mark.parametrize(
    ("said", "dead", "listens"), [(HELLO + b"H", False, 1000), (HELLO, True, 1000), (HELLO, False, 0)]
)
def test_a_connection_that_is_not_clean_is_not_used_again(said: bytes, dead: bool, listens: int) -> None:
    """Something follows the answer, the peer has left or spoken, or did not hear the whole request."""
    stream = FakeStream(said, listens=listens, dead=dead)
    connection, _ = sent(stream)

    assert (body(connection), connection.is_reusable()) == (b"hello", False)


def test_a_head_request_has_no_body_whatever_its_length() -> None:
    """The next answer follows at once."""
    head_only = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-encoding: gzip\r\n\r\n"
    connection, head = sent(FakeStream(head_only), HTTPRequest("HEAD", "http://a.example/x"))

    assert (head.headers["content-length"], body(connection), connection.is_reusable()) == ("5", b"", True)


def test_many_headers_are_read_and_a_head_without_end_is_not() -> None:
    """The limit counts bytes."""
    many = b"".join(b"x-%d: y\r\n" % number for number in range(4000))
    assert len(many) < MAX_HEAD_BYTES

    _, head = sent(
        FakeStream(b"HTTP/1.1 200 OK\r\n", *[many[at : at + 999] for at in range(0, len(many), 999)], b"\r\n")
    )

    assert len(head.headers) == 4000
    assert failed(FakeStream(b"HTTP/1.1 200 OK\r\n", *[b"x: " + b"y" * 9000 + b"\r\n"] * 9))[1].is_retryable is False


def test_a_long_body_is_written_in_slices_until_nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has the whole read timer; an early answer is read."""
    monkeypatch.setattr(module, "_SLICE_BYTES", 1000)
    long = HTTPRequest("POST", "http://a.example/x", (), b"x" * 10_000)
    hears_all, hears_half = FakeStream(HELLO), FakeStream(b"HTTP/1.1 413 No\r\n\r\n", b"", listens=4)

    sent(hears_all, long)
    connection, head = sent(hears_half, long)

    assert len(hears_all.written) == 11
    assert (head.status, len(hears_half.written)) == (413, 5)
    assert (body(connection), connection.is_reusable()) == (b"", False)


# -- limits -------------------------------------------------------------------------------------------------------


def test_every_wait_has_the_whole_read_timer_and_none_passes_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sooner of both."""
    clock = iter([100.0, 101.0, 102.0, 108.0])
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    stream = FakeStream(HELLO[:9], HELLO[9:20], HELLO[20:])

    sent(stream, seconds=5.0, until=110.0)

    assert stream.dues == [105.0, 106.0, 107.0, 110.0]


@pytest.mark.parametrize(
    ("seconds", "until", "kind", "due"),
    [
        (5.0, None, FiberTimeoutError, True),
        (5.0, 1000.0, FiberTimeoutError, True),
        (5.0, 1.0, DeadlineReached, True),
        (None, 1.0, DeadlineReached, True),
    ],
)
def test_silence_is_told_by_the_limit_that_was_sooner(
    seconds: float | None, until: float | None, kind: type[Exception], due: bool
) -> None:
    """The read timer names itself."""
    with pytest.raises(kind):
        sent(FakeStream(), seconds=seconds, until=None if until is None else time.monotonic() + until)


@pytest.mark.parametrize("part", ["write", "head", "body"])
def test_a_peer_that_never_stops_talking_does_not_pass_the_deadline(part: str) -> None:
    """Who always has something to read never waits, and no stream looks at its limit before it waits."""
    passed = time.monotonic() - 1
    connection, _ = sent(FakeStream(b"HTTP/1.1 200 OK\r\n\r\n", *[b"x"] * 9))

    with pytest.raises(DeadlineReached):
        if part == "body":
            body(connection, passed)
        else:
            sent(FakeStream(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 9), until=passed)


@pytest.mark.parametrize("trouble", [ConnectionResetError("x"), TimeoutError(errno.ETIMEDOUT, "x"), OSError("x")])
@pytest.mark.parametrize("seconds", [5.0, None])
def test_a_stream_that_breaks_is_a_lost_connection(trouble: OSError, seconds: float | None) -> None:
    """Also when it is the system that gave up, whose error looks like a timer's."""
    _, error = failed(FakeStream(trouble), seconds=seconds, until=time.monotonic() + 60)

    assert isinstance(error, FiberConnectionError)
    assert (error.outcome, error.is_retryable) == ("unknown", True)


@pytest.mark.parametrize("said", [b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"HTTP/1.1 200 OK\r\n", b"\x15\x03\x01"])
def test_what_is_no_answer_is_a_lost_connection(said: bytes) -> None:
    """Another protocol, half a head, TLS on a port where none was expected."""
    request = HTTPRequest("GET", "http://a.example/", (("upgrade", "x"), ("connection", "upgrade")))
    _, error = failed(FakeStream(said, b""), request)

    assert (type(error), error.outcome) == (FiberConnectionError, "unknown")


# -- once more? ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "request_", "listens", "again"),
    [
        ([b""], POST, 1000, True),
        ([ConnectionResetError()], POST, 1000, True),
        ([b""], POST, 0, True),
        ([b"H", b""], POST, 1000, False),
        ([b"H", ConnectionResetError()], POST, 1000, False),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b""], POST, 1000, False),
        ([b"nonsense\r\n\r\n"], POST, 1000, True),  # the rest of what it said before
        ([b"nonsense\r\n\r\n"], ONCE, 1000, False),
        ([TimeoutError()], POST, 1000, False),
        ([b""], ONCE, 1000, False),
        ([ConnectionResetError()], ONCE, 1000, False),
        ([b""], ONCE, 0, True),
    ],
)
def test_only_who_said_nothing_at_all_is_asked_again(
    script: list[Any], request_: HTTPRequest, listens: int, again: bool
) -> None:
    """And what must not be repeated is not, unless it cannot have been received."""
    connection, error = failed(FakeStream(*script, listens=listens), request_)

    assert connection.was_stale(error, request_) is again


@pytest.mark.parametrize(
    "trouble", [KeyboardInterrupt(), DeadlineReached(), FiberConnectionError("x", outcome="not_sent")]
)
def test_nothing_is_repeated_that_did_not_fail_by_the_peer(trouble: BaseException) -> None:
    """A cancellation, a deadline, a header that cannot be written."""
    connection, _ = sent(FakeStream(HELLO))
    connection._heard = False

    assert connection.was_stale(trouble, POST) is False


def test_a_connection_hands_on_what_its_stream_knows() -> None:
    """Whether it is dead, and that it is to be closed."""
    stream = FakeStream(dead=True)
    connection = Connection(stream, H11Wire())
    connection.abort()

    assert (connection.is_dead(), stream.aborted) == (True, 1)
