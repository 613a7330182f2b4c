"""What a request changed in its schemas that shows in the answer, so that the answer is read as it was asked for."""

from __future__ import annotations

import msgspec


class Reading(msgspec.Struct, frozen=True):
    """
    How the answer to one request is to be read.

    Attributes:
        member: The answer is an object whose one member of this name holds the value asked for; empty when the answer
            is the value itself.
    """

    member: str = ""
