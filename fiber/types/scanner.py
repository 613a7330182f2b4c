"""
JSON, token by token: for text that is not JSON yet, or not only JSON.

What may come next depends on the last token alone, apart from what follows a value, which the innermost open bracket
decides. So the grammar is a table, and a scan is a loop with a stack: one pass, no recursion. Nothing is decoded here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TypeAlias

Grammar: TypeAlias = Mapping[str, Mapping[str, str]]
"""State -> kind of token -> next state; a pair that is missing is no JSON."""

# A string as msgspec reads it: no control characters, halves of a surrogate pair (RFC 8259, section 7) only together.
_HEX = "[0-9a-fA-F]"
_STRING = rf"""
    " (?: [^"\\\x00-\x1f]++ | \\["\\/bfnrt] | \\u(?![dD][89a-fA-F]){_HEX}{{4}}
        | \\u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}} )*+
"""
_SECOND_HALF = rf"\\ (?: u (?: [dD] (?: [c-fC-F] {_HEX}? )? )? )?"
_HALF_ESCAPE = rf"\\ (?: u (?: (?![dD][c-fC-F]){_HEX}{{0,3}} | [dD][89abAB]{_HEX}{{2}} (?:{_SECOND_HALF})? ) )?"
_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+"
_HALF_NUMBER = r"-?(?:0|[1-9][0-9]*+)(?:\.|(?:\.[0-9]++)?+(?:[eE][+-]?[0-9]*+)?) | -"

_TOKEN = re.compile(
    rf"""
    (?P<space> [ \t\n\r]++ )
    | {_STRING} (?: (?P<string> " ) | (?P<cut> (?:{_HALF_ESCAPE})? \Z ) )
    | (?P<array> \[ ) | (?P<array_end> \] ) | (?P<object> \{{ ) | (?P<object_end> \}} )
    | (?P<comma> , ) | (?P<colon> : )
    | (?P<literal> true | false | null )
    | (?P<half> (?: t(?:ru?)? | f(?:a(?:ls?)?)? | n(?:ul?)? | {_HALF_NUMBER} ) \Z )
    | (?P<number> {_NUMBER} )
    | (?P<wrong> . )
    """,
    re.VERBOSE | re.DOTALL,
)
"""
All kinds of tokens; the name of the last group that took part is the kind.

`cut` is a string without its end, and the group is the half escape at its end; `half` is the start of a literal, or a
number that more digits could follow.
"""

_VALUE = {
    "array": "first item",
    "object": "first name",
    **dict.fromkeys(("string", "cut", "literal", "half", "number"), "value end"),
}
_NAME = {"string": "name end", "cut": "name end"}
STRICT: Grammar = {
    "value": _VALUE,
    "first item": {**_VALUE, "array_end": "value end"},
    "first name": {**_NAME, "object_end": "value end"},
    "name": _NAME,
    "name end": {"colon": "value"},
    "item end": {"comma": "value", "array_end": "value end"},
    "member end": {"comma": "name", "object_end": "value end"},
    "end": {},
}
"""JSON, RFC 8259."""
_AFTER_VALUE = {"array": "item end", "object": "member end"}


def scan(text: str, start: int = 0, grammar: Grammar = STRICT) -> Iterator[tuple[re.Match[str], str, list[str]]]:
    """
    Yield each token of the JSON text at *start*, white space left out, with the state after it and what is open then.

    State `end` says that the value is whole; `wrong` that this token cannot stand here, and then it is the last.
    What is open are the kinds of the open brackets, innermost last: one list, which the scan goes on to change.
    """
    state, brackets = "value", list[str]()
    for token in _TOKEN.finditer(text, start):
        kind = token.lastgroup or ""
        if kind == "space":
            continue
        state = grammar[state].get(kind, "wrong")
        if state == "wrong":
            yield token, state, brackets
            return
        if kind in _AFTER_VALUE:
            brackets.append(kind)
        elif kind in ("array_end", "object_end"):
            brackets.pop()
        if state == "value end":
            state = _AFTER_VALUE[brackets[-1]] if brackets else "end"
        yield token, state, brackets
