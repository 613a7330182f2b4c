"""A last message of the assistant, which a model may or may not go on writing."""

from __future__ import annotations

from fiber.adapters.claude_models import Model
from fiber.adapters.parameters import refuse
from fiber.types.content import Text
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target


def without_prefill(request: ChatRequest, target: Target, model: Model, notes: list[Note]) -> tuple[ChatMessage, ...]:
    """
    Refuse a last message of the assistant on models that do not go on writing it; return the messages to be sent.

    A paused turn (`pause_turn`) also ends with the assistant; its server tool blocks tell it.

    Raises:
        FiberCapabilityError: There is one, and `on_unsupported` is `raise`.
    """
    messages = request.messages
    last = messages[-1] if messages else None
    if model.prefill or last is None or last.role != "assistant":
        return messages
    if not all(isinstance(part, Text) for part in last.parts):
        return messages
    why = "this model does not continue a message of the assistant; end with a user message"
    refuse(request, target, notes, "last assistant message", why)
    return messages[:-1]
