"""What can be done on a connection, as values: a fault is a list of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Head:
    """
    Send status line and headers.

    Attributes:
        length: Bytes announced for the body; None when it is sent in chunks or ends with the connection.
        chunked: Whether a body without a length is sent in chunks.
    """

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    length: int | None = None
    chunked: bool = True


@dataclass(frozen=True, slots=True)
class Part:
    """Send a piece of the body, framed as a chunk where the head announced chunks."""

    data: bytes


@dataclass(frozen=True, slots=True)
class End:
    """End the body; the connection may carry another request."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send bytes as they are."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds, or until the client leaves."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Stall:
    """Send nothing more and keep the connection open, until the client leaves."""


@dataclass(frozen=True, slots=True)
class HalfClose:
    """Tell the client that nothing more comes, and keep the other direction open until it leaves."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Close with a TCP reset."""


@dataclass(frozen=True, slots=True)
class Close:
    """Close in an orderly way, whatever was promised."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Close as `Close` does, but under TLS without its farewell: whoever cuts a cable says none."""


@dataclass(frozen=True, slots=True)
class Beneath:
    """Send bytes beneath TLS, unencrypted."""

    data: bytes


Action: TypeAlias = Head | Part | End | Send | Pause | Stall | HalfClose | Reset | Close | Cut | Beneath
