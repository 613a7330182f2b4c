"""
Parsers (goal G9): server-sent events by the rules and however they are cut, JSON of every kind, tool calls however
they are mixed, and a cost that grows with the bytes and not faster.
"""

from __future__ import annotations

import gc
import json
import random
import sys
import time
from collections.abc import Callable, Iterator

import sse_cases
from figure import Figure, script
from interleavings import DELTAS, FORMATS, calls
from json_suite import documents
from worlds import KEY

from fiber import NO_RETRY, Fiber, FiberError
from fiber.adapters import load
from fiber.framing.sse import SSEDecoder
from fiber.testing import FakeTransport, json_reply
from fiber.types.http import HTTPHead
from fiber.types.target import Target

HEAD = HTTPHead(200, {"content-type": "text/event-stream"})
TARGET = Target(provider="test", model="m", base_url="http://127.0.0.1")
SPELLINGS = (
    b"data: ",
    b"data:",
    b"data",
    b"event: e",
    b"event",
    b": c",
    b":",
    b"id: 1",
    b"x: y",
    b"\n",
    b"\r",
    b"\r\n",
)
BYTES = (b"a", b" ", "\u20ac".encode(), b"\xef\xbb\xbf", b"\xff", b"\n\n", b"\r\n\r\n", b"\r\r", *SPELLINGS)
GROWTH = 2.2
"""Largest ratio of the times for twice as much and for as much."""


def measure(smoke: bool) -> Iterator[Figure]:
    """Yield every figure of the parsers."""
    yield Figure("rules of server-sent events broken", *_rules())
    yield Figure("random streams read otherwise than by the book", *_random_streams(2_000 if smoke else 50_000))
    yield Figure("random splits that change the events", *_splits(100_000 if smoke else 1_000_000))
    for name in FORMATS:
        yield Figure(f"{name}: mixed tool calls put together wrongly", *_mixed(name, 500 if smoke else 5_000))
    yield from _json()
    yield from _growth(smoke)


# -- server-sent events ------------------------------------------------------------------------------------------------


def decoded(*pieces: bytes) -> sse_cases.Events:
    """Return the events that the decoder finds."""
    decoder = SSEDecoder()
    frames = [frame for piece in pieces for frame in decoder.feed(piece)] + decoder.finish()
    return [(frame.event, frame.data.decode("utf-8", "replace")) for frame in frames]


def broken_rules() -> list[str]:
    """Return the rules that the decoder breaks, whole, byte by byte, and cut in two anywhere."""
    broken = []
    for name, text, expected in sse_cases.CASES:
        body = text if isinstance(text, bytes) else text.encode()
        cuts = [(body,), tuple(body[at : at + 1] for at in range(len(body)))]
        cuts += [(body[:at], body[at:]) for at in range(len(body))]
        if any(decoded(*cut) != expected for cut in cuts):
            broken.append(name)
    return broken


def _rules() -> tuple[float, str, float, str]:
    broken = broken_rules()
    return len(broken), "", 0, f"of {len(sse_cases.CASES)}, each whole, byte by byte and in two {broken or ''}".strip()


def _random_streams(count: int) -> tuple[float, str, float, str]:
    wrong = 0
    for _ in range(count):
        body = b"".join(random.choices(BYTES, k=random.randint(1, 40)))
        wrong += decoded(*_cut(body, 3)) != sse_cases.by_the_book(body)
    return wrong, "", 0, f"of {count}"


def _splits(count: int) -> tuple[float, str, float, str]:
    ends = (b"\n", b"\r", b"\r\n")
    body = b""
    for number in range(40):
        end = ends[number % 3]
        body += b": ping" + end + end if number % 7 == 0 else b""
        body += b"event: e" + end if number % 5 == 0 else b""
        body += f"data: \u20ac {number} \U0001f600".encode() + end + b"data:more" + end + end
    whole = decoded(body)
    wrong = sum(decoded(*_cut(body, random.randint(1, 12))) != whole for _ in range(count))
    return wrong, "", 0, f"of {count}, of a stream of {len(body)} bytes and {len(whole)} events"


def _cut(body: bytes, times: int) -> list[bytes]:
    cuts = sorted(random.randint(0, len(body)) for _ in range(times))
    return [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]


# -- tool calls --------------------------------------------------------------------------------------------------------


def assembled_wrongly(format: str, seed: int) -> bool:
    """Mix some tool calls at random, decode them, and say whether they came out otherwise than they went in."""
    chance = random.Random(seed)
    asked = calls(chance)
    decoder = load(format).stream_decoder(HEAD, TARGET)
    for piece in _cut(FORMATS[format](asked, chance), 5):
        decoder.feed(piece)
    decoder.finish()
    if decoder.error is not None:
        return True
    found = [(call.id, call.name, call.arguments) for call in decoder.result().tool_calls]
    return found != [tuple(call) for call in asked]


def _mixed(format: str, count: int) -> tuple[float, str, float, str]:
    wrong = [seed for seed in range(count) if assembled_wrongly(format, seed)]
    return len(wrong), "", 0, f"of {count}" + (f"; seeds {wrong[:5]}" if wrong else "")


# -- JSON --------------------------------------------------------------------------------------------------------------


def _json() -> Iterator[Figure]:
    files = documents()
    if isinstance(files, str):
        yield Figure("JSONTestSuite", None, note=files)
        return
    foreign, refused, accepted, slowest = [], [], [], 0.0
    around = json.dumps({"id": "c", "model": "m", "choices": [{"index": 0, "message": {"content": "Hi"}}]}).encode()
    for name, document in sorted(files.items()):
        # The document is the whole answer, and a member of an answer that nobody reads.
        for body in (document, around[:-1] + b', "unread": ' + document + b"}"):
            fiber = Fiber(api_keys={"openai": KEY}, transport=FakeTransport(json_reply(body)), retry=NO_RETRY)
            started = time.process_time()
            error: Exception | None = None
            try:
                fiber.sync.chat("Hello", model="openai:m")
            except Exception as raised:
                error = raised
            slowest = max(slowest, time.process_time() - started)
            if error is not None and not isinstance(error, FiberError):
                foreign.append(name)
            if body is not document and name.startswith("y_") and error is not None:
                refused.append(name)
            if body is not document and name.startswith("n_") and error is None:
                accepted.append(name)
    count = f"of {len(files)} files, each as an answer and in an answer"
    yield Figure("JSONTestSuite: foreign exceptions", len(foreign), "", 0, f"{count} {_some(foreign)}")
    yield Figure("JSONTestSuite: good JSON refused", len(refused), "", 0, _some(refused))
    yield Figure("JSONTestSuite: slowest answer", 1000 * slowest, "ms", 1000)
    yield Figure("JSONTestSuite: bad JSON accepted, unread", len(accepted), "", None, _some(accepted))


def _some(names: list[str]) -> str:
    return ", ".join(names[:6])


# -- cost --------------------------------------------------------------------------------------------------------------


def _growth(smoke: bool) -> Iterator[Figure]:
    size, rounds = (1, 3) if smoke else (4, 7)
    kinds: dict[str, tuple[Callable[[int], bytes], int, int]] = {
        # What grows: how it is made, how many of it, bytes in a chunk.
        "events": (lambda n: _event("word ") * n, 10_000 * size, 4096),
        "comment lines": (lambda n: b": nothing to see here\n" * n, 100_000 * size, 4096),
        "comments between events": (lambda n: b": ping\n\n" * n, 50_000 * size, 4096),
        "size of one event": (lambda n: _event("x" * n), 450_000 * size, 1024),
        "size of one event, byte by byte": (lambda n: _event("x" * n), 50_000 * size, 1),
        "lines of one event": (lambda n: b"data: [\n" * n, 50_000 * size, 1024),
        "blank lines": (lambda n: b"\n" * n, 500_000 * size, 4096),
    }
    for name, (make, count, chunk) in kinds.items():
        yield _ratio(f"twice the {name}", "openai_chat", make, count, 2, chunk, GROWTH, rounds)
    for format, (begin, delta) in DELTAS.items():

        def make(count: int, begin: bytes = begin, delta: bytes = delta) -> bytes:
            return begin + delta * count

        yield _ratio(f"{format}: twice the tool-argument deltas", format, make, 6_250 * size, 2, 4096, GROWTH, rounds)
        yield _ratio(f"{format}: four times the tool-argument deltas", format, make, 6_250 * size, 4, 4096, 5, rounds)


def _ratio(
    name: str,
    format: str,
    make: Callable[[int], bytes],
    count: int,
    factor: int,
    chunk: int,
    goal: float,
    rounds: int,
) -> Figure:
    once, more = make(count), make(factor * count)
    less = [1e9]
    ratios = []
    for number in range(3 * rounds):  # the quietest of some rounds: another program can only make one slower
        if number >= rounds and min(ratios) <= goal * min(less):
            break
        less.append(_seconds(format, once, chunk))
        ratios.append(_seconds(format, more, chunk))
    note = f"{count} in {1000 * min(less):.0f} ms"
    return Figure(f"{name}, times as long", min(ratios) / min(less), "", goal, note)


def _seconds(format: str, body: bytes, chunk: int) -> float:
    decoder = load(format).stream_decoder(HEAD, TARGET)
    pieces = [body[at : at + chunk] for at in range(0, len(body), chunk)]
    gc.collect()
    started = time.process_time()
    for piece in pieces:
        decoder.feed(piece)
    decoder.result()
    return time.process_time() - started


def _event(text: str) -> bytes:
    return b"data: " + json.dumps({"id": "c", "choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


if __name__ == "__main__":
    sys.exit(script("G9 parsing", measure))
