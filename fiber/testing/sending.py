"""How an answer goes over the wire: with the delays and the faults that it asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fiber.testing.formats import Format
from fiber.testing.formats.common import Refusal
from fiber.testing.http1 import Connection, RawRequest, chunk, head
from fiber.testing.recorded import MockRequest
from fiber.testing.script import Failure, Reply
from fiber.testing.view import ChatView


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """
    An answer in bytes, faults included.

    Attributes:
        blocks: What is sent, one write each.
        length: Bytes the head announces; None for a stream.
        ending: `complete` ends the HTTP message, `drop` closes without, `stall` waits until the
            client or the server closes.
    """

    status: int
    headers: Mapping[str, str]
    blocks: Sequence[bytes]
    length: int | None
    delay_seconds: float = 0.0
    event_delay_seconds: float = 0.0
    ending: Literal["complete", "drop", "stall"] = "complete"


def prepare(
    format: Format,
    request: MockRequest,
    said: Reply | Failure | Refusal | bytes,
    delays: tuple[float, float],
    number: int,
) -> Outgoing:
    """
    Turn an answer into bytes.

    Args:
        said: A reply, a failure, one as the provider sends it, or a body as it is.
        delays: Seconds before the first byte and between events, for replies that do not say.
        number: Of the request that is answered.

    Raises:
        ValueError: The format cannot express the reply.
    """
    own = format.headers(number)
    typed = {"content-type": format.content_type, **own}
    if isinstance(said, bytes):
        said = Refusal(200, {}, said)
    if isinstance(said, Failure):
        said = format.error(said, request.model, request.api_key)
    if isinstance(said, Refusal):
        status, headers, body = said
        return Outgoing(status=status, headers={**typed, **headers}, blocks=[body], length=len(body))
    view = request.view or ChatView(model=request.model)
    if view.stream:
        typed["content-type"] = format.stream_type(view)
        blocks, length = _stream(format, view, said, number), None
    else:
        blocks, length = _whole(format, view, said, number)
    delay, between = said.delay_seconds, said.event_delay_seconds
    ending = said.ending
    return Outgoing(
        status=said.status,
        headers={**typed, **said.headers},
        blocks=blocks,
        length=length,
        delay_seconds=delays[0] if delay is None else delay,
        event_delay_seconds=delays[1] if between is None else between,
        ending=ending if ending in ("drop", "stall") else "complete",
    )


def _stream(format: Format, view: ChatView, reply: Reply, number: int) -> list[bytes]:
    frames = format.frames(view, reply, number)
    if reply.ending == "complete":
        return frames
    cut = reply.cut_after_events
    frames = frames[: len(frames) // 2 if cut is None else cut]
    if reply.ending == "error":
        failure = reply.error or Failure(code="overloaded")
        frames.append(format.error_frame(failure, view, number, len(frames)))
    return frames


def _whole(format: Format, view: ChatView, reply: Reply, number: int) -> tuple[list[bytes], int]:
    body = format.whole(view, reply, number)
    match reply.ending:
        case "complete":
            return [body], len(body)
        case "error":
            failure = reply.error or Failure(code="overloaded")
            body = format.error(failure, view.model).body
            return [body], len(body)
        case "clean":
            half = body[: len(body) // 2]
            return [half], len(half)
        case _:
            return [body[: len(body) // 2]], len(body)


def transmit(connection: Connection, raw: RawRequest, request: MockRequest, outgoing: Outgoing) -> bool:
    """
    Send an answer; tell whether the connection may carry another request.

    Raises:
        GoneError: The client left before the end, or the server closes.
    """
    streams = outgoing.length is None
    chunked = streams and raw.modern
    lives = raw.keep_alive and outgoing.ending == "complete" and chunked is streams
    headers = dict(outgoing.headers)
    if not lives:
        headers["connection"] = "close"
    connection.wait(outgoing.delay_seconds)
    request.status = outgoing.status
    start = head(outgoing.status, headers, length=outgoing.length, chunked=chunked)
    if raw.method == "HEAD":
        connection.send(start)
        return lives
    if not outgoing.blocks:
        connection.send(start)
    for place, block in enumerate(outgoing.blocks):
        if place:
            connection.wait(outgoing.event_delay_seconds)
        data = chunk(block) if chunked else block
        connection.send(data if place else start + data)
        request.events_sent += streams
    match outgoing.ending:
        case "stall":
            connection.wait(None)
        case "complete" if chunked:
            connection.send(chunk(b""))
    return lives
