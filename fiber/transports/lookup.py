"""
Names to addresses in blocking code, with a limit.

`getaddrinfo` has none: with a name server that does not answer it returns when the system's patience ends, after half
a minute or so. Only another thread can be left behind by then. It lives for the moment of a look-up, and none is
needed where the host is an address already, or no limit was set.
"""

from __future__ import annotations

import socket
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeAlias

Found: TypeAlias = list[tuple[Any, ...]]


def look_up(host: str, port: int, seconds: float | None) -> Found:
    """
    Look *host* up, for *seconds* at most.

    Raises:
        OSError, ValueError: There is no such host, or that is no name of one.
        TimeoutError: *seconds* passed; the thread goes on until the system gives up, and nobody hears of it.
    """
    if seconds is None:
        return _asked(host, port)
    try:
        return _asked(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    answers: SimpleQueue[Found | Exception] = SimpleQueue()

    def work() -> None:
        try:
            answers.put(_asked(host, port))
        except Exception as error:
            answers.put(error)

    try:
        Thread(target=work, name="fiber-lookup", daemon=True).start()
    except RuntimeError:  # no more threads, or the interpreter is about to end: better without a limit than not at all
        return _asked(host, port)
    try:
        answer = answers.get(timeout=seconds)
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _asked(host: str, port: int, flags: int = 0) -> Found:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)  # type: ignore[return-value, unused-ignore]
