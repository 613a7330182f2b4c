"""How answers of the shape of OpenAI's chat are read; litellm gives the same shape for every provider."""

from __future__ import annotations

from typing import Any

from serving import Answer, Call


def read_whole(result: Any, answer: Answer) -> None:
    """Read a whole answer."""
    choice = result.choices[0]
    answer.text.append(choice.message.content or "")
    answer.finish = choice.finish_reason
    for number, call in enumerate(choice.message.tool_calls or []):
        answer.calls[number] = Call(call.function.name, call.function.arguments)


def read_chunk(chunk: Any, answer: Answer) -> None:
    """Read a chunk of a stream."""
    for choice in chunk.choices:
        answer.text.append(choice.delta.content or "")
        answer.finish = choice.finish_reason or answer.finish
        for piece in choice.delta.tool_calls or []:
            call = answer.calls.setdefault(piece.index, Call())
            call.name = call.name or piece.function.name or ""
            call.arguments += piece.function.arguments or ""
