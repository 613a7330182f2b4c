"""The operations that calls carry: a chat through an adapter, and a raw exchange."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import msgspec

from fiber._errors import FiberError, FiberParsingError, FiberValidationError
from fiber.adapters import load
from fiber.adapters.base import Adapter, StreamDecoder
from fiber.adapters.failures import unreadable
from fiber.adapters.headers import public, request_id
from fiber.types.http import HTTPHead, HTTPRequest, Step
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.showing import repr_of, size_of
from fiber.types.target import Target
from fiber.types.tools import JSONSchema

_WHY_CHARACTERS = 500
"""Most of an error's words that are shown to the model."""


class Chat:
    """One chat request, through the adapter of its target."""

    name = "chat"
    unknown_retries = 1

    def __init__(self, request: ChatRequest, adapter: Adapter) -> None:
        self.request = request
        self.adapter = adapter

    @property
    def told(self) -> ChatRequest:
        """The request as the provider is told it."""
        return self.request

    def build(self, target: Target, *, stream: bool) -> HTTPRequest:
        """Turn the request into HTTP."""
        return self.adapter.build_request(self.request, target, stream=stream)

    def follow(self, head: HTTPHead, body: bytes, target: Target, *, stream: bool) -> Step | None:
        """Ask the adapter where the answer is, if not here."""
        follow = self.adapter.follow
        return None if follow is None else follow(head, body, target, stream=stream)

    def parse(self, head: HTTPHead, body: bytes, target: Target) -> ChatResult:
        """Decode a whole answer."""
        return self.adapter.parse_response(head, body, target)

    def parse_error(self, head: HTTPHead, body: bytes, target: Target) -> FiberError:
        """Make the error of a refused request."""
        return refused(self.adapter, head, body, target)

    def decoder(self, head: HTTPHead, target: Target) -> StreamDecoder:
        """Make the stream decoder."""
        return self.adapter.stream_decoder(head, target)

    def parsed(self, result: ChatResult) -> Any:
        """
        Return the value that a whole answer stands for; None when none was asked for, or the answer is not whole.

        Raises:
            FiberParsingError: The answer is not JSON, or does not fit the type or the schema asked for.
        """
        wanted = self.request.response_format
        if wanted is None or wanted.kind == "text" or result.finish_reason != "stop":
            return None
        if wanted.kind == "json_schema" and wanted.strict and wanted.python_type is None and wanted.schema is not None:
            return _conforming(result, wanted.schema)
        kind: Any = wanted.python_type
        return result.json(kind)

    def repaired(self, value: ChatResult) -> Chat | None:
        """Return a chat that shows the model its answer and what is wrong with it; None when nothing is."""
        try:
            self.parsed(value)
        except FiberParsingError as error:
            where = f"in the member {value.json_member!r}: " if value.json_member else ""
            why = (where + str(error.__cause__ or error.message))[:_WHY_CHARACTERS]
            asked = ChatMessage.user(
                f"That answer cannot be read as what I asked for. The error is:\n{why}\n"
                "Answer again with the corrected JSON only, without any other words."
            )
            messages = (*self.request.messages, value.message, asked)
            return Chat(msgspec.structs.replace(self.request, messages=messages), self.adapter)
        return None


class RawResponse(msgspec.Struct, frozen=True, kw_only=True):
    """
    An answer as it came, from `Fiber.request`.

    Attributes:
        status: HTTP status, always 2xx; anything else is raised.
        headers: Lower-case names, cookies removed.
        body: The body, decoded from its content encoding; a `repr` shows only its length.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str | None = None

    def __repr__(self) -> str:
        return repr_of(self, body=size_of(self.body))

    def json(self) -> Any:
        """
        Decode the body as JSON.

        Raises:
            FiberParsingError: It is not JSON.
        """
        try:
            return msgspec.json.decode(self.body)
        except (ValueError, RecursionError) as error:
            raise FiberParsingError(f"The body is not JSON: {error}.") from None


class Raw:
    """One exchange with a provider, without any mapping."""

    name = "request"

    def __init__(
        self,
        method: str,
        path: str,
        adapter: Adapter,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
    ) -> None:
        self.method = method.upper()
        self.path = path
        self.adapter = adapter
        self.json = json
        self.content = content or b""
        self.headers = tuple((headers or {}).items())
        if json is not None:
            self.headers += (("content-type", "application/json"),)
        self.query = f"?{urlencode(params)}" if params else ""
        # Repeating a request that creates something may create it twice: only reading is repeated blindly.
        self._is_reading = self.method in ("GET", "HEAD")
        self.unknown_retries = 8 if self._is_reading else 0

    def build(self, target: Target, *, stream: bool) -> HTTPRequest:
        """Put the request together."""
        url = f"{target.base_url}/{self.path.lstrip('/')}{self.query}"
        body = self.content if self.json is None else msgspec.json.encode(self.json)
        return HTTPRequest(self.method, url, self.headers, body, repeatable=self._is_reading)

    def follow(self, head: HTTPHead, body: bytes, target: Target, *, stream: bool) -> None:
        """Nothing is followed: what came is what was asked for."""

    def parse(self, head: HTTPHead, body: bytes, target: Target) -> RawResponse:
        """Hand the answer over as it is."""
        return RawResponse(
            status=head.status, headers=public(head.headers), body=body, request_id=request_id(head.headers)
        )

    def parse_error(self, head: HTTPHead, body: bytes, target: Target) -> FiberError:
        """Make the error of a refused request, typed as for a chat."""
        return refused(self.adapter, head, body, target)

    def decoder(self, head: HTTPHead, target: Target) -> StreamDecoder:
        """Hand the chunks over as they come."""
        return RawDecoder(head)

    def repaired(self, value: RawResponse) -> None:
        """Nothing was asked of the body, so nothing can be wrong with it."""


class RawDecoder:
    """The decoder of a raw stream: its events are the chunks themselves, and the end of the body is the end."""

    def __init__(self, head: HTTPHead) -> None:
        self.head = head
        self.error: FiberError | None = None
        self.done = False

    def feed(self, chunk: bytes) -> list[Any]:
        """Return the chunk."""
        return [chunk]

    def finish(self) -> list[Any]:
        """The body ended."""
        self.done = True
        return []

    def result(self) -> Any:
        """Return the head; the body was given out."""
        head = self.head
        return RawResponse(
            status=head.status, headers=public(head.headers), body=b"", request_id=request_id(head.headers)
        )


def _conforming(result: ChatResult, schema: JSONSchema) -> Any:
    """Return what *result* says, held to *schema* where there is somebody to do it and the schema can be used."""
    from fiber.types.omitted import without_nulls  # both for schemas that are no types
    from fiber.types.validating import is_able

    if is_able():
        try:
            return result.json(schema)
        except FiberValidationError:  # the provider took it: the answer is not to be lost for this
            pass
    return without_nulls(result.json(), schema)


def adapter_of(adapter: str | Adapter) -> Adapter:
    """Return *adapter* itself, or load the one called so."""
    return load(adapter) if isinstance(adapter, str) else adapter


def refused(adapter: Adapter, head: HTTPHead, body: bytes, target: Target) -> FiberError:
    """Make the error of a status of 300 or above; a redirect is one, for a key must not follow it."""
    if head.status < 400:
        return unreadable(head, target, body, f"a redirect{_to(head, target)}, which is not followed")
    return adapter.parse_error(head, body, target)


def _to(head: HTTPHead, target: Target) -> str:
    """Return the origin that a redirect names, in words; its path may hold what is not for logs."""
    try:
        place = urlsplit(urljoin(target.base_url, head.headers.get("location", "")))
        port = f":{place.port}" if place.port else ""
    except ValueError:
        return ""
    return f" to {place.scheme}://{place.hostname}{port}" if place.hostname else ""
