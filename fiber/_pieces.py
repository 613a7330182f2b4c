"""Streams of one kind of piece: text for `ask_stream`, bytes for `request_stream`."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from fiber._engine import run_sync
from fiber._streams import ChatStream
from fiber.types.events import TextDelta

T = TypeVar("T")


class PieceStream(Generic[T]):
    """
    The pieces of an answer, of one kind only: text for `ask_stream`, bytes for `request_stream`.

    None is empty; `async for piece in fiber.ask_stream(...)`.
    """

    def __init__(self, stream: ChatStream, pick: Callable[[Any], T | None]) -> None:
        stream.restarts = False  # a piece cannot say that those before it are void
        self._stream = stream
        self._pick = pick

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        async for event in self._stream:
            if piece := self._pick(event):
                return piece
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        await self._stream.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._stream.close()

    @property
    def result(self) -> Any:
        """The whole result, once all pieces were read: a `ChatResult`, or a `RawResponse` without its body."""
        return self._stream.result

    async def close(self) -> None:
        """Close the connection."""
        await self._stream.close()

    def cancel(self) -> None:
        """Stop the answer without waiting, from any task or thread."""
        self._stream.cancel()


class SyncPieceStream(Generic[T]):
    """The pieces of an answer, in blocking code; see `PieceStream`."""

    def __init__(self, stream: PieceStream[T]) -> None:
        self._stream = stream

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            return run_sync(self._stream.__anext__())
        except StopAsyncIteration:
            raise StopIteration from None

    def __enter__(self) -> Self:
        run_sync(self._stream.__aenter__())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def result(self) -> Any:
        """The whole result, once all pieces were read."""
        return self._stream.result

    def close(self) -> None:
        """Close the connection."""
        run_sync(self._stream.close())

    def cancel(self) -> None:
        """Stop the answer, from any thread."""
        self._stream.cancel()


def text_of(event: Any) -> str | None:
    """Return the text of a text delta of the first choice."""
    return event.text if isinstance(event, TextDelta) and event.index == 0 else None


def bytes_of(event: Any) -> bytes | None:
    """Return a chunk of a raw stream."""
    return event if isinstance(event, bytes) else None
