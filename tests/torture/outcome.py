"""What a cell must show, and the outcomes that many faults share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Mode = Literal["whole", "stream"]

ATTEMPTS = 3
"""Most attempts of the client under test; what the provider rejects for now is asked so often."""
SAID = "{said}"
WAVE = "\U0001f44b"
MANY = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What one cell must show.

    Attributes:
        word: `ok` or an error: see `tests/torture/grade.py`.
        requests: How many requests the server may see, all calls together.
        text: Text of a good answer, `{said}` for what the server says without a fault, of which a partial one is the
            beginning; None when it does not matter.
        partial: The error carries the text that came before it.
        calls: Calls made one after another.
        attempts: Attempts that the receipt of the last good call shows; None when it does not matter.
        waited: Seconds that the last attempt was preceded by, least and most.
        check: A further check of a good answer.
        fact: A field of the error, and its value.
        mentions: Stands in the error's message.
        patient: The fault is a question of size: the timers are long.
    """

    word: str
    requests: tuple[int, ...] = (1,)
    text: str | None = SAID
    partial: bool = False
    calls: int = 1
    attempts: int | None = None
    waited: tuple[float, float] | None = None
    check: str = ""
    fact: tuple[str, object] | None = None
    mentions: str = ""
    patient: bool = False


OK = Outcome(word="ok", attempts=1)
AGAIN = Outcome(word="ok", requests=(2,), attempts=2)
"""Answered well by the second attempt."""
TYPED = Outcome(word="connection|interrupted|parsing", requests=(1, 2))
BROKEN = Outcome(word="connection|interrupted", requests=(1, 2))
LOST = Outcome(word="connection|interrupted", requests=(2,))
"""Lost before anything was given out: the outcome is unknown, so it is tried once more."""
CUT = Outcome(word="interrupted", partial=True)
"""Lost after a part was given out: never tried again."""
UNREADABLE = Outcome(word="parsing", requests=(1, 2))
EMPTY = Outcome(word="parsing|interrupted", requests=(1, 2))
SILENT = Outcome(word="timeout:read|timeout:first_event", requests=(2,))
STALLED = Outcome(word="timeout:read|timeout:stall", partial=True)
PINGED = Outcome(word="timeout:stall", partial=True)
FAILED = Outcome(word="provider", requests=(2,))
"""A status from 500: the outcome is unknown, so it is tried once more."""
REFUSED = Outcome(word="bad_request")
EITHER = Outcome(word="ok|parsing", requests=(1, 2))
REDIRECTED = Outcome(word="provider|connection|parsing")
"""Never followed; typed."""
LIMITED = Outcome(word="rate_limit", requests=(ATTEMPTS,))
OVERLOADED = Outcome(word="overloaded", requests=(ATTEMPTS,))
UNTRUSTED = Outcome(word="connection", fact=("is_retryable", False), mentions="TLS")
"""Nothing was sent, and nothing is tried again; requests are connections here."""
TOO_MUCH = Outcome(word="connection|parsing|interrupted", patient=True)


def waited(least: float, most: float) -> Outcome:
    return replace(AGAIN, waited=(least, most))
