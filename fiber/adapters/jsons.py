"""
The one boundary where a provider's JSON becomes values.

msgspec is the fast path. What it refuses but providers really send goes further: a lone surrogate is mended and read
again; invalid UTF-8, a byte-order mark and NaN in a field nobody reads go through a slow third path. Only what is no
JSON at all is an error.
"""

from __future__ import annotations

import json
import re
from types import GenericAlias
from typing import Any, TypeVar

import msgspec

from fiber._errors import FiberParsingError

T = TypeVar("T")

# An escaped backslash and a whole pair are matched first, so that only what is left over is a lone surrogate. All
# begin with the same character, so that a long text is searched quickly.
_SURROGATE = re.compile(
    rb"\\(?:\\|u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<lone>u[dD][89a-fA-F][0-9a-fA-F]{2}))"
)
_EXCERPT_CHARACTERS = 2000
# The separator keeps words like `skip_special_tokens` readable.
_KEY_LIKE = re.compile(r"\b(?:(?:sk|pk|rk|gsk|xai|r8|hf)[-_]|AIza|Bearer )[-_A-Za-z0-9.]{11,}")


def decode(data: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """
    Decode *data* with *decoder*.

    Raises:
        FiberParsingError: It is not JSON, or not of the decoder's type.
    """
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError) as error:
        first = error
    try:
        mended = _SURROGATE.sub(lambda found: rb"\ufffd" if found["lone"] else found[0], data)
        if mended != data and (read := _read(mended, decoder)) is not None:
            return read
        value = json.loads(mended.decode("utf-8-sig", "replace"))
        # Through JSON text again, and not `convert`, which cannot fill `Raw` members.
        return msgspec.json.decode(msgspec.json.encode(value), type=decoder.type, strict=False)
    except (ValueError, RecursionError, MemoryError):
        raise FiberParsingError(
            f"The provider's JSON cannot be read: {first}.", raw_response=excerpt(data), outcome="unknown"
        ) from None


def _read(data: bytes, decoder: msgspec.json.Decoder[T]) -> T | None:
    try:
        return decoder.decode(data)
    except (ValueError, RecursionError):
        return None


def narrowed(kind: type[msgspec.Struct], *, ignored: tuple[str, ...] = (), **members: Any) -> Any:
    """
    Return a type for what says *members*, and nothing else of what *kind* reads: every other member is null or missing.

    Args:
        ignored: Members that may say anything, and are not read.
        members: Types; `(type, default)` for one that may be missing.
    """
    said = [(name, *rule) if isinstance(rule, tuple) else (name, rule) for name, rule in members.items()]
    rest = [(name, None, None) for name in kind.__struct_fields__ if name not in members and name not in ignored]
    return msgspec.defstruct(kind.__name__, [*said, *rest], kw_only=True, gc=False)


def one(kind: Any) -> Any:
    """Return the type of a list that holds one *kind*."""
    return GenericAlias(tuple, (kind,))


_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


def decode_any(data: bytes) -> Any:
    """Decode *data* to plain Python values, as tolerant as `decode`."""
    return decode(data, _ANY)


def text(value: Any) -> str:
    """Return *value* when it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


def text_or_none(value: Any) -> str | None:
    """Return *value* when it is a string with something in it, else None."""
    return value if isinstance(value, str) and value else None


def members(value: Any) -> dict[str, Any]:
    """Return *value* when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def objects(value: Any) -> list[dict[str, Any]]:
    """Return the objects in the list *value*; none when it is no list."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def count(value: Any) -> int | None:
    """Read a token count: a number, or a number in a string; anything else is unknown, not zero."""
    if type(value) is int:
        return value
    if value is None or isinstance(value, bool):
        return None
    try:
        return int(float(value))
    except (TypeError, ValueError, OverflowError):
        return None


def total(*counts: int | None) -> int | None:
    """Add the counts that are known; None when none is."""
    known = [value for value in counts if value is not None]
    return sum(known) if known else None


def text_of(raw: msgspec.Raw | bytes) -> str:
    """Return raw JSON as text, with invalid UTF-8 replaced."""
    return bytes(raw).decode("utf-8", "replace")


def excerpt(data: bytes | str) -> str:
    """Return the start of *data* for an error, with anything that looks like a key masked."""
    said = data if isinstance(data, str) else data[: 4 * _EXCERPT_CHARACTERS].decode("utf-8", "replace")
    return redact(said[:_EXCERPT_CHARACTERS])


def redact(said: str) -> str:
    """Mask anything in *said* that looks like a key."""
    return _KEY_LIKE.sub("***", said)
