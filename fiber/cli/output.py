"""Printing: rich in a terminal where it is installed, plain text everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from fiber._errors import FiberError
from fiber._streams import SyncChatStream
from fiber.types.events import Log, ReasoningDelta, TextDelta
from fiber.types.result import ChatResult

_FACTS = ("parameter", "provider", "model", "status_code", "provider_code", "request_id", "retry_after", "outcome")

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


def is_terminal() -> bool:
    """Say whether standard output is a terminal."""
    return sys.stdout.isatty()


def print_json(value: Any) -> None:
    """Print *value* as one line of JSON."""
    print(msgspec.json.encode(value, enc_hook=str).decode(), flush=True)


def print_answer(result: ChatResult) -> None:
    """Print the text of *result*; tool calls in words."""
    console = _console()
    if console is None:
        print(result.text)
    else:
        from rich.markdown import Markdown

        console.print(Markdown(result.text))
    _print_calls(result)


def print_stream(stream: SyncChatStream, *, as_json: bool) -> ChatResult:
    """Print *stream* as it comes and return its result; reasoning is dimmed, and only shown in a terminal."""
    console = None if as_json else _console()
    with stream:
        if as_json:
            for event in stream:
                print_json(event)
        elif console is not None:
            _print_live(stream, console)
        else:
            _print_pieces(stream)
        result = stream.result
    if not as_json:
        _print_calls(result)
    return result


def _print_live(stream: SyncChatStream, console: Any) -> None:
    from rich.console import Group
    from rich.live import Live
    from rich.markdown import Markdown
    from rich.text import Text

    thought = said = ""
    with Live(console=console, vertical_overflow="visible") as live:
        for event in stream:
            match event:
                case ReasoningDelta(text=text):
                    thought += text
                case TextDelta(text=text):
                    said += text
                case Log(message=message):
                    note(message)
            live.update(Group(*[Text(thought, style="dim")] * bool(thought), Markdown(said)))


def _print_pieces(stream: SyncChatStream) -> None:
    dim, normal = ("\x1b[2m", "\x1b[0m") if is_terminal() else ("", "")
    thinking = False
    for event in stream:
        match event:
            case ReasoningDelta(text=text) if dim:
                print(f"{dim}{text}{normal}", end="", flush=True)
                thinking = True
            case TextDelta(text=text):
                print(("\n" if thinking else "") + text, end="", flush=True)
                thinking = False
            case Log(message=message):
                note(message)
    print()


def _print_calls(result: ChatResult) -> None:
    for call in result.tool_calls:
        print(f"[calls {call.name}({call.arguments_json})]")


def complain(error: FiberError, *, as_json: bool) -> None:
    """Say *error* on standard error: what was refused here in words, what came of a call with its type too."""
    if as_json:
        print(msgspec.json.encode({"error": facts_of(error)}, enc_hook=str).decode(), file=sys.stderr)
    else:
        is_ours = error.outcome == "not_sent" and error.status_code is None
        note(error.message if is_ours else f"{type(error).__name__}: {error}")


def facts_of(error: FiberError) -> dict[str, Any]:
    """Return what is known of *error*, for JSON."""
    facts = {name: value for name in _FACTS if (value := getattr(error, name)) is not None}
    return {"type": type(error).__name__, "message": error.message, **facts}


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
    console = _console()
    if console is not None:
        from rich.table import Table
        from rich.text import Text

        table = Table(*columns)
        for line in lines:
            table.add_row(*map(Text, line))  # not text with markup: an error has facts in brackets
        console.print(Text(title, style="bold"))
        console.print(table)
        return
    widths = [max(len(line[number]) for line in [list(columns), *lines]) for number in range(len(columns))]
    print(title)
    for line in [list(columns), *lines]:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def print_diff(diff: str) -> None:
    """Print a difference; in a terminal what comes is green and what goes is red."""
    console = _console()
    if console is None:
        print(diff)
        return
    from rich.text import Text

    for line in diff.splitlines():
        console.print(Text(line, style=_STYLES.get(line[:1], "")))


def _known(count: int | None) -> str:
    return "?" if count is None else str(count)


def _console() -> Any:
    """Return rich's console in a terminal; None when output is piped or the extra is not installed."""
    if not is_terminal():
        return None
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console()
