"""
The mock server: a real HTTP/1.1 server on the loopback interface that answers as providers do.

It decides what to answer; `answers` knows the default replies, `formats` the bytes, `serving` the life of a server,
`sending`, `http1` and `listening` the wire.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

import msgspec

from fiber.testing.answers import SPECIAL_WORDS, answer
from fiber.testing.formats import FORMATS, PROMISED, PROMISING, Route, route
from fiber.testing.formats.common import Asked, Promise
from fiber.testing.formats.counting import COUNTING, Counting
from fiber.testing.http1 import Connection, RawRequest
from fiber.testing.listening import HOST
from fiber.testing.recorded import MockRequest
from fiber.testing.script import Failure, RefusedError, Reply
from fiber.testing.sending import Outgoing, prepare, transmit
from fiber.testing.serving import VERSIONS, Family, LoopbackServer, watched
from fiber.testing.view import ChatView, refuse

Answer: TypeAlias = Reply | Failure
Handler: TypeAlias = Callable[[MockRequest], Answer | str | None]

_STEMS: Mapping[str, str] = {
    "openai": "gpt",
    "anthropic": "claude",
    "gemini": "gemini",
    "bedrock": "amazon.nova",
    "cohere": "command",
    "ollama": "llama",
    "replicate": "meta/llama",
}
"""First word of a family's models."""


class MockServer(LoopbackServer):
    """
    A provider on 127.0.0.1 that speaks OpenAI Chat, OpenAI Responses, Anthropic, Gemini, Cohere, Ollama
    and Replicate.

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
        super().__init__(port)
        self.errors: list[Exception] = []
        self._handler = handler
        self._api_key = api_key
        self._delays = (delay_seconds, event_delay_seconds)
        self._models = None if models is None else tuple(models)
        self._queue: list[tuple[str | None, Answer]] = []
        self._seen: Counter[tuple[str, str]] = Counter()
        self._promised: dict[int, tuple[ChatView, Reply]] = {}

    def base_url(self, family: Family) -> str:
        """Return the base URL that a client of this family of providers is given."""
        return self.url + VERSIONS[family]

    def enqueue(self, *answers: Answer | str, format: str | None = None) -> None:
        """
        Set the next answers, in order; a text stands for a reply that says it.

        Args:
            format: Only for requests in this format: `openai_chat`, `openai_responses`, `anthropic`,
                `gemini`, `bedrock_converse`, `bedrock_invoke`, `cohere`, `ollama` or `replicate`.

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

    def _exchange(self, connection: Connection, raw: RawRequest) -> bool:
        """Answer one request; tell whether the connection lives on."""
        target = urlsplit(raw.target)
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        found = route(raw.method, target.path, raw.headers, query)
        request = self._record(connection, raw, found, query)
        with watched(request):
            said = self._decide(request, found)
            outgoing = self._prepare(request, found, self._promise(request, found, said))
            return transmit(connection, raw, request, outgoing)

    def _prepare(self, request: MockRequest, found: Route, said: Answer | Promise | bytes) -> Outgoing:
        number = int(found.verb) if found.kind in PROMISED else request.number
        try:
            return prepare(found.format, request, said, self._delays, number)
        except Exception as error:  # a reply that the format cannot express
            self.errors.append(error)
            failure = Failure(500, message=f"The reply cannot be sent: {error}")
            return prepare(found.format, request, failure, self._delays, number)

    def _promise(self, request: MockRequest, found: Route, said: Answer | Promise | bytes) -> Answer | Promise | bytes:
        """Put a reply off that is not for now: a stream, or what has a delay, of a format that has a place for it."""
        promising, view = PROMISING.get(found.format.name), request.view
        if promising is None or view is None or found.kind != "chat" or not isinstance(said, Reply):
            return said
        delay = self._delays[0] if said.delay_seconds is None else said.delay_seconds
        if not (view.stream or delay):
            return said
        with self._lock:
            self._promised[request.number] = view, said
        return promising.promise(view, request.number, self.url)

    def _kept(self, request: MockRequest, found: Route) -> Answer | Promise:
        """Answer to whoever comes for what was promised, or does not want it any more."""
        with self._lock:
            promised = self._promised.get(int(found.verb))
        if promised is None:
            return Failure(code="model_not_found")
        view, said = promised
        if found.kind == "stop":
            return PROMISING[found.format.name].stopped(view, int(found.verb), self.url)
        request.view, request.model = replace(view, stream=found.kind == "stream"), view.model
        return said

    def _decide(self, request: MockRequest, found: Route) -> Answer | Promise | bytes:
        """Choose what to answer: a reply, a failure, or a body that is no chat."""
        if self._api_key is not None and request.api_key != self._api_key:
            return Failure(code="bad_key")
        if found.kind == "models":
            return found.format.models(self._models or default_models(found.format.name))
        if found.kind in PROMISED:
            return self._kept(request, found)
        if found.kind == "unknown":
            message = f"Invalid URL ({request.method} {request.path})"
            return Failure(404, "model_not_found", message=message)
        try:
            body = msgspec.json.decode(request.body)
            if not isinstance(body, dict):
                raise refuse("The body of the request is not a JSON object.")
            request.json = body
            asked = Asked(body, request.headers, found.model, found.verb, request.query)
            counting = COUNTING[found.format.name] if found.kind == "count" else None
            view = found.format.read(asked) if counting is None else counting.read(asked)
        except msgspec.DecodeError:
            return Failure(400, message="We could not parse the JSON body of your request.")
        except RefusedError as refused:
            return refused.failure
        request.view, request.model = view, view.model
        with self._lock:
            model = (request.format if counting is None else f"{request.format} counting", view.model)
            earlier = self._seen[model]
            self._seen[model] += 1
            if counting is not None:  # what is queued is for the chat itself
                return counted(counting, view, earlier)
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


def counted(counting: Counting, view: ChatView, earlier: int) -> Failure | bytes:
    """Tell the tokens of the input, unless the model's name makes a fault."""
    said = answer(view, earlier)
    return said if isinstance(said, Failure) else counting.answer(view.words)


def as_answer(said: Answer | str) -> Answer:
    """Make a text the reply that says it."""
    return Reply(said) if isinstance(said, str) else said


def default_models(format: str) -> tuple[str, ...]:
    """Return a plain model and one for each special word, named as the provider would."""
    stem = f"{_STEMS[format.partition('_')[0]]}-mock"
    return (stem, *(f"{stem}-{word}" for word in SPECIAL_WORDS))
