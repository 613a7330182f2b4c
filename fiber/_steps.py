"""
The further exchanges of an attempt, for providers that take a request and give the answer elsewhere, or later.

The adapter says what comes next (`fiber.types.http.Step`), the engine sends it; here stands what is the same for every
exchange (headers, key), where one may lead, and how the provider learns that nobody waits any more.
"""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from fiber._chain import Call
from fiber._errors import FiberConnectionError, FiberParsingError
from fiber.providers.auth import signed
from fiber.transports.base import Transport, blocking_face, detach, wall
from fiber.types.config import Timeouts
from fiber.types.http import NO_SECRET, HTTPRequest, Secret, Step

STOP_SECONDS = 5.0
"""So long a provider may take to hear that nobody waits any more; blocking code waits for it."""
_STOP_ATTEMPTS = 2
"""Whoever leaves a stream may close the client next, and with it the connection over which this is told."""
_STOP_TIMEOUTS = Timeouts(connect=STOP_SECONDS, read=STOP_SECONDS)


def ready(call: Call, request: HTTPRequest, secret: Secret) -> HTTPRequest:
    """Return *request* with the headers that all of a call have, and signed."""
    # An event must not wait in a packer's buffer until there is enough of it to be packed.
    usual = (("accept-encoding", "identity" if call.stream else "gzip"), ("user-agent", "fiber-llm"), *call.row.headers)
    headers = {header[0].lower(): header for header in (*usual, *request.headers)}
    request = msgspec.structs.replace(request, headers=tuple(headers.values()))
    return signed(call.row.auth, request, secret, lambda: wall(call.transport))


class Work:
    """
    What a provider does for an attempt, from the exchange in which it took the request until the answer is whole.

    Attributes:
        begun: There was a second exchange: the provider is at work, whatever becomes of the attempt.
    """

    __slots__ = ("_call", "_secret", "_stop", "begun")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._secret = NO_SECRET
        self._stop: HTTPRequest | None = None
        self.begun = False

    def next(self, step: Step, secret: Secret) -> HTTPRequest:
        """
        Return the request of *step*, ready to be sent; from now on the provider is at work.

        Raises:
            FiberParsingError: It leads where the key must not go.
        """
        self.begun = True
        self._stop, self._secret = step.stop, secret
        if not _is_ours(self._call, step.request.url):
            raise _astray(self._call, step.request.url)
        return ready(self._call, step.request, secret)

    def done(self) -> None:
        """The provider has finished: there is nothing to stop."""
        self._stop = None

    def abandon(self) -> None:
        """
        Tell the provider to stop, if it has not finished; from any thread, without waiting where there is a loop.

        Nobody learns how that went: whoever gives up must not be given another failure.
        """
        stop, self._stop = self._stop, None
        if stop is None:
            return
        # The client may be closed before this is over: then nobody would close a connection that is kept.
        call, request = self._call, ready(self._call, stop.with_headers(("connection", "close")), self._secret)
        # In a thread of its own, as the task may be cancelled, or its loop about to end.
        detach(call.transport, lambda: _finish(_tell(blocking_face(call.transport), request)))


async def _tell(transport: Transport, request: HTTPRequest) -> None:
    until = transport.now() + STOP_SECONDS
    for _ in range(_STOP_ATTEMPTS):
        try:
            await transport.read(await transport.open(request, _STOP_TIMEOUTS, until), until)
        except FiberConnectionError:
            continue
        except Exception:  # noqa: S110 - see `Work.abandon`
            pass
        return


def _finish(coroutine: Coroutine[Any, Any, None]) -> None:
    try:
        coroutine.send(None)
    except StopIteration:
        return
    coroutine.close()  # a transport without a blocking face cannot tell


def _is_ours(call: Call, url: str) -> bool:
    place, home = _split(url), urlsplit(call.target.base_url)
    if place is None:
        return False
    if (place.scheme, place.netloc) == (home.scheme, home.netloc):
        return True
    host = place.netloc.lower()  # whole, so that neither a port nor `name@` is overlooked
    named = any(host == name or (name[:1] == "." and host.endswith(name)) for name in call.row.answer_hosts)
    return place.scheme == "https" and named and "@" not in host


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _astray(call: Call, url: str) -> FiberParsingError:
    place = _split(url)
    # Its path may hold what is not for logs.
    where = f"{place.scheme}://{place.netloc.rpartition('@')[2]}" if place is not None and place.netloc else "nowhere"
    return FiberParsingError(
        f"{call.target.provider} says that the answer is to be had at {where}, and the key does not go there. If it is"
        " the provider's, name its host in answer_hosts of the row.",
        provider=call.target.provider,
        model=call.target.model,
        outcome="unknown",
        should_retry=False,
    )
