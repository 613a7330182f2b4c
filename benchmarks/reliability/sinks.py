"""Everything that a host may write down or send away, searched for words that must not be in it."""

from __future__ import annotations

import importlib.util
import logging
import pickle
import sys
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from fiber import BusinessEvent, Events, FiberError, JSONLUsage, Metrics, UsageLog
from fiber.usage.page import page

KEY_WORD = "canaryKEY7f3a9"
PROMPT_WORD = "canaryPROMPT51c2"
WORDS = {"key": KEY_WORD.encode(), "prompt": PROMPT_WORD.encode()}


class Found:
    """
    What was found, and where.

    Attributes:
        bytes: By word (`key`, `prompt`) and sink, how many bytes of the word.
        places: By the same, where it was found first.
    """

    def __init__(self) -> None:
        self.bytes: Counter[tuple[str, str]] = Counter()
        self.places: dict[tuple[str, str], list[str]] = {}

    def search(self, sink: str, where: str, text: str | bytes, *words: str) -> None:
        """Search *text* for *words*, for both when none is named."""
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        for word in words or WORDS:
            if count := data.count(WORDS[word]):
                self.bytes[word, sink] += count * len(WORDS[word])
                places = self.places.setdefault((word, sink), [])
                if where not in places:
                    places.append(where)


class Listener(logging.Handler):
    """Hears every logger at every level; also warnings, and what Python can only print."""

    def __init__(self) -> None:
        super().__init__(level=0)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the message and all that was given with it."""
        self.said.append(logging.Formatter().format(record))
        self.said.append(repr(vars(record)))

    def __enter__(self) -> Listener:
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.DEBUG)
        for name in list(logging.root.manager.loggerDict):
            logging.getLogger(name).setLevel(logging.DEBUG)
        logging.captureWarnings(True)
        sys.unraisablehook = lambda unraisable: self.said.append(
            "".join(traceback.format_exception(unraisable.exc_value)) + str(unraisable.err_msg)
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        logging.getLogger().removeHandler(self)
        logging.captureWarnings(False)
        sys.unraisablehook = sys.__unraisablehook__

    def taken(self) -> str:
        """Return what was said since the last time."""
        said, self.said = self.said, []
        return "\n".join(said)


class Books:
    """
    What a client counts, tells and writes down of its calls.

    Args:
        place: Beginning of the names of files.

    Attributes:
        options: Of the clients.
    """

    def __init__(self, place: Path) -> None:
        self._files = (place.with_suffix(".usage.jsonl"), place.with_suffix(".usage.sqlite3"))
        self._metrics = Metrics()
        self._events: list[BusinessEvent] = []
        self._usage = UsageLog(*self._files)
        self.options = {"metrics": self._metrics, "on_event": Events(self._events.append), "usage": self._usage}

    def search(self, found: Found, where: str) -> None:
        """Search all of it; there must be some of each."""
        self._usage.close()
        events = b"\n".join(map(msgspec.json.encode, self._events))
        records = list(JSONLUsage(self._files[0]).records())
        # Beside a file of SQLite lies what was not yet moved into it.
        files = [path for file in self._files for path in file.parent.glob(f"{file.name}*")]
        assert events
        assert records
        assert len(files) >= len(self._files)
        found.search("metrics", where, self._metrics.prometheus())
        found.search("business events", where, events)
        for path in files:
            found.search("books of usage", f"{where}: {path.name}", path.read_bytes())
        found.search("the page on usage", where, page(records))


def exporter() -> Any:
    """Set OpenTelemetry up to keep all spans in memory, and return where; None where its SDK is not installed."""
    if importlib.util.find_spec("opentelemetry.sdk") is None:
        return None
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    return memory


def search_error(found: Found, where: str, error: BaseException, *, is_repeated: bool, has_variables: bool) -> None:
    """
    Search an error in every form in which it is shown, logged or sent.

    Args:
        is_repeated: The provider's own words hold the prompt, and the caller is given those; then only the key counts.
        has_variables: The variables of our frames count: neither the caller nor the provider put the key into them.
    """
    words = ("key",) if is_repeated else ("key", "prompt")
    found.search("str and repr of errors", where, f"{error}\n{error!r}\n{error.args}", *words)
    found.search("tracebacks with causes", where, "".join(traceback.format_exception(error)), *words)
    if has_variables:
        found.search("variables of our frames in tracebacks", where, "\n".join(_variables(error)), "key")
    partial = getattr(error, "partial", None)
    found.search("partial results", where, repr(partial), "key")
    found.search("members of errors", where, "\n".join(_members(error, set())), "key")
    try:
        found.search("pickles of errors", where, pickle.dumps(error), "key")
        for step in _chain(error):
            if isinstance(step, FiberError):
                # The answer, and the start of its bytes, are the caller's, and may repeat what was asked.
                step.partial = step.raw_response = None
        found.search("members of errors", where, "\n".join(_members(error, set(), hidden=False)), *words)
        found.search("pickles of errors", where, pickle.dumps(error), *words)
    except Exception as failure:
        found.bytes["key", "pickles of errors"] += 1
        found.places.setdefault(("key", "pickles of errors"), []).append(f"{where} cannot be pickled: {failure}")


def _variables(error: BaseException) -> Iterator[str]:
    # A traceback may be printed with its variables; those of the caller are his own.
    for step in _chain(error):
        for frame, _ in traceback.walk_tb(step.__traceback__):
            if "/reliability/" not in frame.f_code.co_filename:
                for name, value in frame.f_locals.items():
                    try:
                        yield f"{frame.f_code.co_qualname}: {name} = {value!r}"
                    except Exception as failure:  # half made, when the error is one of its making
                        yield f"{failure!r}"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _members(value: Any, seen: set[int], *, hidden: bool = True) -> Iterator[str]:
    """Yield *value* and all that is in it; *hidden* is what only those find who ignore `raise ... from None`."""
    if id(value) in seen:
        return
    seen.add(id(value))
    yield repr(value)
    if isinstance(value, dict):
        inner = [*value.keys(), *value.values()]
    elif isinstance(value, list | tuple | set | frozenset):
        inner = list(value)
    else:
        inner = list(getattr(value, "__dict__", {}).values())
        inner += [getattr(value, name, None) for name in getattr(value, "__struct_fields__", ())]
    if isinstance(value, BaseException):
        inner += [value.__cause__, value.__context__ if hidden or not value.__suppress_context__ else None]
    for item in inner:
        if item is not None and not isinstance(item, type):
            yield from _members(item, seen, hidden=hidden)
