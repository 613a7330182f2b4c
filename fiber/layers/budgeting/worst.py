"""
What a call uses at most, said before it is sent; and what it used, where the provider did not tell all of it.

A token of text is at least one byte, so bytes bound tokens without a tokenizer, and about four times too high.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fiber.types.content import Audio, Document, Image, Opaque
from fiber.types.receipt import Usage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult

_MEDIA_TOKENS = 6_000
"""More than any provider counts for an image."""

_MEMBER_TOKENS = 4
"""What formats put around each message, part and member."""

_REPAIR_TOKENS = 1_000
"""The words of a repair, with the error in them."""

_UNSENT = ("model", "extra_headers", "extra_query", "on_unsupported", "metadata")


def worst_case(request: ChatRequest, *, repair: bool = False, most: int | None = None) -> Usage | None:
    """
    Return the most that *request* can use; None when nothing bounds its output.

    Args:
        most: What the model makes at most, for a request without `max_tokens`.
        repair: It may be asked once more, with its answer in the history.
    """
    limit = most if request.max_tokens is None else request.max_tokens
    if limit is None:
        return None
    values = [getattr(request, name) for name in request.__struct_fields__ if name not in _UNSENT]
    given, taken = _tokens(values), limit * (request.n or 1)
    if repair:
        given, taken = 2 * given + taken + _REPAIR_TOKENS, 2 * taken
    return Usage(input_tokens=given, output_tokens=taken, total_tokens=given + taken)


def used(worst: Usage, result: ChatResult | None, *, whole: bool) -> Usage:
    """
    Return what a call used, as far as *result* tells it; for the rest, what it can have been at most.

    Args:
        whole: The answer is whole, so that what was told is final. Of a broken or left stream output is at least what
            was told, and at most one token for each byte that came.
    """
    if result is None:
        return worst
    told = result.usage
    given = told.input_tokens if told.input_tokens is not None else worst.input_tokens or 0
    taken, most = told.output_tokens, worst.output_tokens or 0
    if not whole:
        came = sum(_tokens(choice.message.content) for choice in result.choices)
        taken = max(taken or 0, min(most, came))
    elif taken is None:
        taken = most
    return msgspec.structs.replace(told, input_tokens=given, output_tokens=taken, total_tokens=given + taken)


def _tokens(value: Any) -> int:
    """Return the most tokens that *value* can be."""
    match value:
        case None | bool():
            return 0
        case str():
            return len(value.encode("utf-8", "surrogatepass"))
        case Image():
            return _MEDIA_TOKENS
        case Audio() | Document():
            words = value.url, value.file_id, getattr(value, "title", ""), getattr(value, "context", "")
            return _MEDIA_TOKENS + len(value.data or b"") // 4 + sum(_tokens(text) for text in words)
        case Opaque():
            return _tokens(value.data)
        case Mapping():
            return _tokens([*value.keys(), *value.values()])
        case list() | tuple():
            return sum(_MEMBER_TOKENS + _tokens(item) for item in value if item is not None)
        case msgspec.Struct():
            names = [name for name in value.__struct_fields__ if name not in ("metadata", "python_type")]
            return _tokens([getattr(value, name) for name in names])
    return _MEMBER_TOKENS  # a number
