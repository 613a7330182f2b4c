"""Credentials that expire: one fetch for all, ahead of time, in every world."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import pytest

from fiber import Fiber, FiberAuthError, FiberConnectionError, FiberTimeoutError, Secret
from fiber._engine import run_sync
from fiber.credentials.refreshing import FLIGHT_SECONDS, PAUSE_SECONDS, Expiring, Refreshing
from fiber.providers.aws import AWSKeys
from fiber.testing.fake import EPOCH, FakeTransport
from fiber.transports.base import DeadlineReached
from fiber.transports.blocking import Threads
from fiber.transports.direct import DirectTransport
from fiber.transports.loops import Loops
from tests.kit import scripted, whole

HOUR = 3600.0


@pytest.fixture(params=["asyncio", "trio"])
def backend(request: pytest.FixtureRequest) -> str:
    """Give out each event loop."""
    return str(request.param)


class Source:
    """Gives out numbered credentials that last an hour on the clock of *transport*, or what it is told to give."""

    def __init__(self, transport: Any, *given: Any) -> None:
        self.transport = transport
        self.given: Iterator[Any] = iter(given)
        self.asked = 0

    def __call__(self) -> Expiring:
        self.asked += 1
        given = next(self.given, self.transport.wall() + HOUR)
        if isinstance(given, BaseException):
            raise given
        return Expiring(f"token-{self.asked}", given)


class Patient(FakeTransport):
    """Lets others work while somebody waits, and calls *then* when they have waited *times* times."""

    def __init__(self, then: Callable[[], object], times: int) -> None:
        super().__init__()
        self.then, self.times = then, times

    async def sleep(self, seconds: float) -> None:
        """Count, and let others work."""
        await super().sleep(seconds)
        await anyio.lowlevel.checkpoint()
        if len(self.slept) == self.times:
            self.then()


def now(credential: Refreshing, transport: Any, until: float | None = None) -> str:
    """Return what is good now."""
    return revealed(run_sync(credential.fresh(transport, until)))


def revealed(secret: str | Secret) -> str:
    """Return the text of a secret."""
    assert isinstance(secret, Secret)
    return secret.reveal()


def test_a_client_asks_once_and_again_ahead_of_the_expiry() -> None:
    """Five minutes before it, when nothing else is said."""
    fiber, transport = scripted(*[whole()] * 4)
    source = Source(transport)
    fiber = Fiber(transport=transport, default_model="openai:m", api_keys={"openai": Refreshing(source)})

    for seconds in (0.0, HOUR - 301, 2, 0):
        transport.clock += seconds
        fiber.sync.chat("Hi")

    assert [request.headers["authorization"] for request in transport.requests] == [
        "Bearer token-1",
        "Bearer token-1",
        "Bearer token-2",
        "Bearer token-2",
    ]


def test_what_never_expires_is_fetched_once() -> None:
    """An `Expiring` without a moment."""
    transport = FakeTransport()
    source = Source(transport, None)
    credential = Refreshing(source)

    first = now(credential, transport)
    transport.clock += 1e9

    assert (first, now(credential, transport), source.asked) == ("token-1", "token-1", 1)


def test_one_that_lasts_shorter_than_the_lead_is_not_fetched_at_every_call() -> None:
    """There is a pause between two fetches while what is kept is good."""
    transport = FakeTransport()
    source = Source(transport, EPOCH + 120, EPOCH + 240)
    credential = Refreshing(source)
    said = []

    for seconds in (0.0, PAUSE_SECONDS - 1, 2):
        transport.clock += seconds
        said.append(now(credential, transport))

    assert said == ["token-1", "token-1", "token-2"]


def test_a_failure_is_no_failure_while_what_is_kept_is_good() -> None:
    """The source is left alone for a while, then asked again."""
    transport = FakeTransport()
    source = Source(transport, EPOCH + HOUR, LookupError("out of order"))
    credential = Refreshing(source)
    now(credential, transport)

    transport.clock = HOUR - 200
    during = [now(credential, transport), now(credential, transport)]
    asked = source.asked
    transport.clock += PAUSE_SECONDS

    assert (during, asked) == (["token-1", "token-1"], 2)
    assert now(credential, transport) == "token-3"


def test_a_failure_is_typed_and_not_kept() -> None:
    """Its words are not quoted, for they may hold the credential; the cause has them."""
    fiber, transport = scripted(whole())
    source = Source(transport, LookupError("the vault says token-0"))
    fiber = Fiber(transport=transport, default_model="openai:m", api_keys={"openai": Refreshing(source)})

    with pytest.raises(FiberAuthError) as caught:
        fiber.sync.chat("Hi")
    later = fiber.sync.chat("Hi")

    error = caught.value
    assert (error.outcome, error.provider, error.is_retryable) == ("not_sent", "openai", False)
    assert "raised LookupError" in str(error)
    assert "token-0" not in str(error)
    assert isinstance(error.__cause__, LookupError)
    assert later.text == "Hello"


def test_a_failure_that_may_pass_is_retried() -> None:
    """The source knows: a client's own error is asked whether it may."""
    transport = FakeTransport(whole())
    source = Source(transport, FiberConnectionError("lost", outcome="unknown"))
    fiber = Fiber(transport=transport, default_model="openai:m", api_keys={"openai": Refreshing(source)})

    result = fiber.sync.chat("Hi")

    assert (result.text, source.asked, len(transport.requests)) == ("Hello", 2, 1)


def test_a_source_gives_an_expiring() -> None:
    """Anything else is told, without being quoted."""
    credential = Refreshing(lambda: "token-0")  # type: ignore[arg-type, return-value]

    with pytest.raises(FiberAuthError, match="must return an Expiring, not str") as caught:
        now(credential, FakeTransport())

    assert "token-0" not in str(caught.value)


def test_many_coroutines_share_one_fetch(backend: str) -> None:
    """The others wait, and take what came."""
    asked: list[int] = []
    given: list[str] = []

    async def main() -> None:
        ready = anyio.Event()
        transport = Patient(ready.set, times=30)

        async def source() -> Expiring:
            asked.append(1)
            await ready.wait()
            return Expiring("token", transport.wall() + HOUR)

        credential = Refreshing(source)

        async def one() -> None:
            given.append(revealed(await credential.fresh(transport, None)))

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(one)

    anyio.run(main, backend=backend)

    assert (len(asked), given) == (1, ["token"] * 10)


def test_many_threads_share_one_fetch() -> None:
    """Under the blocking face, too."""
    entered, release = threading.Event(), threading.Event()
    asked: list[int] = []
    given: list[str] = []

    def source() -> Expiring:
        asked.append(1)
        entered.set()
        assert release.wait(10)
        return Expiring("token")

    credential = Refreshing(source)
    transport = DirectTransport(Threads())
    inner = transport.sleep
    waiting: set[int] = set()

    async def sleep(seconds: float) -> None:
        waiting.add(threading.get_ident())
        if len(waiting) == 3:
            release.set()
        await inner(seconds)

    transport.sleep = sleep
    threads = [threading.Thread(target=lambda: given.append(now(credential, transport))) for _ in range(4)]
    threads[0].start()
    assert entered.wait(10)
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (len(asked), given) == (1, ["token"] * 4)


def test_those_who_wait_share_the_failure(backend: str) -> None:
    """A source that is out of order is not asked by each of them; each has an error of its own."""
    asked: list[int] = []
    errors: list[FiberAuthError] = []

    async def main() -> None:
        ready = anyio.Event()
        transport = Patient(ready.set, times=9)

        async def source() -> Expiring:
            asked.append(1)
            await ready.wait()
            raise LookupError

        credential = Refreshing(source)

        async def one() -> None:
            with pytest.raises(FiberAuthError) as caught:
                await credential.fresh(transport, None)
            errors.append(caught.value)

        async with anyio.create_task_group() as group:
            for _ in range(3):
                group.start_soon(one)

    anyio.run(main, backend=backend)

    assert len(asked) == 1
    assert len({id(error) for error in errors}) == 3


def test_nobody_waits_while_what_is_kept_is_good(backend: str) -> None:
    """One call fetches ahead, the others go on with the old one."""

    async def main() -> list[str]:
        transport = FakeTransport()
        begun, ready = anyio.Event(), anyio.Event()
        given = iter(["old", "new"])

        async def source() -> Expiring:
            if (name := next(given)) == "new":
                begun.set()
                await ready.wait()
            return Expiring(name, transport.wall() + HOUR)

        credential = Refreshing(source)
        said = [revealed(await credential.fresh(transport, None))]
        transport.clock = HOUR - 60

        async def ahead() -> None:
            said.append(revealed(await credential.fresh(transport, None)))

        async with anyio.create_task_group() as group:
            group.start_soon(ahead)
            await begun.wait()
            said.append(revealed(await credential.fresh(transport, None)))
            ready.set()
        return said

    assert anyio.run(main, backend=backend) == ["old", "old", "new"]


def test_another_takes_over_where_a_fetch_was_cancelled(backend: str) -> None:
    """Whoever waited asks itself."""
    asked: list[int] = []

    async def main() -> str:
        scope = anyio.CancelScope()
        transport = Patient(scope.cancel, times=3)

        async def source() -> Expiring:
            asked.append(1)
            if len(asked) == 1:
                await anyio.sleep_forever()
            return Expiring("token")

        credential = Refreshing(source)

        async def first() -> None:
            with scope:
                await credential.fresh(transport, None)

        async with anyio.create_task_group() as group:
            group.start_soon(first)
            await anyio.wait_all_tasks_blocked()
            return revealed(await credential.fresh(transport, None))

    assert (anyio.run(main, backend=backend), len(asked)) == ("token", 2)


def test_a_fetch_that_was_lost_is_not_waited_for(backend: str) -> None:
    """In a fork for instance; when it comes after all, it does not disturb the later one."""

    async def main() -> list[str]:
        ready, later = anyio.Event(), anyio.Event()
        transport = FakeTransport()
        given = iter([ready, later])
        said: list[str] = []

        async def source() -> Expiring:
            event = next(given)
            await event.wait()
            return Expiring("late" if event is ready else "token", EPOCH)

        credential = Refreshing(source)

        async def one() -> None:
            said.append(revealed(await credential.fresh(transport, None)))

        async with anyio.create_task_group() as group:
            group.start_soon(one)
            await anyio.wait_all_tasks_blocked()
            transport.clock += FLIGHT_SECONDS
            group.start_soon(one)
            await anyio.wait_all_tasks_blocked()
            ready.set()
            await anyio.wait_all_tasks_blocked()
            flights = len(credential._flights)
            later.set()
        return [*said, str(flights), str(len(credential._flights))]

    assert anyio.run(main, backend=backend) == ["late", "token", "1", "0"]


def test_who_waits_for_a_lost_fetch_asks_itself(backend: str) -> None:
    """Waiting has an end, even without a deadline."""

    async def main() -> str:
        asked: list[int] = []
        transport = FakeTransport()

        async def source() -> Expiring:
            asked.append(1)
            if len(asked) == 1:
                await anyio.sleep_forever()
            return Expiring("token")

        credential = Refreshing(source)
        async with anyio.create_task_group() as group:
            group.start_soon(credential.fresh, transport, None)
            await anyio.wait_all_tasks_blocked()
            said = revealed(await credential.fresh(transport, None))
            group.cancel_scope.cancel()
        return said

    assert anyio.run(main, backend=backend) == "token"


def test_blocking_code_does_not_wait_for_a_coroutine_of_its_thread(backend: str) -> None:
    """It would wait for ever: each face of a client fetches for itself."""

    async def main() -> str:
        credential = Refreshing(source)
        async with anyio.create_task_group() as group:
            group.start_soon(credential.fresh, FakeTransport(), None)
            await anyio.wait_all_tasks_blocked()
            said = now(credential, FakeTransport())
            group.cancel_scope.cancel()
        return said

    asked: list[int] = []

    async def source() -> Expiring:
        asked.append(1)
        if len(asked) == 1:
            await anyio.sleep_forever()
        return Expiring("token")

    assert anyio.run(main, backend=backend) == "token"


def test_who_waits_keeps_its_deadline(backend: str) -> None:
    """The wait for another's fetch counts, like the fetch itself."""

    async def main() -> float:
        transport = FakeTransport()
        credential = Refreshing(anyio.sleep_forever)  # type: ignore[arg-type]
        async with anyio.create_task_group() as group:
            group.start_soon(credential.fresh, transport, None)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(DeadlineReached):
                await credential.fresh(transport, 5.0)
            group.cancel_scope.cancel()
        return transport.clock

    assert anyio.run(main, backend=backend) == pytest.approx(5.0, abs=0.02)


def test_a_deadline_in_a_fetch_is_the_total_timer() -> None:
    """Nothing was sent to the provider."""

    async def source() -> Expiring:
        raise DeadlineReached

    fiber, transport = scripted(api_keys={"openai": Refreshing(source)})

    with pytest.raises(FiberTimeoutError) as caught:
        fiber.sync.chat("Hi", timeout=9)

    assert (caught.value.timer, caught.value.outcome, transport.requests) == ("total", "not_sent", [])


def test_a_blocking_source_does_not_hold_up_the_loop(backend: str) -> None:
    """It runs in a thread, and may return something to be awaited."""
    thread: list[int] = []

    async def soon() -> Expiring:
        await anyio.lowlevel.checkpoint()
        return Expiring("token")

    def source() -> Any:
        thread.append(threading.get_ident())
        return soon()

    async def main() -> str:
        return revealed(await Refreshing(source).fresh(DirectTransport(Loops()), None))

    assert anyio.run(main, backend=backend) == "token"
    assert thread != [threading.get_ident()]


def test_its_region_fills_the_base_url() -> None:
    """As that of keys that are given as they are."""
    keys = AWSKeys("AKIDEXAMPLE", "secret-secret-secret")
    fiber = Fiber(api_keys={"bedrock": Refreshing(lambda: Expiring(keys), region="eu-west-1")})

    assert fiber.providers["bedrock"].base_url == "https://bedrock-runtime.eu-west-1.amazonaws.com"
    assert fiber.has_key("bedrock-anthropic")


def test_no_rendering_shows_the_credential() -> None:
    """Text becomes a secret."""
    made = Expiring("token-123456", 1.0)

    assert "token-123456" not in repr(made)
    assert made == Expiring(Secret("token-123456"), 1.0)
