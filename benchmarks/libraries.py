"""Other libraries, each as its documentation shows it: one client that is kept, and its own kind of history."""

from __future__ import annotations

from collections.abc import Callable

from client import MODEL, Messages, Turns

KEY = "key-of-the-benchmarks"
_MAX_TOKENS = 1024


class _Library:
    """What most of them have in common: messages are dicts, and connections close with the process."""

    def __init__(self, url: str, format: str) -> None:
        self.url = url
        self.format = format
        self.open()

    def open(self) -> None:
        """Make the client."""

    def history(self, turns: Turns) -> Messages:
        """Return dicts."""
        return [{"role": role, "content": text} for role, text in turns]

    async def close(self) -> None:
        """Leave it to the process."""


class OpenAI(_Library):
    """`openai`, chat completions and responses."""

    def open(self) -> None:
        """Make the client."""
        from openai import AsyncOpenAI

        self.client = AsyncOpenAI(api_key=KEY, base_url=f"{self.url}/v1")

    async def call(self, messages: Messages) -> str:
        """Ask for a whole answer."""
        if self.format == "openai_responses":
            return (await self.client.responses.create(model=MODEL, input=messages)).output_text
        completion = await self.client.chat.completions.create(model=MODEL, messages=messages)
        return completion.choices[0].message.content or ""

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Ask for a stream."""
        count = 0
        if self.format == "openai_responses":
            async for event in await self.client.responses.create(model=MODEL, input=messages, stream=True):
                if event.type == "response.output_text.delta":
                    count += 1
                    if count == 1:
                        first()
            return count
        async for chunk in await self.client.chat.completions.create(model=MODEL, messages=messages, stream=True):
            if chunk.choices and chunk.choices[0].delta.content:
                count += 1
                if count == 1:
                    first()
        return count

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


class Anthropic(_Library):
    """`anthropic`."""

    def open(self) -> None:
        """Make the client."""
        from anthropic import AsyncAnthropic

        self.client = AsyncAnthropic(api_key=KEY, base_url=self.url)

    async def call(self, messages: Messages) -> str:
        """Ask for a whole answer."""
        message = await self.client.messages.create(model=MODEL, max_tokens=_MAX_TOKENS, messages=messages)
        return message.content[0].text

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Ask for a stream of raw events, which costs less than the helper that accumulates them."""
        count = 0
        stream = await self.client.messages.create(model=MODEL, max_tokens=_MAX_TOKENS, messages=messages, stream=True)
        async for event in stream:
            if event.type == "content_block_delta":
                count += 1
                if count == 1:
                    first()
        return count

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


class LiteLLM(_Library):
    """`litellm`, which has functions and no client."""

    def open(self) -> None:
        """Choose the provider."""
        import litellm

        self.complete = litellm.acompletion
        if self.format == "anthropic":
            self.options = {"model": f"anthropic/{MODEL}", "api_base": self.url, "max_tokens": _MAX_TOKENS}
        else:
            self.options = {"model": f"openai/{MODEL}", "api_base": f"{self.url}/v1"}

    async def call(self, messages: Messages) -> str:
        """Ask for a whole answer."""
        completion = await self.complete(messages=messages, api_key=KEY, **self.options)
        return completion.choices[0].message.content

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Ask for a stream."""
        count = 0
        async for chunk in await self.complete(messages=messages, api_key=KEY, stream=True, **self.options):
            if chunk.choices and chunk.choices[0].delta.content:
                count += 1
                if count == 1:
                    first()
        return count


class AnyLLM(_Library):
    """`any-llm-sdk`."""

    def open(self) -> None:
        """Make the client of a provider."""
        from any_llm import AnyLLM as Maker

        is_anthropic = self.format == "anthropic"
        self.client = Maker.create(
            "anthropic" if is_anthropic else "openai",
            api_key=KEY,
            api_base=self.url if is_anthropic else f"{self.url}/v1",
        )
        self.options = {"model": MODEL, **({"max_tokens": _MAX_TOKENS} if is_anthropic else {})}

    async def call(self, messages: Messages) -> str:
        """Ask for a whole answer."""
        return (await self.client.acompletion(messages=messages, **self.options)).choices[0].message.content

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Ask for a stream."""
        count = 0
        async for chunk in await self.client.acompletion(messages=messages, stream=True, **self.options):
            if chunk.choices and chunk.choices[0].delta.content:
                count += 1
                if count == 1:
                    first()
        return count


class PydanticAI(_Library):
    """`pydantic-ai`, by its direct requests: an agent around them would cost more."""

    def open(self) -> None:
        """Make the model."""
        from pydantic_ai import direct, messages

        self.direct, self.kinds = direct, messages
        if self.format == "anthropic":
            from anthropic import AsyncAnthropic
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            client = AsyncAnthropic(api_key=KEY, base_url=self.url)
            self.model = AnthropicModel(MODEL, provider=AnthropicProvider(anthropic_client=client))
        else:
            from pydantic_ai.models.openai import OpenAIChatModel
            from pydantic_ai.providers.openai import OpenAIProvider

            self.model = OpenAIChatModel(MODEL, provider=OpenAIProvider(base_url=f"{self.url}/v1", api_key=KEY))

    def history(self, turns: Turns) -> Messages:
        """Return its own messages."""
        kinds = self.kinds
        return [
            kinds.ModelResponse(parts=[kinds.TextPart(text)])
            if role == "assistant"
            else kinds.ModelRequest(parts=[kinds.UserPromptPart(text)])
            for role, text in turns
        ]

    async def call(self, messages: Messages) -> str:
        """Ask for a whole answer."""
        return (await self.direct.model_request(self.model, messages)).parts[0].content

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Ask for a stream; its first delta of text begins a part, and those after it are events of another kind."""
        count = 0
        kinds = self.kinds
        async with self.direct.model_request_stream(self.model, messages) as stream:
            async for event in stream:
                begins = isinstance(event, kinds.PartStartEvent) and event.part.content
                if begins or isinstance(event, kinds.PartDeltaEvent):
                    count += 1
                    if count == 1:
                        first()
        return count


class LLMFiber(_Library):
    """`llm-fiber`, a library of almost the same name that is not related."""

    def open(self) -> None:
        """Make the client."""
        from llm_fiber import ChatMessage, Fiber, StreamEventType

        self.message, self.chunk = ChatMessage, StreamEventType.CHUNK
        self.client = Fiber(
            api_keys={"openai": KEY}, base_urls={"openai": f"{self.url}/v1"}, enable_observability=False
        )

    def history(self, turns: Turns) -> Messages:
        """Return its own messages."""
        return [self.message(role=role, content=text) for role, text in turns]

    async def call(self, messages: Messages) -> str:
        """Ask for a whole answer."""
        return (await self.client.chat(messages, model=MODEL, provider="openai")).text

    async def stream(self, messages: Messages, first: Callable[[], object]) -> int:
        """Ask for a stream."""
        count = 0
        async for event in self.client.chat_stream(messages, model=MODEL, provider="openai"):
            if event.type == self.chunk:
                count += 1
                if count == 1:
                    first()
        return count
