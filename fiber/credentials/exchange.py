"""One exchange with a service that gives out credentials, over the client's own transport."""

from __future__ import annotations

import re

from fiber._errors import FiberAuthError, FiberConnectionError, FiberTimeoutError
from fiber.transports.base import DeadlineReached, Transport
from fiber.types.config import Timeouts
from fiber.types.http import HTTPRequest

SECONDS = 5.0

_OK, _TOO_MANY, _SERVER_ERROR = 200, 429, 500
_CODE = re.compile(rb'(?:<Code>|"[Cc]ode"\s*:\s*")([A-Za-z.]{1,100})')


async def exchange(
    transport: Transport, request: HTTPRequest, until: float | None, *, source: str, seconds: float = SECONDS
) -> bytes:
    """
    Send *request* and return the body of the answer.

    Args:
        until: Moment on the clock of *transport* until which the caller waits.
        source: Who answers, for messages.
        seconds: Longest wait.

    Raises:
        FiberAuthError: There was no answer, or another one than 200; nothing of the answer is quoted but its code.
        DeadlineReached: *until* passed.
    """
    limit = transport.now() + seconds
    due = limit if until is None else min(limit, until)
    request = request.with_headers(("accept-encoding", "identity"), ("user-agent", "fiber-llm"))
    try:
        response = await transport.open(request, Timeouts(connect=seconds, read=seconds, total=seconds), due)
        body = await transport.read(response, due)
    except DeadlineReached:
        if due != limit:
            raise
        raise failed(source, f"did not answer within {seconds:g} s", may_pass=True) from None
    except (FiberConnectionError, FiberTimeoutError) as error:
        raise failed(source, f"cannot be reached: {error.message}", may_pass=True) from None
    status = response.head.status
    if status != _OK:
        code = _CODE.search(body)
        said = f"answered with status {status}{f' ({code[1].decode()})' if code else ''}"
        raise failed(source, said, may_pass=status == _TOO_MANY or status >= _SERVER_ERROR)
    return body


def failed(source: str, why: str, *, may_pass: bool = False) -> FiberAuthError:
    """Make the error of a credential that *source* does not give out."""
    return FiberAuthError(f"No credential: {source} {why}.", outcome="not_sent", should_retry=may_pass)
