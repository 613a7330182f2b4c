"""
The conversation in the inputs of a model: one prompt, the system's beside it, or messages where there is a place.

Most models take one question and know no turns. A conversation becomes a script for them, with a name before each turn
and that of the assistant at its end, and the receipt says so.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, NamedTuple

from fiber.adapters.history import base64_of, data_url, leave_out, refuse_part, sealed
from fiber.adapters.replicate.models import Inputs
from fiber.types.content import Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult, media_type_of
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_SYSTEM = ("system", "developer")
_NAMES: Mapping[str, str] = {"system": "System", "user": "User", "assistant": "Assistant"}


class Turn(NamedTuple):
    """What one said, as text; developers speak as the system."""

    role: str
    text: str


class Conversation:
    """Writes the messages of one request."""

    def __init__(self, request: ChatRequest, target: Target, inputs: Inputs, notes: list[Note]) -> None:
        self._request = request
        self._target = target
        self._inputs = inputs
        self._notes = notes
        self._images: list[str] = []

    def members(self) -> dict[str, Any]:
        """Return the members of `input` that carry the conversation."""
        messages = self._request.messages
        turns = [turn for message in messages if (turn := self._turn(message, is_last=message is messages[-1]))]
        written = self._written(turns)
        if self._images:
            one = self._inputs.one_image
            written[self._inputs.images] = self._images[0] if one else self._images
        return written

    def _written(self, turns: list[Turn]) -> dict[str, Any]:
        inputs = self._inputs
        at = next((place for place, turn in enumerate(turns) if turn.role != "system"), 0)
        system, rest = "\n\n".join(turn.text for turn in turns[:at]), turns[at:]
        is_question = len(rest) == 1 and rest[0].role != "assistant"
        if inputs.messages and not is_question and not self._images:
            return {inputs.messages: [{"role": turn.role, "content": turn.text} for turn in turns]}
        prompt = rest[0].text if is_question else self._script(rest)
        if not system:
            return {"prompt": prompt}
        if inputs.system:
            return {"prompt": prompt, inputs.system: system}
        self._notes.append(Note("mapped", "system prompt", "sent at the front of the prompt: there is no other place"))
        return {"prompt": f"{system}\n\n{prompt}"}

    def _script(self, turns: list[Turn]) -> str:
        if not turns:
            return ""
        why = "the turns are written into one prompt, each after its speaker: the model takes no messages"
        self._notes.append(Note("mapped", "messages", why))
        lines = [f"{_NAMES[role]}: {text}" for role, text in turns]
        if turns[-1].role != "assistant":  # else it goes on with what it began
            lines.append("Assistant:")
        return "\n\n".join(lines)

    def _turn(self, message: ChatMessage, *, is_last: bool) -> Turn | None:
        """Write one message; None when nothing of it can be sent."""
        if message.name is not None:
            self._notes.append(Note("dropped", "name", "Replicate has no names of participants"))
        texts: list[str] = []
        pictures = len(self._images)
        for part in message.parts:
            if isinstance(part, ToolCall | ToolResult) or message.role == "tool":
                self._refuse(part, "Replicate's models know no tools; tell them in words with emulate_tools=True")
            elif isinstance(part, Text):
                texts.append(part.text)
            elif isinstance(part, Image):
                self._image(part, can_be=is_last and message.role == "user")
            elif isinstance(part, Document):
                self._document(part, texts)
            elif isinstance(part, Reasoning) or (isinstance(part, Opaque) and sealed(part, self._target) is None):
                leave_out(part, self._target, self._notes)
            else:
                self._refuse(part, "Replicate's models have no place for it in a prompt")
        if message.parts and not texts and len(self._images) == pictures:
            return None
        role = "system" if message.role in _SYSTEM else message.role
        return Turn(role, "\n".join(texts))

    def _image(self, part: Image, *, can_be: bool) -> None:
        url = data_url(part)
        if not self._inputs.images:
            self._refuse(part, "this model takes text only")
        elif not can_be:
            self._refuse(part, "pictures stand beside the prompt, and so in the last message only")
        elif url is None:
            self._refuse(part, "Replicate takes pictures as URLs or bytes")
        elif self._images and self._inputs.one_image:
            self._refuse(part, "this model takes one picture")
        else:
            self._images.append(url)

    def _document(self, part: Document, texts: list[str]) -> None:
        payload = base64_of(part)
        if payload is None or not media_type_of(part).startswith("text/"):
            self._refuse(part, "Replicate takes the text of documents only: send it as bytes of text/plain")
            return
        self._notes.append(Note("mapped", "Document content", "sent as text: Replicate has no documents"))
        texts.append(b64decode(payload).decode("utf-8", "replace"))

    def _refuse(self, part: Part, why: str) -> None:
        refuse_part(self._request, self._target, self._notes, part, why)
