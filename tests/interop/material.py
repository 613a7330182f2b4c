"""What both sides of a comparison send; standard library only, because the official clients import it too."""

from __future__ import annotations

import base64
import struct
from typing import Any

KEY = "sk-interop"
TOKEN = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJpbnRlcm9wIn0.c2lnbmVk"
"""A bearer token in the form that Entra gives: a JWT."""
SAID = "How is the weather in Zürich?"
BIG = 300
"""Output tokens asked for."""

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgAAIAAAUAAeImBZsAAAAASUVORK5CYII=")
PDF = b"%PDF-1.4\n%%EOF\n"
WAV = (
    b"RIFF"
    + struct.pack("<I", 36)
    + b"WAVEfmt "
    + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16)
    + b"data\0\0\0\0"
)
PICTURE_URL = "https://example.com/a.png"
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
EMPTY: dict[str, Any] = {"type": "object", "properties": {}}


def base64_of(data: bytes) -> str:
    """Encode *data* for JSON."""
    return base64.b64encode(data).decode()
