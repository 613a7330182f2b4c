"""
The file format of recorded exchanges: JSON lines, one record a line, so that a change reads well in a diff.

The first line says the version and how many exchanges follow. Each exchange is a `request`, then (unless none came) a
`response` with its `chunk`s, then an `end`; `seconds` count from the moment the request was sent. What is written here
has been redacted before.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import NoneType
from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from fiber import _errors
from fiber._errors import FiberError, FiberTimeoutError, FiberValidationError, Outcome

VERSION = 1

How = Literal["complete", "closed", "silence", "error"]
"""
How an exchange ended: the body was read to its end, the reader closed before that, nothing came until the reader's
time was up, or an error was raised.
"""


class Opening(msgspec.Struct, frozen=True, tag="cassette", tag_field="kind"):
    """The first line."""

    version: int
    exchanges: int


class Asked(msgspec.Struct, frozen=True, tag="request", tag_field="kind", omit_defaults=True, dict=True):
    """A request; its body is in one of the last three fields, or there is none."""

    method: str
    url: str
    headers: dict[str, str] = {}
    json: Any = msgspec.UNSET
    text: str | None = None
    base64: bytes | None = None

    @cached_property
    def target(self) -> str:
        """Path and query of the URL."""
        parts = urlsplit(self.url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    @cached_property
    def identity(self) -> tuple[str, str, bytes]:
        """What makes it the same as another request: method, path with query, and the body in canonical form."""
        bare = Asked("", "", {}, self.json, self.text, self.base64)
        return self.method, self.target, msgspec.json.encode(bare, order="sorted")


class Answered(msgspec.Struct, frozen=True, tag="response", tag_field="kind"):
    """The head of the answer."""

    status: int
    seconds: float
    headers: dict[str, str]


class Chunk(msgspec.Struct, frozen=True, tag="chunk", tag_field="kind", omit_defaults=True):
    """A piece of the body as it came, as text where it is UTF-8."""

    seconds: float
    text: str | None = None
    base64: bytes | None = None

    @property
    def data(self) -> bytes:
        """The bytes."""
        return (self.base64 or b"") if self.text is None else self.text.encode()


class Failure(msgspec.Struct, frozen=True, omit_defaults=True):
    """A transport's error; `timer` and `limit_seconds` are those of a FiberTimeoutError."""

    error: str
    message: str
    outcome: Outcome
    should_retry: bool | None = None
    timer: str = ""
    limit_seconds: float | None = None

    def __post_init__(self) -> None:
        kind = getattr(_errors, self.error, None) if self.error in _errors.__all__ else None
        if not (isinstance(kind, type) and issubclass(kind, FiberError)):
            raise ValueError(f"there is no error {self.error!r}")

    @classmethod
    def of(cls, error: FiberError, message: str) -> Failure:
        """Describe *error*, in the words of *message*."""
        name = next(kind.__name__ for kind in type(error).__mro__ if kind.__name__ in _errors.__all__)
        timer, seconds = (error.timer, error.seconds) if isinstance(error, FiberTimeoutError) else ("", None)
        return cls(name, message, error.outcome, error.should_retry, timer, seconds)

    def restored(self) -> FiberError:
        """Make the error again."""
        kind: type[FiberError] = getattr(_errors, self.error)
        error = kind(self.message, outcome=self.outcome, should_retry=self.should_retry)
        if isinstance(error, FiberTimeoutError):
            error.timer, error.seconds = self.timer, self.limit_seconds
        return error


class Ended(msgspec.Struct, frozen=True, tag="end", tag_field="kind", omit_defaults=True):
    """The end of an exchange."""

    how: How
    seconds: float
    failure: Failure | None = None

    def __post_init__(self) -> None:
        if (self.how == "error") != (self.failure is not None):
            raise ValueError("an `error`, and nothing else, has a `failure`")


Record = Opening | Asked | Answered | Chunk | Ended

_FOLLOWERS: dict[type, tuple[type, ...]] = {
    # What may come after what.
    NoneType: (Opening,),
    Opening: (Asked,),
    Asked: (Answered, Ended),
    Answered: (Chunk, Ended),
    Chunk: (Chunk, Ended),
    Ended: (Asked,),
}
_decoder = msgspec.json.Decoder(Record)
_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and what became of it; `answered` is None when no head came."""

    asked: Asked
    answered: Answered | None
    chunks: tuple[Chunk, ...]
    ended: Ended


def plain(data: bytes) -> dict[str, Any]:
    """Return the field that holds *data*: `text` or `base64`."""
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"base64": data}


def readable(data: bytes) -> dict[str, Any]:
    """Return the field that holds the body *data*: `json`, `text` or `base64`; none when it is empty."""
    if not data:
        return {}
    try:
        return {"json": msgspec.json.decode(data)}
    except (ValueError, RecursionError):
        return plain(data)


def encode(exchange: Exchange) -> bytes:
    """Return the lines of *exchange*."""
    head = (exchange.answered,) if exchange.answered is not None else ()
    return b"".join(
        _encoder.encode(record) + b"\n" for record in (exchange.asked, *head, *exchange.chunks, exchange.ended)
    )


def prepare(path: str | os.PathLike[str]) -> Path:
    """
    Return *path*, whose folder is made.

    Raises:
        FiberValidationError: There can be no such file.
    """
    place = Path(path)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(place, f"cannot be written ({error.strerror}): choose another path") from error
    if place.is_dir():
        raise _unusable(place, "is a folder: name a file in it")
    return place


def write(path: Path, exchanges: Sequence[bytes]) -> None:
    """
    Replace the file by one with these encoded exchanges, whole or not at all; readable by its owner only.

    Raises:
        FiberValidationError: It cannot be written.
    """
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(_encoder.encode(Opening(VERSION, len(exchanges))) + b"\n")
                file.writelines(exchanges)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise _unusable(path, f"cannot be written ({error.strerror})") from error


def load(path: str | os.PathLike[str]) -> list[Exchange]:
    """
    Read a cassette.

    Raises:
        FiberValidationError: It is not there, is not a cassette, or is not all there.
    """
    place = Path(path)
    try:
        data = place.read_bytes()
    except OSError as error:
        raise _unusable(place, f"cannot be read ({error.strerror}): record it first") from error
    records: list[Any] = []
    exchanges: list[Exchange] = []
    start = 1
    for number, line in enumerate(data.splitlines() if data.strip() else [b""], start=1):
        try:
            record = _decoder.decode(line)
        except (ValueError, RecursionError) as error:
            raise _broken(place, number, str(error)) from None
        before = type(records[-1]) if records else NoneType
        if not isinstance(record, _FOLLOWERS[before]):
            raise _broken(place, number, f"a {_tag(type(record))!r} cannot stand here")
        records.append(record)
        if isinstance(record, Opening) and record.version != VERSION:
            raise _broken(place, number, f"version {record.version} is not known, only {VERSION}")
        if isinstance(record, Ended):
            exchanges.append(_exchange(place, number, records[start:]))
            start = len(records)
    if len(records) != start or len(exchanges) != records[0].exchanges:
        raise _broken(place, len(records), f"{len(exchanges)} of {records[0].exchanges} exchanges are whole")
    return exchanges


def _exchange(path: Path, number: int, records: Sequence[Any]) -> Exchange:
    asked, *rest, ended = records
    answered, *chunks = rest or (None,)
    if answered is None and ended.how not in ("error", "silence"):
        raise _broken(path, number, "the request has no answer")
    return Exchange(asked, answered, tuple(chunks), ended)


def _tag(kind: type[msgspec.Struct]) -> object:
    return kind.__struct_config__.tag


def _broken(path: Path, number: int, why: str) -> FiberValidationError:
    return _unusable(path, f"is not a whole cassette (line {number}: {why}): record it again")


def _unusable(path: Path, why: str) -> FiberValidationError:
    return FiberValidationError(f"{path} {why}.", parameter="path", outcome="not_sent")
