"""
Tools for models that have none: told in words, and called in words.

Only on request (`emulate_tools`), and always with a warning: words hold a model less than its own tools do.
"""

from __future__ import annotations

from itertools import count

import msgspec

from fiber._emulation.decoder import CallDecoder, with_calls
from fiber._emulation.reading import read
from fiber._emulation.words import in_words, offered, refused
from fiber._errors import FiberCapabilityError, FiberError
from fiber._operations import Chat
from fiber.adapters.base import StreamDecoder
from fiber.types.content import ToolCall, ToolResult
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target


class EmulatedTools(Chat):
    """A chat whose tools are told in words; with none on offer, only its history is."""

    @property
    def told(self) -> ChatRequest:
        """The request in words."""
        return in_words(self.request)[0]

    def build(self, target: Target, *, stream: bool) -> HTTPRequest:
        """Turn the request into HTTP, in words."""
        worded, notes = in_words(self.request)
        built = self.adapter.build_request(worded, target, stream=stream)
        return msgspec.structs.replace(built, notes=(*notes, *built.notes))

    def parse(self, head: HTTPHead, body: bytes, target: Target) -> ChatResult:
        """Decode a whole answer and read its calls."""
        if not offered(self.request):
            return super().parse(head, body, target)
        turn = turn_of(self.request.messages)
        try:
            return read(super().parse(head, body, target), turn)
        except FiberError as error:
            with_calls(error, turn)
            raise

    def decoder(self, head: HTTPHead, target: Target) -> StreamDecoder:
        """Make the stream decoder."""
        inner = super().decoder(head, target)
        return CallDecoder(inner, turn_of(self.request.messages)) if offered(self.request) else inner


def emulated(chat: Chat) -> Chat:
    """
    Return *chat* with its tools in words; *chat* itself when there are none, and none in its history.

    Raises:
        FiberCapabilityError: A tool is run by a provider, or in its words.
    """
    request = chat.request
    if (kind := refused(request.tools or ())) is not None:
        raise FiberCapabilityError(
            f"emulate_tools cannot emulate the tool {kind!r}: only functions can be told in words. Leave it out, or"
            " call a model that has it.",
            parameter="tools",
            outcome="not_sent",
        )
    past = any(isinstance(part, ToolCall | ToolResult) for message in request.messages for part in message.parts)
    return EmulatedTools(request, chat.adapter) if request.tools or past else chat


def turn_of(messages: tuple[ChatMessage, ...]) -> str:
    """Return a beginning for ids of calls that no call of the history has: `call_1_`, `call_2_` and so on."""
    taken = [call.id for message in messages for call in message.tool_calls]
    turns = (f"call_{number}_" for number in count(1))
    return next(turn for turn in turns if not any(id.startswith(turn) for id in taken))
