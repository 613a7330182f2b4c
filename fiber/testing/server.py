"""
The mock server: a real HTTP/1.1 server on the loopback interface that answers as providers do.

It decides what to answer and records what was asked; `answers` knows the default replies, `formats`
the bytes, `sending`, `http1` and `listening` the wire.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit

import msgspec

from fiber.testing.answers import SPECIAL_WORDS, answer
from fiber.testing.formats import FORMATS, Route, route
from fiber.testing.formats.common import Asked
from fiber.testing.http1 import BadRequestError, Connection, GoneError, RawRequest, head
from fiber.testing.listening import HOST, Listener
from fiber.testing.recorded import MockRequest
from fiber.testing.script import Failure, RefusedError, Reply
from fiber.testing.sending import Outgoing, prepare, transmit
from fiber.testing.view import refuse

Answer: TypeAlias = Reply | Failure
Handler: TypeAlias = Callable[[MockRequest], Answer | str | None]
Family: TypeAlias = Literal["openai", "anthropic", "gemini"]

KEPT_REQUESTS = 10_000
_FAMILIES: Mapping[str, tuple[str, str]] = {
    # Family -> what follows the URL, first word of its models.
    "openai": ("/v1", "gpt"),
    "anthropic": ("", "claude"),
    "gemini": ("", "gemini"),
}


class MockServer:
    """
    A provider on 127.0.0.1 that speaks OpenAI Chat, OpenAI Responses, Anthropic and Gemini.

        with MockServer() as server:
            server.enqueue(Reply("Hello!"))
            ...  # talk to server.base_url("openai")

    An answer comes from the queue, else from *handler*, else from the request itself: the server
    repeats what was said, calls the tools it is offered, tells their results, fits the JSON schema
    asked for; and a word in the model's name makes it fail (`fiber.testing.answers` lists them).

    Args:
        handler: Given each chat request, returns the answer, or None for the default one. It runs
            in the connection's thread. When it raises, the answer is the provider's status 500.
        api_key: The only key that is accepted; every key is when None, and so is having none.
        delay_seconds: Before the first byte of a reply that does not say otherwise.
        event_delay_seconds: Between the events of a stream that does not say otherwise.
        models: Names that the lists of models show; one for each special word by default.
        host: Only 127.0.0.1 is accepted: a mock must not be reachable from elsewhere.
        port: 0 chooses a free one.

    Attributes:
        errors: Exceptions of the handler, and of replies that a format cannot express.

    Raises:
        ValueError: *host* is another one.
    """

    def __init__(
        self,
        *,
        handler: Handler | None = None,
        api_key: str | None = None,
        delay_seconds: float = 0.0,
        event_delay_seconds: float = 0.0,
        models: Iterable[str] | None = None,
        host: str = HOST,
        port: int = 0,
    ) -> None:
        if host != HOST:
            raise ValueError(f"A mock server listens on {HOST} only, not on {host}.")
        self.errors: list[Exception] = []
        self._handler = handler
        self._api_key = api_key
        self._delays = (delay_seconds, event_delay_seconds)
        self._models = None if models is None else tuple(models)
        self._port = port
        self._lock = threading.Lock()
        self._queue: list[tuple[str | None, Answer]] = []
        self._requests: deque[MockRequest] = deque(maxlen=KEPT_REQUESTS)
        self._count = 0
        self._seen: Counter[tuple[str, str]] = Counter()
        self._listener: Listener | None = None

    def __enter__(self) -> MockServer:
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

    def base_url(self, family: Family) -> str:
        """Return the base URL that a client of this family of providers is given."""
        return self.url + _FAMILIES[family][0]

    @property
    def requests(self) -> tuple[MockRequest, ...]:
        """The requests so far, oldest first; the last 10,000."""
        with self._lock:
            return tuple(self._requests)

    def enqueue(self, *answers: Answer | str, format: str | None = None) -> None:
        """
        Set the next answers, in order; a text stands for a reply that says it.

        Args:
            format: Only for requests in this format: `openai_chat`, `openai_responses`, `anthropic`
                or `gemini`.

        Raises:
            ValueError: There is no such format.
        """
        if format is not None and format not in FORMATS:
            raise ValueError(f"No format {format!r}; there are {', '.join(FORMATS)}.")
        with self._lock:
            self._queue += [(format, as_answer(item)) for item in answers]

    def reply(self, answer: Answer | str, *, times: int = 1, format: str | None = None) -> None:
        """Set the same answer for the next so many requests; see `enqueue`."""
        self.enqueue(*([answer] * times), format=format)

    @property
    def pending(self) -> int:
        """How many answers wait in the queue."""
        with self._lock:
            return len(self._queue)

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

    def _exchange(self, connection: Connection, raw: RawRequest) -> bool:
        """Answer one request; tell whether the connection lives on."""
        target = urlsplit(raw.target)
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        found = route(raw.method, target.path, raw.headers, query)
        with self._lock:
            self._count += 1
            request = MockRequest(
                number=self._count,
                method=raw.method,
                path=target.path,
                query=query,
                headers=raw.headers,
                body=raw.body,
                format=found.format.name,
                model=found.model,
            )
            self._requests.append(request)
        try:
            outgoing = self._prepare(request, found, self._decide(request, found))
            return transmit(connection, raw, request, outgoing)
        except GoneError:
            request.disconnected = time.monotonic() - request.received_at
            raise
        finally:
            request.ended.set()

    def _prepare(self, request: MockRequest, found: Route, said: Answer | bytes) -> Outgoing:
        try:
            return prepare(found.format, request, said, self._delays)
        except Exception as error:  # a reply that the format cannot express
            self.errors.append(error)
            failure = Failure(500, message=f"The reply cannot be sent: {error}")
            return prepare(found.format, request, failure, self._delays)

    def _decide(self, request: MockRequest, found: Route) -> Answer | bytes:
        """Choose what to answer: a reply, a failure, or a body that is no chat."""
        if self._api_key is not None and request.api_key != self._api_key:
            return Failure(code="bad_key")
        if found.kind == "models":
            return found.format.models(self._models or default_models(found.format.name))
        if found.kind == "unknown":
            message = f"Invalid URL ({request.method} {request.path})"
            return Failure(404, "model_not_found", message=message)
        try:
            body = msgspec.json.decode(request.body)
            if not isinstance(body, dict):
                raise refuse("The body of the request is not a JSON object.")
            request.json = body
            asked = Asked(body, request.headers, found.model, found.verb, request.query)
            view = found.format.read(asked)
        except msgspec.DecodeError:
            return Failure(400, message="We could not parse the JSON body of your request.")
        except RefusedError as refused:
            return refused.failure
        request.view, request.model = view, view.model
        with self._lock:
            model = (request.format, view.model)
            earlier = self._seen[model]
            self._seen[model] += 1
            for place, (format, queued) in enumerate(self._queue):
                if format in (None, request.format):
                    del self._queue[place]
                    return queued
        try:
            said = self._handler(request) if self._handler is not None else None
        except Exception as error:  # a test's mistake is shown, not swallowed
            self.errors.append(error)
            return Failure(500, message=f"The handler raised {type(error).__name__}: {error}")
        return answer(view, earlier) if said is None else as_answer(said)


def as_answer(said: Answer | str) -> Answer:
    """Make a text the reply that says it."""
    return Reply(said) if isinstance(said, str) else said


def default_models(format: str) -> tuple[str, ...]:
    """Return a plain model and one for each special word, named as the provider would."""
    stem = f"{_FAMILIES[format.partition('_')[0]][1]}-mock"
    return (stem, *(f"{stem}-{word}" for word in SPECIAL_WORDS))
