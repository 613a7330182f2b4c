"""
What a layer sees: calls, replies, handlers.

A layer is `async def __call__(self, call, next) -> Reply`. It may change the call (a copy), answer without `next`,
call `next` again, or register `reply.on_end`. It awaits only `next`, stores and the transport, so it runs everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any, Protocol, TypeAlias

import msgspec

from fiber._errors import FiberError
from fiber._reply import Ending, Reply
from fiber.adapters.base import StreamDecoder
from fiber.providers.row import Credential, Provider
from fiber.registry.catalog import BUNDLED, ModelCatalog
from fiber.registry.prices import PriceSource
from fiber.transports.base import Transport
from fiber.types.config import CachePolicy, RetryPolicy, Timeouts
from fiber.types.http import HTTPHead, HTTPRequest, Note, Step
from fiber.types.receipt import Attempt
from fiber.types.target import Target
from fiber.types.telemetry import Telemetry


class Operation(Protocol):
    """
    What is asked of a provider: pure functions to build and to parse, and what repeating it means.

    Attributes:
        name: Word for logs and spans, like `chat`.
        unknown_retries: How often it may be repeated when the outcome of an attempt is unknown.
    """

    name: str
    unknown_retries: int

    def build(self, target: Target, *, stream: bool) -> HTTPRequest:
        """Turn it into HTTP for *target*."""
        ...

    def follow(self, head: HTTPHead, body: bytes, target: Target, *, stream: bool) -> Step | None:
        """Return the next exchange of the attempt; None when *body* is the answer itself."""
        ...

    def parse(self, head: HTTPHead, body: bytes, target: Target) -> Any:
        """Decode a whole 2xx answer."""
        ...

    def parse_error(self, head: HTTPHead, body: bytes, target: Target) -> FiberError:
        """Make the error of an answer with status 300 or above."""
        ...

    def decoder(self, head: HTTPHead, target: Target) -> StreamDecoder:
        """Make the decoder of a stream."""
        ...

    def repaired(self, value: Any) -> Operation | None:
        """Return what to ask when *value* is a whole answer but not what was asked for; None when it is, or may be."""
        ...


Tracer: TypeAlias = Callable[["Call", HTTPRequest], tuple[HTTPRequest, Callable[[Attempt], None] | None]]
"""Told of an attempt before it is sent; returns what is sent, and who is told how it went. It raises nothing."""


# Not the one of the module, which programs seed to repeat themselves: ids must differ all the same. To ask the system
# each time would be a call of the kernel for each call of a model.
_RANDOM = Random()
if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows
    os.register_at_fork(after_in_child=_RANDOM.seed)


def new_id() -> str:
    """Return 128 random bits in hexadecimal."""
    return f"{_RANDOM.getrandbits(128):032x}"


class Journal(msgspec.Struct, kw_only=True):
    """
    What happened during one call, shared by all copies of it; the only mutable thing a call carries.

    Attributes:
        id: The call's, which its receipt and its events have.
        observers: Told what happens inside the call.
        hearers: Told how the call ended, last of all and once; they raise nothing.
        tracer: Told of each attempt; None where nobody records them.
    """

    id: str = msgspec.field(default_factory=new_id)
    started: float = 0.0
    attempts: list[Attempt] = []
    notes: tuple[Note, ...] = ()
    layer_notes: tuple[Note, ...] = ()
    waited: float = 0.0
    first_event: float | None = None
    possible_duplicate_charge: bool = False
    observers: list[Callable[[Call, str, Mapping[str, Any]], None]] = []
    hearers: list[Callable[[Call, Ending], None]] = []
    cancelled: bool = False
    raced: bool = False
    closer: Callable[[], None] | None = None
    tracer: Tracer | None = None

    def opened(self, close: Callable[[], None]) -> None:
        """An attempt has a connection: *close* closes it, from any thread."""
        self.closer = close
        if self.cancelled:
            close()

    def cancel(self) -> None:
        """Stop the attempt in flight and make no other; from any task or thread, before the call has its reply."""
        self.cancelled = True
        if self.closer is not None:
            self.closer()

    def ending(self, error: BaseException) -> Ending:
        """Return the ending of a call that got no reply but *error*."""
        failed = isinstance(error, Exception) and not self.cancelled
        usage = getattr(getattr(error, "partial", None), "usage", None)
        return Ending("error" if failed else "cancelled", usage, error=error)

    def failed(self, error: BaseException) -> None:
        """The answer of the last attempt broke after it had begun well."""
        if self.attempts:
            self.attempts[-1] = msgspec.structs.replace(self.attempts[-1], error=type(error).__name__)


class Alternative(msgspec.Struct, frozen=True, kw_only=True):
    """
    Another target for a call, and the operation as it is for that one.

    Attributes:
        notes: What became of the call on the way there.
        instead: It is asked for what the target before says that it does not have at all, and for no other failure.
    """

    operation: Operation
    row: Provider
    target: Target
    credential: Credential
    notes: tuple[Note, ...] = ()
    instead: bool = False

    def __repr__(self) -> str:
        return f"Alternative({self.target.name!r})"


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """
    One logical operation on its way through the layers.

    Attributes:
        deadline: Absolute time on the transport's clock; None for no limit.
        catalog, prices: What is known about models, also the last price list; those that are asked before it.
        bound: Bound fields as they were given, for policies; never sent, and never told.
        context: What may be told of them, in logs, spans and events.
        alias, profile: What was asked for, when it was an alias, and the profile in which it was found.
        lockfile_digest: That of the lockfile which binds the alias.
        keep_raw: Keep the bytes of a stream in the result's `body`.
        forget_text: Give the text of a stream out without keeping it.
        heartbeats: Give out an event for each chunk of a stream that brings none.
        repair: Ask once more when the answer is not what was asked for.
        cache_policy: What the cache may do, where there is one.
        notes: What became of the call on the way to its target, said beside what the adapter says.
        fallbacks: Whom to ask when the target fails, in order.
        idempotency_key: Sent with every attempt where the row has a header for it.
        key: Number of the credential in the pool that it is from.
        telemetry: What is told of the call, and in which words.
    """

    operation: Operation
    row: Provider
    target: Target
    credential: Credential
    transport: Transport
    timeouts: Timeouts = Timeouts()
    retry: RetryPolicy = RetryPolicy()
    stream: bool = False
    deadline: float | None = None
    bound: Mapping[str, Any] = {}
    context: Mapping[str, Any] = {}
    label: str = ""
    alias: str = ""
    profile: str = ""
    lockfile_digest: str = ""
    catalog: ModelCatalog = BUNDLED
    prices: tuple[PriceSource, ...] = ()
    keep_raw: bool = False
    forget_text: bool = False
    heartbeats: bool = False
    repair: bool = False
    cache_policy: CachePolicy = "off"
    notes: tuple[Note, ...] = ()
    fallbacks: tuple[Alternative, ...] = ()
    idempotency_key: str = ""
    key: int | None = None
    telemetry: Telemetry = Telemetry()
    journal: Journal = msgspec.field(default_factory=Journal)

    def replace(self, **changes: Any) -> Call:
        """Return a copy with *changes*; both have the same journal."""
        return msgspec.structs.replace(self, **changes)

    @property
    def is_idempotent(self) -> bool:
        """The provider does the work once, however often it is asked."""
        return bool(self.idempotency_key and self.row.idempotency_header)

    def tell(self, event: str, **facts: Any) -> None:
        """Tell those who observe the call (telemetry) that something happened inside it, like a `retry`."""
        for observer in self.journal.observers:
            observer(self, event, facts)

    def __repr__(self) -> str:
        shown = (name for name in self.__struct_fields__ if name not in ("bound", "credential"))
        return f"Call({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


Handler: TypeAlias = Callable[[Call], Coroutine[Any, Any, Reply]]


class Layer(Protocol):
    """One policy around a call."""

    def __call__(self, call: Call, next: Handler) -> Coroutine[Any, Any, Reply]:
        """Handle *call*, usually by awaiting `next(call)`; an `async def`, or a function that returns `next(call)`."""
        ...


class Listener(Protocol):
    """
    Who hears of each call of a client, around all layers: metrics, for instance.

    Both are called wherever the call is, also while a dropped stream is collected: they must be quick, take no lock
    that somebody holds for long, and raise nothing. Only `begin` may refuse a call that cannot be heard of.
    """

    def begin(self, call: Call) -> None:
        """Hear that *call* begins; who wants to hear what happens inside it puts itself among the observers."""
        ...

    def end(self, call: Call, ending: Ending) -> None:
        """Hear how *call* ended, once."""
        ...

    async def shut(self, transport: Transport, *, on_loop: bool) -> None:
        """
        Have what was heard arrive where it is to go, within a bound, for the client is closed.

        Args:
            transport: The client's.
            on_loop: Others go on meanwhile; otherwise this is blocking code and must not suspend.
        """
        ...


def chain(layers: tuple[Layer, ...], core: Handler) -> Handler:
    """Fold *layers*, outermost first, around *core*."""
    handler = core
    for layer in reversed(layers):
        handler = _around(layer, handler)
    return handler


def _around(layer: Layer, handler: Handler) -> Handler:
    def call_layer(call: Call) -> Coroutine[Any, Any, Reply]:
        return layer(call, handler)

    return call_layer
