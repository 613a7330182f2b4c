"""
The binary event stream of AWS from bytes.

Messages are written here with plain `struct`, from the description of the format, so that nothing is shared with the
decoder; two whole ones, as botocore writes and reads them, stand as hexadecimal. What botocore's own tests read and
refuse (boto/botocore, tests/unit/test_eventstream.py, read 2026-11-21) is here too.
"""

from __future__ import annotations

from struct import pack
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.framing.event_stream import MAX_HEADERS_BYTES, EventStreamDecoder, HeaderValue, Message
from tests.strategies import chunkings, pieces

EMPTY = bytes.fromhex("000000100000000005c248eb7d98c8ff")
DELTA = bytes.fromhex(
    "0000009f00000057c37babff0b3a6576656e742d74797065070011636f6e74656e74426c6f636b44656c74610d3a636f6e74656e742d7479"
    "70650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700056576656e747b22636f6e74656e74426c6f63"
    "6b496e646578223a302c2264656c7461223a7b2274657874223a224869227d2c2270223a2261626364227df2ace5ff"
)


def framed(headers: bytes = b"", payload: bytes = b"", *, headers_length: int | None = None) -> bytes:
    """Write a message with checksums that fit."""
    size = len(headers) if headers_length is None else headers_length
    lengths = pack(">II", len(headers) + len(payload) + 16, size)
    start = lengths + pack(">I", crc32(lengths)) + headers + payload
    return start + pack(">I", crc32(start))


def header(name: str, kind: int, value: bytes) -> bytes:
    """Write a header."""
    return pack(">B", len(name)) + name.encode() + pack(">B", kind) + value


def text(name: str, value: str) -> bytes:
    """Write a header of type string."""
    return header(name, 7, pack(">H", len(value.encode())) + value.encode())


HEADERS: dict[str, tuple[bytes, HeaderValue]] = {
    "true": (header("h", 0, b""), True),
    "false": (header("h", 1, b""), False),
    "byte": (header("h", 2, b"\xff"), -1),
    "short": (header("h", 3, b"\xff\xfe"), -2),
    "integer": (header("h", 4, pack(">i", -70_000)), -70_000),
    "long": (header("h", 5, pack(">q", 2**40)), 2**40),
    "bytes": (header("h", 6, b"\x00\x03abc"), b"abc"),
    "text": (text("h", "ä€"), "ä€"),
    "timestamp": (header("h", 8, pack(">q", 1_767_225_600_000)), 1_767_225_600_000),
    "uuid": (header("h", 9, bytes(range(16))), bytes(range(16))),
}


@pytest.mark.parametrize("kind", HEADERS)
def test_header_is_read_by_its_type(kind: str) -> None:
    """Each of the ten types of header gives its value."""
    written, value = HEADERS[kind]
    decoder = EventStreamDecoder()

    messages = decoder.feed(framed(written + text("last", "x"), b"{}"))

    assert messages == [Message({"h": value, "last": "x"}, b"{}")]
    assert type(messages[0].headers["h"]) is type(value)
    assert decoder.failure is None


def test_messages_of_others_are_read() -> None:
    """What botocore reads is read: an empty message, and one as Bedrock sends it."""
    decoder = EventStreamDecoder()

    empty, delta = decoder.feed(EMPTY + DELTA)

    names = {":event-type": "contentBlockDelta", ":content-type": "application/json", ":message-type": "event"}
    assert empty == Message({}, b"")
    assert delta == Message(names, b'{"contentBlockIndex":0,"delta":{"text":"Hi"},"p":"abcd"}')
    assert decoder.finish()


BROKEN = {
    "length of the message": b"\x01" + EMPTY[1:],
    "length of the headers": DELTA[:4] + b"\xff" + DELTA[5:],
    "checksum of the beginning": DELTA[:8] + b"\0\0\0\0" + DELTA[12:],
    "name of a header": DELTA[:14] + b"X" + DELTA[15:],
    "payload": DELTA[:-8] + b"X" + DELTA[-7:],
    "checksum of the message": DELTA[:-1] + b"X",
    "another format": b"<html></html>",
}
WRONG = {
    "headers longer than the message": (framed(b"", b"x", headers_length=9), "9 bytes of headers"),
    "headers above the bound": (
        pack(">III", 2**20, MAX_HEADERS_BYTES + 1, crc32(pack(">II", 2**20, MAX_HEADERS_BYTES + 1))),
        "bytes of headers",
    ),
    "message too short to be one": (pack(">III", 15, 0, crc32(pack(">II", 15, 0))), "15 bytes"),
    "header twice": (framed(text("h", "a") + text("h", "b")), "'h' stands twice"),
    "unknown type": (framed(header("h", 10, b"")), "unknown type 10"),
    "value cut off": (framed(header("h", 4, b"\0\0")), "headers of a message cannot be read"),
    "length of a value cut off": (framed(header("h", 7, b"\0")), "headers of a message cannot be read"),
    "text cut off": (framed(header("h", 7, b"\0\x05ab")), "headers of a message cannot be read"),
    "type missing": (framed(b"\x01h"), "headers of a message cannot be read"),
    "text that is no UTF-8": (framed(header("h", 7, b"\0\x01\xff")), "headers of a message cannot be read"),
    "name that is no UTF-8": (framed(b"\x01\xff\x00"), "headers of a message cannot be read"),
}


ONE = text("content-type", "application/json")
FOO = b"{'foo':'bar'}"
TYPES = (
    header("0", 0, b""),
    header("1", 1, b""),
    header("2", 2, b"\x02"),
    header("3", 3, pack(">h", 3)),
    header("4", 4, pack(">i", 4)),
    header("5", 5, pack(">q", 5)),
    header("6", 6, b"\0\x05bytes"),
    text("7", "utf8"),
    header("8", 8, pack(">q", 8)),
    header("9", 9, b"0123456789abcdef"),
)
SAID: tuple[HeaderValue, ...] = (True, False, 2, 3, 4, 5, b"bytes", "utf8", 8, b"0123456789abcdef")
TYPES_SAID = {str(number): value for number, value in enumerate(SAID)}
ERROR = text(":message-type", "error") + text(":error-code", "code") + text(":error-message", "message")
ERROR_SAID: dict[str, HeaderValue] = {":message-type": "error", ":error-code": "code", ":error-message": "message"}
PUBLISHED: dict[str, tuple[bytes, bytes, str, dict[str, HeaderValue]]] = {
    # Headers and payload of the messages that botocore tests itself with, and both checksums as they stand there.
    "empty": (b"", b"", "05c248eb 7d98c8ff", {}),
    "int8": (header("byte", 2, b"\xff"), b"", "29860158 c2f869dc", {"byte": -1}),
    "int16": (header("short", 3, b"\xff" * 2), b"", "710e923e b27cb6cc", {"short": -1}),
    "int32": (header("integer", 4, b"\xff" * 4), b"", "83e3f0e7 8b8e12eb", {"integer": -1}),
    "int64": (header("long", 5, b"\xff" * 8), b"", "5d4adb8d 4bc232da", {"long": -1}),
    "payload": (b"", FOO, "fd528c5a c3653936", {}),
    "payload and header": (ONE, FOO, "07fd8396 8d9c08b1", {"content-type": "application/json"}),
    "all types": (b"".join(TYPES), b"", "03b5cb9c 63353671", TYPES_SAID),
    "error": (ERROR, b"", "bf23637e 6b6cea3d", ERROR_SAID),
}
CORRUPT: dict[str, bytes] = {
    # Those that it must refuse. The last two have checksums that fit.
    "length": b"\x01" + framed(b"", FOO)[1:],
    "payload": framed(b"", FOO).replace(b"}", b"\x8d"),
    "headers": framed(ONE, FOO).replace(b"t-t", b"t+t"),
    "length of the headers": framed(ONE, FOO)[:4] + b"\xff\0\x01\x02" + framed(ONE, FOO)[8:],
    "header twice": framed(b"\x04test\x04asdf" * 2),
    "more headers than the message": framed(ONE, FOO, headers_length=0xFF000102),
    "payload above the bound": framed(b"", b"0" * (24 * 1024**2 + 1)),
}


@pytest.mark.parametrize("what", PUBLISHED)
def test_published_messages_are_read(what: str) -> None:
    """The nine messages of botocore's tests are written here as there, checksums included, and read as there."""
    headers, payload, sums, said = PUBLISHED[what]
    written = framed(headers, payload)
    decoder = EventStreamDecoder()

    messages = decoder.feed(written)

    assert f"{written[8:12].hex()} {written[-4:].hex()}" == sums
    assert messages == [Message(said, payload)]
    assert decoder.finish()


@pytest.mark.parametrize("what", CORRUPT)
def test_published_damage_is_refused(what: str) -> None:
    """So are the seven that are corrupt: each is a failure, and no message."""
    decoder = EventStreamDecoder()

    messages = decoder.feed(CORRUPT[what])

    assert messages == []
    assert decoder.failure is not None


@pytest.mark.parametrize("what", BROKEN)
def test_damage_is_told_after_what_was_good(what: str) -> None:
    """A byte that is wrong anywhere makes a failure; the message before it has been given out."""
    decoder = EventStreamDecoder()

    messages = decoder.feed(EMPTY + BROKEN[what] + EMPTY)

    assert messages == [Message({}, b"")]
    assert decoder.failure is not None
    assert "cannot be read: the checksum" in decoder.failure.message
    assert decoder.feed(EMPTY) == []


@pytest.mark.parametrize("what", WRONG)
def test_message_against_the_rules_is_told(what: str) -> None:
    """Checksums that fit do not excuse lengths, types or names that are against the format."""
    written, words = WRONG[what]
    decoder = EventStreamDecoder()

    messages = decoder.feed(written)

    assert messages == []
    assert decoder.failure is not None
    assert words in decoder.failure.message


def test_long_message_is_refused_before_it_comes() -> None:
    """A payload above the bound fails by its announced length."""
    decoder = EventStreamDecoder(max_payload_bytes=4)

    messages = decoder.feed(framed(b"", b"1234") + framed(b"", b"12345")[:12])

    assert [message.payload for message in messages] == [b"1234"]
    assert decoder.failure is not None
    assert "longer than 4 bytes" in decoder.failure.message


def test_what_could_not_be_read_is_kept_for_the_error() -> None:
    """The bytes that are no event stream can be shown to whoever looks for the reason."""
    decoder = EventStreamDecoder()

    decoder.feed(b"<html>login</html>")

    assert decoder.stray == b"<html>login</html>"


STREAM = DELTA + EMPTY + framed(text("a", "b"), b"payload") + DELTA


@given(chunkings(STREAM))
def test_every_chunking_gives_the_same(chunks: list[bytes]) -> None:
    """However the bytes are cut, the messages are the same."""
    decoder = EventStreamDecoder()

    messages = [message for chunk in chunks for message in decoder.feed(chunk)]

    assert messages == EventStreamDecoder().feed(STREAM)
    assert [message.payload for message in messages][1:3] == [b"", b"payload"]
    assert decoder.finish()


@pytest.mark.parametrize("at", range(1, len(DELTA)))
def test_truncation_is_told_as_such(at: int) -> None:
    """A body that ends within a message is not whole, and nothing is wrong with what came."""
    decoder = EventStreamDecoder()

    messages = decoder.feed(EMPTY + DELTA[:at])

    assert messages == [Message({}, b"")]
    assert not decoder.finish()
    assert decoder.failure is None


@given(st.binary(max_size=200), st.lists(st.integers(0, 100), max_size=20))
def test_any_bytes_are_read_alike_however_they_are_cut(data: bytes, cuts: list[int]) -> None:
    """No input raises, and failing does not depend on the chunks."""
    whole, cut = EventStreamDecoder(), EventStreamDecoder()

    at_once = whole.feed(EMPTY + data)
    in_pieces = [message for piece in pieces(EMPTY + data, cuts) for message in cut.feed(piece)]

    assert at_once == in_pieces
    assert str(whole.failure) == str(cut.failure)
    assert whole.finish() == cut.finish()
