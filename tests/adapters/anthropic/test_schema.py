"""Views of what servers send, and the tolerant reading of their parts."""

from __future__ import annotations

import msgspec
import pytest

from fiber.adapters.anthropic.schema import NOTHING, items_of


@pytest.mark.parametrize(
    ("raw", "items"),
    [
        (b'[{"a":1}, null]', [b'{"a":1}', b"null"]),
        (b"[]", []),
        (b'["\\ud800"]', ['"\ufffd"'.encode()]),
        (b"null", None),
        (b'{"a":1}', None),
        (b"[", None),
        (bytes(NOTHING), None),
    ],
)
def test_the_items_of_an_array_are_given_as_they_came(raw: bytes, items: list[bytes] | None) -> None:
    """What is no array has none; half a character in it is replaced."""
    found = items_of(msgspec.Raw(raw))

    assert (None if found is None else list(map(bytes, found))) == items
