"""Whole replies."""

from __future__ import annotations

from fiber._errors import FiberParsingError
from fiber.adapters import jsons
from fiber.adapters.assembly import Assembly, with_partial
from fiber.adapters.failures import unreadable
from fiber.adapters.openai_chat.answer import Answer
from fiber.adapters.openai_chat.errors import error_of, parse_error
from fiber.adapters.openai_chat.schema import CHUNK, Chunk
from fiber.adapters.openai_chat.words import in_words
from fiber.types.http import HTTPHead
from fiber.types.result import ChatResult
from fiber.types.target import Target


def parse_response(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """
    Decode one whole chat completion.

    Args:
        head: Status 2xx.
        body: JSON, shape `{"id": str, "model": str, "choices": [{"index": int, "message": {...},
            "finish_reason": str}], "usage": {...} | null}`; blank lines before it are skipped (OpenRouter and
            DeepSeek send them to keep the connection alive).

    Returns:
        The result; counts are tokens, `None` where the provider sent none.

    Raises:
        FiberProviderError: The body is an error under a 2xx.
        FiberParsingError: The body is not this format.

    Source: https://platform.openai.com/docs/api-reference/chat/object, read 2026-11-20.
    """
    text = body.strip()
    if not text.startswith((b"{", b"[", b"\xef\xbb\xbf")):
        raise unreadable(head, target, body, "something that is not JSON" if text else "nothing")
    if text.startswith(b"["):
        # Gemini's compatible endpoint wraps errors in a list.
        if b'"error"' in text:
            raise parse_error(head, body, target)
        raise unreadable(head, target, body, "a list")
    try:
        reply = jsons.decode(text, CHUNK)
    except FiberParsingError as cause:
        raise unreadable(head, target, body, "JSON that is not this format") from cause
    if (result := in_words(reply, head, body, target)) is not None:
        return result
    if says_error(reply):
        raise parse_error(head, body, target)
    if not any(choice.message or choice.delta or choice.finish_reason for choice in reply.choices or ()):
        raise unreadable(head, target, body, "JSON without an answer")
    assembly = Assembly(head, target)
    answer = Answer(assembly)
    answer.read(reply, whole=True)
    for choice in reply.choices or ():
        if choice.error:  # OpenRouter: the upstream failed in the middle
            error = error_of({"error": choice.error}, head, body, target)
            raise with_partial(error, assembly.result(whole=False))
    answer.close()
    return assembly.result(body=body)


def says_error(reply: Chunk) -> bool:
    """Say whether a reply or chunk is an error, or brings one."""
    if reply.error or (reply.object == "error" and reply.choices is None):
        return True
    if reply.choices is None and (reply.detail or reply.errors):
        return True
    base = reply.base_resp  # MiniMax, beside the choices even when all is well
    if isinstance(base, dict) and jsons.count(base.get("status_code")) not in (None, 0):
        return True
    groq = reply.x_groq
    return isinstance(groq, dict) and bool(groq.get("error"))
