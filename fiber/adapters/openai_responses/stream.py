"""
Streams: named events, each with a whole JSON object; the last one carries the whole reply again.

Source: https://platform.openai.com/docs/api-reference/responses-streaming, read 2026-11-20. There
is no `[DONE]`, though some gateways add one. Progress events of the provider's own tools
(`response.web_search_call.searching`, code and command deltas, partial images) carry nothing that
the finished item does not, and are passed over.
"""

from __future__ import annotations

from fiber._errors import FiberError, FiberParsingError
from fiber.adapters import jsons
from fiber.adapters.decoder import SSEStreamDecoder
from fiber.adapters.jsons import text
from fiber.adapters.openai_responses.errors import error_of
from fiber.adapters.openai_responses.items import OutputItems
from fiber.adapters.openai_responses.response import conclude
from fiber.adapters.openai_responses.schema import EVENT, REPLY, Event, Reply, decode, is_object
from fiber.types.http import HTTPHead
from fiber.types.target import Target

_MAX_EVENT_BYTES = 64 * 1024 * 1024
"""
A finished image, and the terminal event that repeats it, are megabytes of base64 in one event.
"""
_STARTS = ("response.created", "response.in_progress", "response.queued")
_ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled")


class ResponsesDecoder(SSEStreamDecoder):
    """The state machine of one stream."""

    max_event_bytes = _MAX_EVENT_BYTES

    def __init__(self, head: HTTPHead, target: Target) -> None:
        super().__init__(head, target)
        self._items = OutputItems(self.assembly)

    def read(self, event: str, data: bytes) -> None:
        """
        Take one event; its type is in the JSON, and in the event's name where a server forgot it.
        """
        if data.startswith(b"[DONE]"):
            return
        said = decode(data, EVENT)
        kind = said.type if isinstance(said.type, str) else event
        if kind == "response.output_text.delta":
            item = self._items.key(said.output_index, said.item_id)
            self._items.text(item, said.content_index, text(said.delta))
            self._items.logprobs(item, said.content_index, said.logprobs)
        elif kind == "error" or (said.type is None and said.error is not None):
            self.fail(error_of(jsons.decode_any(data), self.head, data, self.target))
        elif kind in _ENDS:
            self._end(kind, said, data)
        elif kind in _STARTS:
            reply = _reply(said)
            self._items.tools = reply.tools
            self.assembly.start(text(reply.model), text(reply.id) or None)
        else:
            self._item(kind, said)

    def stray(self, data: bytes) -> FiberError | None:
        """Read a bare JSON error at the end of the body."""
        try:
            value = jsons.decode_any(data)
        except FiberParsingError:
            return None
        if not isinstance(value, dict) or value.get("error") is None:
            return None
        return error_of(value, self.head, data, self.target)

    def _item(self, kind: str, said: Event) -> None:
        items, delta = self._items, text(said.delta)
        if kind == "response.output_item.added" and is_object(said.item):
            return items.begin(said.item, said.output_index)
        if kind == "response.output_item.done" and is_object(said.item):
            return items.end(said.item, said.output_index)
        item = items.key(said.output_index, said.item_id)
        match kind:
            case "response.content_part.added" if is_object(said.part):
                items.begin_part(item, said.content_index, said.part)
            case "response.refusal.delta":
                items.refused = True
                items.text(item, said.content_index, delta)
            case "response.output_text.annotation.added":
                items.cite(item, said.content_index, said.annotation)
            case "response.function_call_arguments.delta":
                items.arguments(item, delta)
            case "response.function_call_arguments.done":
                items.all_arguments(item, text(said.arguments))
            case "response.custom_tool_call_input.delta":
                items.free_text(item, delta)
            case "response.reasoning_summary_text.delta":
                items.think(item, "summary", said.summary_index, delta)
            case "response.reasoning_text.delta":
                items.think(item, "content", said.content_index, delta)
            case _:
                pass

    def _end(self, kind: str, said: Event, data: bytes) -> None:
        reply = _reply(said)
        self._items.catch_up(reply.output)
        if reply.status is None:
            reply.status = kind.removeprefix("response.")
        conclude(reply, self._items, self.assembly, data)
        self.complete()


def _reply(said: Event) -> Reply:
    return decode(said.response, REPLY) if is_object(said.response) else Reply()
