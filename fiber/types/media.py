"""What is inside a media part: its bytes, its `data:` URL, the size of an image. Nothing is downloaded or decoded."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from urllib.parse import unquote_to_bytes

import msgspec

from fiber._errors import FiberValidationError
from fiber.types.content import Image, Media, media_type_of, sniffed


class ImageInfo(msgspec.Struct, frozen=True):
    """What the bytes of an image say of it; `width` and `height` are pixels."""

    media_type: str
    width: int
    height: int


def data_url(part: Media) -> str:
    """
    Return *part* as a `data:` URL in base64, made of its bytes or of the `data:` URL that it has.

    Raises:
        FiberValidationError: Its content is elsewhere (an address or a file id), or its media type cannot be told.
    """
    if part.data is not None:
        return f"data:{media_type_of(part)};base64,{b64encode(part.data).decode()}"
    header, payload = _split(part)
    if header.endswith(";base64"):
        return f"{header},{payload}"
    return f"{header};base64,{b64encode(unquote_to_bytes(payload)).decode()}"


def check_image(part: Image) -> ImageInfo:
    """
    Check that the bytes of *part* are an image that providers take, and read its size from the header.

    Args:
        part: An image with `data` or a `data:` URL: PNG, JPEG, GIF or WebP.

    Raises:
        FiberValidationError: It is none of them, its header is damaged, its `media_type` is another one, or its content
            is elsewhere.
    """
    data = part.data if part.data is not None else _content(part)
    found = sniffed(data)
    if found not in _SIZES:
        raise _wrong("This is no image that providers take: convert it to PNG, JPEG, GIF or WebP.")
    if (said := media_type_of(part)) != found:
        raise _wrong(f"This image is said to be {said!r}, but its bytes are {found}: set media_type to that.")
    try:
        width, height = _SIZES[found](data)
    except (struct.error, IndexError):
        width = height = 0
    if not (width and height):
        raise _wrong(f"The header of this {found} is damaged or cut: the image is not whole, make it anew.")
    return ImageInfo(found, width, height)


def _content(part: Media) -> bytes:
    header, payload = _split(part)
    if not header.endswith(";base64"):
        return unquote_to_bytes(payload)
    try:
        return b64decode(unquote_to_bytes(payload), validate=True)
    except ValueError as error:
        raise _wrong(f"The data: URL of this {type(part).__name__} is not base64: {error}.") from None


def _split(part: Media) -> tuple[str, str]:
    header, comma, payload = (part.url or "").partition(",")
    if not header.startswith("data:") or not comma:
        raise _wrong(
            f"The content of this {type(part).__name__} is elsewhere, and nothing is downloaded: give it data or a"
            " data: URL."
        )
    return header, payload


# -- sizes --------------------------------------------------------------------------------------------------------


def _png(data: bytes) -> tuple[int, int]:
    # The header chunk is the first, https://www.w3.org/TR/png-3/#11IHDR.
    width, height = struct.unpack_from(">II", data, 16)
    return (width, height) if data[12:16] == b"IHDR" else (0, 0)


def _gif(data: bytes) -> tuple[int, int]:
    # The logical screen, https://www.w3.org/Graphics/GIF/spec-gif89a.txt, section 18.
    width, height = struct.unpack_from("<HH", data, 6)
    return width, height


def _webp(data: bytes) -> tuple[int, int]:
    # Lossy, lossless or extended, https://www.rfc-editor.org/rfc/rfc9649#section-2.5 to 2.7.
    match data[12:16]:
        case b"VP8 " if data[23:26] == b"\x9d\x01\x2a":
            width, height = struct.unpack_from("<HH", data, 26)
            return width & 0x3FFF, height & 0x3FFF
        case b"VP8L" if data[20] == 0x2F:
            (bits,) = struct.unpack_from("<I", data, 21)
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8X":
            wide, high = struct.unpack_from("<3s3s", data, 24)
            return int.from_bytes(wide, "little") + 1, int.from_bytes(high, "little") + 1
        case _:
            return 0, 0


_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
"""Markers that begin a frame; the three between them are tables and an extension."""
_PIXELS, _END = 0xDA, 0xD9


def _jpeg(data: bytes) -> tuple[int, int]:
    # Segments with their length up to the frame's header, https://www.w3.org/Graphics/JPEG/itu-t81.pdf, annex B.
    offset = 2
    while data[offset] == 0xFF and (marker := data[offset + 1]) not in (_PIXELS, _END):
        if marker in _FRAMES:
            height, width = struct.unpack_from(">HH", data, offset + 5)
            return width, height
        # 0xFF before a marker fills up.
        offset += 1 if marker == 0xFF else 2 + struct.unpack_from(">H", data, offset + 2)[0]
    return 0, 0


_SIZES: Mapping[str, Callable[[bytes], tuple[int, int]]] = {
    "image/gif": _gif,
    "image/jpeg": _jpeg,
    "image/png": _png,
    "image/webp": _webp,
}


def _wrong(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="messages", outcome="not_sent")
