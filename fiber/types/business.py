"""Business events: what happens around calls, as values for an application's own records; no content is in any."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

from fiber.types.receipt import Attempt, Usage

EventType: TypeAlias = Literal[
    "request", "response", "error", "cache_hit", "cache_write", "token_usage", "provider_call"
]


class CallStarted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="request"):
    """
    A call begins.

    Attributes:
        provider, model: Whom it goes to first.
        operation: `chat`, or `request` for a raw one.
        alias: What was asked for, when it was an alias.
    """

    provider: str
    model: str
    operation: str = "chat"
    stream: bool = False
    alias: str = ""


class CallCompleted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="response"):
    """
    A call ended well.

    Attributes:
        provider, model: Whom it asked last.
        seconds: From its beginning to its end.
        first_event_seconds: To the first event with content; streams only.
        attempts: HTTP exchanges; none for a hit of the cache.
        request_id: The provider's.
    """

    provider: str
    model: str
    seconds: float
    first_event_seconds: float | None = None
    attempts: int = 0
    finish_reason: str | None = None
    cached: bool = False
    request_id: str | None = None


class CallFailed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="error"):
    """
    A call did not end well.

    Attributes:
        provider, model: Whom it asked last.
        seconds: From its beginning to its end.
        attempts: HTTP exchanges.
        outcome: It failed, its stream was cut, or it was cancelled or left early.
        error_kind: Class of the error.
        http_status, reason: Status and code of the provider.
    """

    provider: str
    model: str
    seconds: float
    attempts: int = 0
    outcome: Literal["error", "truncated", "cancelled"] = "error"
    error_kind: str | None = None
    http_status: int | None = None
    reason: str | None = None


class CacheHit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="cache_hit"):
    """An answer came from the cache; the tokens are those that it saved, as far as they are known."""

    provider: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None


class CacheWrite(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="cache_write"):
    """An answer was stored; the tokens are those that each hit will save, as far as they are known."""

    provider: str
    model: str
    input_tokens: int | None = None
    output_tokens: int | None = None
    total_tokens: int | None = None


class TokenUsage(Usage, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="token_usage"):
    """What a call used up, whether or not it ended well; the members are those of `Usage`."""

    provider: str
    model: str


class ProviderCall(Attempt, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="provider_call"):
    """An attempt of a call; the members are those of `Attempt`."""


EventPayload: TypeAlias = CallStarted | CallCompleted | CallFailed | CacheHit | CacheWrite | TokenUsage | ProviderCall


class EventScope(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Whom a call was for, in the application's own ids: its bound fields `request_id`, `session_id` and `user_id`.

    Attributes:
        request: What the application was asked, which may take several calls.
        session: What its user is in.
        user: Who that is.
    """

    request: str | None = None
    session: str | None = None
    user: str | None = None


class BusinessEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Something that happened around a call; `msgspec.json` writes it and reads it.

    Attributes:
        event_id: Its own.
        call_id: That of the call, the same for all its events; the `receipt_id` of its result.
        timestamp: When it was told, in UTC.
        payload: What happened.
        scope: Whom the call was for.
        label: The call's.
        metadata: The other bound fields of the call.
    """

    event_id: str
    call_id: str
    timestamp: datetime
    payload: EventPayload
    scope: EventScope = EventScope()
    label: str = ""
    metadata: Mapping[str, Any] = {}

    @property
    def event_type(self) -> EventType:
        """Which kind it is, in one word: the tag of its payload."""
        kind: Any = self.payload.__struct_config__.tag
        word: EventType = kind
        return word
