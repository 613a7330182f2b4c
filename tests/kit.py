"""What the tests of the machine share: answers in one wire format, a client over a script, a layer that watches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from fiber import Fiber
from fiber._chain import Call, Handler
from fiber._reply import Ending, Reply
from fiber.layers import default_layers
from fiber.testing.fake import FakeReply, FakeTransport, json_reply, sse_reply

KEY = "sk-canary-0123456789abcdef"
MODEL = "openai:gpt-test"


def answer(text: str = "Hello", finish_reason: str = "stop", **changes: Any) -> dict[str, Any]:
    """Make the body of a whole answer."""
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "gpt-test-1",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish_reason},
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
        **changes,
    }


def piece(text: str | None = None, finish_reason: str | None = None, **delta: Any) -> dict[str, Any]:
    """Make one chunk of a streamed answer."""
    if text is not None:
        delta["content"] = text
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "model": "gpt-test-1",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }


START = piece("", role="assistant")
FINISH = piece(finish_reason="stop")
COUNTS = {**piece(), "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}}
DONE = "[DONE]"


def frames(*texts: str) -> list[Any]:
    """Make the frames of a whole stream."""
    return [START, *(piece(text) for text in texts), FINISH, COUNTS, DONE]


def streamed(*texts: str, **headers: str) -> FakeReply:
    """Make a whole stream."""
    return sse_reply(*frames(*(texts or ("Hel", "lo"))), **headers)


def whole(text: str = "Hello", **headers: str) -> FakeReply:
    """Make a whole answer."""
    return json_reply(answer(text), **headers)


def refused(status: int, code: str = "server_error", message: str = "no", **headers: str) -> FakeReply:
    """Make a refusal."""
    return json_reply({"error": {"message": message, "code": code, "type": code}}, status, **headers)


def eventually(is_so: Callable[[], bool]) -> None:
    """Wait for what another thread or process does, ten seconds at most."""
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.001)


class Watch:
    """A layer that remembers calls and how they ended."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.endings: list[Ending] = []

    async def __call__(self, call: Call, next: Handler) -> Reply:
        """Watch one call."""
        self.calls.append(call)
        reply = await next(call)
        reply.on_end(self._end)
        return reply

    async def _end(self, ending: Ending) -> None:
        self.endings.append(ending)

    @property
    def outcomes(self) -> list[str]:
        """How the calls ended."""
        return [ending.outcome for ending in self.endings]


def scripted(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client over *script*, and its transport."""
    transport = FakeTransport(*script)
    options = {"api_keys": {"openai": KEY}, "default_model": MODEL, "transport": transport, **options}
    return Fiber(**options), transport


def watched(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport, Watch]:
    """Make a client over *script* with a watching layer outside, and both."""
    watch = Watch()
    fiber, transport = scripted(*script, layers=(watch, *default_layers()), **options)
    return fiber, transport, watch
