"""Bound fields reach the lines of every call that is made where they are bound, and of no other."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from fiber import Fiber
from fiber.testing.fake import FakeReply
from tests.kit import refused, scripted, streamed, whole
from tests.layers.test_budget import WORLDS

RUN = "r-17"


async def in_tasks(fiber: Fiber) -> None:
    """Call in tasks that were begun here."""
    async with anyio.create_task_group() as tasks:
        for _ in range(2):
            tasks.start_soon(fiber.chat, "Hi")


async def in_a_batch(fiber: Fiber) -> None:
    """Call in the tasks of a batch."""
    await fiber.batch_chat(["a", "b"])


WAYS: dict[str, tuple[Callable[[str], list[FakeReply]], Callable[[Fiber], Any]]] = {
    **{
        world: (lambda world: [refused(503), streamed() if "stream" in world else whole()], call)
        for world, call in WORLDS.items()
    },
    "asyncio tasks": (lambda _: [whole()] * 2, lambda fiber: anyio.run(in_tasks, fiber, backend="asyncio")),
    "trio tasks": (lambda _: [whole()] * 2, lambda fiber: anyio.run(in_tasks, fiber, backend="trio")),
    "asyncio batch": (lambda _: [whole()] * 2, lambda fiber: anyio.run(in_a_batch, fiber, backend="asyncio")),
    "trio batch": (lambda _: [whole()] * 2, lambda fiber: anyio.run(in_a_batch, fiber, backend="trio")),
    "blocking batch": (lambda _: [whole()] * 2, lambda fiber: fiber.sync.batch_chat(["a", "b"], concurrency=2)),
    "raw": (lambda _: [whole()], lambda fiber: fiber.sync.request("GET", "/models", provider="openai")),
    "conversation": (lambda _: [whole()], lambda fiber: fiber.sync.conversation().send("Hi")),
}


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What the library says, from INFO on."""
    caplog.set_level(logging.INFO, "fiber")
    return caplog


@pytest.mark.parametrize("how", ["block", "view"])
@pytest.mark.parametrize("way", WAYS)
def test_each_line_of_a_call_has_the_bound_fields(way: str, how: str, log: pytest.LogCaptureFixture) -> None:
    """In tasks and threads of the library, and for what happens inside the call."""
    replies, call = WAYS[way]
    fiber, _ = scripted(*replies(way))
    scoped = fiber.bind(run=RUN)

    if how == "block":
        with scoped:
            call(fiber)
    else:
        call(scoped)

    assert len(log.records) >= 1 + (way in WORLDS)
    assert {vars(record).get("run") for record in log.records} == {RUN}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_tasks_do_not_see_what_others_bind(backend: str, log: pytest.LogCaptureFixture) -> None:
    """Each has its own, also while both wait."""

    async def ask(name: str) -> None:
        with fiber.bind(run=name):
            await anyio.lowlevel.checkpoint()
            await fiber.chat("Hi", label=name)

    async def main() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ask, "a")
            tasks.start_soon(ask, "b")

    fiber, _ = scripted(whole(), whole())

    anyio.run(main, backend=backend)

    said = [vars(record) for record in log.records]
    assert sorted((facts["label"], facts["run"]) for facts in said) == [("a", "a"), ("b", "b")]


def test_a_thread_sees_what_is_bound_when_it_is_given_the_context(log: pytest.LogCaptureFixture) -> None:
    """One of the application's own begins without it, unless Python is told otherwise."""
    fiber, _ = scripted(whole(), whole())

    with fiber.bind(run=RUN):
        for target in (fiber.sync.chat, copy_context().run):
            arguments = ("Hi",) if target == fiber.sync.chat else (fiber.sync.chat, "Hi")
            thread = threading.Thread(target=target, args=arguments)
            thread.start()
            thread.join()

    inherited = RUN if getattr(sys.flags, "thread_inherit_context", False) else None
    assert [vars(record).get("run") for record in log.records] == [inherited, RUN]
