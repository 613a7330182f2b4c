"""The client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, Unpack

from fiber import _calls, _counting, _lists, _running, _settings, _updating
from fiber._batch import BatchRequest, BatchStream, OnProgress, batch
from fiber._engine import run_sync
from fiber._errors import FiberError
from fiber._face import Face
from fiber._operations import RawResponse
from fiber._options import ClientOptions
from fiber._pieces import PieceStream, bytes_of, text_of
from fiber._settings import Settings
from fiber._setup import from_environment, settings_of
from fiber._streams import ChatStream
from fiber._sync import SyncFiber
from fiber.providers.row import Credential, Provider
from fiber.registry.catalog import ModelCatalog
from fiber.types.calls import ChatOptions, RawOptions
from fiber.types.config import Timeouts
from fiber.types.content import Audio, Document, Image
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult

if TYPE_CHECKING:  # it brings the stores along
    from fiber._conversation import Conversation, ConversationOptions

F = TypeVar("F", bound="Fiber")


class Fiber(Face):
    """
    One client for every provider; usable from any task, thread and event loop.

    Nothing is read from the environment, only a lockfile that is named is read, and nothing is opened before the first
    call.

    Args:
        options: See `ClientOptions`.

    Raises:
        TypeError: A keyword is not known.
        FiberValidationError: A provider is not known, or a URL is wrong.
    """

    def __init__(self, **options: Unpack[ClientOptions]) -> None:
        self._settings, self._blocking = settings_of(options)

    @classmethod
    def from_env(cls, **options: Unpack[ClientOptions]) -> Self:
        """
        Make a client from the documented environment variables; *options* of the constructor win.

        The default model is `FIBER_MODEL`, else that of the first provider with a key; aliases are those of
        `FIBER_LOCKFILE`, else of `fiber.lock` in the working directory, in the profile `FIBER_PROFILE`.

        Raises:
            FiberValidationError: No provider has a key; the message names the variables. Or the lockfile is wrong.
        """
        return cls(**from_environment(options))

    def __repr__(self) -> str:
        return f"Fiber(model={self._settings.defaults.get('model')!r}, keys={sorted(self._settings.keys)})"

    @cached_property
    def sync(self) -> SyncFiber:
        """The blocking face: the same methods, without `await`; views share its connections."""
        return SyncFiber(_settings.over(self._settings, self._blocking))

    async def chat(
        self, messages: Any = None, *, request: ChatRequest | None = None, **options: Unpack[ChatOptions]
    ) -> ChatResult:
        """
        Send one chat and return its whole answer.

        Args:
            messages: A string, a message, or a list of messages, `(role, content)` pairs or dicts; or a `ChatRequest`.
            request: A `ChatRequest`, instead of *messages*.
            options: See `ChatOptions`.

        Raises:
            FiberValidationError, FiberCapabilityError, FiberModelNotFoundError: Before anything is sent.
            FiberConnectionError, FiberTimeoutError, FiberProviderError, FiberParsingError: The call failed.
        """
        call = _calls.prepare(self._settings, _calls.either(messages, request), options, stream=False)
        result: ChatResult = await _running.complete(self._settings, call)
        return result

    def chat_stream(
        self, messages: Any = None, *, request: ChatRequest | None = None, **options: Unpack[ChatOptions]
    ) -> ChatStream:
        """
        Send one chat and iterate its events, as `async with` block or directly.

        Arguments and errors are those of `chat`; a stream that is cut raises `FiberStreamInterruptedError`.
        """
        call = _calls.prepare(self._settings, _calls.either(messages, request), options, stream=True)
        return _running.stream_of(ChatStream, self._settings, call)

    async def ask(self, prompt: Any, **options: Unpack[ChatOptions]) -> str:
        """Send one chat and return its text; empty when the model only calls tools."""
        return (await self.chat(prompt, **options)).text

    def ask_stream(self, prompt: Any, **options: Unpack[ChatOptions]) -> PieceStream[str]:
        """Send one chat and iterate the pieces of its text; none is empty."""
        return PieceStream(self.chat_stream(prompt, **options), text_of)

    async def batch_chat(
        self,
        requests: Iterable[Any | BatchRequest],
        *,
        concurrency: int = 8,
        return_exceptions: bool = False,
        fail_fast: bool = False,
        on_progress: OnProgress | None = None,
        **options: Unpack[ChatOptions],
    ) -> list[ChatResult | FiberError]:
        """
        Run many chats and return their results in the order of the requests.

        Args:
            requests: Messages in any spelling, dicts of `chat` keywords with `messages`, or `BatchRequest` values.
            concurrency: Calls in flight at a time.
            return_exceptions: Put errors into the list instead of raising the first.
            fail_fast: Cancel the rest at the first error.
            on_progress: Called with a `BatchProgress` after each item; what it raises ends the batch.
            options: Defaults of every item.
        """
        return await batch(
            self._settings,
            requests,
            options,
            concurrency=concurrency,
            return_exceptions=return_exceptions,
            fail_fast=fail_fast,
            on_progress=on_progress,
        )

    def batch_as_completed(
        self, requests: Iterable[Any | BatchRequest], *, concurrency: int = 8, **options: Unpack[ChatOptions]
    ) -> BatchStream:
        """
        Run many chats and iterate `(position, result or error)` as they complete; requests are taken as they are run.

        As `async with` block only: leaving it cancels what is in flight. Arguments are those of `batch_chat`.
        """
        return BatchStream(self._settings, requests, options, concurrency)

    def conversation(self, id: str | None = None, **options: Unpack[ConversationOptions]) -> Conversation:
        """
        Return the conversation *id*, which goes on where it was left; nothing is read before its first use.

        Args:
            id: Its name in the store and in logs; a new one when not given.
            options: See `ConversationOptions`.

        Raises:
            TypeError: A keyword is not known.
            FiberValidationError: The id is none.
        """
        from fiber._conversation import Conversation

        return Conversation(self._settings, id, options)

    async def request(self, method: str, path: str, *, provider: str, **options: Unpack[RawOptions]) -> RawResponse:
        """
        Exchange anything with a provider: its key, timers, retries and redaction, but no mapping.

        Args:
            path: Appended to the provider's base URL.
            options: See `RawOptions`.
        """
        call = _calls.prepare_raw(self._settings, method, path, provider, options, stream=False)
        response: RawResponse = await _running.complete(self._settings, call)
        return response

    def request_stream(
        self, method: str, path: str, *, provider: str, **options: Unpack[RawOptions]
    ) -> PieceStream[bytes]:
        """Exchange anything with a provider and iterate the body as it comes; see `request`."""
        call = _calls.prepare_raw(self._settings, method, path, provider, options, stream=True)
        return PieceStream(_running.stream_of(ChatStream, self._settings, call), bytes_of)

    async def models(self, provider: str, *, timeout: float | Timeouts | None = None) -> list[str]:
        """
        Return the names of the models in the provider's own list, sorted, as it spells them.

        Raises:
            FiberCapabilityError: It has no list.
        """
        return await _lists.models(self._settings, provider, timeout)

    async def ping(self, provider: str, *, timeout: float | Timeouts | None = None) -> float:
        """Ask for that list once, without a retry, and return how many seconds it took; errors as for `request`."""
        return await _lists.ping(self._settings, provider, timeout)

    async def count_tokens(
        self,
        messages: Any = None,
        *,
        exact: bool = False,
        request: ChatRequest | None = None,
        **options: Unpack[ChatOptions],
    ) -> int:
        """
        Return how many input tokens a chat is; the same arguments and errors as for `chat`.

        Args:
            exact: Have the provider count, over the network; otherwise it is the estimate of `fiber.count_tokens`.

        Raises:
            FiberCapabilityError: *exact* was asked for, and the provider does not count.
        """
        return await _counting.count(self._settings, _calls.either(messages, request), options, exact=exact)

    async def fetch_part(self, url: str) -> Image | Audio | Document:
        """
        Fetch *url* within the client's `FetchPolicy` and make the part it is, as `read_part` does for a file.

        Nothing else fetches: a URL in a message is handed to the provider.

        Raises:
            FiberValidationError: The client has no policy, or it does not allow this; nothing was sent.
            FiberConnectionError, FiberTimeoutError: Nothing usable came.
        """
        return await _running.fetched(self._settings, url)

    async def update_catalog(self, source: str | Path, *, sha256: str | None = None) -> ModelCatalog:
        """
        Return the catalogue at *source*, a path or an `https://` URL, for `Fiber(catalog=...)`; nothing else changes.

        Args:
            sha256: Digest that the file must have, in hexadecimal; a URL needs one.
        """
        return await _updating.updated(self._settings, source, sha256)

    def bind(self, **fields: Any) -> BoundFiber:
        """
        Return a view whose calls carry *fields* in logs, spans and events, never to a provider.

        As a `with` block it binds every call of the block. Nested binds merge, the inner one wins.
        """
        return self._view(BoundFiber, _settings.bound(self._settings, fields))

    def with_options(self, **options: Any) -> Fiber:
        """Return a view with other call defaults: any keyword of `chat`, and `timeouts` and `retry`."""
        return self._view(Fiber, _settings.with_defaults(self._settings, options))

    def register_provider(
        self, row: Provider, *, api_key: Credential | Sequence[Credential] = None, replace: bool = False
    ) -> Fiber:
        """
        Return a view that also knows *row*, in routing and everywhere else; this client stays as it is.

        Args:
            api_key: Key of the row, as in *api_keys*; never that of a replaced row.
            replace: The row takes the place of the one of its name.

        Raises:
            FiberValidationError: The name, or an alias, is taken; or a pool of keys, for a client that was made without
                any.
        """
        return self._view(Fiber, _settings.with_provider(self._settings, row, api_key, replacing=replace))

    def _view(self, kind: type[F], settings: Settings) -> F:
        view = object.__new__(kind)
        view._blocking, view._settings = self._blocking, settings
        return view

    async def close(self) -> None:
        """Close the client, its connections on this event loop and its blocking ones. Safe to repeat."""
        await _running.shut(self._settings, on_loop=True)
        if self._blocking is not self._settings.transport:
            run_sync(self._blocking.shutdown())

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *raised: object) -> None:
        await self.close()


class BoundFiber(Fiber):
    """A view with bound fields; as a `with` block it binds every call of the block, of any client."""

    def __enter__(self) -> Self:
        _settings.enter(self._settings)
        return self

    def __exit__(self, *raised: object) -> None:
        _settings.leave()
