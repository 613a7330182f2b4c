"""From a call to what its caller gets: run through the layers, with receipt and value at the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, TypeVar

from fiber._chain import Call, Listener
from fiber._errors import FiberError, FiberValidationError
from fiber._reply import Ending, Reply, ending_of
from fiber._results import finished, receipted
from fiber._settings import Settings, check_open
from fiber.types.content import Audio, Document, Image
from fiber.types.fetch import FetchPolicy
from fiber.types.result import ChatResult

S = TypeVar("S")


async def complete(settings: Settings, call: Call) -> Any:
    """Run *call* to its end and return its result."""
    reply = await begin(settings, call)
    result = reply.value
    try:
        ready = finished(call, result) if isinstance(result, ChatResult) else result
    except FiberError as error:
        await reply.end(ending_of(result, error))
        raise
    await reply.end(ending_of(ready))
    return ready


def stream_of(make: Callable[[Call, Callable[[Call], Awaitable[Reply]]], S], settings: Settings, call: Call) -> S:
    """Make the stream of *call*; it runs *call* up to its first event with content when it is opened."""

    async def start(call: Call) -> Reply:
        return await begin(settings, call)

    return make(call, start)


async def fetched(settings: Settings, url: str) -> Image | Audio | Document:
    """
    Fetch what *url* names.

    Raises:
        FiberValidationError: The client may not fetch anything, or not this.
    """
    check_open(settings)
    if not isinstance(settings.fetch, FetchPolicy):
        raise FiberValidationError(
            "This client fetches nothing: make it with Fiber(fetch=FetchPolicy(hosts=('example.com',))) to say what it"
            " may fetch, or hand the URL to the provider with Image(url=...).",
            parameter="fetch",
            outcome="not_sent",
        )
    from fiber._fetch import fetch

    return await fetch(settings.transport, settings.fetch, url)


async def shut(settings: Settings, *, on_loop: bool) -> None:
    """Close the client of *settings*: no call begins, connections close, and listeners let go of what they have."""
    settings.state.closed = True
    await settings.transport.shutdown()
    for listener in settings.listeners:
        await listener.shut(settings.transport, on_loop=on_loop)


async def begin(settings: Settings, call: Call) -> Reply:
    """Run *call* to its reply, which is open when it is a stream."""
    # Its clock starts here, not where it was made: a stream may be opened later, and a batch waits for its turn.
    check_open(settings)
    journal = call.journal
    journal.started = call.transport.now()
    listeners = settings.listeners
    for listener in listeners:
        listener.begin(call)
    try:
        reply = await settings.handler(call)
    except BaseException as error:
        if isinstance(error, FiberError):
            error.attempts = tuple(journal.attempts)
            if error.partial is not None:
                error.partial = receipted(call, error.partial)
        _heard(listeners, call, journal.ending(error))
        raise
    if listeners or journal.hearers:
        reply.heard = partial(_heard, listeners, call)
    return reply


def _heard(listeners: tuple[Listener, ...], call: Call, ending: Ending) -> None:
    for listener in listeners:
        listener.end(call, ending)
    for hear in call.journal.hearers:
        hear(call, ending)
