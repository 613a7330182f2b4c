"""The value of a JSON text of which only the beginning is there."""

from __future__ import annotations

from typing import Any

import msgspec

from fiber._errors import FiberParsingError
from fiber.types.scanner import scan

_SURE = {"first item", "first name", "item end", "member end", "end"}
"""States after a token whose value, or whose bracket, stays whatever comes next."""
_CLOSERS = {"array": "]", "object": "}"}


def partial_json(text: str) -> Any:
    """
    Return the value that a JSON text has so far, when *text* may be cut anywhere.

    Strings, arrays and objects that are open count as far as they go. Left out is what the next character could still
    change: a name without its value, a number at the end of the text, half of `true`, `false` or `null`, half of an
    escape or of an escaped surrogate pair. So while text is added, strings and arrays only get longer, objects only get
    members (a name that comes again replaces its value, as ever), and nothing else changes. Only a text that is nothing
    but a number has its value whenever it is one: `1`, `1.`, `1.5` give 1, None, 1.5.

    Args:
        text: The text so far. Each call reads all of it, in one pass.

    Returns:
        None when nothing is known yet; of a whole text exactly what `msgspec.json.decode` returns.

    Raises:
        FiberParsingError: However the text goes on, it is no JSON.
    """
    kept, ending, brackets = 0, "", list[str]()
    for token, state, brackets in scan(text):
        kind = token.lastgroup
        if state == "wrong":
            raise _wrong(text, f"character {token.start()} cannot stand there")
        if kind == "half" and (brackets or not text[-1].isdigit()):
            break
        if state in _SURE:
            kept = token.end()
            if kind == "cut":
                kept, ending = token.start("cut"), '"'
    if not kept:
        return None
    whole = text[:kept] + ending + "".join(_CLOSERS[kind] for kind in reversed(brackets))
    try:
        return msgspec.json.decode(whole)
    except (ValueError, RecursionError) as error:
        raise _wrong(text, str(error)) from None


def _wrong(text: str, why: str) -> FiberParsingError:
    return FiberParsingError(f"This text is not the beginning of JSON: {why}.", raw_response=text[:200])
