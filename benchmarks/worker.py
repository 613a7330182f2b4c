"""
Measure one client in one scenario, in this process, and print the figure as JSON.

    python worker.py MODULE:CLASS is-blocking FORMAT SCENARIO SIZE SECONDS URL

Imports next to nothing of its own, for a whole process is one of the things that are measured.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Coroutine
from importlib import import_module
from typing import Any

from scenarios import SCENARIOS, Found, Run


def finished(work: Coroutine[Any, Any, Found]) -> Found:
    """Return the result of a coroutine that never suspends."""
    try:
        work.send(None)
    except StopIteration as end:
        found: Found = end.value
        return found
    raise RuntimeError("a blocking client waited for an event loop")


def measured(place: str, format: str, scenario: str, size: str, seconds: str, url: str, *, blocks: bool) -> Found:
    """Measure the client of *place*, `module:class`."""
    module, _, name = place.partition(":")
    work = SCENARIOS[scenario].run
    if work is None:
        raise ValueError(f"{scenario} is not measured in a worker")

    def make(url: str, format: str) -> Any:
        return getattr(import_module(module), name)(url, format)

    running: Any = work(Run(make, url, format, int(size), float(seconds)))
    if blocks:
        return finished(running)
    import asyncio

    return asyncio.run(running)


def main(place: str, blocks: str, *rest: str) -> int:
    """Measure and print; return 1 when it failed."""
    try:
        found = measured(place, *rest, blocks=blocks == "True")
    except Exception as error:
        print(json.dumps({"error": f"{type(error).__name__}: {error}"[:300]}))
        return 1
    print(json.dumps({"value": found.value, **found.details}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
