"""Pictures and sounds in answers."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

import msgspec

from fiber.adapters.assembly import Assembly
from fiber.adapters.jsons import text_of
from fiber.adapters.openai_chat.schema import MEMBERS, OBJECT
from fiber.types.content import Audio, Image, Opaque, Text


def image_of(raw: msgspec.Raw, assembly: Assembly) -> Image | Opaque:
    """
    Read an entry of `message.images` (gateways) or an `image_url` part; what is no picture stays
    opaque.
    """
    native = assembly.opaque(text_of(raw), "images")
    try:
        said = OBJECT.decode(raw).get("image_url")
    except msgspec.DecodeError:
        return native
    url = said.get("url") if isinstance(said, dict) else said
    return Image(url=url, native=native) if isinstance(url, str) and url else native


class AudioPieces:
    """
    The `audio` member, whole or in pieces: `{id}`, `{data}`, `{transcript}`, `{expires_at}`.

    Source: https://platform.openai.com/docs/guides/audio, read 2026-11-20. A later turn refers to
    it by its id.
    """

    __slots__ = ("_data", "_id", "_transcript")

    def __init__(self) -> None:
        self._id = ""
        self._data: list[str] = []
        self._transcript: list[str] = []

    def read(self, audio: Any) -> None:
        """Take (a piece of) the member."""
        if not isinstance(audio, dict):
            return
        if isinstance(id_ := audio.get("id"), str):
            self._id = self._id or id_
        if isinstance(data := audio.get("data"), str):
            self._data.append(data)
        if isinstance(words := audio.get("transcript"), str):
            self._transcript.append(words)

    def part(self, assembly: Assembly) -> Audio | Opaque | Text | None:
        """Make the part, of what there is; None when there is nothing."""
        if not (self._id or self._data or self._transcript):
            return None
        member = msgspec.json.encode({"audio": {"id": self._id}}).decode()
        native = assembly.opaque(member, MEMBERS) if self._id else None
        sound, transcript = _decoded(self._data), "".join(self._transcript)
        if sound:
            return Audio(data=sound, transcript=transcript, native=native)
        return native or Text(transcript)


def _decoded(pieces: list[str]) -> bytes:
    """Decode base64 that was cut anywhere, or encoded piece by piece."""
    for encoded in (pieces, ["".join(pieces)]):
        try:
            return b"".join(map(b64decode, encoded))
        except binascii.Error:
            continue
    return b""
