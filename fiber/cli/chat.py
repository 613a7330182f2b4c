"""`fiber chat`: a conversation in the terminal."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from fiber._errors import FiberError
from fiber.cli import output
from fiber.cli.client import call_options, client_for
from fiber.types.messages import ChatMessage

HELP = "/clear forgets the history, /history shows it, /quit (or Ctrl-D) ends"


def run(options: argparse.Namespace) -> int:
    """Read turns until the end of input; answer each with the whole history. A failed turn is forgotten."""
    start = [ChatMessage.system(options.system)] if options.system else []
    history = list(start)
    failed = 0
    stream = options.stream is not False
    interactive = sys.stdin.isatty()
    if interactive and not options.json:
        output.note(HELP)
    with client_for(options) as fiber:
        for said in turns(" ".join(options.message), interactive=interactive):
            if said == "/clear":
                history = list(start)
                continue
            if said == "/history":
                for message in history:
                    print(f"{message.role}: {message.text}")
                continue
            turn = [*history, ChatMessage.user(said)]
            try:
                if stream:
                    result = output.print_stream(
                        fiber.sync.chat_stream(turn, **call_options(options)), as_json=options.json
                    )
                else:
                    result = fiber.sync.chat(turn, **call_options(options))
                    output.print_json(result) if options.json else output.print_answer(result)
            except FiberError as error:
                failed = 1
                output.note(f"{type(error).__name__}: {error}")
                continue
            history = [*turn, result.message]
            if options.verbose:
                output.note(output.describe(result))
    return 0 if interactive else failed


def turns(first: str, *, interactive: bool) -> Iterator[str]:
    """Yield *first*, and each line that is typed or piped in, until its end or `/quit`."""
    if first:
        yield first
    while True:
        try:
            line = input("> " if interactive else "")
        except EOFError:
            return
        if line.strip() in ("/quit", "/exit"):
            return
        if line.strip():
            yield line.strip()
