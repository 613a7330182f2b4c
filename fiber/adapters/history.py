"""Reading a conversation: what of it may be sent to a target, and media in the forms that formats want."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable

import msgspec

from fiber.adapters.parameters import refuse
from fiber.types.content import Media, Opaque, Part, Reasoning, ToolCall, media_type_of
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


SPEAKERS = frozenset(("user", "assistant"))
"""The roles that every format has."""


def is_spoken(messages: tuple[ChatMessage, ...], roles: frozenset[str] = SPEAKERS) -> bool:
    """
    Say whether *messages* are words alone: text of *roles*, with no name, hint, metadata or part.

    Most conversations are.
    """
    for message in messages:
        said = message.content
        if type(said) is not str or not said or message.role not in roles:
            return False
        if message.name is not None or message.cache_hint is not None or message.metadata is not None:
            return False
    return bool(messages)


def sealed(part: Part, target: Target) -> msgspec.Raw | None:
    """Return the provider's own JSON of *part* when it may be sent to *target*, else None."""
    native = part if isinstance(part, Opaque) else part.native
    if native is None or not native.data or not native.fits(target.provider, target.host):
        return None
    return msgspec.Raw(native.data.encode())


def leave_out(part: Part, target: Target, notes: list[Note]) -> None:
    """Note that a part which belongs to another provider or host is not sent; its text is never pasted instead."""
    native = part if isinstance(part, Opaque) else part.native
    kind = "reasoning" if isinstance(part, Reasoning) else f"opaque part {native.kind if native else ''!r}"
    if native is None or not native.data:
        why = "it carries nothing that can be replayed"
    else:
        why = f"it came from {native.provider} ({native.host}) and is replayed only there"
    notes.append(Note("dropped", kind, why))


def call_names(messages: Iterable[ChatMessage]) -> dict[str, str]:
    """Map the ids of all tool calls in the history to the names of their tools."""
    return {call.id: call.name for message in messages for call in message.tool_calls}


def base64_of(part: Media) -> str | None:
    """Return the content of *part* as base64 when it is given as bytes or as a base64 `data:` URL, else None."""
    if part.data is not None:
        return b64encode(part.data).decode()
    if part.url is not None and part.url.startswith("data:"):
        header, _, payload = part.url.partition(",")
        if header.endswith(";base64"):
            return payload
    return None


def data_url(part: Media) -> str | None:
    """Return *part* as a URL: its own, or a `data:` URL made of its bytes; None when it is a file id."""
    if part.url is not None:
        return part.url
    if part.data is not None:
        return f"data:{media_type_of(part)};base64,{b64encode(part.data).decode()}"
    return None


def refuse_part(request: ChatRequest, target: Target, notes: list[Note], part: Part, why: str) -> None:
    """Treat a content part as unsupported: raise, or note that it is dropped."""
    refuse(request, target, notes, f"{type(part).__name__} content", why)


def as_object(arguments: str) -> msgspec.Raw | None:
    """Return tool arguments unchanged when they are a JSON object, `{}` when there are none, else None."""
    data = (arguments.strip() or "{}").encode("utf-8", "replace")
    try:
        _OBJECT.decode(data)
    except (ValueError, RecursionError):
        return None
    return msgspec.Raw(data)


def wrapped(arguments: str) -> msgspec.Raw:
    """Wrap arguments that are no JSON object into one, so that nothing of them is lost."""
    text = arguments.encode("utf-8", "replace").decode()  # a lone surrogate cannot be sent
    return msgspec.Raw(msgspec.json.encode({"_invalid_json": text}))


def arguments_object(call: ToolCall, notes: list[Note]) -> msgspec.Raw:
    """Return the arguments of *call* for a format that takes objects only; what is none is wrapped, with a note."""
    found = as_object(call.arguments_json)
    if found is None:
        why = f"the arguments of call {call.id!r} are no JSON object; sent as _invalid_json"
        notes.append(Note("mapped", "tool_calls", why))
        return wrapped(call.arguments_json)
    return found
