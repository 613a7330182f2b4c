"""The one place that does what a recipe says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from fiber.testing.hostile.actions import (
    Action,
    Beneath,
    Close,
    Cut,
    End,
    HalfClose,
    Head,
    Part,
    Pause,
    Reset,
    Send,
    Stall,
)
from fiber.testing.http1 import Connection, RawRequest, chunk, head
from fiber.testing.recorded import MockRequest


def play(
    connection: Connection, raw: RawRequest, request: MockRequest, actions: Iterable[Action], limit_seconds: float
) -> bool:
    """
    Play *actions* on a connection; tell whether it may carry another request.

    Args:
        request: Told the status, and how many parts left.
        limit_seconds: How long a stall lasts at most.

    Raises:
        GoneError: The client left before the end, or the server closes.
    """
    chunked, lives = False, raw.keep_alive
    for action in actions:
        match action:
            case Head():
                chunked = action.length is None and action.chunked and raw.modern
                request.status = action.status
                lives = lives and (chunked or action.length is not None)
                headers = action.headers if lives else {"connection": "close", **action.headers}
                connection.send(head(action.status, headers, length=action.length, chunked=chunked))
            case Part(data):
                if data:  # an empty chunk would be the end
                    connection.send(chunk(data) if chunked else data)
                    request.events_sent += 1
            case End():
                if chunked:
                    connection.send(chunk(b""))
            case Send(data):
                connection.send(data)
            case Pause(seconds):
                connection.wait(seconds)
            case Stall():
                connection.wait(limit_seconds)
                return False
            case HalfClose():
                connection.half_close()
                connection.wait(limit_seconds)
                return False
            case Reset():
                connection.reset()
                return False
            case Cut():
                connection.cut()
                return False
            case Close():
                return False
            case Beneath(data):
                connection.send_beneath(data)
            case _:  # pragma: no cover - mypy holds that there is no other
                assert_never(action)
    return lives
