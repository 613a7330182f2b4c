"""A process that ends in the middle of a stream ends quickly and without a word."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from fiber.testing import MockServer, Reply

_BEGIN = """
import asyncio, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell takes from what it runs in the background
from fiber import Fiber, openai_compatible
fiber = Fiber(providers=[openai_compatible("local", sys.argv[1])], default_model="local:m", transport=sys.argv[2])
kept = []
async def main():
    stream = fiber.chat_stream("Hi")
    kept.append(stream)
    await anext(stream)
    print("begun", flush=True)
"""
_WAYS = {
    "asyncio": "asyncio.run(main())",
    "trio": "import trio; trio.run(main)",
    "a loop that nobody shuts down": "asyncio.new_event_loop().run_until_complete(main())",
    "blocking": "stream = fiber.sync.chat_stream('Hi'); next(stream); print('begun', flush=True)",
    "blocking, in a thread": (
        "import threading; began = threading.Event()\n"
        "def read():\n"
        "    stream = fiber.sync.chat_stream('Hi'); next(stream)\n"
        "    print('begun', flush=True); began.set(); list(stream)\n"
        "threading.Thread(target=read, daemon=True).start(); began.wait(10)"
    ),
}
_SECONDS = 20


@pytest.fixture
def url() -> Iterator[str]:
    """A provider that begins to answer and falls silent."""
    with MockServer(handler=lambda request: Reply("one two three", end="stall", cut_after_events=2)) as server:
        yield server.base_url("openai")


@pytest.mark.parametrize("transport", ["direct", "httpx"])
@pytest.mark.parametrize("way", _WAYS)
def test_a_process_may_end_in_the_middle_of_a_stream(url: str, way: str, transport: str) -> None:
    """Neither a hang nor a line on stderr, warnings included; an HTTP library may have words of its own."""
    quiet = () if way.startswith("a loop") else ("-W", "error")
    command = [sys.executable, *quiet, "-c", _BEGIN + _WAYS[way], url, transport]

    ended = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)

    said = ended.stderr if transport == "direct" or "/fiber/" in ended.stderr else ""
    assert (ended.returncode, ended.stdout, said) == (0, "begun\n", "")


@pytest.mark.parametrize("way", ["asyncio", "blocking"])
def test_an_interrupt_ends_a_stream_at_once(url: str, way: str) -> None:
    """Ctrl-C in the middle of a read is the usual KeyboardInterrupt, and nothing of ours delays or hides it."""
    wait = {
        "asyncio": "async def all():\n    await main(); [event async for event in kept[0]]\nasyncio.run(all())",
        "blocking": "stream = fiber.sync.chat_stream('Hi'); next(stream); print('begun', flush=True); list(stream)",
    }
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _BEGIN + wait[way], url, "direct"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None

    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=_SECONDS)

    assert process.returncode == -signal.SIGINT
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert "Warning" not in said
    assert "Exception ignored" not in said
