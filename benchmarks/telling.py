"""
What it costs that a call is told of: its log line, its spans, and its counts in metrics.

First when nobody listens, as a share of a blocking call; then with a log handler and an SDK of OpenTelemetry that take
everything and keep nothing, as ratios to a call that is not told of.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from chain import Endless
from client import MODEL, turns
from measure import undisturbed
from server import Server

from fiber import Fiber, default_layers

HISTORY = turns(20)
GOAL = 0.03
"""So much of a call may be spent on telling nobody."""

Work = Callable[[], object]


def run(*, smoke: bool) -> Iterator[str]:
    """Yield a line for each who may listen."""
    untold = calls(transport=Endless(), layers=default_layers()[1:], metrics=False)
    told = calls(transport=Endless(), metrics=False)
    counted = calls(transport=Endless())
    with Server() as server:
        (whole,) = undisturbed(calls(base_urls={"openai": f"{server.url}/v1"}), smoke=smoke)
    # What is added is taken without a network, for over one it is less than what swings.
    alone, nobody, counting = undisturbed(untold, told, counted, smoke=smoke)
    added = nobody - alone
    share = f"{added / whole:.1%} of the {whole:.0f} us of a call (goal: under {GOAL:.0%})"
    yield f"nobody listens: {added:.1f} us, {share}"
    added = counting - nobody
    yield f"metrics, which always count: {added:.1f} us more, {added / whole:.1%} of a call"
    with logged():
        alone, line = undisturbed(untold, told, smoke=smoke)
    yield f"a log line: {line / alone:.2f} x a call without a network, which takes {alone:.0f} us"
    if importlib.util.find_spec("opentelemetry.sdk") is None:
        yield "spans: skipped, for opentelemetry-sdk is not installed"
        return
    with logged(), traced():
        alone, both = undisturbed(untold, told, smoke=smoke)
    yield f"a log line and two spans: {both / alone:.2f} x the same"


def calls(**options: Any) -> Work:
    """Return a call of a client with *options*."""
    fiber = Fiber(api_keys={"openai": "key-of-the-benchmarks"}, default_model=f"openai:{MODEL}", **options)
    return lambda: fiber.sync.chat(HISTORY)


class Void(logging.Handler):
    """Formats each line, and keeps none."""

    def emit(self, record: logging.LogRecord) -> None:
        """Format it."""
        self.format(record)


@contextmanager
def logged() -> Iterator[None]:
    """Have a handler for each line."""
    logger, handler = logging.getLogger("fiber"), Void()
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@contextmanager
def traced() -> Iterator[None]:
    """Have an SDK that hands spans to nobody; the API takes one only once in a process, so its answer is replaced."""
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider

    provider, known = TracerProvider(shutdown_on_exit=False), trace.get_tracer_provider
    trace.get_tracer_provider = lambda: provider
    try:
        yield
    finally:
        trace.get_tracer_provider = known
