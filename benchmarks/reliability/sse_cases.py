"""
The parsing rules of server-sent events as a table, and once more as a slow parser that follows them line by line.

Rules: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream (read 2026-11-21). One
deliberate deviation, and only here: an event that lacks nothing but its empty line at the end of the body counts.
"""

from __future__ import annotations

Events = list[tuple[str, str]]
"""Name, empty when not said, and data of each event."""

CASES: tuple[tuple[str, str | bytes, Events], ...] = (
    # -- data
    ("a space after the colon is dropped", "data: a\n\n", [("", "a")]),
    ("no space is needed", "data:a\n\n", [("", "a")]),
    ("only one space is dropped", "data:  a\n\n", [("", " a")]),
    ("a tab is kept", "data:\ta\n\n", [("", "\ta")]),
    ("a space at the end is kept", "data: a \n\n", [("", "a ")]),
    ("a second colon is data", "data: a:b\n\n", [("", "a:b")]),
    ("a colon alone is data", "data::\n\n", [("", ":")]),
    ("a field without colon is empty", "data\n\n", [("", "")]),
    ("empty data", "data:\n\n", [("", "")]),
    ("empty data after a space", "data: \n\n", [("", "")]),
    ("two empty lines of data", "data\ndata\n\n", [("", "\n")]),
    ("lines are joined by LF", "data: a\ndata: b\n\n", [("", "a\nb")]),
    ("empty lines of data are kept", "data:\ndata: a\ndata\n\n", [("", "\na\n")]),
    ("two events", "data: a\n\ndata: b\n\n", [("", "a"), ("", "b")]),
    ("JSON", 'data: {"a": [1, "b: c"]}\n\n', [("", '{"a": [1, "b: c"]}')]),
    ("NUL is data", "data: a\0b\n\n", [("", "a\0b")]),
    # -- other fields
    ("event", "event: e\ndata: a\n\n", [("e", "a")]),
    ("event without space", "event:e\ndata:a\n\n", [("e", "a")]),
    ("event after data", "data: a\nevent: e\n\n", [("e", "a")]),
    ("the last event name counts", "event: d\nevent: e\ndata: a\n\n", [("e", "a")]),
    ("an empty event name takes the name back", "event: e\nevent:\ndata: a\n\n", [("", "a")]),
    ("event without colon", "event: e\nevent\ndata: a\n\n", [("", "a")]),
    ("a name holds for one event", "event: e\ndata: a\n\ndata: b\n\n", [("e", "a"), ("", "b")]),
    ("a name without data is nothing", "event: e\n\n", []),
    ("a name without data does not last", "event: e\n\ndata: a\n\n", [("", "a")]),
    ("only one space is dropped from a name", "event:  e\ndata: a\n\n", [(" e", "a")]),
    ("id is no event", "id: 1\n\n", []),
    ("id beside data", "id: 1\ndata: a\n\n", [("", "a")]),
    ("id without colon", "id\ndata: a\n\n", [("", "a")]),
    ("id with NUL", "id: a\0b\ndata: a\n\n", [("", "a")]),
    ("retry", "retry: 1000\ndata: a\n\n", [("", "a")]),
    ("bogus retry", "retry: soon\ndata: a\n\n", [("", "a")]),
    ("empty retry", "retry\n\ndata: a\n\n", [("", "a")]),
    ("an unknown field is ignored", "other: x\ndata: a\n\n", [("", "a")]),
    ("an unknown field alone is nothing", "other: x\n\n", []),
    ("names know case", "DATA: x\nData: x\ndata: a\n\n", [("", "a")]),
    ("a space before the name is part of it", " data: x\ndata: a\n\n", [("", "a")]),
    ("a space after the name is part of it", "data : x\ndata: a\n\n", [("", "a")]),
    ("a longer name is another", "datas: x\ndata: a\n\n", [("", "a")]),
    # -- comments
    ("an empty comment", ":\n\n", []),
    ("a comment", ": ping\n\n", []),
    ("a comment before data", ":c\ndata: a\n\n", [("", "a")]),
    ("a comment between data", "data: a\n:c\ndata: b\n\n", [("", "a\nb")]),
    ("a comment after data", "data: a\n:c\n\n", [("", "a")]),
    ("data in a comment", ":data: x\n\ndata: a\n\n", [("", "a")]),
    ("many comments", ": ping\n\n" * 40 + "data: a\n\n", [("", "a")]),
    # -- ends of lines
    ("LF", "data: a\ndata: b\n\ndata: c\n\n", [("", "a\nb"), ("", "c")]),
    ("CR", "data: a\rdata: b\r\rdata: c\r\r", [("", "a\nb"), ("", "c")]),
    ("CRLF", "data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n", [("", "a\nb"), ("", "c")]),
    ("LF and CRLF", "data: a\ndata: b\r\n\r\n", [("", "a\nb")]),
    ("CRLF, then LF", "data: a\r\n\ndata: b\n\n", [("", "a"), ("", "b")]),
    ("LF, then CRLF", "data: a\n\r\ndata: b\n\n", [("", "a"), ("", "b")]),
    ("CRLF, then CR", "data: a\r\n\rdata: b\n\n", [("", "a"), ("", "b")]),
    ("LF, then CR", "data: a\n\rdata: b\n\n", [("", "a"), ("", "b")]),
    ("CRLF is one end", "data: a\r\ndata: b\r\n\r\n", [("", "a\nb")]),
    ("empty lines alone", "\n\n\r\r\r\n\r\n", []),
    ("more empty lines than needed", "\n\ndata: a\n\n\n\n\ndata: b\n\n\n", [("", "a"), ("", "b")]),
    ("other white space ends no line", "data: a\x0bb\x0cc\x1cd\x1ee\n\n", [("", "a\x0bb\x0cc\x1cd\x1ee")]),
    ("nor do the line ends of Unicode", "data: a\x85b\u2028c\u2029d\n\n", [("", "a\x85b\u2028c\u2029d")]),
    # -- encoding
    ("a byte-order mark is dropped", "\ufeffdata: a\n\n", [("", "a")]),
    ("a second one is part of the name", "\ufeff\ufeffdata: x\n\ndata: a\n\n", [("", "a")]),
    ("so is one that comes late", "data: a\n\n\ufeffdata: x\n\n", [("", "a")]),
    ("in data it stays", "data: \ufeffa\n\n", [("", "\ufeffa")]),
    ("before a comment it is dropped", "\ufeff:data: x\ndata: a\n\n", [("", "a")]),
    ("half of one is part of the name", b"\xef\xbbdata: x\n\ndata: a\n\n", [("", "a")]),
    ("UTF-8", "event: \u00fc\ndata: \u20ac \U0001f600\n\n", [("\u00fc", "\u20ac \U0001f600")]),
    ("invalid UTF-8 is replaced", b"data: a\xffb\n\n", [("", "a\ufffdb")]),
    # -- the end
    ("nothing", "", []),
    ("one empty line", "\n", []),
    ("an empty line is missing", "data: a\n\ndata: b\n", [("", "a"), ("", "b")]),
    ("an end of line is missing", "data: a\n\ndata: b", [("", "a"), ("", "b")]),
    ("a name without data is missing more", "data: a\n\nevent: e\n", [("", "a")]),
    ("a comment at the end", "data: a\n\n: bye", [("", "a")]),
    ("a byte-order mark alone", "\ufeff", []),
    ("half of one alone", b"\xef\xbb", []),
)


def by_the_book(body: bytes) -> Events:
    """Parse *body* line by line, as the rules say it."""
    text = body.decode("utf-8", "replace").removeprefix("\ufeff")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    events: Events = []
    name, data = "", ""
    for line in [*lines, ""]:
        if not line:
            if data:
                events.append((name, data.removesuffix("\n")))
            name, data = "", ""
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data += f"{value}\n"
    return events
