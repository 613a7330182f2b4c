"""A transport that answers from a file which `Recorder` wrote: no network, and a clock that nobody waits for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from threading import Lock
from typing import Any

import msgspec

from fiber._errors import FiberConnectionError
from fiber.testing.cassette import Answered, Asked, Chunk, Ended, Exchange, load
from fiber.testing.fake import FakeRequest, FakeTransport
from fiber.testing.redaction import Redact, asked_of, masker
from fiber.transports.base import HTTPResponse
from fiber.types.config import Timeouts
from fiber.types.http import HTTPHead, HTTPRequest, Secret

SILENCE_SECONDS = 86_400.0
"""How long nothing comes where nothing came until the reader's time was up: longer than any reader waits."""
_SHOWN_REQUESTS = 20
_SHOWN_CHARACTERS = 100


class Replay(FakeTransport):
    """
    Answers from a cassette; for `Fiber(transport=...)`, asynchronous and blocking alike, with any key.

    A request gets the answer of the first recorded one, not played before, that has the same method, path, query and
    body (as JSON: neither spaces nor the order of members count). Chunks come as they were cut, errors are raised
    again, and the clock moves by the recorded times.

    Args:
        path: The cassette.
        repeat: Play the last fitting answer again when all have been played.
        redact: The hook that the `Recorder` was given.

    Attributes:
        requests, slept, closed, clock: As those of `FakeTransport`.

    Raises:
        FiberValidationError: The file is not there, is not a cassette, or is not all there.
        AssertionError: On a request that was not recorded, or not so often; it says what was, and the difference.
    """

    def __init__(self, path: str | os.PathLike[str], *, repeat: bool = False, redact: Redact | None = None) -> None:
        super().__init__()
        self._path = os.fspath(path)
        self._repeat = repeat
        self._redact = redact
        self._waiting = load(path)
        self._played: list[Exchange] = []
        self._lock = Lock()

    @property
    def pending(self) -> int:
        """How many recorded exchanges have not been played."""
        return len(self._waiting)

    async def open(self, request: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        """Answer as the recorded answer to the same request began."""
        headers = {name: value.reveal() if isinstance(value, Secret) else value for name, value in request.headers}
        self.requests.append(FakeRequest(request.method, request.url, headers, request.body))
        exchange = self._find(asked_of(request, masker(request, self._redact)))
        answered = exchange.answered or Answered(0, 0.0, {})
        response = HTTPResponse(HTTPHead(answered.status, dict(answered.headers)), deque(pieces_of(exchange)))
        self._pass(answered.seconds, until)
        if exchange.answered is None:
            await self.next_chunk(response, until)  # raises: the end is all there is
        return response

    def _find(self, asked: Asked) -> Exchange:
        with self._lock:
            for place, exchange in enumerate(self._waiting):
                if exchange.asked.identity == asked.identity:
                    self._played.append(self._waiting.pop(place))
                    return exchange
            same = [exchange for exchange in self._played if exchange.asked.identity == asked.identity]
        if same and self._repeat:
            return same[-1]
        raise AssertionError("\n".join(self._unmatched(asked, len(same))))

    def _unmatched(self, asked: Asked, played: int) -> Iterator[str]:
        yield f"{self._path} has no answer for {asked.method} {asked.target}."
        if played:
            yield f"It was recorded and played {played} times: use repeat=True, or record again."
        known = [(exchange, " (played)") for exchange in self._played]
        known += [(exchange, "") for exchange in self._waiting]
        yield f"Recorded are {len(known)} requests:"
        yield from (f"  {e.asked.method} {e.asked.target}{note}" for e, note in known[:_SHOWN_REQUESTS])
        if not played and (candidates := [exchange.asked for exchange in self._waiting]):
            nearest = max(candidates, key=lambda one: (one.target == asked.target, one.method == asked.method))
            yield f"First difference to {nearest.method} {nearest.target}: {difference(nearest, asked)}"


def pieces_of(exchange: Exchange) -> Iterator[bytes | float | BaseException]:
    """Yield the body of *exchange* with its pauses, and then how it ended."""
    ended = exchange.ended
    moment = 0.0 if exchange.answered is None else exchange.answered.seconds
    parts: tuple[Chunk | Ended, ...] = (*exchange.chunks, ended)
    for part in parts:
        if part.seconds > moment:
            yield part.seconds - moment
            moment = part.seconds
        if isinstance(part, Chunk):
            yield part.data
    if ended.failure is not None:
        yield ended.failure.restored()
    elif ended.how == "silence":
        yield SILENCE_SECONDS
    if ended.how != "complete":
        yield FiberConnectionError(
            "The recording ends here, because its reader did not read on: record it again.",
            outcome="unknown",
            should_retry=False,
        )


def difference(recorded: Asked, asked: Asked) -> str:
    """Say in what *asked* first differs from *recorded*."""
    for name in ("method", "target"):
        mine, theirs = getattr(asked, name), getattr(recorded, name)
        if mine != theirs:
            return f"the {name} is {_shown(mine)}, recorded {_shown(theirs)}"
    bodies = [one.json if one.json is not msgspec.UNSET else one.text or one.base64 for one in (asked, recorded)]
    return next(_differences("body", *bodies), "the bodies are equal, but only one of them is JSON")


def _differences(where: str, mine: Any, theirs: Any) -> Iterator[str]:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        pairs = [(f"{where}.{name}", name) for name in sorted({*mine, *theirs})]
    elif isinstance(mine, list) and isinstance(theirs, list):
        mine, theirs = dict(enumerate(mine)), dict(enumerate(theirs))
        pairs = [(f"{where}[{name}]", name) for name in sorted({*mine, *theirs})]
    else:
        if (type(mine), mine) != (type(theirs), theirs):
            yield f"{where} is {_shown(mine)}, recorded {_shown(theirs)}"
        return
    for place, name in pairs:
        if name not in theirs:
            yield f"{place} is {_shown(mine[name])}, recorded nothing"
        elif name not in mine:
            yield f"{place} is missing, recorded {_shown(theirs[name])}"
        else:
            yield from _differences(place, mine[name], theirs[name])


def _shown(value: Any) -> str:
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else msgspec.json.encode(value).decode()
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
