"""
Decode a stream of server-sent events.

    message_start, then per block content_block_start, content_block_delta..., content_block_stop,
    then message_delta (why it ended, counts), then message_stop

`ping` comes anywhere, `error` ends the stream, unknown events are ignored. A message may come whole
in `message_start`, or begin anew (see `Answer.restart`).
Documentation: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

import msgspec

from fiber._errors import FiberError, FiberParsingError
from fiber.adapters import jsons
from fiber.adapters.anthropic import schema
from fiber.adapters.anthropic.answer import Answer
from fiber.adapters.anthropic.blocks import Block
from fiber.adapters.anthropic.errors import parse_error
from fiber.adapters.anthropic.response import read_end, read_message
from fiber.adapters.anthropic.usage import Counts, updated, usage_from
from fiber.adapters.decoder import SSEStreamDecoder
from fiber.types.http import HTTPHead
from fiber.types.target import Target

_KNOWN = (
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "message",
)


class MessagesDecoder(SSEStreamDecoder):
    """The state machine of one Messages stream."""

    assembly: Answer

    def __init__(self, head: HTTPHead, target: Target) -> None:
        super().__init__(head, target)
        self.assembly = Answer(head, target)
        self._open: dict[int | float | str | None, Block] = {}
        self._blocks = 0
        self._begun = False
        self._counts: Counts = {}

    def read(self, event: str, data: bytes) -> None:
        """Take one frame; its name repeats the `type` of its data and matters for errors only."""
        if data.strip() == b"[DONE]":
            return  # gateways that speak several formats add it
        said = _event(data)
        if event == "error" or (said is not None and _tells_error(said)):
            self.fail(parse_error(self.head, data, self.target))
            return
        if said is None:
            return
        match said.type:
            case "content_block_delta":
                self._grow(said, data)
            case "content_block_start":
                self._close(said.index)
                self._open[said.index] = Block(self.assembly, self._next_key(), bytes(said.content_block))
            case "content_block_stop":
                self._close(said.index)
            case "message_start":
                self._begin(said.message or schema.Message())
            case "message_delta":
                if said.delta is not None:
                    read_end(self.assembly, said.delta)
                self._count(said.usage)
            case "message_stop":
                if self.assembly.started:
                    self.complete()
                else:
                    self.cut("it was empty")
            case "message":
                # A server that does not stream answers whole in one frame.
                self._begin(schema.read(data, schema.MESSAGE))
                self.complete()

    def complete(self) -> None:
        """The terminal marker was seen; a block that was never closed ends with it."""
        for index in list(self._open):
            self._close(index)
        super().complete()

    def stray(self, data: bytes) -> FiberError | None:
        """Read a bare JSON error behind, or instead of, the events."""
        try:
            found = jsons.decode_any(data)
        except FiberParsingError:
            return None
        first = found[0] if isinstance(found, list) and found else found
        is_error = isinstance(first, dict) and "error" in first
        return parse_error(self.head, data, self.target) if is_error else None

    def _begin(self, message: schema.Message) -> None:
        if self._begun:
            if jsons.text(message.id) == (self.assembly.response_id or ""):
                return  # the same beginning, sent twice
            self.assembly.restart()
            self._open.clear()
            self._counts = {}
        self._begun = True
        self.assembly.start(jsons.text(message.model), jsons.text(message.id) or None)
        before = self._blocks
        self._blocks += len(schema.items_of(message.content) or ())
        read_message(self.assembly, message, before)
        self._count(message.usage)

    def _grow(self, said: schema.Event, data: bytes) -> None:
        if said.delta is None:
            return
        block = self._open.get(said.index)
        if block is None:
            block = Block.implied(self.assembly, self._blocks, said.delta.type)
            if block is None:
                return
            self._blocks += 1
            self._open[said.index] = block
        block.grow(said.delta, data)

    def _close(self, index: int | float | str | None) -> None:
        block = self._open.pop(index, None)
        if block is not None:
            block.close()

    def _count(self, news: object) -> None:
        self._counts = updated(self._counts, news)
        self.assembly.usage = usage_from(self._counts)

    def _next_key(self) -> int:
        self._blocks += 1
        return self._blocks - 1


def _tells_error(said: schema.Event) -> bool:
    return said.type == "error" or (said.error is not None and said.type not in _KNOWN)


def _event(data: bytes) -> schema.Event | None:
    """Read one event; None when it is of a kind that is not known and does not fit."""
    try:
        return schema.EVENT.decode(data)
    except (ValueError, RecursionError):
        found = jsons.decode_any(data)
    if isinstance(found, dict):
        if found.get("type") not in _KNOWN and "error" not in found:
            return None
        try:
            return schema.EVENT.decode(msgspec.json.encode(found))
        except ValueError:
            if "error" in found:
                return schema.Event(type="error")
    raise FiberParsingError(
        "An event of the stream does not fit its format.", raw_response=jsons.excerpt(data), outcome="unknown"
    )
