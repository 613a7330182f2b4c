"""Arguments of `fiber stats` and `fiber logs`."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from fiber.cli.arguments import add_command, add_json

BY = ("day", "week", "month", "model", "provider", "tenant")
"""What can be summed; the room of usage has the same."""
EQUAL = ("provider", "model", "tenant", "label", "outcome", "conversation_id")
"""Fields that can be asked for."""

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add(commands: Any) -> None:
    """Add both commands."""
    command = add_command(
        commands,
        "stats",
        "fiber.cli.usage:stats",
        "sum up what calls took: spend, tokens, errors, latency",
        "fiber stats --by model --since 7d",
        "fiber stats --html usage.html --since 30d",
    )
    command.add_argument("--by", choices=BY, default="day", help="what is summed; day by default, UTC")
    command.add_argument("--html", metavar="FILE", help="write a page with charts instead, for any browser")
    _finish(command)

    command = add_command(
        commands,
        "logs",
        "fiber.cli.usage:logs",
        "list calls, from where they were written down",
        "fiber logs --errors --limit 20",
        "fiber logs --tenant acme --since 24h --csv",
    )
    command.add_argument("--limit", type=_count, default=50, help="so many at most, the last ones; 0 for all; 50")
    command.add_argument("--errors", action="store_true", help="only those that failed")
    _finish(command)


def _finish(command: argparse.ArgumentParser) -> None:
    command.add_argument("--since", type=_time, metavar="TIME", help="from 2026-11-01, 2026-11-01T12:00 (UTC) or 7d on")
    command.add_argument("--until", type=_time, metavar="TIME", help="before that time")
    for name in EQUAL:
        command.add_argument(f"--{name.replace('_', '-')}", help=f"only calls with this {name.replace('_', ' ')}")
    command.add_argument(
        "--from",
        dest="source",
        metavar="WHERE",
        help="path, or postgresql://..., where usage was written; FIBER_USAGE, or the user's own file, by default",
    )
    add_json(command)
    command.add_argument("--csv", action="store_true", help="comma-separated values, with a line of names")


def _time(said: str) -> datetime:
    """Read a time, or how long ago it was."""
    if ago := re.fullmatch(r"(\d{1,4})([mhdw])", said):
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        time = datetime.fromisoformat(said)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{said!r} is not a time, like 2026-11-01, 2026-11-01T12:00 or 7d") from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _count(said: str) -> int:
    if not said.isdecimal():
        raise argparse.ArgumentTypeError(f"{said!r} is not a whole number from 0")
    return int(said)
