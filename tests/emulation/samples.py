"""Texts with calls in them."""

from __future__ import annotations

import json

from hypothesis import strategies as st

from fiber._emulation.reading import CLOSE, OPEN
from tests.strategies import words


def said(name: str, arguments: str = "{}") -> str:
    """Write one call as a model does."""
    return f'{OPEN}{{"name": {json.dumps(name)}, "arguments": {arguments}}}{CLOSE}'


texts = st.lists(
    st.sampled_from(
        [
            OPEN,
            CLOSE,
            said("f"),
            said("g", '{"a": [1, "\\u00e9"]}'),
            said("h", "{bad"),
            f'{OPEN}{{"name": "i", "arguments": {{}}}}',
            f"{OPEN} {{",
            *("<", "<tool", "_call>", "</", "{", "}", '"name"', " ", "\n", "\u2003"),
        ]
    )
    | words,
    max_size=8,
).map("".join)
"""Any text, with calls, tags and pieces of them in it."""
