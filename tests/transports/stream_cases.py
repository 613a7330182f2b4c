"""What every stream must do on a connected socket; each mirror runs all of it over its own."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from fiber.transports.streams import Stream
from tests.tls import CERTIFICATE, NAME, trusting
from tests.transports.conftest import PATIENCE
from tests.transports.sockets import black_hole, names, open_to

Work = Callable[[Stream], Awaitable[Any]]
Act = Callable[[socket.socket], object]
Meet = Callable[[Act, Work], Any]
"""Run a coroutine function with a stream, and a function with the socket of its peer, in a thread."""

Reach = Callable[[str, int, "float | None"], Any]
"""Connect to a host and port within some seconds, send a byte, return what comes, and close."""

LONG = b"x" * 8_000_000
SHORT_SECONDS = 0.03


def due(seconds: float = 5.0) -> float:
    """Return the moment that is *seconds* ahead."""
    return time.monotonic() + seconds


@contextmanager
def pair(act: Act) -> Iterator[socket.socket]:
    """Give out one end of a connection; *act* gets the other, and has until the end of the block, and some time."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
    failures: list[BaseException] = []

    def run() -> None:
        peer.settimeout(PATIENCE)
        with peer:
            try:
                act(peer)
            except OSError:
                pass  # the test is over
            except BaseException as error:
                failures.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    try:
        yield ours
    finally:
        thread.join(PATIENCE)
    assert failures == []


def until_end(peer: socket.socket) -> bytes:
    """Read all that comes."""
    found = b""
    try:
        while piece := peer.recv(1 << 20):
            found += piece
    except ConnectionResetError:
        pass
    return found


def reset(peer: socket.socket) -> None:
    """Close with a reset instead of a farewell."""
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def secured(peer: socket.socket) -> ssl.SSLSocket:
    """Answer a handshake as `NAME`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    return context.wrap_socket(peer, server_side=True)


@contextmanager
def echo() -> Iterator[int]:
    """Give out a port where one connection at a time says back its first byte, until the other side is gone."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                with peer:
                    peer.sendall(peer.recv(1))
                    until_end(peer)

        thread = Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def quiet(peer: socket.socket) -> None:
    """Say nothing until the other side has gone."""
    until_end(peer)


class StreamCases:
    """Tests that need `meet`: a fixture that runs a coroutine function with a stream of the mirror's kind."""

    def test_what_comes_is_read_to_its_end(self, meet: Meet) -> None:
        """The end is said again to whoever asks again."""

        async def work(stream: Stream) -> list[bytes]:
            found = b""
            while piece := await stream.read(due()):
                found += piece
            return [found, await stream.read(due())]

        assert meet(lambda peer: peer.sendall(LONG), work) == [LONG, b""]

    def test_a_reset_is_an_error(self, meet: Meet) -> None:
        """And no end, for something may be missing."""

        async def work(stream: Stream) -> None:
            await stream.write(b"x", due())
            await stream.read(due())

        def act(peer: socket.socket) -> None:
            peer.recv(1)
            reset(peer)

        with pytest.raises(ConnectionResetError):
            meet(act, work)

    @pytest.mark.parametrize("times", [1, 2])
    def test_silence_ends_with_the_limit(self, meet: Meet, times: int) -> None:
        """Each wait has its own."""
        waited: list[float] = []

        async def work(stream: Stream) -> None:
            for _ in range(times):
                before = time.monotonic()
                with pytest.raises(TimeoutError) as caught:
                    await stream.read(due(SHORT_SECONDS))
                waited.append(time.monotonic() - before)
                assert caught.value.errno is None
            stream.abort()

        meet(quiet, work)

        assert min(waited) > SHORT_SECONDS * 0.9

    def test_a_sooner_limit_holds_after_a_later_one(self, meet: Meet) -> None:
        """And a later one after a sooner one, and none after both."""

        def act(peer: socket.socket) -> None:
            while said := peer.recv(1):
                peer.sendall(said)

        async def work(stream: Stream) -> list[bytes]:
            said = []
            for limit in (5.0, 4.0, 5.0, None):
                await stream.write(b"y", due())
                said.append(await stream.read(None if limit is None else due(limit)))
                with pytest.raises(TimeoutError):
                    await stream.read(due(SHORT_SECONDS))
            return said

        assert meet(act, work) == [b"y"] * 4

    def test_all_is_written(self, meet: Meet) -> None:
        """Also what does not fit into the buffers of the system."""
        heard: list[bytes] = []

        def act(peer: socket.socket) -> None:
            found = b""
            while len(found) <= len(LONG):
                found += peer.recv(1 << 20)
            heard.append(found)
            peer.sendall(b"thanks")

        async def work(stream: Stream) -> list[object]:
            written = [await stream.write(memoryview(LONG), due()), await stream.write(b"!", None)]
            return [*written, await stream.read(due())]

        assert meet(act, work) == [True, True, b"thanks"]
        assert heard == [LONG + b"!"]

    def test_a_peer_that_does_not_listen_reaches_the_limit(self, meet: Meet) -> None:
        """As one that does not speak."""
        done = Event()

        async def work(stream: Stream) -> None:
            try:
                with pytest.raises(TimeoutError):
                    await stream.write(LONG, due(SHORT_SECONDS))
            finally:
                stream.abort()
                done.set()

        meet(lambda peer: done.wait(PATIENCE), work)

    @pytest.mark.parametrize("under_tls", [False, True])
    @pytest.mark.parametrize("how", ["stays", "leaves", "resets"])
    def test_an_answer_that_comes_early_is_read(self, meet: Meet, how: str, under_tls: bool) -> None:
        """The peer has heard enough: writing is given up long before its limit, and what the peer said is there."""
        done = Event()

        def act(peer: socket.socket) -> None:
            peer = secured(peer) if under_tls else peer
            with peer:
                peer.recv(1)
                peer.sendall(b"enough")
                # Who leaves without having read all resets, too; and what is not read when a reset comes is lost.
                done.wait(PATIENCE if how == "stays" else 0.2)
                if how == "resets":
                    reset(peer)

        async def work(stream: Stream) -> tuple[bool, bytes]:
            try:
                if under_tls:
                    await stream.start_tls(trusting(), NAME, due())
                written = True
                for _ in range(4):
                    written = written and await stream.write(LONG, due())
                return written, await stream.read(due())
            finally:
                stream.abort()
                done.set()

        assert meet(act, work) == (False, b"enough")

    def test_nothing_is_written_to_a_peer_that_is_gone(self, meet: Meet) -> None:
        """That is no error: the peer may have said why."""
        gone = Event()

        def act(peer: socket.socket) -> None:
            reset(peer)
            gone.set()

        async def work(stream: Stream) -> bool:
            gone.wait(PATIENCE)
            await _pause(stream)
            written = [await stream.write(b"x", due()) for _ in range(3)]
            stream.abort()
            return written[-1]

        assert meet(act, work) is False

    def test_a_quiet_peer_is_alive(self, meet: Meet) -> None:
        """Also after it spoke and was heard; the word that nobody asked for is not lost."""
        go = Event()

        def act(peer: socket.socket) -> None:
            peer.sendall(b"one")
            go.wait(PATIENCE)
            peer.sendall(b"two")
            until_end(peer)

        async def work(stream: Stream) -> list[object]:
            said: list[object] = [await stream.read(due()), stream.is_dead()]
            go.set()
            while not stream.is_dead():
                await _pause(stream)
            said += [stream.is_dead(), await stream.read(due())]
            stream.abort()
            return [*said, stream.is_dead()]

        assert meet(act, work) == [b"one", False, True, b"two", True]

    @pytest.mark.parametrize("leave", [socket.socket.close, reset])
    def test_a_peer_that_left_is_dead(self, meet: Meet, leave: Act) -> None:
        """However it left."""

        async def work(stream: Stream) -> bool:
            for _ in range(500):
                if stream.is_dead():
                    break
                await _pause(stream)
            dead = stream.is_dead()
            stream.abort()
            return dead

        assert meet(leave, work) is True

    def test_nothing_is_read_or_written_after_an_abort(self, meet: Meet) -> None:
        """Nobody takes it for the end of a body; it may be repeated."""

        async def work(stream: Stream) -> None:
            await stream.read(due())
            stream.abort()
            stream.abort()
            with pytest.raises(ConnectionAbortedError):
                await stream.read(due())
            try:
                assert not await stream.write(b"x", due())
            except ConnectionAbortedError:
                pass
            assert stream.is_dead()

        def act(peer: socket.socket) -> None:
            peer.sendall(b"one")
            until_end(peer)

        meet(act, work)

    def test_who_sends_faster_than_we_read_is_held_back(self, meet: Meet) -> None:
        """What nobody reads waits in the kernel, so memory is bounded; later all of it is there."""
        sent: list[int] = []
        go = Event()

        def act(peer: socket.socket) -> None:
            peer.setblocking(False)
            rest = memoryview(LONG + LONG)
            quiet_since = time.monotonic()
            while rest and time.monotonic() - quiet_since < 0.05:
                try:
                    rest = rest[peer.send(rest) :]
                    quiet_since = time.monotonic()
                except BlockingIOError:
                    time.sleep(0.001)
            sent.append(len(LONG + LONG) - len(rest))
            go.set()
            peer.settimeout(PATIENCE)
            peer.sendall(rest)

        async def work(stream: Stream) -> int:
            size = len(await stream.read(due()))
            while not go.is_set():
                await _pause(stream)
            while piece := await stream.read(due()):
                size += len(piece)
            return size

        assert meet(act, work) == len(LONG + LONG)
        assert sent[0] < len(LONG + LONG)

    # -- connecting ----------------------------------------------------------------------------------------------------

    def test_a_name_leads_to_a_connection(self, reach: Reach) -> None:
        """Small packets are not held back."""
        with echo() as port:
            assert reach("localhost", port, 5) == b"x"
            assert open_to(port) == 0

    def test_nobody_there_is_an_error(self, reach: Reach) -> None:
        """And no timeout."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]

        with pytest.raises(OSError, match=r"(?i)refused|connect"):
            reach("127.0.0.1", port, 5)

    @pytest.mark.parametrize("host", ["127.0.0.1", "named.example", "both.example"])
    def test_an_address_that_never_answers_reaches_the_limit(
        self, reach: Reach, monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        """Alone or with another such; nothing stays open."""
        names(monkeypatch, host, *["127.0.0.1", "127.0.0.2"][: 2 if host.startswith("both") else 1])
        with black_hole() as port, black_hole("127.0.0.2", port):
            before, start = open_to(port), time.monotonic()

            with pytest.raises(TimeoutError) as caught:
                reach(host, port, SHORT_SECONDS)
            assert (caught.value.errno, open_to(port)) == (None, before)
            assert time.monotonic() - start > SHORT_SECONDS * 0.9

    def test_a_limit_that_has_passed_is_one(self, reach: Reach) -> None:
        """Nothing is begun."""
        with echo() as port:
            with pytest.raises(TimeoutError):
                reach("127.0.0.1", port, -1)

    @pytest.mark.parametrize("first", ["refuses", "is of no use here", "never answers"])
    def test_a_bad_address_is_followed_by_the_next(
        self, reach: Reach, monkeypatch: pytest.MonkeyPatch, first: str
    ) -> None:
        """It may have nobody, be of a family that this machine does not speak, or keep silent."""
        family = 12345 if first == "is of no use here" else socket.AF_INET
        names(monkeypatch, "named.example", "127.0.0.2", "127.0.0.1", family=family)

        with echo() as port, black_hole("127.0.0.2", port if first == "never answers" else 0):
            before = open_to(port)
            assert reach("named.example", port, 0.5) == b"x"
            assert open_to(port) == before

    def test_all_addresses_are_tried_before_it_is_an_error(self, reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
        """None at all is one too."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        for addresses in (["127.0.0.1", "127.0.0.2"], []):
            names(monkeypatch, "named.example", *addresses)

            with pytest.raises(OSError) as caught:  # noqa: PT011 - three worlds, three wordings
                reach("named.example", port, 5)
            assert not isinstance(caught.value, TimeoutError)

    # -- TLS -----------------------------------------------------------------------------------------------------------

    def test_tls_goes_both_ways(self, meet: Meet) -> None:
        """A long way too; the farewell of TLS is an end."""

        def act(peer: socket.socket) -> None:
            with secured(peer) as talk:
                size = 0
                while size < len(LONG):
                    size += len(talk.recv(1 << 20))
                talk.sendall(LONG)
                talk.unwrap()

        async def work(stream: Stream) -> tuple[bool, bytes]:
            await stream.start_tls(trusting(), NAME, due())
            assert not stream.is_dead()
            written = await stream.write(LONG, due())
            found = b""
            while piece := await stream.read(due()):
                found += piece
            stream.abort()
            return written, found

        assert meet(act, work) == (True, LONG)

    def test_tls_that_ends_without_farewell_ends(self, meet: Meet) -> None:
        """Whether a body is whole is known elsewhere."""

        def act(peer: socket.socket) -> None:
            with secured(peer) as talk:
                talk.sendall(b"one")

        async def work(stream: Stream) -> list[bytes]:
            await stream.start_tls(trusting(), NAME, due())
            said = [await stream.read(due()), await stream.read(due())]
            stream.abort()
            return said

        assert meet(act, work) == [b"one", b""]

    def test_what_was_received_but_not_decrypted_counts_as_spoken(self, meet: Meet) -> None:
        """Two records may come in one piece; the second would be taken for the beginning of the next answer."""

        def act(peer: socket.socket) -> None:
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            machine = context.wrap_bio(incoming, outgoing, server_side=True)
            while True:
                try:
                    machine.do_handshake()
                except ssl.SSLWantReadError:
                    peer.sendall(outgoing.read())
                    incoming.write(peer.recv(65536))
                else:
                    break
            machine.write(b"one")
            machine.write(b"two")
            peer.sendall(outgoing.read())
            until_end(peer)

        async def work(stream: Stream) -> list[object]:
            await stream.start_tls(trusting(), NAME, due())
            first = await stream.read(due())
            dead = stream.is_dead()
            rest = b"" if first == b"onetwo" else await stream.read(due())
            stream.abort()
            return [first + rest, dead or first == b"onetwo"]

        assert meet(act, work) == [b"onetwo", True]

    @pytest.mark.parametrize(
        ("host", "context", "words"),
        [("other.example.com", trusting, "match"), (NAME, ssl.create_default_context, "self.signed")],
    )
    def test_a_peer_that_is_somebody_else_is_refused(
        self, meet: Meet, host: str, context: Callable[[], ssl.SSLContext], words: str
    ) -> None:
        """Another name, or nobody that is trusted."""

        async def work(stream: Stream) -> None:
            await stream.start_tls(context(), host, due())

        with pytest.raises(ssl.SSLCertVerificationError, match=words):
            meet(secured, work)

    def test_a_peer_that_speaks_no_tls_is_refused(self, meet: Meet) -> None:
        """It may speak HTTP, as an error page says."""

        def act(peer: socket.socket) -> None:
            peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            until_end(peer)

        with pytest.raises(ssl.SSLError):
            meet(act, lambda stream: stream.start_tls(trusting(), NAME, due()))

    def test_a_peer_that_leaves_during_the_handshake_may_do_better_the_next_time(self, meet: Meet) -> None:
        """That is a lost connection, and no fault of its certificate."""

        def act(peer: socket.socket) -> None:
            peer.recv(65536)

        with pytest.raises(ConnectionError):
            meet(act, lambda stream: stream.start_tls(trusting(), NAME, due()))

    def test_a_handshake_that_hangs_reaches_the_limit(self, meet: Meet) -> None:
        """The socket is closed: the peer sees it."""
        with pytest.raises(TimeoutError):
            meet(quiet, lambda stream: stream.start_tls(trusting(), NAME, due(SHORT_SECONDS)))

    def test_tls_goes_through_tls(self, meet: Meet) -> None:
        """As an https origin behind an https proxy needs it."""

        def act(peer: socket.socket) -> None:
            outer = secured(peer)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATE)
            inner = context.wrap_bio(incoming, outgoing, server_side=True)
            said = b""
            with outer:
                while not said:
                    try:
                        inner.do_handshake()
                        said = inner.read(100)
                        inner.write(said.upper())
                    except ssl.SSLWantReadError:
                        if outgoing.pending:
                            outer.sendall(outgoing.read())
                        incoming.write(outer.recv(65536))
                outer.sendall(outgoing.read())
                until_end(outer)

        async def work(stream: Stream) -> bytes:
            for _ in range(2):
                await stream.start_tls(trusting(), NAME, due())
            await stream.write(b"hello", due())
            try:
                return await stream.read(due())
            finally:
                stream.abort()

        assert meet(act, work) == b"HELLO"


async def _pause(stream: Stream) -> None:
    """Let the event loop of *stream*, if it has one, look at its sockets."""
    if type(stream).__name__ == "SocketStream":
        time.sleep(0.001)  # noqa: ASYNC251 - blocking code has no loop
        return
    import anyio

    await anyio.sleep(0.001)
