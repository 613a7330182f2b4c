"""One table of fetches, three worlds, one outcome."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from fiber import FetchPolicy, Fiber, FiberConnectionError, FiberError, Image
from fiber.testing.fake import FakeReply, FakeTransport, lost

PNG = b"\x89PNG\r\n\x1a\n rest"
PICTURE = FakeReply(200, {"content-type": "image/png"}, (PNG, b"!"))
REFUSED = FiberConnectionError("No connection.", outcome="not_sent")
POLICY = FetchPolicy(hosts=("*.example.com",), max_bytes=20, timeout=5)

SCENARIOS: dict[str, tuple[str, tuple[Any, ...], str, int, int]] = {
    # Host, script, name of the part or error, requests, answers that were opened and closed.
    "picture": ("a.example.com", (PICTURE,), "Image", 1, 1),
    "second address": ("a.example.com", (REFUSED, PICTURE), "Image", 2, 1),
    "no address answers": ("a.example.com", (REFUSED, REFUSED), "FiberConnectionError", 2, 0),
    "not on the list": ("example.org", (), "FiberValidationError", 0, 0),
    "private": ("b.example.com", (), "FiberValidationError", 0, 0),
    "unknown": ("c.example.com", (), "FiberConnectionError", 0, 0),
    "redirect": ("a.example.com", (FakeReply(302),), "FiberConnectionError", 1, 1),
    "wrong type": (
        "a.example.com",
        (FakeReply(200, {"content-type": "text/html"}, (b"<p>",)),),
        "FiberConnectionError",
        1,
        1,
    ),
    "too long": (
        "a.example.com",
        (FakeReply(200, {"content-type": "image/png"}, (PNG, PNG)),),
        "FiberConnectionError",
        1,
        1,
    ),
    "too slow": (
        "a.example.com",
        (FakeReply(200, {"content-type": "image/png"}, (PNG, 9.0)),),
        "FiberTimeoutError",
        1,
        1,
    ),
    "lost": (
        "a.example.com",
        (FakeReply(200, {"content-type": "image/png"}, (PNG, lost())),),
        "FiberConnectionError",
        1,
        1,
    ),
}

WORLDS: dict[str, Callable[[Fiber, str], Any]] = {
    "asyncio": lambda fiber, url: anyio.run(fiber.fetch_part, url, backend="asyncio"),
    "trio": lambda fiber, url: anyio.run(fiber.fetch_part, url, backend="trio"),
    "blocking": lambda fiber, url: fiber.sync.fetch_part(url),
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_fetching_is_the_same_everywhere(scenario: Any, world: Callable[[Fiber, str], Any]) -> None:
    """Part or error, requests and closes are the same in all three worlds."""
    host, script, expected, requests, closed = scenario
    transport = FakeTransport(*script)
    transport.addresses = {"a.example.com": ["1.1.1.1", "1.1.1.2"], "b.example.com": ["1.1.1.1", "10.0.0.1"]}

    try:
        said = world(Fiber(transport=transport, fetch=POLICY), f"https://{host}/river.png")
    except FiberError as error:
        said = error

    assert type(said).__name__ == expected
    assert not isinstance(said, Image) or said.data == PNG + b"!"
    assert (len(transport.requests), transport.closed) == (requests, closed)
