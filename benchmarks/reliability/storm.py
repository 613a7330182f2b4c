"""What the storms of cancellations share: the client under a small pool, names, and what a process holds."""

from __future__ import annotations

import functools
import gc
import os
import random
import time
from collections.abc import Iterator

from raw import RawServer
from worlds import client

from fiber import NO_RETRY, Fiber, Timeouts

POOL = 10
WORKERS = 40
LONGEST_SECONDS = 0.05
"""A call is cancelled at a random moment up to here; an undisturbed one takes about as long in the crowd."""

NEXT_CALLS = 100
AFTERWARDS = Timeouts(connect=1.5, total=60)
"""For the calls after the storm: whoever waits so long for a place will never get one."""


def small_pool() -> None:
    """Have every transport made from now on hold few connections."""
    from fiber.transports import network

    network.Pool = functools.partial(network.Pool, most=POOL)  # type: ignore[misc, assignment]


def nonces() -> Iterator[str]:
    """Yield words that no other call has."""
    start = random.getrandbits(32)
    number = 0
    while True:
        number += 1
        yield f"nonce-{start:08x}x{number:06x}"


def crowded(server: RawServer) -> Fiber:
    """Make the client of a storm."""
    return client(server.base_url("echo_slowly"), timeouts=Timeouts(connect=30, total=60), retry=NO_RETRY)


def holding(fiber: Fiber, server: RawServer) -> Fiber:
    """Return a view whose calls are held for a while: another path on the same server, so of the same pool."""
    row = fiber.providers["openai"].replace(base_url=server.base_url("hold"))
    return fiber.register_provider(row, api_key="sk-held-0123456789", replace=True)


def open_files() -> int:
    """Return how many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))


def resident_bytes() -> int:
    """Return the resident memory of this process, after a collection."""
    gc.collect()
    time.sleep(0.05)
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def living_tasks() -> int:
    """Return how many tasks the running loop has."""
    import asyncio

    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        import trio

        return trio.lowlevel.current_statistics().tasks_living
