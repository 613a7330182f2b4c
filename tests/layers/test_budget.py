"""What calls may spend together."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from threading import Event, get_ident
from typing import Any

import anyio
import pytest

from fiber import (
    NO_RETRY,
    Budget,
    Budgets,
    Cache,
    Fiber,
    FiberBudgetError,
    FiberError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    FiberValidationError,
    MemoryStore,
    ModelCatalog,
    PriceQuery,
    Rates,
    Timeouts,
    default_layers,
)
from fiber.stores.base import Reserved
from fiber.testing.fake import EPOCH, FakeTransport, json_reply, sse_reply
from fiber.transports.choice import for_loops
from fiber.types.budget import BudgetStatus
from tests.kit import START, answer, eventually, piece, refused, scripted, streamed, whole

PRICE = Decimal("0.00001")


class Flat:
    """A price for each token, of models that are known."""

    def __init__(self, price: Decimal | str = PRICE, **others: str) -> None:
        self._price, self._others = Decimal(price), others

    def rates(self, query: PriceQuery) -> Rates:
        """Return it."""
        price = Decimal(self._others.get(query.model, self._price)) * 10**6
        known = {} if "unknown" in query.model else {"input": price, "output": price}
        return Rates(usd=known, source="flat")


def budgeted(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport, Budgets]:
    """Make a client with one budget, of the keywords that are a budget's, over *script*."""
    names = Budget.__struct_fields__
    limits = {name: options.pop(name) for name in list(options) if name in names}
    ledger, on_failure = options.pop("ledger", None), options.pop("on_failure", "allow")
    budget = Budget(**{"name": "b", **limits})
    budgets = Budgets([budget], ledger=ledger, on_failure=on_failure)
    options = {"prices": Flat(), **options}
    fiber, transport = scripted(*script, budgets=budgets, **{"default_max_tokens": 100, **options})
    return fiber, transport, budgets


def status(budgets: Budgets, transport: FakeTransport, **scope: Any) -> dict[str, tuple[Any, Any]]:
    """Return what is used and held, by kind."""
    return {found.kind: (found.used, found.held) for found in budgets.status(now=transport.wall(), **scope)}


async def on_loop(fiber: Fiber) -> Any:
    """Call asynchronously."""
    return await fiber.chat("Hi")


async def on_stream(fiber: Fiber) -> Any:
    """Stream asynchronously."""
    return await fiber.chat_stream("Hi").collect()


WORLDS: dict[str, Callable[[Fiber], Any]] = {
    "asyncio": lambda fiber: anyio.run(on_loop, fiber, backend="asyncio"),
    "trio": lambda fiber: anyio.run(on_loop, fiber, backend="trio"),
    "blocking": lambda fiber: fiber.sync.chat("Hi"),
    "asyncio stream": lambda fiber: anyio.run(on_stream, fiber, backend="asyncio"),
    "trio stream": lambda fiber: anyio.run(on_stream, fiber, backend="trio"),
    "blocking stream": lambda fiber: fiber.sync.chat_stream("Hi").collect(),
}


# -- counting -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("world", WORLDS)
def test_a_call_is_counted_by_what_it_used(world: str) -> None:
    """Eight tokens, in each world; nothing stays reserved."""
    reply = streamed if "stream" in world else whole
    fiber, transport, budgets = budgeted(reply(), reply(), usd="0.01", tokens=1000, requests=5)

    for _ in range(2):
        WORLDS[world](fiber)

    assert status(budgets, transport) == {"usd": (16 * PRICE, 0), "tokens": (16, 0), "requests": (2, 0)}


@pytest.mark.parametrize("world", WORLDS)
def test_the_limit_is_allowed_and_no_more(world: str) -> None:
    """Of three calls exactly three; the fourth is refused before it is sent, until the period is over."""
    reply = streamed if "stream" in world else whole
    fiber, transport, _ = budgeted(*(reply() for _ in range(4)), requests=3, period="hour")
    transport.clock = 600

    for _ in range(3):
        WORLDS[world](fiber)
    with pytest.raises(FiberBudgetError) as caught:
        WORLDS[world](fiber)
    sent = len(transport.requests)
    transport.clock = 3600
    WORLDS[world](fiber)

    assert (sent, caught.value.outcome, caught.value.parameter) == (3, "not_sent", "b")
    assert caught.value.retry_after == 3000
    assert "3 requests" in caught.value.message


def test_the_worst_case_must_fit() -> None:
    """Not what the last answer was like."""
    fiber, transport, budgets = budgeted(whole(), tokens=150)

    with pytest.raises(FiberBudgetError, match="tokens"):
        fiber.sync.chat("Hi", max_tokens=149)
    assert fiber.sync.ask("Hi") == "Hello"
    assert status(budgets, transport)["tokens"] == (8, 0)


def test_small_amounts_are_not_lost() -> None:
    """Counted in whole thousand-millionths, rounded up."""

    fiber, transport, budgets = budgeted(*(whole() for _ in range(3)), usd="1", prices=Flat("7.3e-11"), period="ever")
    for _ in range(3):
        fiber.sync.chat("Hi")

    assert status(budgets, transport)["usd"] == (Decimal("3e-9"), 0)
    assert budgets.status(now=EPOCH)[0].resets_at is None


def test_what_the_provider_says_it_costs_wins() -> None:
    """Over the prices that are known."""
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8, "cost": 0.005}
    fiber, transport, budgets = budgeted(
        json_reply(answer(usage=usage)),
        usd="1",
        api_keys={"openrouter": "k"},
        default_model="openrouter:x",
    )
    result = fiber.sync.chat("Hi")

    assert result.usage.cost_usd == Decimal("0.005")
    assert status(budgets, transport)["usd"] == (Decimal("0.005"), 0)


def test_scopes_nest() -> None:
    """A tenant has a limit within that of its organisation; what one refuses, none counts."""
    budgets = Budgets(
        [Budget(name="org", requests=3, per=("org",)), Budget(name="tenant", requests=2, per=("org", "tenant"))]
    )
    fiber, transport = scripted(*(whole() for _ in range(9)), budgets=budgets)
    one, two, other = (fiber.bind(org=org, tenant=tenant) for org, tenant in (("o", "1"), ("o", "2"), ("p", "1")))

    for client in (one, one, two, other):
        client.sync.chat("Hi")
    refusing = []
    for client in (one, two):
        with pytest.raises(FiberBudgetError) as caught:
            client.sync.chat("Hi")
        refusing.append(caught.value.parameter)

    assert refusing == ["org", "org"]
    assert status(budgets, transport, org="o", tenant="2") == {"requests": (1, 0)}
    assert [found.used for found in budgets.status(now=EPOCH, org="o", tenant="1")] == [3, 2]


def test_a_budget_can_be_reset() -> None:
    """For one scope."""
    fiber, transport, budgets = budgeted(whole(), whole(), requests=1, per=("tenant",))
    fiber.bind(tenant="a").sync.chat("Hi")
    budgets.reset(now=transport.wall(), tenant="a")
    fiber.bind(tenant="a").sync.chat("Hi")

    assert status(budgets, transport, tenant="a") == {"requests": (1, 0)}
    assert budgets.status(tenant="a")[0] == BudgetStatus(
        name="b", kind="requests", limit=1, used=0, held=0, resets_at=budgets.status(tenant="a")[0].resets_at
    )


def test_a_raw_request_is_one_request() -> None:
    """Of its tokens nobody knows."""
    fiber, transport, budgets = budgeted(whole(), usd="1", tokens=5, requests=5)
    fiber.sync.request("GET", "models", provider="openai")

    assert status(budgets, transport) == {"usd": (0, 0), "tokens": (0, 0), "requests": (1, 0)}


def test_a_hit_of_the_cache_is_free() -> None:
    """It does not reach the budget."""
    fiber, transport, budgets = budgeted(whole(), requests=1, cache=Cache(), cache_policy="write_through")

    assert [fiber.sync.chat("Hi").cached for _ in range(3)] == [False, True, True]
    assert status(budgets, transport) == {"requests": (1, 0)}


# -- failures -----------------------------------------------------------------------------------------------------


def test_what_a_refused_call_held_is_free_again() -> None:
    """The provider did no work, or nothing was sent."""
    fiber, transport, budgets = budgeted(refused(400), usd="1", tokens=1000, requests=5)
    errors = []
    for options in ({}, {"seed": 1, "top_k": 3}):
        with pytest.raises(FiberError) as caught:
            fiber.sync.chat("Hi", **options)  # type: ignore[arg-type]
        errors.append(caught.value.attempt)

    assert errors == [1, 0]
    assert status(budgets, transport) == {"usd": (0, 0), "tokens": (0, 0), "requests": (0, 0)}


def test_a_call_of_unknown_outcome_counts_as_the_worst() -> None:
    """The provider may have done it, and billed it."""
    error = FiberTimeoutError("late", timer="read", outcome="unknown")
    fiber, transport, budgets = budgeted(error, error, tokens=1000, requests=5)
    with pytest.raises(FiberTimeoutError):
        fiber.sync.chat("Hi")

    tokens, _ = status(budgets, transport)["tokens"]
    assert 100 < tokens < 150
    assert status(budgets, transport)["requests"] == (1, 0)


def test_retries_are_one_call() -> None:
    """Reserved and counted once."""
    fiber, transport, budgets = budgeted(refused(429), whole(), requests=1, tokens=1000)
    fiber.sync.chat("Hi")

    assert status(budgets, transport) == {"tokens": (8, 0), "requests": (1, 0)}
    with pytest.raises(FiberBudgetError):
        fiber.sync.chat("Hi")
    assert len(transport.requests) == 2


ENDINGS: dict[str, Callable[[Fiber], None]] = {}


def ending(function: Callable[[Fiber], None]) -> Callable[[Fiber], None]:
    """Note a way to end a stream before its end."""
    ENDINGS[function.__name__] = function
    return function


@ending
def closed(fiber: Fiber) -> None:
    """Leave the block."""
    with fiber.sync.chat_stream("Hi") as stream:
        next(stream)


@ending
def cancelled(fiber: Fiber) -> None:
    """Cancel it."""
    stream = fiber.sync.chat_stream("Hi")
    next(stream)
    stream.cancel()


@ending
def dropped(fiber: Fiber) -> None:
    """Forget it."""
    next(iter(fiber.sync.chat_stream("Hi")))


@ending
def cut(fiber: Fiber) -> None:
    """Lose the connection."""
    with pytest.raises(FiberStreamInterruptedError):
        fiber.sync.chat_stream("Hi").collect()


@pytest.mark.parametrize("how", ENDINGS)
def test_a_left_stream_is_settled(how: str) -> None:
    """By what came, once; nothing stays reserved."""
    fiber, transport, budgets = budgeted(sse_reply(START, piece("Hello"), cut=True), tokens=1000, requests=5)

    ENDINGS[how](fiber)

    found = status(budgets, transport)
    assert found["requests"] == (1, 0)
    assert 5 < found["tokens"][0] < 60
    assert found["tokens"][1] == 0


def test_a_left_stream_whose_text_is_forgotten_counts_as_the_worst() -> None:
    """Nobody knows how much came."""
    fiber, transport, budgets = budgeted(sse_reply(START, piece("Hello"), cut=True), tokens=1000)
    with fiber.sync.chat_stream("Hi", forget_text=True) as stream:
        next(stream)

    assert status(budgets, transport)["tokens"][0] > 100


def test_a_dead_process_holds_nothing_forever() -> None:
    """A reservation ends a minute after the deadline of its call."""
    store = MemoryStore()
    fiber, transport, budgets = budgeted(whole(), requests=1, ledger=store, timeouts=Timeouts(total=30))
    stream = fiber.sync.chat_stream("Hi")
    calls: list[float] = []

    class Dead(Exception):
        """The end of a process, which settles nothing."""

    def dies(claims: Any, hold: str, *, seconds: float, now: float) -> Reserved:
        calls.append(seconds)
        MemoryStore.reserve(store, claims, hold, seconds=seconds, now=now)
        raise Dead

    store.reserve = dies  # type: ignore[method-assign]
    stream.collect()
    del store.reserve
    with pytest.raises(FiberBudgetError):
        fiber.sync.chat("Hi")
    transport.clock = 91

    assert calls == [90]
    assert status(budgets, transport) == {"requests": (0, 0)}


# -- prices -------------------------------------------------------------------------------------------------------


def test_an_unknown_price_is_refused_unless_it_is_allowed() -> None:
    """Under a limit of money; allowed, it counts for the other limits only."""
    fiber, transport, _ = budgeted(whole(), usd="1", tokens=1000)
    with pytest.raises(FiberBudgetError, match="price"):
        fiber.sync.chat("Hi", model="openai:unknown")
    bare, _, _ = budgeted(whole(), usd="1", prices=None)
    with pytest.raises(FiberBudgetError, match="price"):
        bare.sync.chat("Hi")
    lax, other, budgets = budgeted(whole(), usd="1", tokens=1000, unknown_price="allow")
    lax.sync.chat("Hi", model="openai:unknown")

    assert transport.requests == []
    assert status(budgets, other) == {"usd": (0, 0), "tokens": (8, 0)}


def test_output_needs_a_bound() -> None:
    """Under a limit of money or tokens, not of requests alone."""
    fiber, _, _ = budgeted(whole(), tokens=1000, default_max_tokens=None)
    with pytest.raises(FiberBudgetError) as caught:
        fiber.sync.chat("Hi")
    free, _, _ = budgeted(whole(), requests=1, default_max_tokens=None)

    assert caught.value.parameter == "max_tokens"
    assert free.sync.ask("Hi") == "Hello"


def test_the_catalogue_bounds_the_output_of_a_model_it_knows() -> None:
    """Where the call names none, and a fallback counts too."""
    catalog = ModelCatalog(overrides={"openai:gpt-test": {"max_output": 60}, "openai:long": {"max_output": 500}})
    fiber, transport, budgets = budgeted(whole(), tokens=200, default_max_tokens=None, catalog=catalog)
    with pytest.raises(FiberBudgetError, match="no room"):
        fiber.sync.chat("Hi", fallback=["openai:long"])
    with pytest.raises(FiberBudgetError, match="max_tokens"):
        fiber.sync.chat("Hi", fallback=["openai:unknown"])
    fiber.sync.chat("Hi")

    assert len(transport.requests) == 1
    assert status(budgets, transport)["tokens"] == (8, 0)


def test_a_soft_limit_warns_once(caplog: pytest.LogCaptureFixture) -> None:
    """And refuses nothing, whatever is not known."""
    options: Any = {"soft": True, "tokens": 10, "usd": "1", "default_max_tokens": None, "prices": None}
    fiber, transport, budgets = budgeted(*(whole() for _ in range(4)), **options)
    for _ in range(4):
        fiber.sync.chat("Hi")

    (warning,) = [record for record in caplog.records if record.message == "budget_warning"]
    assert (warning.__dict__["budget"], warning.__dict__["kind"]) == ("b", "tokens")
    assert (warning.__dict__["used"], warning.__dict__["limit"]) == ("16", "10")
    assert status(budgets, transport)["tokens"] == (32, 0)


def test_warnings_are_remembered_within_bounds(caplog: pytest.LogCaptureFixture) -> None:
    """After a thousand scopes the memory begins anew."""
    fiber, _, budgets = budgeted(whole(), soft=True, requests=0, per=("tenant",))
    budgets._warned = {str(number): None for number in range(1000)}
    fiber.sync.chat("Hi")

    assert len(budgets._warned) == 1
    assert len(caplog.records) == 1


# -- ceilings of one call -------------------------------------------------------------------------------------------


def test_ceilings_hold_before_anything_is_sent() -> None:
    """For whole calls and streams, with no budget configured."""
    fiber, transport = scripted(whole(), whole(), prices=Flat(), default_max_tokens=100)
    for call in (fiber.sync.chat, fiber.sync.chat_stream):
        for name, value in (("token_budget", 100), ("cost_ceiling_usd", 0.001)):
            with pytest.raises(FiberBudgetError) as caught:
                call("Hi", **{name: value})  # type: ignore[operator]
            assert (caught.value.parameter, caught.value.outcome) == (name, "not_sent")

    assert fiber.sync.ask("Hi", token_budget=200, cost_ceiling_usd="0.002") == "Hello"
    assert fiber.sync.ask("Hi", token_budget=200) == "Hello"
    assert len(transport.requests) == 2


def test_a_ceiling_needs_a_bound_and_a_price() -> None:
    """What is not known is refused."""
    fiber, _ = scripted(prices=Flat())
    cases: list[tuple[dict[str, Any], str]] = [
        ({"token_budget": 9}, "max_tokens"),
        ({"cost_ceiling_usd": 9}, "max_tokens"),
        ({"cost_ceiling_usd": 9, "max_tokens": 5, "model": "openai:unknown"}, "cost_ceiling_usd"),
    ]
    for options, parameter in cases:
        with pytest.raises(FiberBudgetError) as caught:
            fiber.sync.chat("Hi", **options)
        assert caught.value.parameter == parameter
    for wrong in ({"token_budget": 1.5}, {"token_budget": -1}, {"cost_ceiling_usd": "x", "max_tokens": 1}):
        with pytest.raises(FiberValidationError):
            fiber.sync.chat("Hi", **wrong)  # type: ignore[arg-type]


# -- the ledger ---------------------------------------------------------------------------------------------------


class Slow(MemoryStore):
    """A ledger that waits, as one over a network does."""

    quick = False

    def __init__(self) -> None:
        super().__init__()
        self.threads: list[int] = []
        self.gate, self.begun = Event(), Event()
        self.gate.set()

    def reserve(self, claims: Any, hold: str, *, seconds: float, now: float) -> Reserved:
        """Wait for the gate."""
        self.threads.append(get_ident())
        self.begun.set()
        self.gate.wait(10)
        return super().reserve(claims, hold, seconds=seconds, now=now)

    def settle(self, claims: Any, used: Any, hold: str, *, now: float) -> None:
        """Note where."""
        self.threads.append(get_ident())
        super().settle(claims, used, hold, now=now)


class OnLoop(FakeTransport):
    """A script over a loop that can wait for threads."""

    def __init__(self, *script: Any) -> None:
        super().__init__(*script)
        real: Any = for_loops(lambda: "", lambda: "", lambda scheme, place: "")
        self.aside, self.detach = real.aside, real.detach


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_ledger_that_waits_holds_no_loop(backend: str) -> None:
    """It is used in threads; a stream that is left is settled all the same."""
    store = Slow()
    transport = OnLoop(whole(), streamed(), refused(400))
    fiber, _, budgets = budgeted(requests=5, ledger=store, transport=transport)

    async def main() -> None:
        await fiber.chat("Hi")
        async with fiber.chat_stream("Hi") as stream:
            await anext(stream)
        with pytest.raises(FiberError):
            await fiber.chat("Hi")

    anyio.run(main, backend=backend)
    eventually(lambda: len(store.threads) == 6 and not status(budgets, transport)["requests"][1])

    assert get_ident() not in store.threads
    assert status(budgets, transport) == {"requests": (2, 0)}


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_task_that_is_cancelled_while_it_reserves_holds_nothing(moment: str) -> None:
    """Whether the ledger had answered or not."""
    import asyncio

    store = Slow()
    store.gate.clear()
    transport = OnLoop()
    fiber, _, budgets = budgeted(requests=5, ledger=store, transport=transport)

    async def main() -> None:
        task = asyncio.create_task(fiber.chat("Hi"))
        while not store.begun.is_set():  # noqa: ASYNC110 - it is set in a thread
            await asyncio.sleep(0)  # the ledger begins in a thread
        if moment == "after":
            store.gate.set()
            eventually(lambda: bool(store._counters))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        store.gate.set()

    asyncio.run(main())
    eventually(lambda: len(store.threads) == 2 and not status(budgets, transport)["requests"][1])

    assert status(budgets, transport) == {"requests": (0, 0)}
    assert transport.requests == []


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_ledger_that_fails_while_it_lets_go_breaks_nothing(backend: str) -> None:
    """What it held ends by itself."""

    class Dead(Slow):
        def settle(self, claims: Any, used: Any, hold: str, *, now: float) -> None:
            self.threads.append(get_ident())
            raise OSError("down")

    store = Dead()
    store.gate.clear()
    transport = OnLoop()
    fiber, _, budgets = budgeted(requests=5, ledger=store, transport=transport)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(fiber.chat, "Hi")
            while not store.begun.is_set():  # noqa: ASYNC110 - it is set in a thread
                await anyio.sleep(0.001)
            group.cancel_scope.cancel()
        store.gate.set()

    anyio.run(main, backend=backend)
    eventually(lambda: len(store.threads) == 2)

    assert status(budgets, transport) == {"requests": (0, 1)}
    assert transport.requests == []


class Broken(MemoryStore):
    """A ledger that fails."""

    def reserve(self, claims: Any, hold: str, *, seconds: float, now: float) -> Reserved:
        """Fail."""
        raise OSError("down")


def test_while_the_ledger_fails_calls_go_on_or_not(caplog: pytest.LogCaptureFixture) -> None:
    """As was chosen; failures are counted, and told once in a while."""
    fiber, transport, budgets = budgeted(*(whole() for _ in range(3)), requests=1, ledger=Broken())
    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")
    transport.clock = 61
    fiber.sync.chat("Hi")
    ledger = Broken()
    ledger.quick = False
    strict, other, _ = budgeted(whole(), requests=1, ledger=ledger, on_failure="refuse")
    with pytest.raises(FiberBudgetError, match="cannot be checked"):
        strict.sync.chat("Hi")

    assert budgets.failures == 3
    assert [record.message for record in caplog.records if record.levelno == logging.WARNING] == ["budget_error"] * 3
    assert other.requests == []


def test_a_settlement_that_fails_breaks_no_call() -> None:
    """What it held ends by itself."""

    class Forgetful(MemoryStore):
        def settle(self, claims: Any, used: Any, hold: str, *, now: float) -> None:
            raise OSError("down")

    fiber, transport, budgets = budgeted(whole(), requests=1, ledger=Forgetful())

    assert fiber.sync.ask("Hi") == "Hello"
    assert budgets.failures == 1
    assert status(budgets, transport) == {"requests": (0, 1)}


def test_budgets_are_checked_when_they_are_made() -> None:
    """Different names, a known word; a client without any has no such layer."""
    twice = [Budget(name="b", requests=1)] * 2
    for make in (lambda: Budgets(twice), lambda: Budgets([], on_failure="hope"), lambda: Fiber(budgets=twice)):  # type: ignore[arg-type]
        with pytest.raises(FiberValidationError) as caught:
            make()
        assert caught.value.parameter == "budgets"
    fiber, _ = scripted(whole(), whole(), budgets=[Budget(name="b", requests=1)])
    fiber.sync.chat("Hi")
    with pytest.raises(FiberBudgetError):
        fiber.sync.chat("Hi")

    assert len(default_layers(budgets=Budgets([]))) == len(default_layers()) + 1


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_thousand_calls_at_once_stay_within_the_limit(backend: str) -> None:
    """Exactly as many as fit are sent."""
    transport = OnLoop(*(whole() for _ in range(100)))
    fiber, _, budgets = budgeted(requests=100, transport=transport)
    refusals: list[FiberBudgetError] = []

    async def one() -> None:
        try:
            await fiber.chat("Hi")
        except FiberBudgetError as error:
            refusals.append(error)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            for _ in range(1000):
                group.start_soon(one)

    anyio.run(main, backend=backend)

    assert (len(transport.requests), len(refusals)) == (100, 900)
    assert status(budgets, transport) == {"requests": (100, 0)}


def test_a_fallback_is_reserved_by_the_dearest_and_counted_by_the_one_that_answered() -> None:
    """Nobody knows before who will answer; a price that is not known refuses all."""

    options: Any = {"usd": 10_000, "prices": Flat("1", dear="10"), "default_max_tokens": 10, "retry": NO_RETRY}
    fiber, transport, budgets = budgeted(refused(503), whole(), **options)
    fiber.sync.chat("Hi", fallback=["openai:dear"])
    spent = status(budgets, transport)["usd"]
    fiber = fiber.with_options(max_tokens=1000)
    for fallback, words in ((["openai:dear"], "no room"), (["openai:unknown"], "price")):
        with pytest.raises(FiberBudgetError, match=words):
            fiber.sync.chat("Hi", fallback=fallback)
    with pytest.raises(FiberBudgetError):
        fiber.sync.chat("Hi", fallback=["openai:dear"], cost_ceiling_usd=50)

    assert spent == (80, 0)
    assert len(transport.requests) == 2
