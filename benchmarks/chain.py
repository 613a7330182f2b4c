"""A whole call without a network: request, layers, engine, adapter; against encoding and decoding the same JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from measure import compare

from fiber import Fiber
from fiber.testing.fake import FakeTransport, json_reply

ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-mock",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello there."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 20, "completion_tokens": 3, "total_tokens": 23},
}


class Endless(FakeTransport):
    """A transport that always has the same answer."""

    def __init__(self) -> None:
        super().__init__()
        self._reply = json_reply(ANSWER)

    async def open(self, request, timeouts, until):  # type: ignore[no-untyped-def]
        """Answer, and keep nothing."""
        self._script.append(self._reply)
        response = await super().open(request, timeouts, until)
        self.requests.clear()
        return response


def run(*, smoke: bool) -> Iterator[str]:
    """Yield a line for 20 and one for 200 messages of history."""
    fiber = Fiber(api_keys={"openai": "key"}, transport=Endless())
    body = msgspec.json.encode(ANSWER)
    for count in (20, 200):
        history = [("user" if n % 2 == 0 else "assistant", f"message {n} of a conversation") for n in range(count)]
        wire = {"model": "gpt-mock", "messages": [{"role": role, "content": text} for role, text in history]}

        def floor(wire: object = wire) -> object:
            return msgspec.json.encode(wire), msgspec.json.decode(body)

        def ours(history: object = history) -> object:
            return fiber.sync.chat(history, model="openai:gpt-mock")

        microseconds, ratio = compare(ours, floor, smoke=smoke, repeat=200)
        yield f"{count:4} messages: {microseconds:7.1f} us a call, {ratio:5.1f} x encode and decode alone"
