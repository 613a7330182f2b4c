"""
The conversation in the words of Cohere.

Documents of the prompt do not stand in the message but beside all messages, where the model cites
from; documents in the result of a tool stay in it. What an answer thought and planned goes back as
it came: thinking as a content block, the plan as the message's `tool_plan`.

Documentation: https://docs.cohere.com/reference/chat and /docs/documents-and-citations, read
2026-11-21.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import msgspec

from fiber.adapters.cohere.schema import TOOL_PLAN
from fiber.adapters.history import base64_of, data_url, leave_out, refuse_part, sealed
from fiber.adapters.tools import function_call
from fiber.types.content import Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult, media_type_of
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_DETAILS = ("auto", "low", "high")


class Conversation:
    """
    Writes the messages of one request.

    Attributes:
        documents: What the model may cite, collected from the messages.
    """

    def __init__(self, request: ChatRequest, target: Target, notes: list[Note]) -> None:
        self._request = request
        self._target = target
        self._notes = notes
        self.documents: list[Any] = []

    def messages(self) -> list[Any]:
        """Write all messages."""
        return [turn for message in self._request.messages for turn in self._turns(message)]

    def _turns(self, message: ChatMessage) -> list[Any]:
        if message.name is not None:
            self._notes.append(Note("dropped", "name", "Cohere has no names of participants"))
        if message.role == "assistant":
            return self._assistant(message)
        turns: list[Any] = []
        blocks: list[Any] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                turns.append(self._result(part))
            elif message.role == "tool":
                self._refuse(part, "a tool message holds results of tools only")
            elif (block := self._block(part)) is not None:
                blocks.append(block)
        if message.role == "tool" or (message.parts and not blocks):
            return turns
        role = "user" if message.role == "user" else "system"
        return [*turns, {"role": role, "content": _content(blocks)}]

    def _assistant(self, message: ChatMessage) -> list[Any]:
        """Write an assistant turn; none when there is nothing in it, for that is an error here."""
        turn: dict[str, Any] = {"role": "assistant"}
        blocks: list[Any] = []
        calls: list[Any] = []
        for part in message.parts:
            raw = None if isinstance(part, ToolResult) else sealed(part, self._target)
            native = part if isinstance(part, Opaque) else part.native
            if raw is not None and native is not None and native.kind == TOOL_PLAN:
                turn[TOOL_PLAN] = raw
            elif raw is not None:
                blocks.append(raw)
            elif isinstance(part, ToolCall):
                calls.append(function_call(part))
            elif isinstance(part, Text):
                blocks.append({"type": "text", "text": part.text})
            elif isinstance(part, Reasoning | Opaque):
                leave_out(part, self._target, self._notes)
            else:
                self._refuse(part, "Cohere takes it in user messages only")
        if blocks:
            turn["content"] = _content(blocks)
        if calls:
            turn["tool_calls"] = calls
        if TOOL_PLAN in turn and not (blocks or calls):
            self._notes.append(Note("dropped", "reasoning", "Cohere takes no message that is nothing but a plan"))
        return [turn] if blocks or calls else []

    def _result(self, result: ToolResult) -> dict[str, Any]:
        said = result.content
        if result.is_error:
            why = 'Cohere has no flag for it; "Error: " was put before the text'
            self._notes.append(Note("mapped", "ToolResult is_error", why))
            said = f"Error: {said}" if isinstance(said, str) else (Text("Error:"), *said)
        parts: tuple[Part, ...] = (Text(said),) if isinstance(said, str) else said
        blocks: list[Any] = []
        for part in parts:
            if isinstance(part, Document):
                if (document := self._document(part)) is not None:
                    blocks.append({"type": "document", "document": document})
            elif isinstance(part, Image):
                self._refuse(part, "results of tools are text and documents here")
            elif (block := self._block(part)) is not None:
                blocks.append(block)
        return {"role": "tool", "tool_call_id": result.call_id, "content": _content(blocks)}

    def _block(self, part: Part) -> Any:
        """Write one part of a prompt; None when it stands elsewhere or cannot be sent."""
        if isinstance(part, Opaque | Reasoning):
            raw = None if isinstance(part, Reasoning) else sealed(part, self._target)
            if raw is None:
                leave_out(part, self._target, self._notes)
            return raw
        if isinstance(part, Text):
            return {"type": "text", "text": part.text}
        if isinstance(part, Image):
            return self._image(part)
        if isinstance(part, Document):
            if (document := self._document(part)) is not None:
                self.documents.append(document)
                why = "sent beside the messages, for the whole conversation"
                self._notes.append(Note("mapped", "Document content", why))
            return None
        self._refuse(part, "Cohere has no place for it in a prompt")
        return None

    def _image(self, part: Image) -> dict[str, Any] | None:
        url = data_url(part)
        if url is None:
            self._refuse(part, "Cohere takes pictures by URL or as bytes, not by file id")
            return None
        image: dict[str, Any] = {"url": url}
        if part.detail in _DETAILS:
            image["detail"] = part.detail
        elif part.detail is not None:
            self._notes.append(Note("dropped", "Image detail", f"Cohere knows auto, low and high, not {part.detail}"))
        return {"type": "image_url", "image_url": image}

    def _document(self, part: Document) -> dict[str, Any] | None:
        """Write a document: its text, with what else is known of it, as members that may be cited."""
        payload = base64_of(part)
        if payload is None or not media_type_of(part).startswith("text/"):
            self._refuse(part, "Cohere takes the text of documents only: send it as bytes of text/plain")
            return None
        data = {"title": part.title or part.filename, "context": part.context}
        known = {name: said for name, said in data.items() if said}
        return {"data": {**known, "text": b64decode(payload).decode("utf-8", "replace")}}

    def _refuse(self, part: Part, why: str) -> None:
        refuse_part(self._request, self._target, self._notes, part, why)


def _content(blocks: list[Any]) -> Any:
    """Join *blocks* to the content of a message: one plain text is a string."""
    if not blocks:
        return ""
    only = blocks[0] if len(blocks) == 1 else None
    if isinstance(only, msgspec.Raw) or only is None or only["type"] != "text":
        return blocks
    return only["text"]
