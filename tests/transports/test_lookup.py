"""Names to addresses in blocking code."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fiber import FiberTimeoutError, Timeouts
from fiber._engine import run_sync
from fiber.transports.base import DeadlineReached
from fiber.transports.blocking import Threads
from fiber.transports.direct import DirectTransport
from fiber.transports.lookup import look_up
from fiber.types.http import HTTPRequest

ENTRY = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.7", 80))


class NameServer:
    """
    Stands for the system's look-up: it knows one name, and never says anything of another until it is told to.

    Attributes:
        threads: Who asked for a name, the first of them at first.
    """

    def __init__(self) -> None:
        self.threads: list[threading.Thread] = []
        self.wakes = threading.Event()

    def __call__(self, host: str, port: int, *, type: int, flags: int = 0) -> Any:
        """Look up."""
        if flags & socket.AI_NUMERICHOST:
            if host == "192.0.2.7":
                return [ENTRY]
            raise socket.gaierror(socket.EAI_NONAME, "not an address")
        self.threads.append(threading.current_thread())
        if host == "silent":
            self.wakes.wait(10)
        if host == "unknown":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [ENTRY]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """Look names up there; at the end no thread of it is left."""
    made = NameServer()
    monkeypatch.setattr(socket, "getaddrinfo", made)
    yield made
    made.wakes.set()
    for thread in made.threads:
        if thread is not threading.current_thread():
            thread.join(10)
            assert not thread.is_alive()


def test_a_name_is_looked_up_in_a_thread(server: NameServer) -> None:
    """It ends with the look-up, and never keeps the interpreter from ending."""
    assert look_up("known", 80, 5.0) == [ENTRY]
    assert [(thread.name, thread.daemon) for thread in server.threads] == [("fiber-lookup", True)]


@pytest.mark.parametrize(("host", "seconds"), [("192.0.2.7", 5.0), ("known", None)])
def test_no_thread_is_needed_without_a_limit_or_a_name(server: NameServer, host: str, seconds: float | None) -> None:
    """An address needs no look-up, and a look-up without a limit nobody who leaves it."""
    assert look_up(host, 80, seconds) == [ENTRY]
    assert server.threads in ([], [threading.current_thread()])


def test_a_name_that_is_not_known_is_the_same_error(server: NameServer) -> None:
    """The error of the thread is raised here."""
    with pytest.raises(socket.gaierror, match="not known"):
        look_up("unknown", 80, 5.0)


def test_a_look_up_that_hangs_is_left(server: NameServer) -> None:
    """`TimeoutError` is raised when the limit has passed."""
    with pytest.raises(TimeoutError) as caught:
        look_up("silent", 80, 0.01)

    assert caught.value.errno is None


def test_without_threads_there_is_no_limit(server: NameServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system gives no more of them, the name is looked up all the same."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert look_up("known", 80, 5.0) == [ENTRY]
    assert server.threads == [threading.current_thread()]


@pytest.mark.usefixtures("server")
def test_a_call_ends_when_nobody_knows_the_name() -> None:
    """The connect timer bounds the look-up of a call, and its deadline that of a fetch."""
    transport = DirectTransport(Threads())

    with pytest.raises(FiberTimeoutError) as caught:
        run_sync(transport.open(HTTPRequest("GET", "http://silent/"), Timeouts(connect=0.01), None))
    with pytest.raises(DeadlineReached):
        run_sync(transport.resolve("silent", 80, transport.now() + 0.01))

    assert (caught.value.timer, caught.value.seconds, caught.value.outcome) == ("connect", 0.01, "not_sent")
