"""Ways to cut a body into chunks, all of them reproducible, and which streams are cut most often."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from itertools import pairwise

from tests.conformance.recordings import Recording

EVERY_STREAM = 3
"""Random chunkings of each stream."""

SAMPLE_STREAM = 200
"""Random chunkings of each stream in the sample."""

SAMPLE = 24
"""Streams in the sample of an endpoint; all of them where there are fewer."""

BYTEWISE_BELOW = 60_000
"""Bytes; longer bodies are not cut byte by byte."""

_SAMPLE_BELOW = 24_000
_MOST_CUTS = (1, 3, 8, 20, 60)


def chunkings(body: bytes, name: str, count: int) -> Iterator[list[bytes]]:
    """Cut *body* in *count* random ways, and byte by byte unless it is long; *name* is the seed."""
    if len(body) < BYTEWISE_BELOW:
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


def sample(recordings: Iterable[Recording], size: int = SAMPLE) -> set[str]:
    """
    Choose varied streams: one of each combination of tags in turn, until there are *size*.

    Short ones first, because 200 chunkings of a long one show nothing that 3 of it do not.

    Returns:
        Their ids.
    """
    kinds: dict[frozenset[str], list[Recording]] = {}
    for recording in sorted(recordings, key=lambda each: (len(each.text) > _SAMPLE_BELOW, each.id)):
        if recording.is_framed:
            kinds.setdefault(recording.tags, []).append(recording)
    chosen: list[str] = []
    while kinds and len(chosen) < size:
        for tags in sorted(kinds, key=lambda each: (len(kinds[each][0].text) > _SAMPLE_BELOW, sorted(each))):
            chosen.append(kinds[tags].pop(0).id)
            if not kinds[tags]:
                del kinds[tags]
    return set(chosen[:size])
