"""`fiber ask`: one prompt, one answer."""

from __future__ import annotations

import argparse
import sys

from fiber._errors import FiberValidationError
from fiber.cli import output
from fiber.cli.client import call_options, client_for
from fiber.types.messages import ChatMessage


def run(options: argparse.Namespace) -> int:
    """Send the prompt and print the answer."""
    messages = [ChatMessage.user(prompt_of(options.prompt))]
    if options.system:
        messages.insert(0, ChatMessage.system(options.system))
    stream = output.is_terminal() if options.stream is None else options.stream
    with client_for(options) as fiber:
        if stream:
            result = output.print_stream(
                fiber.sync.chat_stream(messages, **call_options(options)), as_json=options.json
            )
        else:
            result = fiber.sync.chat(messages, **call_options(options))
            if options.json:
                output.print_json(result)
            else:
                output.print_answer(result)
    for warning in () if stream else result.warnings:
        output.note(warning)
    if options.verbose:
        output.note(output.describe(result))
    return 0


def prompt_of(words: list[str]) -> str:
    """Return the prompt: the words, or standard input for `-` or no words; both when text is piped in as well."""
    said = " ".join(words)
    if said in ("", "-") or not sys.stdin.isatty():
        piped = "" if sys.stdin.closed or (said not in ("", "-") and not _has_input()) else sys.stdin.read()
        said = "\n\n".join(text for text in (said if said != "-" else "", piped.strip("\n")) if text)
    if not said.strip():
        raise FiberValidationError("There is no prompt: give it as words or on standard input.", parameter="prompt")
    return said


def _has_input() -> bool:
    # Words and a pipe together: read the pipe only when it is a real one (a file or a command), so that a service
    # or a test without standard input does not wait for ever.
    import select

    try:
        return bool(select.select([sys.stdin], [], [], 0)[0])
    except (OSError, ValueError):
        return False
