"""
The messages of an AWS event stream, cut and written with plain `struct`, so that nothing is shared with the decoder.

Here each has headers of type string alone, as Bedrock sends them.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from struct import pack, unpack
from zlib import crc32


def words(data: bytes) -> Iterator[str]:
    """Yield the JSON of each event: `{type: payload}`, or of a chunk what is packed in it."""
    while data:
        total, size = unpack(">II", data[:8])
        headers, payload, data = data[12 : 12 + size], data[12 + size : total - 4], data[total:]
        kind = _read(headers)[":event-type"]
        if kind == "chunk":
            yield b64decode(json.loads(payload)["bytes"]).decode()
        else:
            yield json.dumps({kind: json.loads(payload)})


def written(words: str) -> bytes:
    """Frame the JSON `{type: payload}`."""
    [(kind, payload)] = json.loads(words).items()
    names = {":event-type": kind, ":content-type": "application/json", ":message-type": "event"}
    headers = b"".join(_header(name, value) for name, value in names.items())
    body = json.dumps(payload).encode()
    prelude = pack(">II", len(headers) + len(body) + 16, len(headers))
    start = prelude + pack(">I", crc32(prelude)) + headers + body
    return start + pack(">I", crc32(start))


def _header(name: str, value: str) -> bytes:
    return pack(">B", len(name)) + name.encode() + pack(">BH", 7, len(value)) + value.encode()


def _read(data: bytes) -> dict[str, str]:
    found: dict[str, str] = {}
    while data:
        end = 1 + data[0]
        name = data[1:end].decode()
        (size,) = unpack(">H", data[end + 1 : end + 3])
        found[name], data = data[end + 3 : end + 3 + size].decode(), data[end + 3 + size :]
    return found
