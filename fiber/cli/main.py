"""
Runs a command. Errors go to standard error, and `codes` says which code means what.

When output is piped it is plain text or, with `--json`, one JSON document a line.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module

from fiber._errors import FiberError
from fiber.cli import codes
from fiber.cli.commands import parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = parser().parse_args(arguments)
    module, _, name = options.run.partition(":")
    try:
        code = int(getattr(import_module(module), name)(options))
        sys.stdout.flush()  # here, where a reader that is gone is expected, and not when the interpreter ends
        return code
    except FiberError as error:
        from fiber.cli.output import complain

        complain(error, as_json=getattr(options, "json", False))
        return codes.FAILED
    except codes.Refusal as refusal:
        print(f"fiber: {refusal.message}", file=sys.stderr)
        return refusal.code
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return codes.INTERRUPTED
    except BrokenPipeError:
        # The reader of a pipe went away (`fiber ask ... | head`); keep the interpreter from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return codes.DONE
