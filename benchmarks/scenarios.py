"""What is measured: a scenario is a coroutine that is given one client in a fresh process, and returns one figure."""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from client import WHOLE_BYTES, Client, Messages, no_event, turns

cpu = time.process_time
"""Seconds of CPU of this process, user and system, of all threads."""

BRIEF_SECONDS = 0.1
"""Less than this is only spent to see that a scenario runs."""

_LATENCY_MS = 50
_GAP_US = 15_000
_PACED_DELTAS = 200
_EVENT_BYTES = 1000


@dataclass(frozen=True)
class Run:
    """
    What a scenario is given.

    Attributes:
        make: Makes the client, from a URL and a format.
        url: Of the server, without options.
        format: Of the wire.
        size: How much, as the scenario says.
        seconds: CPU to spend, more or less.
    """

    make: Callable[[str, str], Client]
    url: str
    format: str
    size: int
    seconds: float

    @property
    def is_brief(self) -> bool:
        """Nobody will read the figure."""
        return self.seconds < BRIEF_SECONDS

    def client(self, **options: int) -> Client:
        """Make a client of a server that behaves as *options* say."""
        said = ",".join(f"{name}={value}" for name, value in options.items())
        return self.make(f"{self.url}/{said or 'plain=1'}", self.format)


@dataclass(frozen=True)
class Found:
    """
    A figure.

    Attributes:
        value: In the unit of the scenario.
        details: Other figures of the same run.
    """

    value: float
    details: Mapping[str, float]


class WrongError(Exception):
    """The client did not do its work, so its cost means nothing."""


async def call(run: Run) -> Found:
    """Call after call, each with *size* messages; microseconds of CPU a call."""
    client = run.client()
    messages = client.history(turns(run.size))

    async def work() -> None:
        await _answered(client, messages)

    return await _repeated(client, work, run.seconds, at_once=5)


async def inflight(run: Run) -> Found:
    """*size* calls at once, a server that needs 50 ms; microseconds of CPU a call, when all connections stand."""
    import asyncio

    client = run.client(latency=_LATENCY_MS)
    messages = client.history(turns(20))
    await asyncio.gather(*(_answered(client, messages) for _ in range(run.size)))
    least, count = run.size, 0
    wall, started = time.perf_counter(), cpu()

    async def caller() -> None:
        nonlocal count
        while count < least or (cpu() - started < run.seconds and time.perf_counter() - wall < 4 * run.seconds):
            count += 1
            await _answered(client, messages)

    await asyncio.gather(*(caller() for _ in range(run.size)))
    found = _found(cpu() - started, time.perf_counter() - wall, count)
    await client.close()
    return found


async def chunk(run: Run) -> Found:
    """A stream of *size* deltas, sent as fast as they are read; microseconds of CPU a delta."""
    client = run.client(count=run.size)
    messages = client.history(turns(1))

    async def work() -> None:
        await _streamed(client, messages, run.size)

    return await _repeated(client, work, run.seconds, at_once=1, units=run.size)


async def paced(run: Run) -> Found:
    """*size* streams of 200 deltas at once, one every 15 ms in each; microseconds of CPU a delta, opening included."""
    import asyncio

    count = 5 if run.is_brief else _PACED_DELTAS
    client = run.client(count=count, gap=_GAP_US, latency=20)
    messages = client.history(turns(1))
    await asyncio.gather(*(_answered(client, messages) for _ in range(run.size)))
    wall, started = time.perf_counter(), cpu()
    await asyncio.gather(*(_streamed(client, messages, count) for _ in range(run.size)))
    found = _found(cpu() - started, time.perf_counter() - wall, count * run.size)
    await client.close()
    return found


async def first(run: Run) -> Found:
    """Streams of five deltas, one after another; microseconds of CPU from the call to its first text."""
    client = run.client(count=5)
    messages = client.history(turns(1))
    cpus: list[float] = []
    walls: list[float] = []

    async def work() -> None:
        wall, started = time.perf_counter(), cpu()

        def reached() -> None:
            cpus.append(cpu() - started)
            walls.append(time.perf_counter() - wall)

        await _streamed(client, messages, 5, reached)

    await _repeated(client, work, run.seconds, at_once=5)
    return Found(median(cpus) * 1e6, {"wall": median(walls) * 1e6, "count": len(cpus)})


async def memory(run: Run) -> Found:
    """A stream of *size* megabytes, nothing of which the caller keeps; by how many MB the process grows."""
    small = run.client(count=50, size=_EVENT_BYTES)
    await _streamed(small, small.history(turns(1)), 50)
    await small.close()
    count = run.size * 10**6 // _EVENT_BYTES
    client = run.client(count=count, size=_EVENT_BYTES)
    if (forget := getattr(client, "forget_text", None)) is not None:  # who keeps the text unless told otherwise
        forget()
    messages = client.history(turns(1))
    gc.collect()
    before, started = _peak_bytes(reset=True), cpu()
    await _streamed(client, messages, count)
    found = Found((_peak_bytes() - before) / 1e6, {"cpu_ms": (cpu() - started) * 1e3, "count": count})
    await client.close()
    return found


async def construct(run: Run) -> Found:
    """Making a client, when its module is loaded; microseconds of CPU."""
    made = [run.client()]
    times: list[float] = []
    for _ in range(3 if run.is_brief else 20):
        started = cpu()
        made.append(run.client())
        times.append(cpu() - started)
    for client in made:
        await client.close()
    return Found(median(times) * 1e6, {"count": len(times)})


@dataclass(frozen=True)
class Scenario:
    """
    One line of the table, or several.

    Attributes:
        what: In words; `{}` is where the size stands.
        unit: Of the figure.
        sizes: What the table tells of; the first alone in a brief run.
        run: Measures; None where the cost of a whole process is the figure: `import` runs a statement, `cold` a call.
        further: Sizes that only tell how the cost grows; not measured for blocking clients.
        is_each: The figure is the cost of one of *size* pieces, and not of all.
        needs_loop: One thread of blocking code cannot do it.
    """

    what: str
    unit: str
    sizes: Sequence[int]
    run: Callable[[Run], Awaitable[Found]] | None
    further: Sequence[int] = ()
    is_each: bool = False
    needs_loop: bool = False


SCENARIOS: Mapping[str, Scenario] = {
    "call": Scenario("a call, {} messages", "µs", (20, 200), call, further=(1, 10, 100, 1000)),
    "inflight": Scenario(
        "a call, {} in flight", "µs", (100, 500), inflight, further=(1, 10, 50), is_each=True, needs_loop=True
    ),
    "chunk": Scenario("a delta, stream of {}", "µs", (1000,), chunk, further=(100, 300, 3000, 10_000), is_each=True),
    "paced": Scenario("a delta, {} paced streams at once", "µs", (100,), paced, needs_loop=True),
    "first": Scenario("the first event of a stream", "µs", (1,), first),
    "construct": Scenario("making a client", "µs", (1,), construct),
    "import": Scenario("a process that imports", "ms", (1,), None),
    "cold": Scenario("a process that calls once", "ms", (1,), None),
    "memory": Scenario("memory for a stream of {} MB", "MB", (50,), memory),
}


async def _answered(client: Client, messages: Messages) -> None:
    if len(text := await client.call(messages)) != WHOLE_BYTES:
        raise WrongError(f"{len(text)} of {WHOLE_BYTES} bytes of text")


async def _streamed(client: Client, messages: Messages, count: int, first: Callable[[], object] = no_event) -> None:
    if (seen := await client.stream(messages, first)) != count:
        raise WrongError(f"{seen} of {count} deltas")


async def _repeated(
    client: Client, work: Callable[[], Awaitable[None]], seconds: float, *, at_once: int, units: int = 1
) -> Found:
    """Repeat *work*, *at_once* times between two looks at the clock, after a while of warming up."""
    for budget in (seconds / 4, seconds):
        count = 0
        wall, started = time.perf_counter(), cpu()
        while True:
            for _ in range(at_once):
                await work()
            count += at_once
            if cpu() - started >= budget or time.perf_counter() - wall >= 3 * budget:
                break
        found = _found(cpu() - started, time.perf_counter() - wall, count * units)
    await client.close()
    return found


def _found(seconds: float, wall_seconds: float, count: int) -> Found:
    return Found(seconds / count * 1e6, {"wall": wall_seconds / count * 1e6, "count": count})


def _peak_bytes(*, reset: bool = False) -> int:
    """Return the most memory that this process held, since its start or since the last *reset*."""
    try:
        if reset:
            with open("/proc/self/clear_refs", "w") as switch:
                switch.write("5")
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) * 1024
    except OSError:  # not Linux, where the peak cannot be reset: the growth is never too large, but perhaps too small
        import resource

        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
