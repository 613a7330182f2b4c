"""
A whole reply that is one text and nothing else, as most are: read without putting anything together.

What it makes is what `Answer` and `Assembly` make of the same reply, for a third of the cost.
"""

from __future__ import annotations

from fiber.adapters import headers as read
from fiber.adapters.openai_chat.answer import FINISH_REASONS
from fiber.adapters.openai_chat.schema import Choice, Chunk, Delta
from fiber.adapters.openai_chat.usage import read_usage
from fiber.types.content import Text
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.result import ChatResult
from fiber.types.result import Choice as Said
from fiber.types.target import Target


def in_words(reply: Chunk, head: HTTPHead, body: bytes, target: Target) -> ChatResult | None:
    """Return the result of *reply*; None when it says more than one text, or less."""
    if reply.choices is None or len(reply.choices) != 1:
        return None
    choice = reply.choices[0]
    message, reason, usage = choice.message, choice.finish_reason, reply.usage
    if message is None or message.annotations or type(message.content) is not str or not message.content:
        return None
    if not (reason and reply.id and reply.model and usage and type(usage) is dict):
        return None
    if not (type(reason) is type(reply.id) is type(reply.model) is str):
        return None
    alone = Choice(0, message=Delta(message.content, annotations=message.annotations), finish_reason=reason)
    tier = reply.service_tier
    if reply != Chunk(reply.id, reply.model, [alone], usage, tier, object="chat.completion"):
        return None
    turn = ChatMessage("assistant", (Text(message.content),))
    finish = FINISH_REASONS.get(reason, "other")
    return ChatResult(
        choices=(Said(message=turn, finish_reason=finish, raw_finish_reason=reason),),
        usage=read_usage(usage, tier),
        model=reply.model,
        provider=target.provider,
        request_id=read.request_id(head.headers),
        response_id=reply.id,
        body=body,
        headers=read.public(head.headers),
    )
