"""Whether a stream reads the same however it is cut into chunks, and says so when it is cut off."""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from fiber._errors import FiberError
from fiber.adapters.base import Adapter
from fiber.testing.conformance.strangers import GARBAGE, gist, with_strangers
from fiber.types.events import StreamEvent, TextDelta
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target

_CHUNKINGS = 50
_CUTS = 2000


class Reading(NamedTuple):
    """What came of some chunks."""

    result: ChatResult
    error: FiberError | None
    done: bool
    events: list[StreamEvent]

    @property
    def text(self) -> str:
        """The text of the first choice, by the events."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta) and event.index == 0)


class Reader(NamedTuple):
    """Reads chunks, each time with a new decoder."""

    adapter: Adapter
    head: HTTPHead
    target: Target

    def read(self, *chunks: bytes) -> Reading:
        """Read *chunks* and the end of the body."""
        decoder = self.adapter.stream_decoder(self.head, self.target)
        events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.finish()
        return Reading(decoder.result(), decoder.error, decoder.done, events)

    def reads_on(self, stream: bytes) -> bool:
        """Say whether bytes behind the end marker, where there is one, carry anything."""
        decoder = self.adapter.stream_decoder(self.head, self.target)
        decoder.feed(stream)
        return decoder.done and bool(decoder.feed(stream))

    def end_of(self, stream: bytes) -> int:
        """Return the number of bytes after which the decoder knows that the answer is whole."""
        decoder = self.adapter.stream_decoder(self.head, self.target)
        for at in range(len(stream)):
            decoder.feed(stream[at : at + 1])
            if decoder.done:
                return at + 1
        return len(stream)


def streams(reader: Reader, stream: bytes) -> Iterator[str]:
    """Read the stream, the stream with unknown members, and what is none."""
    whole = reader.read(stream)
    if whole.error is not None or not whole.done:
        yield f"The decoder does not come to the end of the whole stream: error is {whole.error!r}."
        return
    if [event.type for event in whole.events[:1] + whole.events[-1:]] != ["message-start", "message-end"]:
        yield "The first event must be MessageStart and the last MessageEnd."
    if whole.text != whole.result.text:
        yield f"The events say {whole.text!r}, and the result {whole.result.text!r}."
    if reader.reads_on(stream):
        yield "The decoder reads on behind the end marker: later bytes carry nothing."
    grown = reader.read(with_strangers(stream))
    if grown.error is not None or gist(grown.result) != gist(whole.result):
        yield f"The decoder reads another answer when objects have unknown members: error is {grown.error!r}."
    for garbage in (*GARBAGE, b"data: {\n\n"):
        if reader.read(garbage).error is None and reader.target.quirks.terminal == "marker":
            yield f"The decoder takes {garbage!r} for an answer: set error."


def chunkings(reader: Reader, stream: bytes) -> Iterator[str]:
    """Read the stream in many chunkings: the result must be the same."""
    whole = reader.read(stream)
    dice = random.Random(reader.adapter.name)
    ways = {"byte by byte": [stream[at : at + 1] for at in range(len(stream))]}
    for _ in range(_CHUNKINGS):
        places = sorted(dice.randint(0, len(stream)) for _place in range(dice.randint(1, 12)))
        ways[f"cut at {places}"] = [stream[a:b] for a, b in pairwise([0, *places, len(stream)])]
    for way, chunks in ways.items():
        found = reader.read(*chunks)
        if (found.result, found.done, found.text) != (whole.result, whole.done, whole.text):
            yield f"The decoder reads {found.text!r} instead of {whole.text!r} when the stream comes {way}."
            return


def cuts(reader: Reader, stream: bytes) -> Iterator[str]:
    """Read beginnings of the stream: none may pass for another whole answer."""
    whole, end = reader.read(stream), reader.end_of(stream)
    if not whole.done or reader.target.quirks.terminal == "eof":
        return
    places = {*range(0, end, max(1, end // _CUTS)), *(at for at in range(end) if stream[at : at + 1] == b"\n")}
    for at in sorted(places):
        found = reader.read(stream[:at])
        if found.error is None and found.result.choices != whole.result.choices:
            yield (
                f"A stream that is cut off after {at} of {len(stream)} bytes passes for whole, with the text"
                f" {found.text!r}: set error in finish() unless the end marker was seen."
            )
            return
        if found.error is not None and not isinstance(found.error.partial, ChatResult):
            yield f"The error of a stream that is cut off after {at} bytes has no partial result."
            return
