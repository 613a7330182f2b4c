"""One exchange with a service that gives out credentials."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import FiberAuthError, FiberConnectionError
from fiber._engine import run_sync
from fiber.credentials.exchange import exchange
from fiber.testing.fake import FakeReply, FakeTransport
from fiber.transports.base import DeadlineReached
from fiber.types.http import HTTPRequest

REQUEST = HTTPRequest("GET", "http://127.0.0.1/keys")


def ask(script: Any, until: float | None = None) -> bytes:
    """Ask a service that answers like *script*."""
    return run_sync(exchange(FakeTransport(script), REQUEST, until, source="the vault", seconds=2.0))


def test_the_body_of_an_answer_is_returned() -> None:
    """Of status 200."""
    assert ask(FakeReply(chunks=(b"one ", b"two"))) == b"one two"


@pytest.mark.parametrize(
    ("script", "said", "may_pass"),
    [
        (FakeReply(503), "the vault answered with status 503.", True),
        (FakeReply(429), "status 429", True),
        (FakeReply(302, {"location": "http://evil"}), "status 302", False),
        (FakeReply(400, chunks=(b"<Error><Code>Expired.Token</Code><Key>hush",)), "status 400 (Expired.Token)", False),
        (FakeReply(403, chunks=(b'{"code": "Denied", "key": "hush"}',)), "status 403 (Denied)", False),
        (FakeReply(delay_seconds=3), "did not answer within 2 s", True),
        (FakeReply(chunks=(b"h", 3.0, b"ush")), "did not answer within 2 s", True),
        (FiberConnectionError("Nobody is there."), "cannot be reached: Nobody is there.", True),
    ],
)
def test_everything_else_is_no_credential(script: Any, said: str, *, may_pass: bool) -> None:
    """Nothing of an answer is quoted but its code, and nothing was sent to the provider."""
    with pytest.raises(FiberAuthError, match="No credential: the vault") as caught:
        ask(script)

    assert said in str(caught.value)
    assert "hush" not in str(caught.value)
    assert (caught.value.outcome, caught.value.is_retryable) == ("not_sent", may_pass)


def test_the_callers_deadline_is_the_callers() -> None:
    """It is told as such, by whoever knows which timer it was."""
    with pytest.raises(DeadlineReached):
        ask(FakeReply(delay_seconds=3), until=1.0)
