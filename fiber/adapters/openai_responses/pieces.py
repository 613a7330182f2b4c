"""What stands inside an item: its content cut into parts, sources, log probabilities. No state."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Sequence
from typing import Any

import msgspec

from fiber.adapters import jsons
from fiber.adapters.jsons import text
from fiber.adapters.openai_responses.schema import RAW_FIELDS, Item, raw_list
from fiber.types.content import Image, Opaque
from fiber.types.result import Citation


def cut(raw: msgspec.Raw, count: int) -> list[str]:
    """
    Return the JSON of a message once for each of its parts, with only that part as its content.

    A message of one part stays as it is. When the parts go back, `messages` joins those that share
    an id, so that the message is sent once and whatever the caller left out of it is not.
    """
    if count == 1:
        return [jsons.text_of(raw)]
    fields = RAW_FIELDS.decode(raw)
    return [
        encoded(fields | {"content": msgspec.Raw(b"[" + bytes(part) + b"]")})
        for part in raw_list(fields["content"]) or ()
    ]


def citation(annotation: dict[str, Any], native: Opaque) -> Citation:
    """Read `url_citation`, `file_citation`, `container_file_citation`, `file_path` or another."""
    start, end = annotation.get("start_index"), annotation.get("end_index")
    return Citation(
        url=text(annotation.get("url")) or None,
        title=text(annotation.get("title")) or text(annotation.get("filename")) or None,
        file_id=text(annotation.get("file_id")) or None,
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        native=native,
    )


def picture(item: Item, native: Opaque) -> Image | None:
    """Return the picture of an `image_generation_call`; None while there is none."""
    if not text(item.result):
        return None
    try:
        data = b64decode(item.result, validate=True)
    except ValueError:
        return None
    kind = text(item.output_format) or "png"
    return Image(data=data, media_type=f"image/{kind}", native=native)


def rest(told: Sequence[str], whole: str) -> str | None:
    """Return what of *whole* was not told by pieces; None when something else was told."""
    so_far = "".join(told)
    return whole[len(so_far) :] if whole.startswith(so_far) else None


def arguments(value: Any) -> str:
    """Return arguments as JSON text; some servers send the object itself."""
    return value if isinstance(value, str) else "" if value is None else encoded(value)


def encoded(value: Any) -> str:
    """Return *value* as JSON text."""
    return msgspec.json.encode(value).decode()
