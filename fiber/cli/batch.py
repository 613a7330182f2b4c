"""
`fiber batch`: every line of a file asked, its answer in another; killed at any moment, it goes on where it was.

Exit codes: 0 all lines are answered, 1 some failed or are left, 2 wrong usage, 3 the budget is used up, 130
interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterator
from decimal import Decimal
from time import monotonic
from typing import Any

from fiber._errors import FiberBudgetError, FiberError, FiberValidationError
from fiber._fiber import Fiber
from fiber.cli import output
from fiber.cli.answers import Answers
from fiber.cli.client import client_for
from fiber.cli.lines import Line, answer_of, call_of, lines_of
from fiber.cli.progress import bar
from fiber.transports.loops import Loops
from fiber.types.batch import BatchSummary
from fiber.types.budget import Budget
from fiber.types.result import ChatResult

BUDGET = "batch"
_CEILINGS = ("cost_ceiling_usd", "token_budget")


class Run:
    """
    One run over the lines that are left.

    Attributes:
        refusal: Why no further line is begun: what the budget, which holds for the whole output, said.
    """

    def __init__(self, fiber: Fiber, answers: Answers, options: argparse.Namespace) -> None:
        self._fiber, self._answers, self._options = fiber, answers, options
        self._has_budget = options.budget_usd is not None or options.token_budget is not None
        self._flying = 0
        self._ended = asyncio.Event()
        self.summary = BatchSummary()
        self.refusal: FiberError | None = None

    async def go(self, total: int) -> None:
        """Ask for what is not answered, and write down what comes, as it comes."""
        answers = self._answers
        with bar(total, answers.done, answers.failed) as show:
            async with Loops().crew(self._ask, self._left(), self._options.concurrency) as done:
                async for line, outcome in done:
                    if outcome is None:
                        continue
                    failed = isinstance(outcome, FiberError)
                    answers.write(line, answer_of(line, outcome), failed=failed)
                    self.summary = self.summary.plus(outcome)
                    show(self.summary)
                    if failed and self._options.fail_fast:
                        return

    def _left(self) -> Iterator[Line]:
        for line in lines_of(self._options.input):
            if self.refusal is not None:
                return
            if not self._answers.has(line):
                yield line

    async def _ask(self, line: Line) -> tuple[Line, ChatResult | FiberError | None]:
        """Return what became of *line*; nothing when the budget has no room for it."""
        try:
            messages, options = call_of(line)
            said = {name: getattr(self._options, name) for name in ("model", "max_tokens")}
            options = {**{name: value for name, value in said.items() if value is not None}, **options}
            while True:
                try:
                    return line, await self._chat(messages, options)
                except FiberBudgetError as error:
                    if not self._has_budget or error.parameter in _CEILINGS:
                        raise
                    if self.refusal is None and (self._flying == 0 or error.parameter != BUDGET):
                        self.refusal = error
                        self._ring()
                    if self.refusal is not None:
                        return line, None
                # Calls in flight hold the most that they can use: there may be room when one of them has ended.
                await self._ended.wait()
        except FiberError as error:
            return line, error

    async def _chat(self, messages: Any, options: dict[str, Any]) -> ChatResult:
        self._flying += 1
        try:
            result = await self._fiber.chat(messages, **options)
        except FiberBudgetError:
            self._flying -= 1
            raise
        except BaseException:
            self._flying -= 1
            self._ring()
            raise
        self._flying -= 1
        self._ring()
        return result

    def _ring(self) -> None:
        self._ended.set()
        self._ended = asyncio.Event()


def run(options: argparse.Namespace) -> int:
    """Ask for all lines that are not answered yet, say what became of them, and return the exit code."""
    if options.output.exists() and options.input.exists() and options.output.samefile(options.input):
        raise FiberValidationError("Input and output are the same file.", parameter="output", outcome="not_sent")
    began = monotonic()
    total = 0
    with Answers(options.output) as answers:
        if options.retry_failed:
            answers.forget_failed()
        before = answers.done
        for line in lines_of(options.input):
            total += 1
            before -= answers.has(line)
        if before:
            raise FiberValidationError(
                f"{options.output} answers {before} lines that the input does not have: give a new output, or the old"
                " input.",
                parameter="input",
                outcome="not_sent",
            )
        with client_for(options, budgets=_budgets(options, answers), profile=options.profile) as fiber:
            work = Run(fiber, answers, options)
            code = _code_of(work, total)
        if options.ordered:
            answers.order()
        left = max(0, total - answers.done)
        _tell(options, answers, work.summary, total, left, monotonic() - began)
        if work.refusal is not None:
            output.note(f"stopped: {work.refusal} The same command goes on.")
        if code == 130:
            output.note("interrupted. The same command goes on.")
        return code or int(bool(answers.failed or left))


def _code_of(work: Run, total: int) -> int:
    """Do *work*, and return the exit code; 0 when that depends on the output."""
    try:
        asyncio.run(work.go(total))
    except KeyboardInterrupt:
        return 130
    return 3 if work.refusal is not None and work.refusal.parameter == BUDGET else 0


def _budgets(options: argparse.Namespace, answers: Answers) -> list[Budget] | None:
    """Return what is left of the budget, which is that of the whole output and not of one run."""
    usd, tokens = options.budget_usd, options.token_budget
    if usd is None and tokens is None:
        return None
    return [
        Budget(
            name=BUDGET,
            usd=None if usd is None else max(Decimal(0), usd - answers.cost_usd),
            tokens=None if tokens is None else max(0, tokens - answers.tokens),
            period="ever",
        )
    ]


def _tell(
    options: argparse.Namespace, answers: Answers, summary: BatchSummary, total: int, left: int, seconds: float
) -> None:
    if options.json:
        counts = {"lines": total, "answered": answers.done - answers.failed, "failed": answers.failed, "left": left}
        output.print_json({**counts, "seconds": seconds, "run": summary})
        return
    cost = "cost unknown" if summary.usage.cost_usd is None else f"{summary.usage.cost_usd:f} USD"
    unpriced = f" and {summary.unpriced} of unknown cost" if summary.unpriced and summary.usage.cost_usd else ""
    output.note(
        f"{answers.done - answers.failed} of {total} lines answered, {answers.failed} failed, {left} left;"
        f" this run: {summary.done} calls, {cost}{unpriced}, {seconds:.1f} s"
    )
