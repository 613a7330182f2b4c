"""
Runs the command in children that are made quickly: this process has imported everything, and each child is a fork.

A line on standard input is a list of arguments; on standard output comes the child's number, and at its end how it
ended: its exit code, or minus the signal.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from fiber.cli import batch
from fiber.cli.main import main
from tests.kit import scripted, whole

if __name__ == "__main__":
    # What a call needs is imported at the first one.
    fiber, _ = scripted(whole(batch.BUDGET))
    fiber.sync.ask("Hi")
    for name in ("choice", "asyncio_stream"):
        import_module(f"fiber.transports.{name}")
    for said in sys.stdin:
        child = os.fork()
        if not child:
            code = 1
            try:
                code = main(json.loads(said))
            finally:
                os._exit(code)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
