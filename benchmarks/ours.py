"""`fiber`, as its users use it: both faces, with the default layers, and history as `ChatMessage` values."""

from __future__ import annotations

from collections.abc import Callable

from client import MODEL, Messages, Turns

_PROVIDERS = {
    # The format -> the row that speaks it, and what its base URL ends with.
    "openai_chat": ("openai", "/v1"),
    "openai_responses": ("openai-responses", "/v1"),
    "anthropic": ("anthropic", ""),
    "gemini": ("gemini", ""),
}


class AsyncFiber:
    """`Fiber`; the environment says over which transport."""

    def __init__(self, url: str, format: str) -> None:
        from fiber import Fiber, TextDelta

        provider, ending = _PROVIDERS[format]
        self._delta = TextDelta
        self._fiber = Fiber(
            api_keys={provider: "key-of-the-benchmarks"},
            base_urls={provider: url + ending},
            default_model=f"{provider}:{MODEL}",
        )

    def forget_text(self) -> None:
        """Give text out without keeping it from now on."""
        self._fiber = self._fiber.with_options(forget_text=True)

    def history(self, turns: Turns) -> Messages:
        """Return messages."""
        from fiber import ChatMessage

        return [ChatMessage(role, text) for role, text in turns]

    async def call(self, messages: Messages) -> str:
        """Ask for a whole answer."""
        return (await self._fiber.chat(messages)).text

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Ask for a stream, and look at every event."""
        delta, count = self._delta, 0
        async with self._fiber.chat_stream(messages) as stream:
            async for event in stream:
                if isinstance(event, delta):
                    count += 1
                    if count == 1:
                        first()
        return count

    async def close(self) -> None:
        """Close the connections."""
        await self._fiber.close()


class BlockingFiber(AsyncFiber):
    """`fiber.sync`."""

    async def call(self, messages: Messages) -> str:
        """Ask for a whole answer."""
        return self._fiber.sync.chat(messages).text

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Ask for a stream, and look at every event."""
        delta, count = self._delta, 0
        with self._fiber.sync.chat_stream(messages) as stream:
            for event in stream:
                if isinstance(event, delta):
                    count += 1
                    if count == 1:
                        first()
        return count

    async def close(self) -> None:
        """Close the connections."""
        self._fiber.sync.close()
