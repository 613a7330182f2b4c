"""
Prompts and answers as attributes of a span, where the host asks for them.

In the shape of https://github.com/open-telemetry/semantic-conventions-genai, `gen-ai-input-messages.json` and
`gen-ai-output-messages.json` in model/gen-ai/ at commit 2b902ce1, read 2026-11-22; as JSON, because an attribute of a
span has no structure. Bytes of media are left out, and so is what only a provider can read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias, assert_never

import msgspec

from fiber._chain import Call
from fiber._reply import Reply
from fiber.metering import conventions as names
from fiber.types.content import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from fiber.types.messages import ChatMessage
from fiber.types.result import ChatResult

_INSTRUCTIONS = ("system", "developer")

_Seen: TypeAlias = Callable[[str], Any]
"""What redaction leaves of a text; None for nothing."""


def captured(call: Call, reply: Reply | None) -> dict[str, str]:
    """Return what was asked and answered, as far as redaction leaves it, by the names of attributes."""
    request = getattr(call.operation, "request", None)
    if request is None:
        return {}
    result = None if reply is None else reply.value if reply.stream is None else reply.stream.result()
    apart = [message for message in request.messages if message.role in _INSTRUCTIONS]
    asked = [message for message in request.messages if message.role not in _INSTRUCTIONS]
    answered = [choice.message for choice in result.choices] if isinstance(result, ChatResult) else []
    found = {
        names.SYSTEM_INSTRUCTIONS: [
            part for message in apart for part in _parts(message.parts, _seen(call, names.SYSTEM_INSTRUCTIONS))
        ],
        names.INPUT_MESSAGES: _messages(asked, _seen(call, names.INPUT_MESSAGES)),
        names.OUTPUT_MESSAGES: _messages(answered, _seen(call, names.OUTPUT_MESSAGES)),
    }
    return {name: msgspec.json.encode(said).decode() for name, said in found.items() if said}


def _seen(call: Call, name: str) -> _Seen:
    def seen(text: str) -> Any:
        return call.telemetry.left(name, text)

    return seen


def _messages(messages: Iterable[ChatMessage], seen: _Seen) -> list[dict[str, Any]]:
    return [{"role": message.role, "parts": list(_parts(message.parts, seen))} for message in messages]


def _parts(parts: Iterable[Part], seen: _Seen) -> Iterator[dict[str, Any]]:
    for part in parts:
        match part:
            case Text(text) | Reasoning(text):
                said = seen(text) if text else None
                shown = {"type": "text" if isinstance(part, Text) else "reasoning", "content": said}
            case ToolCall(id, name, text):
                said = seen(text)
                shown = {"type": "tool_call", "id": id, "name": name, "arguments": said and _json(said)}
            case ToolResult(id):
                said = seen(part.text)
                shown = {"type": "tool_call_response", "id": id, "response": said}
            case Image() | Audio() | Document():
                said, shown = _media(part, seen)
            case Opaque():
                continue
            case _:
                assert_never(part)
        if said is not None:
            yield shown


def _media(part: Image | Audio | Document, seen: _Seen) -> tuple[Any, dict[str, Any]]:
    about = {"modality": type(part).__name__.lower(), "mime_type": part.media_type or None}
    if part.file_id is not None:
        said = seen(part.file_id)
        return said, {"type": "file", "file_id": said, **about}
    if part.url is not None and not part.url.startswith("data:"):
        said = seen(part.url)
        return said, {"type": "uri", "uri": said, **about}
    return "", {"type": "blob", "content": "", **about}


def _json(text: Any) -> Any:
    """Return the value that *text* stands for; the text itself when the model wrote no JSON."""
    try:
        return msgspec.json.decode(text)
    except (TypeError, ValueError, RecursionError):
        return text
