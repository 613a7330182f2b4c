"""`fiber lock chat`: a model that looks up models and changes the lockfile, when it is told that it may."""

from __future__ import annotations

import argparse
import sys

from fiber._conversation import SyncConversation
from fiber._errors import FiberError
from fiber.cli import output
from fiber.cli.advisor import SYSTEM, Advisor, tools
from fiber.cli.chat import turns
from fiber.cli.client import client_for
from fiber.cli.codes import DONE, FAILED
from fiber.cli.lockfiles import said_profile, text_of
from fiber.types.messages import ChatMessage
from fiber.types.result import ChatResult

HELP = "each change is shown, and written when you agree; /quit (or Ctrl-D) ends"
MOST_ROUNDS = 16
"""Times that the model may call tools before it must answer in words."""


class Talk:
    """A conversation whose tools are run; a turn that fails is forgotten, but for what the tools have done."""

    def __init__(self, conversation: SyncConversation, advisor: Advisor) -> None:
        self._conversation, self._advisor = conversation, advisor
        self._unsent: list[ChatMessage] = []  # no call may be left without its result

    def turn(self, said: str) -> ChatResult:
        """Say *said*, run the tools that are called, and return the answer in words."""
        result = self._conversation.send([*self._unsent, ChatMessage.user(said)])
        for number in range(MOST_ROUNDS):
            self._unsent = [self._advisor.answered(call) for call in result.tool_calls]
            if not self._unsent:
                break
            last = number == MOST_ROUNDS - 1
            result = self._conversation.send(self._unsent, tool_choice="none" if last else "auto")
        self._unsent = [ChatMessage.tool(call, "Too many steps.", is_error=True) for call in result.tool_calls]
        return result


def run(options: argparse.Namespace) -> int:
    """Talk until the end of input; a turn that fails is told, and makes the exit code 1 where nobody looks on."""
    path, _, lockfile = text_of(options)
    profile = said_profile(options, lockfile) or lockfile.default_profile
    interactive = sys.stdin.isatty()
    failed = DONE
    if interactive and not options.json:
        output.note(HELP)

    def agrees(diff: str) -> bool:
        if not options.json:
            output.print_diff(diff)
        agreed = options.yes or _confirmed(interactive=interactive)
        if options.json:
            output.print_json({"change": diff, "agreed": agreed})
        return agreed

    with client_for(options) as fiber:
        advisor = Advisor(path, fiber.catalog, profile, fiber.has_key, agrees)
        given = {"model": options.model} if options.model else {}
        talk = Talk(fiber.sync.conversation(system=SYSTEM, tools=tools(), **given), advisor)
        for said in turns(" ".join(options.message), interactive=interactive):
            try:
                result = talk.turn(said)
            except FiberError as error:
                failed = FAILED
                output.complain(error, as_json=options.json)
                continue
            output.print_json(result) if options.json else output.print_answer(result)
            if options.verbose:
                output.note(output.describe(result))
    return DONE if interactive else failed


def _confirmed(*, interactive: bool) -> bool:
    """Ask, in a pipe too: its next line is the answer, and its end is no."""
    question = "Write this? [y/N] "
    if not interactive:
        print(question, end="", file=sys.stderr, flush=True)
    try:
        return input(question if interactive else "").strip().lower() in ("y", "yes")
    except EOFError:
        return False
