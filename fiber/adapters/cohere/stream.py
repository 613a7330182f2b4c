"""
Decode a stream of server-sent events.

    message-start, then tool-plan-delta..., or per block content-start, content-delta...,
    content-end, or per call tool-call-start, tool-call-delta..., tool-call-end; citation-start and
    citation-end amid or behind the text; then message-end (why it ended, counts), then [DONE]

Documentation: https://docs.cohere.com/docs/streaming, read 2026-11-21. `message-end` is the end:
`[DONE]` behind it says nothing new. Unknown events, and `debug`, are passed over.
"""

from __future__ import annotations

from fiber._errors import FiberError, FiberParsingError
from fiber.adapters.cohere.answer import Answer
from fiber.adapters.cohere.errors import FAILED, failed, parse_error
from fiber.adapters.cohere.schema import Delta, Event, Message, objects, read_event, read_reply
from fiber.adapters.cohere.usage import usage_from
from fiber.adapters.decoder import SSEStreamDecoder
from fiber.adapters.jsons import members, text
from fiber.types.http import HTTPHead
from fiber.types.target import Target


class CohereDecoder(SSEStreamDecoder):
    """The state machine of one stream."""

    def __init__(self, head: HTTPHead, target: Target) -> None:
        super().__init__(head, target)
        self._answer = Answer(self.assembly)

    def read(self, event: str, data: bytes) -> None:
        """Take one frame; its name repeats the `type` of its data."""
        if data.strip() == b"[DONE]":
            self.cut("the end mark came without message-end")
            return
        said = read_event(data)
        kind = text(said.type) if said is not None else ""
        if event == "error" or kind == "error" or (said is not None and not kind and isinstance(said.message, str)):
            raise parse_error(self.head, data, self.target)
        if said is None:
            return
        delta = said.delta or Delta()
        if kind == "message-end":
            self._end(delta, data)
        else:
            self._piece(kind, said, delta.message or Message())

    def stray(self, data: bytes) -> FiberError | None:
        """Read a body that is no event stream but a bare JSON error."""
        try:
            said = read_reply(data)
        except FiberParsingError:
            return None
        tells = isinstance(said.message, str) or said.error
        return parse_error(self.head, data, self.target) if tells else None

    def _piece(self, kind: str, said: Event, message: Message) -> None:
        answer = self._answer
        match kind:
            case "content-delta":
                answer.grow(members(message.content))
                answer.logprobs(said.logprobs)
            case "tool-plan-delta":
                answer.plan(message.tool_plan)
            case "tool-call-delta":
                for call in objects(message.tool_calls):
                    answer.grow_call(said.index, call)
            case "message-start":
                self.assembly.start(response_id=text(said.id) or None)
            case "content-start":
                answer.begin(members(message.content))
            case "content-end":
                answer.end()
            case "tool-call-start":
                for call in objects(message.tool_calls):
                    answer.begin_call(said.index, call)
            case "tool-call-end":
                answer.end_call(said.index)
            case "citation-start":
                answer.cite(message.citations)

    def _end(self, delta: Delta, data: bytes) -> None:
        reason = text(delta.finish_reason)
        self.assembly.usage = usage_from(delta.usage)
        if reason in FAILED or delta.error:
            raise failed(reason, delta.error, delta.error_type, self.head, data, self.target)
        if not self.assembly.started:
            self.cut("it was empty")
            return
        self._answer.close(reason)
        self.complete()
