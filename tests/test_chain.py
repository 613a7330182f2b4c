"""Layers, replies and their ends."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Coroutine
from threading import Barrier, Thread
from typing import Any

import pytest

from fiber import Attempt, FiberError, default_layers
from fiber._chain import Call, Handler, Journal, chain, new_id
from fiber._engine import run_sync
from fiber._reply import Ending, Reply
from fiber.types.http import HTTPRequest
from tests.kit import KEY, refused, scripted, streamed, watched, whole


async def core(call: Call) -> Reply:
    """Answer with the call's label."""
    return Reply(call.label)


def call_of(label: str = "x") -> Call:
    """Make a call."""
    fiber, _, watch = watched(whole())
    fiber.sync.chat("Hi", label=label)
    return watch.calls[0]


def test_chain_runs_the_first_layer_outermost() -> None:
    """Layers are given outermost first."""
    said: list[str] = []

    def layer(name: str):
        async def handle(call: Call, next: Handler) -> Reply:
            said.append(f"{name} in")
            reply = await next(call)
            said.append(f"{name} out")
            return reply

        return handle

    reply = run_sync(chain((layer("a"), layer("b")), core)(call_of("hello")))

    assert reply.value == "hello"
    assert said == ["a in", "b in", "b out", "a out"]


def test_chain_without_layers_is_the_core() -> None:
    """Nothing stands between."""
    assert chain((), core) is core


def test_a_layer_may_answer_without_next() -> None:
    """The core is not reached."""

    async def cache(call: Call, next: Handler) -> Reply:
        return Reply("cached")

    assert run_sync(chain((cache,), core)(call_of())).value == "cached"


def test_end_runs_every_callback_once_innermost_first() -> None:
    """A second end does nothing."""
    reply, said = Reply(), []
    for name in ("inner", "outer"):

        async def callback(ending: Ending, name: str = name) -> None:
            said.append((name, ending.outcome))

        reply.on_end(callback)

    run_sync(reply.end(Ending("complete")))
    run_sync(reply.end(Ending("cancelled")))

    assert said == [("inner", "complete"), ("outer", "complete")]
    assert reply.ended


def test_an_end_is_heard_last_and_once() -> None:
    """After the callbacks, also when one of them raises."""
    said: list[str] = []
    reply = Reply("x")
    reply.heard = lambda ending: said.append(f"heard {ending.outcome}")

    async def broken(ending: Ending) -> None:
        said.append("called")
        raise ValueError("broken")

    reply.on_end(broken)

    with pytest.raises(ValueError, match="broken"):
        run_sync(reply.end(Ending("complete")))
    run_sync(reply.end(Ending("cancelled")))

    assert said == ["called", "heard complete"]


def test_end_runs_the_other_callbacks_when_one_raises() -> None:
    """The first failure is raised after all have run."""
    reply, said = Reply(), []

    async def broken(ending: Ending) -> None:
        raise LookupError("first")

    async def broken_too(ending: Ending) -> None:
        raise ValueError("second")

    async def good(ending: Ending) -> None:
        said.append(ending.outcome)

    for callback in (broken, broken_too, good):
        reply.on_end(callback)

    with pytest.raises(LookupError, match="first"):
        run_sync(reply.end(Ending("complete")))
    assert said == ["complete"]


def test_end_counts_once_from_many_threads() -> None:
    """Threads that end a reply at the same moment end it once."""
    said: list[str] = []

    async def callback(ending: Ending) -> None:
        said.append(ending.outcome)

    for _ in range(50):
        reply, barrier = Reply(), Barrier(4)
        reply.on_end(callback)

        def end(reply: Reply = reply, barrier: Barrier = barrier) -> None:
            barrier.wait()
            run_sync(reply.end(Ending("cancelled")))

        threads = [Thread(target=end) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(said) == 50


def test_repr_of_a_call_has_no_key() -> None:
    """A layer may log the call it sees."""
    call = call_of()

    assert KEY not in repr(call)
    assert KEY not in repr(scripted()[0]._settings)


@pytest.mark.parametrize("order", ["cancel first", "open first"])
def test_a_journal_closes_the_attempt_that_is_cancelled(order: str) -> None:
    """Whichever comes first, the connection or the wish."""
    journal, closed = Journal(), list[str]()

    if order == "cancel first":
        journal.cancel()
        journal.opened(lambda: closed.append("closed"))
    else:
        journal.opened(lambda: closed.append("closed"))
        journal.cancel()

    assert (journal.cancelled, closed) == (True, ["closed"])


class Hearing:
    """A layer that hears what the journal tells of."""

    def __init__(self) -> None:
        self.endings: list[str] = []
        self.sent: list[HTTPRequest] = []
        self.attempts: list[Attempt] = []

    def __call__(self, call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
        """Hear of attempts and of the end."""
        call.journal.hearers.append(lambda call, ending: self.endings.append(ending.outcome))
        call.journal.tracer = self.trace
        return next(call)

    def trace(self, call: Call, request: HTTPRequest) -> tuple[HTTPRequest, Callable[[Attempt], None]]:
        """Send a header with each attempt."""
        self.sent.append(request)
        return request.with_headers(("x-trace", str(len(self.sent)))), self.attempts.append


def test_hearers_of_a_journal_are_told_every_end_once() -> None:
    """Of a whole answer, a stream, one that is left, and an error; without other listeners too."""
    hearing = Hearing()
    fiber, _ = scripted(whole(), streamed(), streamed(), refused(400), layers=(hearing,), metrics=False)

    fiber.sync.chat("Hi")
    fiber.sync.chat_stream("Hi").collect()
    with fiber.sync.chat_stream("Hi") as stream:
        next(stream)
    with pytest.raises(FiberError):
        fiber.sync.chat("Hi")

    assert hearing.endings == ["complete", "complete", "cancelled", "error"]


def test_a_tracer_sees_each_attempt_and_may_add_to_it() -> None:
    """It is shown the request before it is sent, and told of the attempt as the receipt has it."""
    hearing = Hearing()
    fiber, transport = scripted(refused(503, retry_after="0"), whole(), layers=(hearing, *default_layers()))

    result = fiber.sync.chat("Hi")

    assert tuple(hearing.attempts) == result.receipt.attempts
    assert [dict(request.headers)["x-trace"] for request in transport.requests] == ["1", "2"]


def test_ids_differ_in_programs_that_repeat_themselves() -> None:
    """Whoever seeds Python's own numbers does not make old ids come again."""
    ids = set()
    for _ in range(100):
        random.seed(7)
        ids.add(new_id())

    assert len(ids) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", made) for made in ids)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_ids_of_a_forked_process_are_its_own() -> None:
    """The parent goes on with others."""
    probe = (
        "import os, sys\n"
        "from fiber._chain import new_id\n"
        "child = os.fork()\n"
        "sys.stdout.write(new_id() + '\\n')\n"
        "sys.stdout.flush()\n"
        "if child: os.waitpid(child, 0)\n"
    )

    output = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True, timeout=60)

    assert len(set(output.stdout.split())) == 2
