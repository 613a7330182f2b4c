"""
The conversation in the words of Chat Completions.

What an answer carried beyond the unified fields comes back by the kind of its `native`: whole
members of the message (`schema.MEMBERS`), entries of a list member (`schema.LISTS`), else a content
block of its own.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.history import call_names, is_spoken, leave_out, sealed
from fiber.adapters.openai_chat.models import takes_breakpoints
from fiber.adapters.openai_chat.parts import Writer, content
from fiber.adapters.openai_chat.schema import LISTS, MEMBERS
from fiber.adapters.tools import function_call
from fiber.types.content import Audio, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_SPEAKERS = frozenset(("system", "developer", "user", "assistant"))
_MOST_BREAKPOINTS = 4
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


def wire_messages(request: ChatRequest, target: Target, notes: list[Note]) -> list[Any]:
    """Write the messages of *request*."""
    roles = _SPEAKERS if target.quirks.system_role == "as_is" else _SPEAKERS - {"system", "developer"}
    if target.adapt_request is None and is_spoken(request.messages, roles):
        return list(request.messages)  # as JSON they are what this format wants; a hook wants dicts
    writer = Writer(request, target, notes)
    names = call_names(request.messages)
    written: list[Any] = []
    pending: list[Any] = []
    for message in request.messages:
        # All answers to tool calls must follow the calls at once; media of their results come after
        # the last.
        if message.role != "tool" and not any(isinstance(p, ToolResult) for p in message.parts):
            written.extend(pending)
            pending = []
        if message.role == "assistant":
            written.extend(_assistant(message, writer))
        else:
            _prompt(message, writer, written, pending, names)
    written.extend(pending)
    _mark(writer)
    return written


def _prompt(
    message: ChatMessage,
    writer: Writer,
    written: list[Any],
    pending: list[Any],
    names: dict[str, str],
) -> None:
    """
    Write a system, developer, user or tool message; results of tools become messages of their own.
    """
    blocks: list[Any] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            written.append(_result(part, writer, pending, names))
        elif message.role == "tool":
            writer.refuse(part, "a tool message holds results of tools only")
        else:
            block = writer.part(part, media=message.role == "user")
            if block is not None:
                blocks.append(block)
    if message.role == "tool" or (message.parts and not blocks):
        return
    _hint(message.cache_hint, blocks, writer)
    role: str = message.role
    if role in ("system", "developer") and writer.target.quirks.system_role != "as_is":
        role = writer.target.quirks.system_role
    if pending:  # this message brings results and words: the media go between them
        written.extend(pending)
        pending.clear()
    written.append({"role": role, "content": _content(blocks, writer), **_name(message)})


def _result(
    result: ToolResult, writer: Writer, pending: list[Any], names: dict[str, str]
) -> dict[str, Any] | msgspec.Raw:
    raw = sealed(result, writer.target)
    if raw is not None:
        return raw
    parts: tuple[Part, ...] = (Text(result.content),) if isinstance(result.content, str) else result.content
    if result.is_error:
        why = 'Chat Completions has no flag for it; "Error: " was put before the text'
        writer.notes.append(Note("mapped", "ToolResult is_error", why))
        parts = (Text("Error: "), *parts)
        if len(parts) > 1 and isinstance(parts[1], Text):
            joined = msgspec.structs.replace(parts[1], text=f"Error: {parts[1].text}", native=None)
            parts = (joined, *parts[2:])
    texts: list[Any] = []
    media: list[Any] = []
    for part in parts:
        block = writer.part(part, media=True)
        if block is not None:
            (texts if isinstance(part, Text | Opaque) else media).append(block)
    _hint(result.cache_hint, texts, writer)
    if media:
        why = "sent in a user message after the results: tool messages hold text only"
        writer.notes.append(Note("mapped", "media of a tool result", why))
        name = result.name or names.get(result.call_id, "")
        label = f"Content of the result of tool call {result.call_id} ({name}):"
        pending.append({"role": "user", "content": [{"type": "text", "text": label}, *media]})
        texts = texts or [{"type": "text", "text": "The content follows in a user message."}]
    answer = _content(texts, writer)
    return {"role": "tool", "tool_call_id": result.call_id, "content": answer}


def _assistant(message: ChatMessage, writer: Writer) -> list[Any]:
    """Write an assistant turn; nothing when nothing of it can be sent."""
    blocks: list[Any] = []
    calls: list[Any] = []
    members: dict[str, Any] = {}
    for part in message.parts:
        raw = None if isinstance(part, ToolResult) else sealed(part, writer.target)
        if raw is not None:
            _replay(part, raw, blocks, calls, members)
        elif isinstance(part, ToolCall):
            calls.append(function_call(part))
        elif isinstance(part, Text):
            blocks.append({"type": "text", "text": part.text})
        elif isinstance(part, Reasoning | Opaque):
            leave_out(part, writer.target, writer.notes)
        elif isinstance(part, Audio) and part.transcript:
            why = "sent as its transcript: only the server that made the sound knows it"
            writer.notes.append(Note("mapped", "Audio content", why))
            blocks.append({"type": "text", "text": part.transcript})
        else:
            writer.refuse(part, "Chat Completions takes it in user messages only")
    if message.parts and not (blocks or calls or members):
        return []
    turn: dict[str, Any] = {"role": "assistant", "content": _content(blocks, writer)}
    if not blocks and (calls or "audio" in members):
        turn["content"] = None
    turn.update(_name(message))
    turn.update(members)
    if calls:
        turn["tool_calls"] = calls
    return [turn]


def _replay(part: Part, raw: msgspec.Raw, blocks: list[Any], calls: list[Any], members: dict[str, Any]) -> None:
    """Put the provider's own JSON of *part* where it stood."""
    native = part if isinstance(part, Opaque) else part.native
    kind = native.kind if native is not None else ""
    if kind == MEMBERS:
        members.update(_OBJECT.decode(raw))
    elif isinstance(part, ToolCall) or kind == "tool_calls":
        calls.append(raw)
    elif kind in LISTS:
        members.setdefault(kind, []).append(raw)
    else:
        blocks.append(raw)


def _content(blocks: list[Any], writer: Writer) -> Any:
    if writer.hinted and takes_breakpoints(writer.target) and any(writer.is_hinted(block) for block in blocks):
        return blocks
    return content(blocks, collapse=writer.target.quirks.collapse_text)


def _name(message: ChatMessage) -> dict[str, str]:
    return {} if message.name is None else {"name": message.name}


def _hint(hint: str | None, blocks: list[Any], writer: Writer) -> None:
    """Hint the end of a message: its last block that is not somebody else's JSON."""
    if hint is not None and blocks and isinstance(blocks[-1], dict):
        writer.hinted.append((blocks[-1], hint))


def _mark(writer: Writer) -> None:
    """
    Turn cache hints into breakpoints where the model has them; the last four, for no more are
    written.

    Source: https://platform.openai.com/docs/guides/prompt-caching, read 2026-11-20 (30 minutes is
    the longest life on this endpoint).
    """
    if writer.hinted and takes_breakpoints(writer.target):
        for block, hint in writer.hinted[-_MOST_BREAKPOINTS:]:
            life = {"ttl": "30m"} if hint == "extended" else {}
            block["prompt_cache_breakpoint"] = {"mode": "explicit", **life}
