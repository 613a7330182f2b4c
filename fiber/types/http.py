"""HTTP as adapters see it: requests they make, heads they read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from fiber.types.reading import Reading
from fiber.types.showing import masked, repr_of, size_of


class Secret:
    """
    A credential: masked in every rendering, revealed only by the transport when it writes the header.

    Raises:
        TypeError: On pickling, so that a key cannot leave the process unseen.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the credential itself."""
        return self._value

    @property
    def is_sendable(self) -> bool:
        """A header can carry it as it is: printable ASCII without white space around it."""
        value = self._value
        return bool(value) and value.isascii() and value.isprintable() and value == value.strip()

    def texts(self) -> tuple[str, ...]:
        """Return every text in it that must be seen nowhere, for those who mask."""
        return (self._value,)

    def __repr__(self) -> str:
        return "Secret('***')"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("A Secret cannot be pickled: pass the key again on the other side.")


NO_SECRET = Secret("")
"""Stands where there is no credential."""


class Note(msgspec.Struct, frozen=True):
    """
    Something an adapter did to a request that the caller should know.

    Attributes:
        kind: `dropped` (not sent), `lossy` (sent, but it no longer asks for the same), `mapped` (sent as something
            else) or `warned`.
        subject: The parameter or part.
        detail: What happened and why.
    """

    kind: Literal["dropped", "lossy", "mapped", "warned"]
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.subject} {self.kind}: {self.detail}"


class HTTPRequest(msgspec.Struct, frozen=True):
    """
    A request ready to sign and send; its `repr` shows neither the body nor the values of headers that may be secret.

    Attributes:
        headers: Name and value; values may be `Secret`.
        body: Bytes to send; empty for none.
        notes: What the adapter changed on the way here; not sent.
        reading: How the answer is to be read, where that is not as it stands; not sent.
        address: IP address to connect to, instead of looking up the host of `url`; its name still is what the
            certificate is checked against.
        on_open: Called with a function that closes the connection, from any thread, before anything is sent; by
            transports that can.
        repeatable: It may be sent again when nobody knows whether it was received.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str | Secret], ...] = ()
    body: bytes = b""
    notes: tuple[Note, ...] = ()
    address: str = ""
    on_open: Callable[[Callable[[], None]], None] | None = None
    repeatable: bool = True
    reading: Reading | None = None

    def __repr__(self) -> str:
        return repr_of(self, headers=masked(self.headers), body=size_of(self.body))

    def with_headers(self, *headers: tuple[str, str | Secret]) -> HTTPRequest:
        """Return a copy with *headers* added, each replacing one of the same name."""
        if not headers:
            return self
        names = {name.lower() for name, _ in headers}
        kept = [header for header in self.headers if header[0].lower() not in names]
        return msgspec.structs.replace(self, headers=(*kept, *headers))


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """
    The next exchange of an attempt whose answer did not come with the first one.

    Attributes:
        request: Unsigned; where it may lead is for the row to say (`Provider.answer_hosts`).
        wait_seconds: To wait before it is sent.
        stop: Tells the provider that nobody waits for the answer any more, where it would go on, and charge; unsigned.
    """

    request: HTTPRequest
    wait_seconds: float = 0.0
    stop: HTTPRequest | None = None


class HTTPHead(msgspec.Struct, frozen=True):
    """Status and headers of a response; header names are lower-case, repeated ones joined by a comma."""

    status: int
    headers: Mapping[str, str] = {}

    @property
    def content_type(self) -> str:
        """Media type without parameters, lower-case; empty when not said."""
        return self.headers.get("content-type", "").split(";", 1)[0].strip().lower()
