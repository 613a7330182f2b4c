"""
The conversation in the words of Ollama: a text for each message, its pictures beside it.

Documentation: https://docs.ollama.com/api/chat, /capabilities/vision and
/capabilities/tool-calling, read 2026-11-21.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from typing import Any

from fiber.adapters.history import arguments_object, base64_of, call_names, leave_out, refuse_part, sealed
from fiber.adapters.ollama.schema import THINKING
from fiber.types.content import Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult, media_type_of
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target


class Conversation:
    """Writes the messages of one request."""

    def __init__(self, request: ChatRequest, target: Target, notes: list[Note]) -> None:
        self._request = request
        self._target = target
        self._notes = notes
        self._names = call_names(request.messages)

    def messages(self) -> list[Any]:
        """Write all messages."""
        return [turn for message in self._request.messages for turn in self._turns(message)]

    def _turns(self, message: ChatMessage) -> list[Any]:
        if message.name is not None:
            self._notes.append(Note("dropped", "name", "Ollama has no names of participants"))
        if message.role == "assistant":
            return self._assistant(message)
        turns: list[Any] = []
        others: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                turns.append(self._result(part))
            elif message.role == "tool":
                self._refuse(part, "a tool message holds results of tools only")
            else:
                others.append(part)
        if message.role == "tool" or (message.parts and not others):
            return turns
        members = self._content(others)
        if others and not (members["content"] or "images" in members):
            return turns  # nothing of it could be sent
        return [*turns, {"role": "user" if message.role == "user" else "system", **members}]

    def _assistant(self, message: ChatMessage) -> list[Any]:
        """Write an assistant turn; none when nothing of it can be sent."""
        turn: dict[str, Any] = {"role": "assistant", "content": ""}
        texts: list[str] = []
        calls: list[Any] = []
        for part in message.parts:
            raw = None if isinstance(part, ToolResult) else sealed(part, self._target)
            if isinstance(part, ToolCall):
                function = {"name": part.name, "arguments": arguments_object(part, self._notes)}
                calls.append({"id": part.id, "function": {"index": len(calls), **function}})
            elif isinstance(part, Text):
                texts.append(part.text)
            elif isinstance(part, Reasoning) and raw is not None:
                turn[THINKING] = raw
            elif isinstance(part, Reasoning | Opaque) and raw is None:
                leave_out(part, self._target, self._notes)
            else:
                self._refuse(part, "Ollama takes texts, thinking and calls from an assistant only")
        turn["content"] = "".join(texts)
        if calls:
            turn["tool_calls"] = calls
        return [turn] if turn["content"] or calls or THINKING in turn or not message.parts else []

    def _result(self, result: ToolResult) -> dict[str, Any]:
        members = self._content((Text(result.content),) if isinstance(result.content, str) else result.content)
        if result.is_error:
            why = 'Ollama has no flag for it; "Error: " was put before the text'
            self._notes.append(Note("mapped", "ToolResult is_error", why))
            members["content"] = f"Error: {members['content']}"
        # Templates of models look for the name; newer ones also for the id.
        name = result.name or self._names.get(result.call_id, "")
        named = {"tool_name": name} if name else {}
        return {"role": "tool", **named, "tool_call_id": result.call_id, **members}

    def _content(self, parts: Iterable[Part]) -> dict[str, Any]:
        texts: list[str] = []
        images: list[str] = []
        for part in parts:
            if isinstance(part, Text):
                texts.append(part.text)
            elif isinstance(part, Document):
                self._document(part, texts)
            elif isinstance(part, Image) and (payload := base64_of(part)) is not None:
                images.append(payload)
            elif isinstance(part, Image):
                self._refuse(part, "Ollama takes pictures as bytes only; fetch it first")
            elif isinstance(part, Reasoning) or (isinstance(part, Opaque) and sealed(part, self._target) is None):
                leave_out(part, self._target, self._notes)
            else:
                self._refuse(part, "Ollama has no place for it in a prompt")
        content = {"content": "\n".join(texts)}
        return {**content, "images": images} if images else content

    def _document(self, part: Document, texts: list[str]) -> None:
        payload = base64_of(part)
        if payload is None or not media_type_of(part).startswith("text/"):
            self._refuse(part, "Ollama takes the text of documents only: send it as bytes of text/plain")
            return
        self._notes.append(Note("mapped", "Document content", "sent as text: Ollama has no documents"))
        texts.append(b64decode(payload).decode("utf-8", "replace"))

    def _refuse(self, part: Part, why: str) -> None:
        refuse_part(self._request, self._target, self._notes, part, why)
