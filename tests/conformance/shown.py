"""What a recording shows of a provider and its adapter: the columns of the scoreboard in docs/features/providers.md."""

from __future__ import annotations

import json
from collections.abc import Iterable

from fiber.types.content import Reasoning
from fiber.types.events import StreamEvent, ToolCallDelta
from fiber.types.result import ChatResult

ASKED = {"images": "image-in", "documents": "document-in", "audio": "audio-in"}
"""What stands in the request, with the tag that the recordings have for it."""

COLUMNS = (
    *("chat", "stream", "tools", "parallel tools", "streamed arguments", "structured output", *ASKED),
    *("reasoning", "citations", "prompt caching", "logprobs", "errors"),
)


def shown(tags: Iterable[str], results: Iterable[ChatResult], events: Iterable[StreamEvent]) -> set[str]:
    """Return the columns for which an answer that was decoded well, to *results* and perhaps *events*, speaks."""
    names = {column for column, tag in ASKED.items() if tag in tags}
    pieces = [event.index for event in events if isinstance(event, ToolCallDelta)]
    if len(pieces) > len(set(pieces)):
        names.add("streamed arguments")
    for result in results:
        usage = result.usage
        found = {
            "tools": result.tool_calls,
            "parallel tools": len(result.tool_calls) > 1,
            "structured output": "structured-output" in tags and _is_object(result.text),
            "reasoning": usage.reasoning_tokens or any(isinstance(part, Reasoning) for part in result.message.parts),
            "citations": result.citations,
            "prompt caching": usage.cache_read_tokens or usage.cache_write_tokens,
            "logprobs": any(choice.logprobs for choice in result.choices),
        }
        names.update(column for column, seen in found.items() if seen)
    return names


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
