"""Who hears of calls and hands their records on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from os import PathLike
from typing import TypeAlias, cast

from fiber._chain import Call
from fiber._errors import FiberValidationError
from fiber._reply import Ending
from fiber.metering.courier import Courier
from fiber.transports.base import Transport, aside, wall
from fiber.types.usage import UsageRecord
from fiber.usage.places import sink_at
from fiber.usage.recording import record_of
from fiber.usage.sinks import FunctionUsage, UsageSink

AnySink: TypeAlias = UsageSink | Callable[[UsageRecord], object] | str | PathLike[str]
"""A sink, a function that takes each record, or where a file or a database is."""

_QUIET_SECONDS = 60.0
"""So long nothing is told of records that go on being lost."""


class UsageLog:
    """
    Write down what each call took; for `Fiber(usage=...)`, and several clients may share one.

    A call waits for none of it: each sink has a queue and a thread. What `kill -9` loses is what ended in the last
    *every* seconds, and what was being written.

    Args:
        sinks: Where records go: sinks, functions that take each record, and paths, as for `fiber stats`.
        limit: So many records wait for a sink at most; further ones are lost, and counted.
        every: Seconds between two writes at least.

    Raises:
        FiberValidationError: A sink is none, or a number is out of its range.
    """

    def __init__(self, *sinks: AnySink, limit: int = 10_000, every: float = 0.25) -> None:
        if type(limit) is not int or limit < 1:
            raise _wrong("limit", f"UsageLog(limit=...) must be a whole number from 1, not {limit!r}.")
        if type(every) not in (int, float) or not 0 <= every <= 3600:
            raise _wrong("every", f"UsageLog(every=...) must be seconds from 0 to 3600, not {every!r}.")
        self._sinks = [_sink(said) for said in sinks]
        self._failed = 0
        self._couriers = [Courier(self._writer(sink), limit=limit, every=every) for sink in self._sinks]
        self._error = ""
        self._told = 0
        self._quiet_until = 0.0

    @property
    def lost(self) -> int:
        """Records that did not get where they should: the queue was full, or the sink raised; for each sink."""
        return self._failed + sum(courier.dropped for courier in self._couriers)

    def begin(self, call: Call) -> None:
        """Nothing is to be done yet."""

    def end(self, call: Call, ending: Ending) -> None:
        """Hand on the record of *call*, which ended so."""
        try:
            record = record_of(call, ending)
        except Exception as error:  # a price list of others, or a bound field that cannot be shown
            self._fail(1, error)
        else:
            for courier in self._couriers:
                courier.put(record)
        if (lost := self.lost) > self._told and (now := wall(call.transport)) >= self._quiet_until:
            self._told, self._quiet_until = lost, now + _QUIET_SECONDS
            call.tell("usage_error", lost=lost, error_kind=self._error or None)

    async def shut(self, transport: Transport, *, on_loop: bool) -> None:
        """Write what waits, and close the sinks, as `close` does; others go on meanwhile."""
        await aside(transport, self.close)

    def flush(self, timeout: float = 10.0) -> bool:
        """
        Wait until all records so far are written.

        Args:
            timeout: Seconds to wait at most, for each sink.

        Returns:
            Whether they were, or are lost, in that time.
        """
        done = [courier.flush(timeout) for courier in self._couriers]
        return all(done)

    def close(self) -> bool:
        """
        Write what waits, for two seconds at most, and close the sinks that can be; a later record opens them again.

        Returns:
            Whether all was written, or is lost, in that time.
        """
        done = [courier.close() for courier in self._couriers]
        for sink, is_done in zip(self._sinks, done, strict=True):
            close = getattr(sink, "close", None)
            if is_done and close is not None:
                try:
                    close()
                except Exception as error:
                    self._fail(0, error)
        return all(done)

    def _writer(self, sink: UsageSink) -> Callable[[list[UsageRecord]], None]:
        def write(records: list[UsageRecord]) -> None:
            try:
                sink.write(records)
            except BaseException as error:
                self._fail(len(records), error)
                raise

        return write

    def _fail(self, records: int, error: BaseException) -> None:
        self._failed += records
        self._error = type(error).__name__


def usage_of(said: UsageLog | AnySink | Iterable[AnySink] | None) -> UsageLog | None:
    """
    Return the log that *said* makes; None when it says nothing.

    Raises:
        FiberValidationError: It is something else.
    """
    if said is None or isinstance(said, UsageLog):
        return said
    if isinstance(said, list | tuple | set | frozenset):
        return UsageLog(*said) if said else None
    return UsageLog(said)  # type: ignore[arg-type]


def _sink(said: AnySink) -> UsageSink:
    if isinstance(said, str | PathLike):
        return sink_at(said)
    if callable(getattr(said, "write", None)):
        return cast(UsageSink, said)
    if callable(said):
        return FunctionUsage(said)
    raise _wrong(
        "usage",
        f"{said!r} takes no records: pass SQLiteUsage(), JSONLUsage(path), an object with write(records), or a function"
        " that takes a UsageRecord.",
    )


def _wrong(parameter: str, message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter=parameter, outcome="not_sent")
