"""
A process that makes calls over a scripted transport, in turn without and with a record of each in a SQLite file.

`bookkeeping.py FILE NAME CALLS` prints, as JSON, the milliseconds of both kinds, and how many records were lost.
"""

from __future__ import annotations

import json
import sys
import time

from fiber import Fiber, SQLiteUsage
from fiber.testing.fake import FakeReply, FakeTransport, json_reply

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-6-luna",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
}

WARM = 10
"""So many calls import what they need, and are not measured."""
PAUSE_SECONDS = 0.02
"""A provider takes longer; without it the processes would only wait for each other to leave the processor."""


def client(calls: int, file: str | None) -> Fiber:
    """Make a client that is answered so often."""
    replies: list[FakeReply] = [json_reply(ANSWER)] * calls
    return Fiber(
        api_keys={"openai": "no-key"},
        default_model="openai:gpt-6-luna",
        transport=FakeTransport(*replies),
        usage=None if file is None else SQLiteUsage(file),
    )


def main(file: str, name: str, calls: int) -> None:
    """Make the calls and print what they took."""
    sides = [("without", client(calls, None)), ("with", client(calls, file))]
    took: dict[str, list[float]] = {side: [] for side, _ in sides}
    for number in range(calls):
        time.sleep(PAUSE_SECONDS)
        sides.reverse()  # the first call after a pause is the slower one
        for side, fiber in sides:
            begun = time.perf_counter()
            fiber.sync.chat("Hi", context={"tenant": name, "number": number})
            took[side].append((time.perf_counter() - begun) * 1000)
    log = dict(sides)["with"].usage
    is_written = log is not None and log.flush(60)
    lost = calls if log is None or not is_written else log.lost
    print(json.dumps({**{side: times[WARM:] for side, times in took.items()}, "lost": lost}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
