"""
Tools for tests: a provider that answers as told, with a real socket or with none.

    from fiber.testing import Failure, MockCall, MockServer, Reply

    with MockServer() as server:
        server.enqueue(Failure(429, retry_after=0), Reply("Hello!"))
        ...  # call a client with server.base_url("openai") as its base URL
        assert server.requests[0].json["model"] == "gpt-mock"

`MockServer` speaks six formats; `Reply`, `MockCall` and `Failure` say what it answers in words
that belong to none of them. `HostileServer` speaks the same formats, and plays the `FAULTS` that
clients meet. `FakeTransport` takes the place of the network inside a client, and has a clock that
nobody waits for; `Recorder` and `Replay` do so with real answers. `check_adapter` holds an adapter to
what the client relies on. Nothing here is imported by the library itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fiber.testing.conformance import check_adapter
    from fiber.testing.fake import FakeReply, FakeRequest, FakeTransport, json_reply, sse_reply
    from fiber.testing.hostile.faults import FAULTS
    from fiber.testing.hostile.scene import Fault
    from fiber.testing.hostile.server import HostileServer
    from fiber.testing.recorded import MockRequest
    from fiber.testing.recording import Recorder
    from fiber.testing.replay import Replay
    from fiber.testing.samples import sample
    from fiber.testing.script import Failure, MockCall, Reply, Tokens
    from fiber.testing.server import MockServer

_HOMES = {
    "FAULTS": "hostile.faults",
    "FakeReply": "fake",
    "FakeRequest": "fake",
    "FakeTransport": "fake",
    "Failure": "script",
    "Fault": "hostile.scene",
    "HostileServer": "hostile.server",
    "MockCall": "script",
    "MockRequest": "recorded",
    "MockServer": "server",
    "Recorder": "recording",
    "Replay": "replay",
    "Reply": "script",
    "Tokens": "script",
    "check_adapter": "conformance",
    "json_reply": "fake",
    "sample": "samples",
    "sse_reply": "fake",
}

__all__ = [
    "FAULTS",
    "Failure",
    "FakeReply",
    "FakeRequest",
    "FakeTransport",
    "Fault",
    "HostileServer",
    "MockCall",
    "MockRequest",
    "MockServer",
    "Recorder",
    "Replay",
    "Reply",
    "Tokens",
    "check_adapter",
    "json_reply",
    "sample",
    "sse_reply",
]


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: `socket` and `threading` can wait."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
