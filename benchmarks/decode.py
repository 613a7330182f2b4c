"""From bytes of a stream to events, against cutting the frames and decoding their JSON and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from measure import compare

from fiber.adapters import load
from fiber.types.http import HTTPHead
from fiber.types.target import Target

CHUNKS = 1000


def run(*, smoke: bool) -> Iterator[str]:
    """Yield a line for chunks that come one by one, and one for 16 at a time."""
    adapter = load("openai_chat")
    target = Target(provider="openai", model="gpt-mock", base_url="http://127.0.0.1")
    head = HTTPHead(200, {"content-type": "text/event-stream"})
    frames = [_frame({"content": f"word {number} "}) for number in range(CHUNKS)]
    end = [_frame({}, "stop"), b"data: [DONE]\n\n"]
    for at_once in (1, 16):
        reads = [b"".join(frames[start : start + at_once]) for start in range(0, CHUNKS, at_once)] + end

        def ours(reads: list[bytes] = reads) -> object:
            decoder = adapter.stream_decoder(head, target)
            return [event for read in reads for event in decoder.feed(read)]

        def floor(reads: list[bytes] = reads) -> object:
            return [
                msgspec.json.decode(line[6:])
                for read in reads
                for line in read.split(b"\n\n")
                if line and line != b"data: [DONE]"
            ]

        microseconds, ratio = compare(ours, floor, smoke=smoke, repeat=5)
        yield f"{at_once:2} chunks a read: {microseconds / CHUNKS:5.2f} us a chunk, {ratio:4.2f} x JSON alone"


def _frame(delta: dict[str, str], finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "gpt-mock",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return b"data: " + msgspec.json.encode(chunk) + b"\n\n"
