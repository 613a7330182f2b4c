"""What a type checker must know about the public names. Checked, never run."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, assert_never, assert_type

import fiber
from fiber import (
    Audio,
    AWSKeys,
    BatchRequest,
    BatchSummary,
    BreakerPolicy,
    BusinessEvent,
    CacheHit,
    CacheWrite,
    Call,
    CallCompleted,
    CallFailed,
    CallStarted,
    ChatMessage,
    ChatRequest,
    ChatResult,
    ChatStream,
    Citation,
    ContentPart,
    Document,
    Ending,
    Events,
    FetchPolicy,
    Fiber,
    FiberError,
    FiberStreamInterruptedError,
    FiberTimeoutError,
    Handler,
    Heartbeat,
    HedgePolicy,
    Image,
    KeyPool,
    Layer,
    Lockfile,
    Log,
    MessageEnd,
    MessageStart,
    Part,
    PieceStream,
    Prompt,
    PromptDefaults,
    Provider,
    ProviderCall,
    RawResponse,
    ReasoningDelta,
    Reply,
    Restart,
    RetryPolicy,
    StreamEvent,
    SyncChatStream,
    SyncFiber,
    SyncPieceStream,
    Text,
    TextDelta,
    Timeouts,
    TokenUsage,
    ToolCall,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    Usage,
    UsageUpdate,
    find_lockfile,
)


@dataclass
class City:
    """A type to parse into."""

    name: str


async def vault() -> str:
    """Return a key, asynchronously."""
    return "key"


async def layer(call: Call, next: Handler) -> Reply:
    """Be a layer."""

    async def end(ending: Ending) -> None:
        assert_type(ending.usage, Usage | None)

    reply = await next(call)
    reply.on_end(end)
    return reply


def construction() -> Fiber:
    """Every kind of key, and the policies."""
    layers: tuple[Layer, ...] = (layer,)
    made = Fiber(
        default_model="openai:gpt-6",
        api_keys={"openai": "sk", "anthropic": lambda: "sk", "gemini": vault, "bedrock": AWSKeys("id", "sk")},
        timeouts=Timeouts(total=5),
        retry=RetryPolicy(max_attempts=2, retry_if=lambda error, attempt, context: None),
        on_unsupported="warn",
        fallback=["anthropic:claude-5"],
        breaker=BreakerPolicy(failures=3),
        hedge=HedgePolicy(after_seconds=2, max_share=0.1),
        layers=layers,
        fetch=FetchPolicy(hosts=("example.com",)),
    )
    assert_type(made.sync, SyncFiber)
    assert_type(made.with_options(temperature=0.5), Fiber)
    row = Provider(name="acme", base_url="https://acme.test/v1")
    assert_type(made.register_provider(row, api_key=vault, replace=True), Fiber)
    assert_type(made.sync.register_provider(row, api_key="sk"), SyncFiber)
    assert_type(Fiber(alias_order="cost").with_options(alias_order="listed"), Fiber)
    assert_type(Fiber(openai_api="auto").explain("gpt-6", request="Hi"), tuple[str, ...])
    Fiber(balance={"fast": {"openai:gpt-6": 3, "mistral:m": 0.5}})
    spares = ["sk-1", "sk-2"]
    Fiber(api_keys={"openai": spares, "mistral": KeyPool(spares), "azure": ["sk-3", vault]})
    with made.bind(run="r1") as scoped:
        assert isinstance(scoped, Fiber)
    assert_type(Fiber.from_env(), Fiber)
    assert_type(fiber.sync, SyncFiber)
    return made


async def whole(client: Fiber) -> None:
    """Whole answers."""
    result = await client.chat("Hello", model="claude-5", temperature=0, tools=[max], timeout=3)
    assert_type(result, ChatResult)
    assert_type(result.text, str)
    assert_type(result.tool_calls, tuple[ToolCall, ...])
    assert_type(result.usage.input_tokens, int | None)
    assert_type(result.usage.cost_usd, Decimal | None)
    assert_type(result.message, ChatMessage)
    assert_type(result.message.parts, tuple[Part, ...])
    assert_type(result.json(), Any)
    assert_type(result.json(parse=City), City)
    assert_type(result.json(parse=list[int]), list[int])
    assert_type(result.json({"type": "array"}), Any)
    assert_type(result.tool_calls[0].parse(City), City)
    assert_type(ChatMessage.tool(result.tool_calls[0], [Text.of(City("Oslo"))]), ChatMessage)
    assert_type(result.json(lenient=True), Any)
    assert_type(result.json(City, lenient=True), City)
    assert_type(await client.ask("Hello"), str)
    assert_type(await client.chat(request=ChatRequest(messages=())), ChatResult)
    assert_type(
        await client.batch_chat(["a", BatchRequest("b")], return_exceptions=True), list[ChatResult | FiberError]
    )
    async with client.batch_as_completed(iter(["a"]), on_unsupported="drop") as done:
        assert_type(await anext(done), tuple[int, ChatResult | FiberError])
    assert_type(await client.request("GET", "/models", provider="openai"), RawResponse)
    assert_type(await client.fetch_part("https://example.com/a.png"), Image | Audio | Document)


async def streamed(client: Fiber) -> None:
    """Answers as they come."""
    async with client.chat_stream("Hello") as stream:
        assert_type(stream, ChatStream)
        async for event in stream:
            assert_type(event, StreamEvent)
            told(event)
    assert_type(stream.result, ChatResult)
    assert_type(stream.partial, ChatResult | None)
    assert_type(await client.chat_stream("Hello").collect(), ChatResult)
    assert_type(client.ask_stream("Hello"), PieceStream[str])
    async for text in client.ask_stream("Hello"):
        assert_type(text, str)
    async for chunk in client.request_stream("GET", "/x", provider="openai"):
        assert_type(chunk, bytes)


def blocking(client: SyncFiber) -> None:
    """The same without a loop."""
    assert_type(client.chat("Hello", max_tokens=5, tools=[max], emulate_tools=True), ChatResult)
    assert_type(client.ask("Hello"), str)
    with client.chat_stream("Hello") as stream:
        assert_type(stream, SyncChatStream)
        for event in stream:
            assert_type(event, StreamEvent)
    assert_type(client.ask_stream("Hello"), SyncPieceStream[str])
    for text in client.ask_stream("Hello"):
        assert_type(text, str)
    assert_type(client.batch_chat(["a"], concurrency=2), list[ChatResult | FiberError])
    with client.batch_as_completed(iter(["a"]), concurrency=2, max_tokens=5) as done:
        assert_type(next(done), tuple[int, ChatResult | FiberError])
    assert_type(BatchSummary.of([ChatResult()]), BatchSummary)
    assert_type(client.request("GET", "/x", provider="openai").json(), Any)
    assert_type(client.fetch_part("https://example.com/a.png"), Image | Audio | Document)


def told(event: StreamEvent) -> str:
    """Match every kind of event; a new one is an error here."""
    match event:
        case TextDelta(text=text) | ReasoningDelta(text=text):
            return text
        case ToolCallStart(name=name):
            return name
        case ToolCallDelta(arguments_delta=piece):
            return piece
        case ToolCallEnd(tool_call=call):
            return call.name
        case MessageStart(model=model):
            return model
        case MessageEnd(finish_reason=reason):
            return reason or ""
        case Log(message=message):
            return message
        case ContentPart() | Citation() | UsageUpdate() | Heartbeat() | Restart():
            return event.type
        case _:
            assert_never(event)


async def prompts(client: Fiber) -> None:
    """Templates."""
    prompt = Prompt("Say {what}", inputs=("what",), defaults=PromptDefaults(temperature=0.2))
    assert_type(prompt.call(client, what="x"), ChatResult)
    assert_type(await prompt.acall(client, what="x"), ChatResult)
    assert_type(prompt.stream(client, what="x"), SyncChatStream)
    assert_type(prompt.astream(client, what="x"), ChatStream)


def aliases(own: Path) -> None:
    """Where a lockfile comes from, and what a client says of it."""
    assert_type(find_lockfile(), Lockfile)
    client = Fiber(lockfile=find_lockfile(own, package="acme_notes"), profile="prod")
    assert_type(Fiber(lockfile=own).lockfile.digest, str)
    assert_type(client.has_alias("fast"), bool)
    client.sync.require_aliases(["fast"], context="notes")


def billed(event: BusinessEvent) -> None:
    """A handler, and what it sees."""
    assert_type(event.scope.user, str | None)
    match event.payload:
        case TokenUsage():
            assert_type(event.payload.total_tokens, int | None)
        case ProviderCall() | CallStarted() | CacheHit() | CacheWrite():
            assert_type(event.payload.provider, str)
        case CallCompleted():
            assert_type(event.payload.first_event_seconds, float | None)
        case CallFailed():
            assert_type(event.payload.outcome, Literal["error", "truncated", "cancelled"])
        case _:
            assert_never(event.payload)


async def billed_later(event: BusinessEvent) -> None:
    """A handler on a loop."""


def events() -> None:
    """Handlers of both kinds, and what is known of them."""
    Fiber(on_event=billed)
    Fiber(on_event=billed_later)
    shared = Events(billed, limit=10)
    Fiber(on_event=shared)
    assert_type(shared.dropped, int)


def failed(error: FiberError) -> None:
    """Facts on errors."""
    assert_type(error.retry_after, float | None)
    assert_type(error.is_retryable, bool)
    if isinstance(error, FiberTimeoutError):
        assert_type(error.timer, str)
    if isinstance(error, FiberStreamInterruptedError):
        assert_type(error.partial, ChatResult | None)


async def wrong(client: Fiber) -> None:
    """Mistakes that a checker finds."""
    await client.chat("Hello", temprature=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    await client.chat("Hello", temperature="hot")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    Fiber(default_modle="x")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    client.sync.ask("Hello", model=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
