"""The three runtimes a client works in, and calls that are the same in each."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import anyio
import msgspec

from fiber import ChatResult, Fiber

WORLDS = ("asyncio", "trio", "sync")
KEY = "sk-reliability-0123456789"


@dataclass(frozen=True)
class Job:
    """
    One call.

    Attributes:
        prompt: What is asked.
        stream: Ask for a stream, and read it to its end.
        options: Of `Fiber`.
        call: Keywords of the call.
    """

    name: str
    base_url: str
    prompt: Any = "Hello"
    stream: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    call: dict[str, Any] = field(default_factory=dict)

    def client(self) -> Fiber:
        """Make the client of this call."""
        return client(self.base_url, **self.options)


@dataclass(frozen=True)
class Outcome:
    """How a call went: its result or its error, and how long it took."""

    job: Job
    result: ChatResult | None
    error: Exception | None
    seconds: float


def client(base_url: str, **options: Any) -> Fiber:
    """Make a client of the chat format of OpenAI."""
    usual: dict[str, Any] = {
        "api_keys": {"openai": KEY},
        "base_urls": {"openai": base_url},
        "allow_http": True,  # hosts that do not exist are asked, too
        "default_model": "openai:gpt-mock",
    }
    return Fiber(**{**usual, **options})


def run(world: str, jobs: Sequence[Job], at_once: int = 1) -> list[Outcome]:
    """Run *jobs* in *world*, so many at a time, each with a client of its own; return how they went, in order."""
    if world == "sync":
        with ThreadPoolExecutor(at_once) as pool:
            return list(pool.map(_blocking, jobs))
    return anyio.run(functools.partial(_all, jobs, at_once), backend=world)


async def _all(jobs: Sequence[Job], at_once: int) -> list[Outcome]:
    outcomes: dict[int, Outcome] = {}
    waiting = iter(enumerate(jobs))

    async def work() -> None:
        for number, job in waiting:
            outcomes[number] = await run_here(job)

    async with anyio.create_task_group() as group:
        for _ in range(at_once):
            group.start_soon(work)
    return [outcomes[number] for number in range(len(jobs))]


async def run_here(job: Job) -> Outcome:
    """Run *job* in the event loop that runs already."""
    async with job.client() as fiber:
        started = time.monotonic()
        try:
            if job.stream:
                async with fiber.chat_stream(job.prompt, **job.call) as stream:
                    result = await stream.collect()
            else:
                result = await fiber.chat(job.prompt, **job.call)
            return Outcome(job, _without_body(result), None, time.monotonic() - started)
        except Exception as error:
            return Outcome(job, None, error, time.monotonic() - started)


def _blocking(job: Job) -> Outcome:
    fiber = job.client().sync
    started = time.monotonic()
    try:
        if job.stream:
            with fiber.chat_stream(job.prompt, **job.call) as stream:
                result = stream.collect()
        else:
            result = fiber.chat(job.prompt, **job.call)
        return Outcome(job, _without_body(result), None, time.monotonic() - started)
    except Exception as error:
        return Outcome(job, None, error, time.monotonic() - started)
    finally:
        fiber.close()


def _without_body(result: ChatResult) -> ChatResult:
    # When `asyncio.run` ends, Python makes the repr of what it returns, and throws it away: with the bytes of a long
    # answer that would be most of the memory that is measured.
    return msgspec.structs.replace(result, body=b"")
