"""A request as the mock server received it, for tests to look at."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fiber.testing.view import ChatView


@dataclass(slots=True, kw_only=True, eq=False)
class MockRequest:
    """
    One request, received whole.

    Attributes:
        number: Counts the requests of the server from 1; ids and limits in the answer come from it.
        connection: Counts the connections of the server from 1; requests on one connection share it.
        fault: What a `HostileServer` did to it; empty elsewhere.
        path: Without the query, as sent (percent-encoded).
        headers: Names are lower-case; a key may be here or in *query*, so `repr` shows neither.
        json: The body, when it is a JSON object.
        format: Format of the answer: `openai_chat`, `openai_responses`, `anthropic`, `gemini`,
            `bedrock_converse`, `bedrock_invoke`, `cohere`, `ollama` or `replicate`.
        model: From the body or the path.
        view: What is asked, in neutral words; None when it is not a valid chat request.
        status: Status of the answer, once it has begun.
        events_sent: Events of a stream that left.
        received_at: `time.monotonic()` seconds.
        disconnected: Seconds from receiving the request to noticing that the client had gone before
            the end of the answer; None when it stayed.
        ended: Set when the answer is over, one way or another.
    """

    number: int
    connection: int = 1
    fault: str = ""
    method: str
    path: str
    query: Mapping[str, str] = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    format: str
    model: str = ""
    json: Mapping[str, Any] = field(default_factory=dict, repr=False)
    view: ChatView | None = field(default=None, repr=False)
    status: int | None = None
    events_sent: int = 0
    received_at: float = field(default_factory=time.monotonic, repr=False)
    disconnected: float | None = None
    ended: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def api_key(self) -> str:
        """The key that came, from whichever place the format puts it; empty when none did."""
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if self.format == "gemini":
            return self.headers.get("x-goog-api-key") or self.query.get("key") or bearer
        if self.format == "anthropic":
            return self.headers.get("x-api-key") or bearer
        return bearer or self.headers.get("api-key", "")

    def wait_ended(self, seconds: float = 1.0) -> bool:
        """Wait until the answer is over; tell whether it is."""
        return self.ended.wait(seconds)
