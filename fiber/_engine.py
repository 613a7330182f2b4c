"""
One attempt: build, sign, open, read, parse; written once for coroutines and for blocking code.

It is one exchange, or several where the adapter says that the answer is to be had elsewhere, or later (`_steps`).

A stream is primed to its first event with content, so that an error before it is still an error of the attempt and
can be retried; after it nothing is retried. The engine owns the open answer: whatever raises, it is closed.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

import msgspec

from fiber._chain import Call
from fiber._errors import FiberError, FiberValidationError
from fiber._open import FED_BYTES, OpenStream, after, expired, rest, sooner, told
from fiber._reply import Reply
from fiber._steps import Work, ready
from fiber.adapters import headers
from fiber.adapters.base import StreamDecoder
from fiber.adapters.failures import FIRST_ERROR_STATUS
from fiber.adapters.reading import ReadingDecoder, as_read
from fiber.providers.row import secret_of
from fiber.registry.fitting import LONG_BYTES, check_length
from fiber.transports.base import DeadlineReached, HTTPResponse, bounded
from fiber.types.http import NO_SECRET, HTTPHead, HTTPRequest, Secret, Step
from fiber.types.reading import Reading
from fiber.types.receipt import Attempt
from fiber.types.replay import Replay
from fiber.types.result import ChatResult

T = TypeVar("T")

_STREAM_TYPES = ("text/event-stream", "application/x-ndjson")


def run_sync(coroutine: Coroutine[Any, Any, T]) -> T:
    """
    Finish *coroutine* in one step: over a blocking transport nothing in it suspends.

    Raises:
        RuntimeError: Something in it awaited an event loop (a layer, a key callable); it is closed.
    """
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    coroutine.close()
    raise RuntimeError(
        "Something awaited an event loop inside a synchronous call: use only blocking callables with fiber.sync,"
        " or the async client."
    )


async def core(call: Call) -> Reply:
    """Handle *call* with one attempt, and write that into its journal."""
    journal = call.journal
    started = call.transport.now()
    status: int | None = None
    request_id: str | None = None
    failure: str | None = "cancelled"
    secret = NO_SECRET
    work = Work(call)
    sent, done = False, None
    try:
        secret = await _secret(call)
        request = _signed(call, secret)
        if journal.tracer is not None:
            request, done = journal.tracer(call, request)
        request, reading = _closable(call, request), request.reading
        sent, due = True, after(call, call.timeouts.first_event)
        while True:
            try:
                response = await call.transport.open(request, call.timeouts, sooner(call.deadline, due))
            except DeadlineReached:
                raise expired(call, "first_event", due) from None
            status = response.head.status
            reply = await _answer(call, response, secret, due, work, reading)
            if not isinstance(reply, Step):
                break
            request = _closable(call, work.next(reply, secret))
            await _wait(call, reply.wait_seconds, due)
        request_id = _request_id(reply, response.head)
        failure = None
        return reply
    except FiberError as error:
        status, request_id, failure = error.status_code or status, error.request_id, type(error).__name__
        told(error, call, secret)
        if work.begun:
            error.outcome = "unknown"  # whatever this exchange says, an earlier one had the provider begin
        raise
    except Exception as error:
        failure = type(error).__name__
        raise
    finally:
        if failure is not None:
            work.abandon()
        if sent:
            attempt = Attempt(
                number=len(journal.attempts) + 1,
                provider=call.target.provider,
                model=call.target.model,
                status=status,
                seconds=call.transport.now() - started,
                error=failure,
                request_id=request_id,
                waited_seconds=journal.waited,
                key=call.key,
            )
            journal.attempts.append(attempt)
            journal.waited = 0.0
            if done is not None:
                done(attempt)


def _request_id(reply: Reply, head: HTTPHead) -> str | None:
    """Return the provider's id of the request; to make the result of a stream for it costs more than to open one."""
    if reply.stream is not None and (said := headers.request_id(head.headers)) is not None:
        return said
    return getattr(reply.value if reply.stream is None else reply.stream.result(), "request_id", None)


async def _secret(call: Call) -> Secret:
    key: Any = call.credential
    if (fresh := getattr(key, "fresh", None)) is not None:
        key = await _given(call, fresh(call.transport, call.deadline))
    elif callable(key):
        key = key()
        if inspect.isawaitable(key):
            key = await _given(call, key)
    # From here on no frame holds the bare key: a traceback may be printed with its variables.
    key = Secret(key) if isinstance(key, str) else key
    if not key:
        if call.row.needs_key:
            raise call.row.missing_key(call.target.model)
        return NO_SECRET
    return secret_of(key, call.row.name)


async def _given(call: Call, key: Awaitable[Any]) -> Any:
    try:
        return await bounded(call.transport, key, call.deadline)
    except DeadlineReached:
        failure = expired(call, "total", None)
    failure.outcome = "not_sent"
    raise failure


def _signed(call: Call, secret: Secret) -> HTTPRequest:
    try:
        request = call.operation.build(call.target, stream=call.stream)
    except (UnicodeEncodeError, TypeError, RecursionError, OverflowError) as error:
        raise FiberValidationError(
            f"The request cannot be written as JSON: {type(error).__name__}: {_reason(error)}.",
            parameter="messages",
            outcome="not_sent",
        ) from None
    if len(request.body) > LONG_BYTES and call.operation.name == "chat":
        chat: Any = call.operation
        check_length(chat.told, call.target, call.catalog, len(request.body))
    call.journal.notes = (*call.journal.layer_notes, *call.notes, *request.notes)
    if call.is_idempotent:
        request = request.with_headers((call.row.idempotency_header, call.idempotency_key))
    return ready(call, request, secret)


def _reason(error: Exception) -> str:
    # A UnicodeEncodeError would quote the prompt; its reason does not.
    return f"{error.reason} (a lone surrogate?)" if isinstance(error, UnicodeEncodeError) else str(error)


def _closable(call: Call, request: HTTPRequest) -> HTTPRequest:
    if call.stream or call.journal.raced:  # only these can be cancelled by others than those who wait for them
        return msgspec.structs.replace(request, on_open=call.journal.opened)
    return request


async def _wait(call: Call, seconds: float, due: float | None) -> None:
    """Wait between two exchanges of an attempt, no longer than its timers allow."""
    if not seconds:
        return
    transport, until = call.transport, sooner(call.deadline, due)
    left = seconds if until is None else until - transport.now()
    if left > 0:
        await transport.sleep(min(seconds, left))
    if left <= seconds and until is not None:
        raise expired(call, "first_event", due)


async def _answer(
    call: Call, response: HTTPResponse, secret: Secret, due: float | None, work: Work, reading: Reading | None
) -> Reply | Step:
    """Read *response* into the reply; return the next exchange instead where the answer is elsewhere."""
    transport, head, operation = call.transport, response.head, call.operation
    kind = head.content_type
    try:
        if head.status >= FIRST_ERROR_STATUS:
            raise operation.parse_error(head, await transport.read(response, call.deadline), call.target)
        whole = call.operation.name == "chat" and kind in ("application/json", "text/html")
        if not call.stream or whole:
            body = await transport.read(response, call.deadline)
            streamed = kind in _STREAM_TYPES or (call.stream and body.lstrip()[:1] == b"[")
            if streamed and call.operation.name == "chat":
                result = await _decode_whole(call, _decoder(call, head, reading), body)
            elif (step := operation.follow(head, body, call.target, stream=call.stream)) is not None:
                return step
            else:
                work.done()
                result = operation.parse(head, body, call.target)
                result = result if reading is None else as_read(result, reading)
            return Reply(result, Replay(result)) if call.stream else Reply(result)
        decoder = _decoder(call, head, reading)
        if call.forget_text and (forget := getattr(decoder, "forget_text", None)) is not None:
            forget()
        stream = OpenStream(call, response, decoder, secret, due, work.abandon)
        await stream.prime()
        return Reply(stream=stream)
    except DeadlineReached:
        await transport.close(response)
        raise expired(call, "total", None) from None
    except BaseException:
        await transport.close(response)
        raise


def _decoder(call: Call, head: HTTPHead, reading: Reading | None) -> StreamDecoder:
    decoder = call.operation.decoder(head, call.target)
    return decoder if reading is None else ReadingDecoder(decoder, reading)


async def _decode_whole(call: Call, decoder: StreamDecoder, body: bytes) -> ChatResult:
    for start in range(0, len(body), FED_BYTES):
        if start:
            await rest(call, call.deadline)
        decoder.feed(body[start : start + FED_BYTES])
    decoder.finish()
    if decoder.error is not None:
        raise decoder.error
    return msgspec.structs.replace(decoder.result(), body=body)
