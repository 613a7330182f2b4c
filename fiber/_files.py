"""From files on disk to content parts; the only room that reads files."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from fiber._errors import FiberValidationError
from fiber.types.content import Audio, Document, Image, sniffed

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Longest file that is read; providers take no more inside a request."""


def read_part(path: str | PathLike[str], *, media_type: str = "") -> Image | Audio | Document:
    """
    Read a file and make the part it is: an image, audio, or else a document.

    Args:
        media_type: MIME type; told by the first bytes, else by the file's name, when empty.

    Raises:
        FiberValidationError: The file cannot be read, is empty, or is longer than `MAX_FILE_BYTES`.
    """
    file = Path(path)
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= MAX_FILE_BYTES else b""
    except OSError as error:
        raise _wrong(f"{file.name!r} cannot be read: {error.strerror}.") from None
    if size > MAX_FILE_BYTES:
        raise _wrong(f"{file.name!r} has {size} bytes, more than {MAX_FILE_BYTES}: upload it to the provider instead.")
    if not data:
        raise _wrong(f"{file.name!r} is empty.")
    return part_of(data, media_type or sniffed(data) or _by_name(file.name), file.name)


def part_of(data: bytes, media_type: str, filename: str) -> Image | Audio | Document:
    """Make the part that *media_type* says; what is neither image nor audio is a document."""
    if media_type.startswith("image/"):
        return Image(data=data, media_type=media_type)
    if media_type.startswith("audio/"):
        return Audio(data=data, media_type=media_type)
    return Document(data=data, media_type=media_type, filename=filename)


def _by_name(name: str) -> str:
    import mimetypes  # few read files, and those seldom without a type

    return mimetypes.guess_type(name)[0] or ""


def read_parts(*paths: str | PathLike[str]) -> tuple[Image | Audio | Document, ...]:
    """
    Read files and make the parts they are, in their order; see `read_part`.

    Raises:
        FiberValidationError: One of them cannot be read, is empty, or is longer than `MAX_FILE_BYTES`.
    """
    return tuple(read_part(path) for path in paths)


def _wrong(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="messages", outcome="not_sent")
