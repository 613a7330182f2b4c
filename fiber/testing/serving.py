"""
The life of a server of this room: it listens, reads requests, records them, closes.

What it answers is for the servers built on it to say.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Literal, Self, TypeAlias
from urllib.parse import urlsplit

from fiber.testing.formats import COHERE, Route
from fiber.testing.http1 import BadRequestError, Connection, GoneError, RawRequest, head
from fiber.testing.listening import HOST, Listener
from fiber.testing.recorded import MockRequest

Family: TypeAlias = Literal["openai", "anthropic", "gemini", "bedrock", "cohere", "ollama", "replicate"]

KEPT_REQUESTS = 10_000
VERSIONS: Mapping[str, str] = {
    "openai": "/v1",
    "anthropic": "",
    "gemini": "",
    "bedrock": "",
    "cohere": COHERE,
    "ollama": "",
    "replicate": "/v1",
}
"""What clients of a family expect at the end of their base URL."""


class LoopbackServer(ABC):
    """
    An HTTP/1.1 server on 127.0.0.1 that listens between `start` and `close`, or inside a `with` block.

    Args:
        port: 0 chooses a free one.
    """

    def __init__(self, port: int = 0) -> None:
        self._port = port
        self._lock = threading.Lock()
        self._requests: deque[MockRequest] = deque(maxlen=KEPT_REQUESTS)
        self._count = 0
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """
        Begin to listen; when it listens already, nothing changes.

        Raises:
            OSError: The port is taken.
        """
        if self._listener is None:
            self._listener = Listener(self._serve, self._port)
            self._port = self._listener.port

    def close(self) -> None:
        """Close every connection and wait for all threads, at most two seconds."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return f"http://{HOST}:{self._port}"

    @property
    def requests(self) -> tuple[MockRequest, ...]:
        """The requests so far, oldest first; the last 10,000."""
        with self._lock:
            return tuple(self._requests)

    def _serve(self, connection: Connection) -> None:
        lives = True
        while lives:
            try:
                raw = connection.read()
            except BadRequestError as error:
                said = str(error).encode()
                headers = {"content-type": "text/plain", "connection": "close"}
                start = head(error.status, headers, length=len(said), chunked=False)
                connection.send(start + said)
                return
            lives = raw is not None and self._exchange(connection, raw)

    @abstractmethod
    def _exchange(self, connection: Connection, raw: RawRequest) -> bool:
        """Answer one request; tell whether the connection lives on."""

    def _record(
        self, connection: Connection, raw: RawRequest, found: Route, query: Mapping[str, str], fault: str = ""
    ) -> MockRequest:
        with self._lock:
            self._count += 1
            request = MockRequest(
                number=self._count,
                connection=connection.number,
                fault=fault,
                method=raw.method,
                path=urlsplit(raw.target).path,
                query=query,
                headers=raw.headers,
                body=raw.body,
                format=found.format.name,
                model=found.model,
            )
            self._requests.append(request)
        return request


@contextmanager
def watched(request: MockRequest) -> Iterator[None]:
    """Note on *request* when its answer is over, and when the client left before that."""
    try:
        yield
    except GoneError:
        request.disconnected = time.monotonic() - request.received_at
        raise
    finally:
        request.ended.set()
