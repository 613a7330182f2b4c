"""Chat messages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from fiber._errors import FiberValidationError
from fiber.types.content import (
    CacheHint,
    Document,
    Image,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]
ROLES: tuple[str, ...] = get_args(Role)
_ROLES = frozenset(ROLES)


class ChatMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    One turn.

    Attributes:
        role: `system`, `developer`, `user`, `assistant` or `tool`.
        content: Text, or parts; a list becomes a tuple.
        name: Participant's name, sent where the provider has one.
        cache_hint: Prompt caching asked for up to the end of this message.
        metadata: Free data of the application; never sent.
    """

    role: Role
    content: str | tuple[Part, ...] = ""
    name: str | None = None
    cache_hint: CacheHint | None = None
    metadata: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if type(self.content) in (str, tuple) and self.role in _ROLES:
            return
        if self.role not in ROLES:
            raise FiberValidationError(
                f"Unknown role {self.role!r}: use one of {', '.join(ROLES)}.", parameter="messages"
            )
        content: Any = self.content
        if not isinstance(content, str | tuple):
            if content is not None and (isinstance(content, bytes) or not isinstance(content, Iterable)):
                raise FiberValidationError(
                    f"The content of a message must be text or a list of parts, not {type(content).__name__}.",
                    parameter="messages",
                )
            msgspec.structs.force_setattr(self, "content", () if content is None else tuple(content))

    @classmethod
    def system(cls, content: str | Iterable[Part], *, cache_hint: CacheHint | None = None) -> ChatMessage:
        """Make a system message."""
        return cls("system", _parts(content), cache_hint=cache_hint)

    @classmethod
    def developer(cls, content: str | Iterable[Part], *, cache_hint: CacheHint | None = None) -> ChatMessage:
        """Make a developer message; a system message where the provider has no such role."""
        return cls("developer", _parts(content), cache_hint=cache_hint)

    @classmethod
    def user(
        cls, content: str | Iterable[Part], *, name: str | None = None, cache_hint: CacheHint | None = None
    ) -> ChatMessage:
        """Make a user message."""
        return cls("user", _parts(content), name=name, cache_hint=cache_hint)

    @classmethod
    def assistant(
        cls,
        content: str | Iterable[Part] = "",
        *,
        tool_calls: Iterable[ToolCall] = (),
        name: str | None = None,
        cache_hint: CacheHint | None = None,
    ) -> ChatMessage:
        """Make an assistant message, its tool calls after its content."""
        parts = _parts(content)
        calls = tuple(tool_calls)
        if calls:
            before: tuple[Part, ...] = parts if isinstance(parts, tuple) else (Text(parts),) if parts else ()
            parts = before + calls
        return cls("assistant", parts, name=name, cache_hint=cache_hint)

    @classmethod
    def tool(
        cls,
        call: ToolCall | str,
        content: str | Iterable[Text | Image | Document | Opaque] = "",
        *,
        name: str = "",
        is_error: bool = False,
        cache_hint: CacheHint | None = None,
    ) -> ChatMessage:
        """Make a tool message that answers *call*, or the call with this id; of a call it knows the tool's name."""
        body = content if isinstance(content, str) else tuple(content)
        if isinstance(call, ToolCall):
            name = name or call.name
            call = call.id
        return cls("tool", (ToolResult(call, body, name, is_error, cache_hint),))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The content as parts; empty text has none."""
        if isinstance(self.content, str):
            return (Text(self.content),) if self.content else ()
        return self.content

    @property
    def text(self) -> str:
        """All text parts, joined; reasoning is not text."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))

    @property
    def reasoning(self) -> str:
        """All visible reasoning, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Reasoning))


def are_plain(messages: Sequence[ChatMessage]) -> bool:
    """
    Say whether *messages* are text alone, none of it empty.

    A bare loop, which costs half as much as passes by `map` and `attrgetter`; measured with CPython 3.11.
    """
    for message in messages:
        if type(message.content) is not str or not message.content:
            return False
    return bool(messages)


def _parts(content: str | Iterable[Part]) -> str | tuple[Part, ...]:
    return content if isinstance(content, str) else tuple(content)
