"""The blocking face."""

from __future__ import annotations

import warnings
from typing import Any

import anyio
import pytest

from fiber import Fiber, FiberClosedError, FiberModelNotFoundError, Provider
from fiber.testing.fake import FakeReply
from tests.kit import KEY, MODEL, scripted, streamed, watched, whole


def test_every_method_has_a_blocking_face() -> None:
    """The two faces offer the same calls."""
    fiber, _ = scripted()
    calls = {
        "chat",
        "chat_stream",
        "ask",
        "ask_stream",
        "batch_chat",
        "bind",
        "with_options",
        "register_provider",
        "request",
        "request_stream",
        "fetch_part",
        "models",
        "ping",
        "close",
    }

    assert {name for name in calls if callable(getattr(fiber.sync, name))} == calls


def test_calls_block_until_they_are_done() -> None:
    """Chat, text, streams, batches, raw requests."""
    fiber, transport = scripted(
        whole("A"),
        whole("B"),
        streamed("C"),
        streamed("D"),
        whole("E"),
        FakeReply(200, {}, (b"F",)),
        FakeReply(200, {}, (b"G",)),
    )
    sync = fiber.sync

    said = [
        sync.chat("Hi").text,
        sync.ask("Hi"),
        sync.chat_stream("Hi").collect().text,
        "".join(sync.ask_stream("Hi")),
        sync.batch_chat(["Hi"])[0].text,  # type: ignore[union-attr]
        sync.request("GET", "/x", provider="openai").body.decode(),
        *[chunk.decode() for chunk in sync.request_stream("GET", "/x", provider="openai")],
    ]

    assert said == ["A", "B", "C", "D", "E", "F", "G"]
    assert transport.closed == 7


@pytest.mark.anyio
async def test_a_blocking_call_works_inside_a_running_loop() -> None:
    """Without any warning; it blocks the loop meanwhile."""
    fiber, _ = scripted(whole("A"), streamed("B"), whole("C"))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        said = [fiber.sync.ask("Hi"), "".join(fiber.sync.ask_stream("Hi"))]
        said.append(await fiber.ask("Hi"))

    assert said == ["A", "B", "C"]


def test_a_key_that_awaits_a_loop_says_so() -> None:
    """The blocking face has no loop to give."""

    async def vault() -> str:
        await anyio.sleep(0.01)
        return KEY

    class Waits:
        def __await__(self) -> Any:
            yield "a loop"
            return KEY

    fiber, transport = scripted(api_keys={"openai": Waits})

    with pytest.raises(RuntimeError, match="synchronous call"):
        fiber.sync.chat("Hi")

    assert transport.requests == []


def test_views_have_their_defaults() -> None:
    """`with_options` and `bind` work on the blocking face too."""
    fiber, transport, watch = watched(whole(), whole())

    fiber.sync.with_options(temperature=0.3).chat("Hi")
    fiber.sync.bind(run="r1").bind(step=2).chat("Hi")

    assert transport.requests[0].json()["temperature"] == 0.3
    assert watch.calls[1].context == {"run": "r1", "step": 2}


def test_a_provider_is_registered_for_a_view() -> None:
    """On the blocking face too, over the same connections."""
    fiber, transport = scripted(whole())
    row = Provider(name="acme", base_url="https://acme.test/v1", prefixes=("acme-",))

    fiber.sync.register_provider(row, api_key="acme-key").chat("Hi", model="acme-large")

    sent = transport.requests[0]
    assert (sent.url, sent.headers["authorization"]) == ("https://acme.test/v1/chat/completions", "Bearer acme-key")
    with pytest.raises(FiberModelNotFoundError):
        fiber.sync.chat("Hi", model="acme-large")


def test_bind_as_a_block_binds_every_call_in_it() -> None:
    """Of any client, with all fields of the view; nested blocks merge."""
    fiber, _, watch = watched(*[whole()] * 4)
    sync = fiber.sync

    with sync.bind(a=1).bind(b=2) as scoped:
        sync.chat("Hi")
        with sync.bind(b=3):
            sync.chat("Hi")
        scoped.chat("Hi")
    sync.chat("Hi")

    assert [call.context for call in watch.calls] == [{"a": 1, "b": 2}, {"a": 1, "b": 3}, {"a": 1, "b": 2}, {}]


def test_close_is_safe_to_repeat() -> None:
    """Calls after it are refused."""
    fiber, _ = scripted()

    fiber.sync.close()
    fiber.sync.close()

    with pytest.raises(FiberClosedError):
        fiber.sync.chat("Hi")


def test_views_share_the_blocking_connections() -> None:
    """A view makes no pool of its own."""
    fiber = Fiber(api_keys={"openai": KEY}, default_model=MODEL)

    views = [fiber.bind(a=1).sync, fiber.with_options(temperature=1).sync, fiber.sync, fiber.sync.bind(a=1)]

    assert len({id(view._settings.transport) for view in views}) == 1
    assert fiber.sync._settings.transport is not fiber._settings.transport
