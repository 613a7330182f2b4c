"""Which limit holds for a call, and the name of the line in which it waits."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

import msgspec

from fiber._chain import Call
from fiber.types.http import Secret
from fiber.types.pace import RateLimit


class Queue(NamedTuple):
    """
    Where a call waits.

    Attributes:
        name: As the limits spell it, like `openai:gpt-6`.
        key: The line: this name, and whose key it is.
        limit: How fast it goes.
    """

    name: str
    key: str
    limit: RateLimit


def queue_of(call: Call, limits: Mapping[str, RateLimit]) -> Queue | None:
    """
    Return where *call* waits; None when no limit is meant for it.

    What names the row of the call goes before what names the row whose key it shares, and then the longest beginning of
    the model's name wins.
    """
    row, model = call.row, call.target.model
    for names in ((row.name, *row.aliases), (row.key_of,)):
        found = [
            name
            for name in limits
            if (parts := name.partition(":"))[0] in names and model.startswith(parts[2]) and parts[0]
        ]
        if found:
            name = max(found, key=lambda name: len(name.partition(":")[2]))
            return Queue(name, f"rate:{name}:{_owner(call)}", limits[name])
    return None


def _owner(call: Call) -> str:
    """Return a word for the key of *call*, which does not tell it; one that a callable gives is known by its place."""
    key = call.credential
    texts = (key,) if isinstance(key, str) else key.texts() if isinstance(key, Secret) else ()
    return sha256(msgspec.json.encode((call.target.base_url, *texts))).hexdigest()[:16]
