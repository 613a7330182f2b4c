"""What is inside a media part."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fiber._errors import FiberValidationError
from fiber.types.content import Audio, Document, Image, Media
from fiber.types.media import ImageInfo, check_image, data_url


def png(width: int, height: int) -> bytes:
    """The beginning of a PNG."""
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", width, height) + b"\x08\x02"


def gif(width: int, height: int) -> bytes:
    """The beginning of a GIF."""
    return b"GIF89a" + struct.pack("<HH", width, height)


def jpeg(width: int, height: int, *, frame: int = 0xC0, before: bytes = b"") -> bytes:
    """The beginning of a JPEG, with *before* ahead of its frame."""
    return b"\xff\xd8" + before + bytes((0xFF, frame)) + struct.pack(">HBHHB", 17, 8, height, width, 3)


def webp(kind: bytes, header: bytes) -> bytes:
    """The beginning of a WebP with one chunk."""
    return b"RIFF\0\0\0\0WEBP" + kind + struct.pack("<I", len(header)) + header


def lossy(width: int, height: int) -> bytes:
    """A lossy WebP, its upper bits set to ask for scaling."""
    return webp(b"VP8 ", b"\x70\x05\x00\x9d\x01\x2a" + struct.pack("<HH", width | 0x4000, height | 0x8000))


def lossless(width: int, height: int) -> bytes:
    """A lossless WebP with transparency."""
    return webp(b"VP8L", b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14 | 1 << 28))


def extended(width: int, height: int) -> bytes:
    """A WebP with features."""
    return webp(b"VP8X", b"\x10\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"))


MAKERS: dict[Callable[[int, int], bytes], tuple[str, int]] = {
    # With the media type, and the largest width and height.
    png: ("image/png", 2**31 - 1),
    gif: ("image/gif", 2**16 - 1),
    jpeg: ("image/jpeg", 2**16 - 1),
    lossy: ("image/webp", 2**14 - 1),
    lossless: ("image/webp", 2**14),
    extended: ("image/webp", 2**24),
}
TABLES = b"\xff\xe0\x00\x04ab\xff\xff\xff\xdb\x00\x02\xff\xc4\x00\x03\xc0"
"""Segments before a frame: one with data, one after a filling byte, and a table whose marker looks like a frame."""


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@given(width=st.integers(1, 2**31 - 1), height=st.integers(1, 2**31 - 1))
@example(width=2**31 - 1, height=1)
def test_size_of_an_image_is_read(make: Callable[[int, int], bytes], width: int, height: int) -> None:
    """Of every format, up to its largest size."""
    media_type, most = MAKERS[make]
    width, height = min(width, most), min(height, most)

    assert check_image(Image(data=make(width, height))) == ImageInfo(media_type, width, height)


@pytest.mark.parametrize("frame", [0xC0, 0xC2, 0xC9, 0xCF])
def test_frame_of_a_jpeg_is_found_behind_tables(frame: int) -> None:
    """Baseline, progressive and the rarer ones, wherever they stand."""
    assert check_image(Image(data=jpeg(3, 2, frame=frame, before=TABLES))) == ImageInfo("image/jpeg", 3, 2)


@pytest.mark.parametrize(
    "data",
    [
        "iVBORw0KGgoAAAANSUhEUgAAAUEAAAARCAIAAADMlYkl",
        "R0lGODdhQQERAIEAAP8AAAAAAAAAAAAAACwAAAAAQQER",
        "UklGRmQAAABXRUJQVlA4IFgAAABwBQCdASpBAREAPm02mUmkIyKh",
        "UklGRiIAAABXRUJQVlA4TBUAAAAvQAEEAAcQ/Y/+B4CE8H++FNH/",
        "UklGRrAAAABXRUJQVlA4WAoAAAAIAAAAQAEAEAAAVlA4IFgAAABw",
    ],
    ids=["png", "gif", "webp lossy", "webp lossless", "webp extended"],
)
def test_images_of_a_common_library_are_read(data: str) -> None:
    """The first bytes that Pillow 13 wrote for an image of 321 by 17."""
    info = check_image(Image(data=b64decode(data)))

    assert (info.width, info.height) == (321, 17)


@pytest.mark.parametrize("url", ["data:image/gif;base64,R0lGODlhAwACAA%3D%3D", "data:image/gif,GIF89a%03%00%02%00"])
def test_image_in_a_data_url_is_read(url: str) -> None:
    """In base64 or in percent signs."""
    assert check_image(Image(url=url)) == ImageInfo("image/gif", 3, 2)


WHOLE = [make(3, 2) for make in (png, gif, lossy, lossless, extended)] + [jpeg(3, 2, before=TABLES)]


@pytest.mark.parametrize("whole", WHOLE, ids=["png", "gif", "lossy", "lossless", "extended", "jpeg"])
def test_image_that_is_cut_is_refused(whole: bytes) -> None:
    """Wherever its header ends, it is an error of this library."""
    size = {b"\x89": 24, b"G": 10, b"\xff": len(whole) - 1}.get(whole[:1], len(whole))

    for length in range(1, size):
        with pytest.raises(FiberValidationError, match=r"damaged or cut|no image that"):
            check_image(Image(data=whole[:length]))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        pytest.param(Image(data=b"BM...."), "no image that providers take: convert it", id="bitmap"),
        pytest.param(Image(data=b"%PDF-1.7"), "no image that providers take", id="document"),
        pytest.param(Image(data=png(1, 1), media_type="image/jpeg"), "'image/jpeg', but .* image/png", id="type"),
        pytest.param(Image(url="data:;base64,R0lGODlhAwACAA=="), "said to be 'text/plain'", id="no type"),
        pytest.param(Image(data=png(0, 5)), "damaged", id="no width"),
        pytest.param(Image(data=gif(5, 0)), "damaged", id="no height"),
        pytest.param(Image(data=png(1, 1).replace(b"IHDR", b"IDAT")), "damaged", id="other chunk"),
        pytest.param(Image(data=webp(b"ALPH", bytes(20))), "damaged", id="other webp"),
        pytest.param(Image(data=webp(b"VP8 ", bytes(20))), "damaged", id="no lossy start"),
        pytest.param(Image(data=webp(b"VP8L", bytes(20))), "damaged", id="no lossless start"),
        pytest.param(Image(data=jpeg(1, 1, before=b"\xff\xda")), "damaged", id="pixels before the frame"),
        pytest.param(Image(data=jpeg(1, 1, before=b"\xff\xd9")), "damaged", id="end before the frame"),
        pytest.param(Image(data=jpeg(1, 1, before=b"\xff\xe0\0\2a")), "damaged", id="no marker"),
        pytest.param(Image(url="data:image/png;base64,a"), "of this Image is not base64", id="base64"),
        pytest.param(Image(url="data:image/png"), "elsewhere, and nothing is downloaded", id="no comma"),
        pytest.param(Image(url="https://x/a.png"), "elsewhere, and nothing is downloaded", id="address"),
        pytest.param(Image(file_id="f"), "give it data or a data: URL", id="file"),
    ],
)
def test_image_that_providers_do_not_take_is_refused(part: Image, words: str) -> None:
    """With what is wrong and what to do."""
    with pytest.raises(FiberValidationError, match=words) as caught:
        check_image(part)

    assert (caught.value.parameter, caught.value.outcome) == ("messages", "not_sent")


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (Image(data=gif(1, 1)), "data:image/gif;base64,R0lGODlhAQABAA=="),
        (Audio(data=b"???"), "data:audio/wav;base64,Pz8/"),
        (Document(data=b"hi", media_type="text/plain"), "data:text/plain;base64,aGk="),
        (Image(url="data:image/png;base64,AA=="), "data:image/png;base64,AA=="),
        (Document(url="data:text/plain;charset=utf-8,a%20b"), "data:text/plain;charset=utf-8;base64,YSBi"),
    ],
    ids=["image", "audio", "document", "as it is", "percent"],
)
def test_data_url_of_a_part(part: Media, expected: str) -> None:
    """Whatever the part is made of, the URL is in base64."""
    assert data_url(part) == expected


@given(st.binary(min_size=1))
def test_data_url_holds_the_bytes(data: bytes) -> None:
    """All of them, and a part made of the URL has the same."""
    url = data_url(Audio(data=data, media_type="audio/x"))

    assert url == f"data:audio/x;base64,{b64encode(data).decode()}"
    assert data_url(Audio(url=url)) == url


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Document(url="https://x/a.pdf"), "content of this Document is elsewhere"),
        (Audio(file_id="f"), "content of this Audio is elsewhere"),
        (Image(data=b"????"), "set media_type"),
    ],
    ids=["address", "file", "type"],
)
def test_part_without_a_data_url_is_refused(part: Media, words: str) -> None:
    """Nothing is downloaded or guessed."""
    with pytest.raises(FiberValidationError, match=words) as caught:
        data_url(part)

    assert caught.value.parameter == "messages"
