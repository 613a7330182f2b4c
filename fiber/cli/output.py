"""Printing: rich in a terminal where it is installed, plain text everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from fiber._streams import SyncChatStream
from fiber.types.events import Log, ReasoningDelta, TextDelta
from fiber.types.result import ChatResult


def is_terminal() -> bool:
    """Say whether standard output is a terminal."""
    return sys.stdout.isatty()


def print_json(value: Any) -> None:
    """Print *value* as one line of JSON."""
    print(msgspec.json.encode(value, enc_hook=str).decode(), flush=True)


def print_answer(result: ChatResult) -> None:
    """Print the text of *result*; tool calls in words."""
    print(result.text)
    for call in result.tool_calls:
        print(f"[calls {call.name}({call.arguments_json})]")


def print_stream(stream: SyncChatStream, *, as_json: bool) -> ChatResult:
    """Print *stream* as it comes and return its result; reasoning is dimmed, and only shown in a terminal."""
    dim, normal = ("\x1b[2m", "\x1b[0m") if is_terminal() else ("", "")
    thinking = False
    with stream:
        for event in stream:
            if as_json:
                print_json(event)
            elif isinstance(event, ReasoningDelta) and dim:
                print(f"{dim}{event.text}{normal}", end="", flush=True)
                thinking = True
            elif isinstance(event, TextDelta):
                print(("\n" if thinking else "") + event.text, end="", flush=True)
                thinking = False
            elif isinstance(event, Log):
                note(event.message)
        result = stream.result
    if not as_json:
        print()
        for call in result.tool_calls:
            print(f"[calls {call.name}({call.arguments_json})]")
    return result


def note(text: str) -> None:
    """Say *text* on standard error."""
    print(f"fiber: {text}", file=sys.stderr)


def describe(result: ChatResult) -> str:
    """Say in a line what a call took."""
    usage, receipt = result.usage, result.receipt
    counts = f"{_known(usage.input_tokens)} tokens in, {_known(usage.output_tokens)} out"
    seconds = f"{receipt.seconds:.2f} s" if receipt.seconds is not None else "?"
    tries = f"{len(receipt.attempts)} attempt{'s' * (len(receipt.attempts) != 1)}"
    return f"{result.provider} {result.model}: {seconds}, {counts}, {tries}, finished: {result.finish_reason}"


def print_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: drawn by rich in a terminal, else in aligned columns."""
    lines = [list(row) for row in rows]
    if is_terminal():
        try:
            from rich.console import Console
            from rich.table import Table
        except ImportError:
            pass
        else:
            table = Table(title=title, title_justify="left")
            for column in columns:
                table.add_column(column)
            for line in lines:
                table.add_row(*line)
            Console().print(table)
            return
    widths = [max(len(line[number]) for line in [list(columns), *lines]) for number in range(len(columns))]
    print(title)
    for line in [list(columns), *lines]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _known(count: int | None) -> str:
    return "?" if count is None else str(count)
