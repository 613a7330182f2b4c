"""What a request changed in its schemas that shows in the answer, so that the answer is read as it was asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec


class Reading(msgspec.Struct, frozen=True):
    """
    How the answer to one request is to be read.

    Attributes:
        member: The answer is an object whose one member of this name holds the value asked for; empty when the answer
            is the value itself.
        tools: Schemas of arguments, by the tool's name, in which the model has to say null for what it leaves out.
    """

    member: str = ""
    tools: Mapping[str, Mapping[str, Any]] = {}
