"""Ways to cut a body into chunks, all of them reproducible."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise

CHUNKINGS = 200
"""Random chunkings of each stream of those who made a format."""

FEW_CHUNKINGS = 20
"""Random chunkings of each stream of those who took a format over: the decoder is the same."""

_MOST_CUTS = (1, 3, 8, 20, 60)


def chunkings(body: bytes, name: str, count: int) -> Iterator[list[bytes]]:
    """Cut *body* byte by byte, and in *count* random ways; *name* is the seed."""
    yield [body[at : at + 1] for at in range(len(body))]
    dice = random.Random(name)
    for _ in range(count):
        yield cut(body, dice)


def cut(body: bytes, dice: random.Random) -> list[bytes]:
    """Cut *body* at a few random places; now and then a chunk is empty, and a run of chunks is of one byte."""
    places = [dice.randint(0, len(body)) for _ in range(dice.randint(1, dice.choice(_MOST_CUTS)))]
    if dice.random() < 0.5:
        start = dice.choice(places)
        places.extend(range(start, min(start + 12, len(body))))
    return [body[start:end] for start, end in pairwise([0, *sorted(places), len(body)])]
