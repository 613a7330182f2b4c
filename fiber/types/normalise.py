"""
From every accepted spelling of a conversation to canonical messages.

Accepted: a string; a `ChatMessage`; a `(role, content)` pair; a dict in this library's or in OpenAI's chat shape;
or a list of these. Equal conversations give equal values, whatever the spelling.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any, cast, get_args

import msgspec

from fiber._errors import FiberValidationError
from fiber.types.content import Audio, CacheHint, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from fiber.types.messages import ROLES, ChatMessage, Role

_PART_TYPES = (Text, Image, Audio, Document, ToolCall, ToolResult, Reasoning, Opaque)
_OWN_TAGS = {str(kind.__struct_config__.tag): kind for kind in _PART_TYPES}
_PART_MEMBERS = {
    # What a part given as a dict may hold: this library's own kinds, then those of OpenAI's chat format.
    **{tag: {"type", *kind.__struct_fields__} for tag, kind in _OWN_TAGS.items()},
    **{tag: {"type", "cache_hint", tag} for tag in ("image_url", "input_audio", "file")},
}
_SPEAKERS = tuple(role for role in ROLES if role != "tool")
_FORMATS = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "ogg": "audio/ogg"}
_MESSAGE_KEYS = {
    "role",
    "content",
    "name",
    "cache_hint",
    "metadata",
    "tool_calls",
    "tool_call_id",
    "is_error",
}


def messages(value: Any) -> tuple[ChatMessage, ...]:
    """
    Make canonical messages of *value*.

    Raises:
        FiberValidationError: A role, pair, part or message is wrong, or there is nothing to say.
    """
    if _is_plain(value):
        return tuple(value)
    if isinstance(value, str | ChatMessage | Mapping) or _is_pair(value):
        value = [value]
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        raise _wrong(f"messages must be a string, a message or a list of messages, not {type(value).__name__}.")
    found = tuple(message(item, position) for position, item in enumerate(value))
    if not found:
        raise _wrong("messages is empty: give at least one message.")
    for position, item in enumerate(found):
        if item.role == "user" and not item.parts:
            raise _wrong(f"Message {position} (user) is empty: give it text or parts.")
    return found


def _is_plain(value: Any) -> bool:
    """Say whether *value* is a list of `ChatMessage` values of plain text, which are canonical as they are."""
    if type(value) is not list and type(value) is not tuple:
        return False
    # A bare loop, which costs a third of passes by `map` and `attrgetter`; measured with CPython 3.11.
    for message in value:
        if type(message) is not ChatMessage or type(message.content) is not str or not message.content:
            return False
    return bool(value)


def message(value: Any, position: int = 0) -> ChatMessage:
    """Make one canonical message of *value*."""
    if type(value) is dict and len(value) == 2 and type(value.get("content")) is str and value.get("role") in _SPEAKERS:
        return ChatMessage(value["role"], value["content"])
    if isinstance(value, ChatMessage):
        body = content(value.content, position)
        return value if body == value.content else msgspec.structs.replace(value, content=body)
    if isinstance(value, str):
        return ChatMessage("user", value)
    if isinstance(value, tuple) and len(value) == 2 and isinstance(value[0], str):
        return ChatMessage(cast(Role, value[0]), content(value[1], position))
    if isinstance(value, Mapping):
        return _from_dict(value, position)
    raise _wrong(
        f"Message {position} must be a string, a (role, content) pair, a dict or a ChatMessage,"
        f" not {type(value).__name__}."
    )


def content(value: Any, position: int = 0) -> str | tuple[Part, ...]:
    """Make canonical content: a string, or parts; one plain text part becomes its string."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | msgspec.Struct):
        value = [value]
    if not isinstance(value, Iterable) or isinstance(value, bytes):
        raise _wrong(f"The content of message {position} must be text or a list of parts, not {type(value).__name__}.")
    parts = tuple(_part(item, position) for item in value)
    if len(parts) == 1 and isinstance(parts[0], Text) and parts[0] == Text(parts[0].text):
        return parts[0].text
    return parts


def _is_pair(value: Any) -> bool:
    # Two strings are always a pair, so that a misspelled role is an error and not a message.
    if not isinstance(value, tuple) or len(value) != 2 or not isinstance(value[0], str):
        return False
    return value[0] in ROLES or isinstance(value[1], str)


def _from_dict(value: Mapping[str, Any], position: int) -> ChatMessage:
    # A provider's own answer, put back as a dict, carries members that say nothing, like `"refusal": null`.
    unknown = {key for key, said in value.items() if said is not None and said != []} - _MESSAGE_KEYS
    if unknown:
        raise _wrong(
            f"Message {position} has unknown members {sorted(map(str, unknown))}; known are {sorted(_MESSAGE_KEYS)}."
        )
    role = value.get("role")
    if role not in ROLES:
        raise _wrong(f"Message {position} has role {role!r}: use one of {', '.join(ROLES)}.")
    name, hint = value.get("name"), value.get("cache_hint")
    if not isinstance(name, str | None) or hint not in (None, *get_args(CacheHint)):
        raise _wrong(
            f"Message {position}: name must be a string, not {name!r}, and cache_hint one of"
            f" {', '.join(get_args(CacheHint))}, not {hint!r}."
        )
    body = content(value.get("content"), position)
    if role == "tool" and not (isinstance(body, tuple) and any(isinstance(p, ToolResult) for p in body)):
        call_id = value.get("tool_call_id")
        if not isinstance(call_id, str):
            raise _wrong(f"Message {position} (tool) needs tool_call_id: the id of the call it answers.")
        return ChatMessage.tool(
            call_id, cast(Any, body), name=name or "", is_error=bool(value.get("is_error")), cache_hint=hint
        )
    if role != "tool" and (value.get("tool_call_id") or value.get("is_error")):
        raise _wrong(f"Message {position}: tool_call_id and is_error belong to a tool message, not to {role!r}.")
    listed = value.get("tool_calls") or ()
    if not isinstance(listed, Iterable):
        raise _wrong(f"The tool_calls of message {position} must be a list, not {type(listed).__name__}.")
    calls = tuple(_tool_call(item, position) for item in listed)
    if calls:
        body = (body if isinstance(body, tuple) else (Text(body),) if body else ()) + calls
    return ChatMessage(cast(Role, role), body, name, hint, value.get("metadata"))


def _part(value: Any, position: int) -> Part:
    if isinstance(value, _PART_TYPES):
        return value
    if isinstance(value, str):
        return Text(value)
    if not isinstance(value, Mapping):
        raise _wrong(f"A part of message {position} is a {type(value).__name__}: use a part, a dict or a string.")
    kind = value.get("type")
    known = _PART_MEMBERS.get(kind, set(value)) if isinstance(kind, str) else set(value)
    if unknown := set(value) - known:
        raise _wrong(
            f"A {kind!r} part of message {position} has unknown members {sorted(map(str, unknown))}; known are"
            f" {sorted(known)}. A provider's own block goes into Opaque.of({{...}})."
        )
    hint = value.get("cache_hint")
    try:
        if kind == "image_url":
            image = value["image_url"]
            image = {"url": image} if isinstance(image, str) else image
            made = {"type": "image", "url": image["url"], "detail": image.get("detail"), "cache_hint": hint}
            return msgspec.convert(made, Image)
        if kind == "input_audio":
            audio = value["input_audio"]
            media_type = _FORMATS.get(audio["format"], f"audio/{audio['format']}")
            data = base64.b64decode(audio["data"], validate=True)
            return Audio(data=data, media_type=media_type, cache_hint=hint)
        if kind == "file":
            file = value["file"]
            return Document(
                file_id=file.get("file_id"),
                url=file.get("file_data"),
                filename=file.get("filename") or "",
                cache_hint=hint,
            )
        if kind in _OWN_TAGS:
            return cast(Part, msgspec.convert(dict(value), Part))
    except (KeyError, TypeError, AttributeError, binascii.Error, msgspec.ValidationError) as error:
        raise _wrong(f"A {kind!r} part of message {position} is wrong or not complete: {error!r}.") from None
    raise _wrong(
        f"A part of message {position} has type {kind!r}: use one of {sorted(_OWN_TAGS)}, image_url, input_audio"
        " or file; a provider's own block goes into Opaque.of({...})."
    )


def _tool_call(value: Any, position: int) -> ToolCall:
    if isinstance(value, ToolCall):
        return value
    try:
        function = value.get("function", value)
        arguments = function.get("arguments", function.get("arguments_json", "{}"))
        if arguments is None:
            raise KeyError("arguments")
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        call = {"type": "tool-call", "id": value["id"], "name": function["name"], "arguments_json": arguments}
        return msgspec.convert(call, ToolCall)
    except (KeyError, TypeError, AttributeError, msgspec.ValidationError) as error:
        raise _wrong(
            f"A tool call of message {position} is not complete ({error!r}): it needs id, name and arguments."
        ) from None


def _wrong(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="messages", outcome="not_sent")
