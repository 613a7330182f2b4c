"""What a recorded answer cost: its bytes go through the machine as if they had just come."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, date, datetime, time
from pathlib import Path

import msgspec

from fiber._errors import FiberValidationError
from fiber._fiber import Fiber
from fiber.cli.lockfiles import found, said_profile
from fiber.registry.catalog import BUNDLED
from fiber.registry.prices import PriceQuery, PriceSource, Rates
from fiber.testing.fake import FakeReply, FakeTransport
from fiber.types.config import NO_RETRY
from fiber.types.cost import Cost

_STREAMS = {b"{": "application/x-ndjson", b"\0": "application/vnd.amazon.eventstream"}
"""What a stream is, by how it begins; all others are events of a server."""


class Dated:
    """The prices of the catalogue on a day, at noon."""

    def __init__(self, day: date) -> None:
        self._at = datetime.combine(day, time(12), UTC)

    def rates(self, query: PriceQuery) -> Rates | None:
        """Return what held then."""
        return BUNDLED.rates(msgspec.structs.replace(query, at=self._at))


def prices_of(options: argparse.Namespace) -> PriceSource | None:
    """Return the prices of the day that *options* say, when they say one."""
    day = getattr(options, "at", None)
    return None if day is None else Dated(day)


def cost_of(body: bytes, model: str, options: argparse.Namespace) -> Cost:
    """
    Return what the answer *body* of *model* cost, with the day and the lockfile of *options*.

    Raises:
        FiberError: It is no answer of that provider, or one that was cut.
    """
    lockfile = found(options.lockfile)
    route = Fiber(lockfile=lockfile, profile=said_profile(options, lockfile)).route(model)
    is_whole = _is_json(body)
    kind = "application/json" if is_whole else _STREAMS.get(body.lstrip()[:1], "text/event-stream")
    fiber = Fiber(
        transport=FakeTransport(FakeReply(200, {"content-type": kind}, (body,))),
        api_keys={route.provider: "none"},
        base_urls={route.provider: "https://recorded.invalid"},
        retry=NO_RETRY,
        prices=prices_of(options),
    )
    if is_whole:
        result = fiber.sync.chat("-", model=route.model, provider=route.provider)
    else:
        result = fiber.sync.chat_stream("-", model=route.model, provider=route.provider).collect()
    usage, receipt = result.usage, result.receipt
    return Cost(
        usd=usage.cost_usd,
        status=usage.cost_status,
        lines=receipt.cost_lines,
        source=receipt.cost_source,
        revision=receipt.cost_revision,
        note=receipt.cost_note,
    )


def body_of(path: str) -> bytes:
    """Read a recorded answer; `-` is standard input."""
    try:
        return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as error:
        raise FiberValidationError(
            f"{path} cannot be read: {error.strerror}.", parameter="response", outcome="not_sent"
        ) from None


def _is_json(body: bytes) -> bool:
    try:
        msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return False
    return True
