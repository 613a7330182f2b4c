"""
What all workers share: cells come in as lines of JSON, outcomes go out.

Standard library alone: a worker runs in the environment of its library, where fiber is not installed.
"""

from __future__ import annotations

import gc
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

KEY = "sk-canary-0123456789abcdef"


@dataclass
class Call:
    """A tool call as it is read."""

    name: str = ""
    arguments: Any = ""


@dataclass
class Answer:
    """
    What a user of the library read.

    Attributes:
        text: The pieces of the text.
        finish: The library's word for how the answer ended.
        calls: Tool calls by index or id.
        told: What the library told as a failure without raising: a documented event or member for that.
    """

    text: list[str] = field(default_factory=list)
    finish: str | None = None
    calls: dict[Any, Call] = field(default_factory=dict)
    told: str = ""


@dataclass
class Cell:
    """One call to make; the fields are those of the lines."""

    base_url: str
    format: str
    stream: bool
    timeout: float
    total: float
    retries: int | None
    prompts: list[str]
    max_tokens: int


Ask = Callable[[str], Any]
Read = Callable[[Any, Answer], None]
Client = Callable[[Cell], tuple[Ask, Read]]
"""Makes a client: what calls it with a prompt, and what reads the result or one piece of a stream."""


class UnreadableError(Exception):
    """What came back lacks members that the library documents."""


def serve(distribution: str, clients: dict[str, Client]) -> None:
    """Play cells until there are none left."""
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some libraries print
    if distribution != "fiber-llm" and importlib.util.find_spec("fiber") is not None:
        raise RuntimeError("fiber must not be in the environment of another library")
    try:
        version = importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        version = "of this folder"
    print(json.dumps({"version": version, "python": platform.python_version()}), file=lines, flush=True)
    for line in sys.stdin:
        cell = Cell(**json.loads(line))
        print(json.dumps(_play(cell, clients[cell.format])), file=lines, flush=True)


def _play(cell: Cell, client: Client) -> dict[str, Any]:
    gc.collect()
    before = _reset_peak()
    started = time.monotonic()
    outcome: dict[str, Any]
    try:
        answer = _ask(cell, client)
        calls = [{"name": call.name, "arguments": call.arguments} for call in answer.calls.values()]
        text = "".join(answer.text)
        outcome = {"text": text, "finish": answer.finish, "calls": calls, "told": answer.told}
        outcome["encodes"] = _encodes(text)  # here, because JSON on its way joins two halves of a character
    except UnreadableError as error:
        outcome = {"unreadable": str(error)}
    except BaseException as error:
        outcome = {"error": _described(error)}
    outcome["seconds"] = time.monotonic() - started
    outcome["grown_bytes"] = max(0, _peak() - before)
    return outcome


def _ask(cell: Cell, client: Client) -> Answer:
    ask, read = client(cell)
    answer = Answer()
    for number, prompt in enumerate(cell.prompts):
        if number:
            time.sleep(0.05)  # so that the server's close has arrived
        answer = Answer()
        found = ask(prompt)
        pieces: Iterable[Any] = found if cell.stream else [found]
        for piece in pieces:
            try:
                read(piece, answer)
            except Exception as error:
                raise UnreadableError(f"{type(error).__name__}: {str(error)[:200]}") from error
    return answer


def _encodes(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _described(error: BaseException) -> dict[str, Any]:
    bases = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    status = getattr(error, "status_code", None) or getattr(error, "code", None)
    return {
        "bases": bases,
        "status": status if isinstance(status, int) and not isinstance(status, bool) else None,
        "message": str(error)[:500],
    }


def _reset_peak() -> int:
    """Forget the peak where the system can; return the memory that counts as the beginning."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")
    except OSError:
        pass
    return _peak()


def _peak() -> int:
    """Return the most memory that this process had at once."""
    try:
        with open("/proc/self/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
