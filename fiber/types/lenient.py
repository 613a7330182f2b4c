"""JSON in an answer that holds more than JSON; only for those who ask for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fiber.types.scanner import STRICT, Grammar, scan

TRAILING_COMMAS: Grammar = {
    **STRICT,
    "item end": {**STRICT["item end"], "comma": "first item"},
    "member end": {**STRICT["member end"], "comma": "first name"},
}
"""JSON, but that a bracket may close after a comma."""
_OPENER = re.compile(r"[\[{]")
_FENCE = "```"


def readings(text: str) -> Iterator[str]:
    """
    Yield what could be meant by a *text* that is not JSON as it stands, the likeliest first.

    First the text without byte-order mark, surrounding white space and code fence; then every object and array in it.
    """
    yield cleaned(text)
    yield from values_in(text)


def cleaned(text: str) -> str:
    """Return *text* without byte-order mark, white space and code fence around it."""
    text = text.strip("\ufeff \t\r\n")
    if text.startswith(_FENCE) and text.endswith(_FENCE) and "\n" in text:
        return text[text.index("\n") : -len(_FENCE)].strip()
    return text


def values_in(text: str) -> Iterator[str]:
    """
    Yield the outermost objects and arrays in *text*, without trailing commas.

    Brackets inside of their strings do not count. Where a bracket turns out to begin no JSON, the search goes on behind
    what was read, so that all takes one pass; a value without its end ends it.
    """
    position = 0
    while (opener := _OPENER.search(text, position)) is not None:
        pieces, since, comma = list[str](), opener.start(), -1
        for token, state, _ in scan(text, opener.start(), TRAILING_COMMAS):
            if state == "wrong":
                position = token.start()
                break
            if comma >= 0 and token.lastgroup in ("array_end", "object_end"):
                pieces.append(text[since:comma])
                since = comma + 1
            comma = token.start() if token.lastgroup == "comma" else -1
            if state == "end":
                position = token.end()
                yield "".join((*pieces, text[since:position]))
                break
        else:
            return
