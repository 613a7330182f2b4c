"""What a client tells about its calls, beyond what all tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from fiber._errors import FiberValidationError

Redact: TypeAlias = Callable[[str, Any], Any]
"""Given a name and a value, it returns what may be told instead; None to leave it out."""

Semconv: TypeAlias = Literal["1.41.0", "1.36.0"]
"""A version of OpenTelemetry's conventions before the one that is used here."""


class Telemetry(msgspec.Struct, frozen=True, kw_only=True):
    """
    What is told of a call.

    Attributes:
        redact: Has a look at each bound field, and at captured content.
        semconv: Older version of the conventions in whose words spans and metrics speak.
        traceparent: Tell the provider which span a request belongs to.
        content: Put prompts and answers into spans.
    """

    redact: Redact | None = None
    semconv: Semconv | None = None
    traceparent: bool = False
    content: bool = False

    def __post_init__(self) -> None:
        if self.redact is not None and not callable(self.redact):
            raise FiberValidationError(
                f"redact must be a function of a name and a value, not {type(self.redact).__name__}.",
                parameter="redact",
                outcome="not_sent",
            )
        if self.semconv is not None and self.semconv not in get_args(Semconv):
            raise FiberValidationError(
                f"semconv must be {' or '.join(map(repr, get_args(Semconv)))}, or None for the newest names, not"
                f" {self.semconv!r}.",
                parameter="semconv",
                outcome="not_sent",
            )

    def left(self, name: str, value: Any) -> Any:
        """Return what may be told of *value*; None when nothing may, or when the hook failed."""
        if self.redact is None:
            return value
        try:
            return self.redact(name, value)
        except Exception:  # a hook of the host must not break a call, and what it did not see is not told
            return None

    def fields(self, bound: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what may be told of the fields that are *bound* to a call."""
        if self.redact is None:
            return bound
        left = {name: self.left(name, value) for name, value in bound.items()}
        return {name: value for name, value in left.items() if value is not None}
