"""Exit codes, and what ends a command with one of them."""

from __future__ import annotations

DONE, FAILED, USAGE, BUDGET, INTERRUPTED = 0, 1, 2, 3, 130

CODES = {
    DONE: "done",
    FAILED: "a call failed, or nothing was found, or something is missing or does not hold",
    USAGE: "wrong usage, or a lockfile that cannot be read",
    BUDGET: "the budget of a batch is used up",
    INTERRUPTED: "interrupted",
}
"""All exit codes; docs/features/cli.md has the same table."""


class Refusal(Exception):
    """A command cannot go on; `main` says *message* on standard error and returns *code*."""

    def __init__(self, message: str, code: int = FAILED) -> None:
        super().__init__(message)
        self.message, self.code = message, code
