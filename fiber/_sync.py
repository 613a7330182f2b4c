"""The blocking face of a client: the same coroutines, finished in one step, without a thread or a loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from fiber import _calls, _counting, _lists, _running, _settings, _updating
from fiber._batch import BatchRequest, BatchStream, OnProgress, SyncBatchStream, batch
from fiber._engine import run_sync
from fiber._errors import FiberError
from fiber._face import Face
from fiber._operations import RawResponse
from fiber._pieces import PieceStream, SyncPieceStream, bytes_of, text_of
from fiber._settings import Settings
from fiber._streams import ChatStream, SyncChatStream
from fiber.providers.row import Credential, Provider
from fiber.registry.catalog import ModelCatalog
from fiber.types.calls import ChatOptions, RawOptions
from fiber.types.config import Timeouts
from fiber.types.content import Audio, Document, Image
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult

if TYPE_CHECKING:  # it brings the stores along
    from fiber._conversation import ConversationOptions, SyncConversation


class SyncFiber(Face):
    """
    `fiber.sync`: every call blocks until it is done.

    Usable from any thread, after a fork, and inside a running event loop (which it blocks meanwhile).
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def chat(
        self, messages: Any = None, *, request: ChatRequest | None = None, **options: Unpack[ChatOptions]
    ) -> ChatResult:
        """Send one chat and return its whole answer; see `Fiber.chat`."""
        call = _calls.prepare(self._settings, _calls.either(messages, request), options, stream=False)
        result: ChatResult = run_sync(_running.complete(self._settings, call))
        return result

    def chat_stream(
        self, messages: Any = None, *, request: ChatRequest | None = None, **options: Unpack[ChatOptions]
    ) -> SyncChatStream:
        """Send one chat and iterate its events; see `Fiber.chat_stream`."""
        return SyncChatStream(self._stream(_calls.either(messages, request), options))

    def ask(self, prompt: Any, **options: Unpack[ChatOptions]) -> str:
        """Send one chat and return its text."""
        return self.chat(prompt, **options).text

    def ask_stream(self, prompt: Any, **options: Unpack[ChatOptions]) -> SyncPieceStream[str]:
        """Send one chat and iterate the pieces of its text."""
        return SyncPieceStream(PieceStream(self._stream(prompt, options), text_of))

    def batch_chat(
        self,
        requests: Iterable[Any | BatchRequest],
        *,
        concurrency: int = 8,
        return_exceptions: bool = False,
        fail_fast: bool = False,
        on_progress: OnProgress | None = None,
        **options: Unpack[ChatOptions],
    ) -> list[ChatResult | FiberError]:
        """Run many chats, in threads when *concurrency* is above 1; see `Fiber.batch_chat`."""
        return run_sync(
            batch(
                self._settings,
                requests,
                options,
                concurrency=concurrency,
                return_exceptions=return_exceptions,
                fail_fast=fail_fast,
                on_progress=on_progress,
            )
        )

    def batch_as_completed(
        self, requests: Iterable[Any | BatchRequest], *, concurrency: int = 8, **options: Unpack[ChatOptions]
    ) -> SyncBatchStream:
        """Run many chats and iterate them as they complete, as `with` block; see `Fiber.batch_as_completed`."""
        return SyncBatchStream(BatchStream(self._settings, requests, options, concurrency))

    def conversation(self, id: str | None = None, **options: Unpack[ConversationOptions]) -> SyncConversation:
        """Return the conversation *id*, which goes on where it was left; see `Fiber.conversation`."""
        from fiber._conversation import Conversation, SyncConversation

        return SyncConversation(Conversation(self._settings, id, options))

    def request(self, method: str, path: str, *, provider: str, **options: Unpack[RawOptions]) -> RawResponse:
        """Exchange anything with a provider; see `Fiber.request`."""
        call = _calls.prepare_raw(self._settings, method, path, provider, options, stream=False)
        response: RawResponse = run_sync(_running.complete(self._settings, call))
        return response

    def request_stream(
        self, method: str, path: str, *, provider: str, **options: Unpack[RawOptions]
    ) -> SyncPieceStream[bytes]:
        """Exchange anything with a provider and iterate the body as it comes."""
        call = _calls.prepare_raw(self._settings, method, path, provider, options, stream=True)
        return SyncPieceStream(PieceStream(_running.stream_of(ChatStream, self._settings, call), bytes_of))

    def models(self, provider: str, *, timeout: float | Timeouts | None = None) -> list[str]:
        """Return the names of the models in the provider's own list; see `Fiber.models`."""
        return run_sync(_lists.models(self._settings, provider, timeout))

    def ping(self, provider: str, *, timeout: float | Timeouts | None = None) -> float:
        """Ask for that list once and return how many seconds it took; see `Fiber.ping`."""
        return run_sync(_lists.ping(self._settings, provider, timeout))

    def count_tokens(
        self,
        messages: Any = None,
        *,
        exact: bool = False,
        request: ChatRequest | None = None,
        **options: Unpack[ChatOptions],
    ) -> int:
        """Return how many input tokens a chat is, counted by the provider when *exact*; see `Fiber.count_tokens`."""
        return run_sync(_counting.count(self._settings, _calls.either(messages, request), options, exact=exact))

    def fetch_part(self, url: str) -> Image | Audio | Document:
        """Fetch *url* within the client's `FetchPolicy`; see `Fiber.fetch_part`."""
        return run_sync(_running.fetched(self._settings, url))

    def update_catalog(self, source: str | Path, *, sha256: str | None = None) -> ModelCatalog:
        """Return the catalogue at *source*, a path or an `https://` URL; see `Fiber.update_catalog`."""
        return run_sync(_updating.updated(self._settings, source, sha256))

    def bind(self, **fields: Any) -> BoundSyncFiber:
        """Return a view whose calls carry *fields* in logs, spans and events; also a `with` block."""
        return BoundSyncFiber(_settings.bound(self._settings, fields))

    def with_options(self, **options: Any) -> SyncFiber:
        """Return a view with other call defaults; see `Fiber.with_options`."""
        return SyncFiber(_settings.with_defaults(self._settings, options))

    def register_provider(
        self, row: Provider, *, api_key: Credential | Sequence[Credential] = None, replace: bool = False
    ) -> SyncFiber:
        """Return a view that also knows *row*; see `Fiber.register_provider`."""
        return SyncFiber(_settings.with_provider(self._settings, row, api_key, replacing=replace))

    def close(self) -> None:
        """Close the client and its blocking connections. Safe to repeat."""
        run_sync(_running.shut(self._settings, on_loop=False))

    def _stream(self, messages: Any, options: ChatOptions) -> ChatStream:
        call = _calls.prepare(self._settings, messages, options, stream=True)
        return _running.stream_of(ChatStream, self._settings, call)


class BoundSyncFiber(SyncFiber):
    """A view with bound fields; as a `with` block it binds every call of the block, of any client."""

    def __enter__(self) -> Self:
        _settings.enter(self._settings)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _settings.leave()
