"""`fiber stats` and `fiber logs`: what calls took, from where it was written down; no key, no network."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from fiber import _env
from fiber._errors import FiberValidationError
from fiber.cli import output
from fiber.cli.codes import DONE
from fiber.cli.commands.usage import EQUAL
from fiber.types.usage import FIELDS, UsageRecord
from fiber.usage.page import page
from fiber.usage.places import sink_at
from fiber.usage.sinks import UsageSource
from fiber.usage.sqlite import SQLiteUsage, cell
from fiber.usage.summing import UsageSum, plain, summed


def stats(options: argparse.Namespace) -> int:
    """Print sums, or draw them."""
    records = _found(options)
    if options.html is not None:
        _write(options.html, page(records))
        return DONE
    parts, whole = summed(records, options.by)
    if options.json:
        for part in parts:
            output.print_json(part)
    elif options.csv:
        _print_csv(UsageSum.__struct_fields__, (msgspec.structs.astuple(part) for part in parts))
    else:
        columns = (options.by, "calls", "errors", "cached", "tokens in", "out", "USD", "saved", "p50 ms", "p95", "p99")
        rows = [_row(part) for part in (*parts, whole)]
        output.print_table("Usage", columns, rows)
        if whole.unpriced:
            output.note(f"the price of {whole.unpriced} calls is not known; they are not in the sum.")
    return DONE


def logs(options: argparse.Namespace) -> int:
    """Print the last records, oldest first."""
    records = deque(_found(options), options.limit or None)
    if options.json:
        for record in records:
            output.print_json(record)
    elif options.csv:
        _print_csv(FIELDS, ([getattr(record, name) for name in FIELDS] for record in records))
    else:
        columns = ("time", "model", "outcome", "tokens in", "out", "USD", "ms", "tenant", "label")
        output.print_table("Calls", columns, map(_line, records))
    return DONE


def _found(options: argparse.Namespace) -> Iterator[UsageRecord]:
    """Return the records that are asked for."""
    wanted = {name: value for name in EQUAL if (value := getattr(options, name)) is not None}
    only_errors = getattr(options, "errors", False)
    for record in _source(options.source).records(since=options.since, until=options.until):
        is_wanted = all(getattr(record, name) == value for name, value in wanted.items())
        if is_wanted and not (only_errors and record.outcome not in ("error", "truncated")):
            yield record


def _source(said: str | None) -> UsageSource:
    where = said or _env.usage()
    source = sink_at(where) if where else SQLiteUsage()
    path = getattr(source, "path", None)
    if path is not None and not path.exists():
        raise FiberValidationError(
            f"There is no usage at {path}: write it with Fiber(usage=SQLiteUsage()) or FIBER_USAGE, or say --from.",
            parameter="from",
            outcome="not_sent",
        )
    return source


def _write(name: str, text: str) -> None:
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise FiberValidationError(f"{name} cannot be written: {error.strerror}.", parameter="html") from None


def _print_csv(names: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([cell(value) for value in row])


def _row(part: UsageSum) -> list[str]:
    counts = (part.calls, part.errors, part.cached, part.input_tokens, part.output_tokens)
    times = ("" if ms is None else f"{ms:.0f}" for ms in (part.p50_ms, part.p95_ms, part.p99_ms))
    return [part.key or "-", *map(str, counts), plain(part.cost_usd), plain(part.saved_usd), *times]


def _line(record: UsageRecord) -> list[str]:
    counts = ("" if count is None else str(count) for count in (record.input_tokens, record.output_tokens))
    usd = "" if record.cost_usd is None else plain(record.cost_usd)
    outcome = "cached" if record.cached else record.error or record.outcome
    time, model = f"{record.time:%Y-%m-%d %H:%M:%S}", f"{record.provider}:{record.model}"
    return [time, model, outcome, *counts, usd, f"{record.latency_ms:.0f}", record.tenant, record.label]
