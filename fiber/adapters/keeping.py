"""
What a stream keeps for its result, counted in bytes of memory, and how small pieces are made few.

A stream that never ends must not fill the memory. Counting at every piece would cost the many good streams; so it is
done now and then, when another `COUNTED_BYTES` have come, and between two counts little can have gathered.
"""

from __future__ import annotations

from fiber._errors import FiberParsingError
from fiber.types.result import TokenLogprob

MAX_STREAM_BYTES = 64 * 1024 * 1024
"""
Most memory for what a stream adds up to, everything that is made of it included: its text may have 16 MiB.

Joining so much text takes about 12 ms, in which the event loop waits.
"""
COUNTED_BYTES = 256 * 1024

SLOT_BYTES = 1024
"""A part, with all that is kept beside it; measured."""
_PIECE_BYTES = 64
"""One small string, which some formats keep as it came until the part is whole."""
_CHARACTER_BYTES = 4
"""A character is kept as a piece, as text given out and in the result; the fourth is for the joining."""
_WIDE_CHARACTER_BYTES = 12
"""Text takes up to four bytes a character, all of it, as soon as there is one outside of ASCII."""
_TOKEN_BYTES = 256


def pack(pieces: list[str], packed: int) -> int:
    """Join the *pieces* behind the first *packed* to one, in place; return how many there are then."""
    pieces[packed:] = ["".join(pieces[packed:])]
    return packed + 1


def text_bytes(text: str, count: int) -> int:
    """Return what *text*, which came in *count* pieces, takes."""
    return count * _PIECE_BYTES + len(text) * (_CHARACTER_BYTES if text.isascii() else _WIDE_CHARACTER_BYTES)


def token_bytes(token: TokenLogprob) -> int:
    """Return what the probabilities of one token take."""
    return _TOKEN_BYTES * (1 + len(token.top))


def too_much() -> FiberParsingError:
    """Make the error of a stream that adds up to too much."""
    return FiberParsingError(
        f"The stream adds up to more than {MAX_STREAM_BYTES} bytes of memory; nothing more of it was read."
        " What arrived is in error.partial.",
        outcome="unknown",
        should_retry=False,
    )
