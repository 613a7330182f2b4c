"""The file of recorded exchanges."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FiberConnectionError, FiberError, FiberTimeoutError, FiberValidationError
from fiber.testing import cassette
from fiber.testing.cassette import Answered, Asked, Chunk, Ended, Exchange, Failure, encode, load, plain, readable
from fiber.types.receipt import Attempt

ASKED = Asked("POST", "https://x/v1/chat?a=1", {"accept": "*/*"}, json={"b": [1], "a": "é"})
EXCHANGE = Exchange(
    ASKED,
    Answered(200, 0.5, {"date": "today"}),
    (Chunk(0.5, text="Hé\n"), Chunk(0.75, base64=b"\xff")),
    Ended("complete", 1.0),
)
LINES = """\
{"kind":"cassette","version":1,"exchanges":1}
{"kind":"request","method":"POST","url":"https://x/v1/chat?a=1","headers":{"accept":"*/*"},"json":{"a":"é","b":[1]}}
{"kind":"response","status":200,"seconds":0.5,"headers":{"date":"today"}}
{"kind":"chunk","seconds":0.5,"text":"Hé\\n"}
{"kind":"chunk","seconds":0.75,"base64":"/w=="}
{"kind":"end","how":"complete","seconds":1.0}
""".encode()

seconds = st.integers(0, 10**6).map(lambda n: n / 1000)
headers = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2)
chunks = st.builds(lambda at, data: Chunk(at, **plain(data)), seconds, st.binary(min_size=1))
askings = st.builds(
    lambda method, url, names, body: Asked(method, url, names, **readable(body)),
    st.sampled_from(["GET", "POST"]),
    st.text(max_size=9),
    headers,
    st.binary() | st.sampled_from([b"null", b"0", b'"x"', b'{"b": 1, "a": [1.5, true]}', b"[" * 10_000]),
)
failures = st.builds(
    Failure,
    st.sampled_from(["FiberConnectionError", "FiberTimeoutError"]),
    st.text(max_size=9),
    st.sampled_from(["not_sent", "rejected", "unknown"]),
    st.none() | st.booleans(),
    st.sampled_from(["", "read"]),
    st.none() | seconds,
)
broken = st.builds(Ended, st.just("error"), seconds, failures)
endings = st.builds(Ended, st.sampled_from(["complete", "closed", "silence"]), seconds) | broken
answers = st.builds(Answered, st.integers(100, 599), seconds, headers)
exchanges = st.builds(Exchange, askings, answers, st.lists(chunks).map(tuple), endings) | st.builds(
    Exchange, askings, st.none(), st.just(()), broken | st.builds(Ended, st.just("silence"), seconds)
)


def test_a_cassette_reads_well(tmp_path: Path) -> None:
    """One record a line: JSON bodies as JSON with sorted members, text as text, other bytes as base64."""
    path = tmp_path / "x.jsonl"

    cassette.write(path, [encode(EXCHANGE)])

    assert path.read_bytes() == LINES
    assert load(path) == [EXCHANGE]
    assert [chunk.data for chunk in EXCHANGE.chunks] == ["Hé\n".encode(), b"\xff"]


@given(st.lists(exchanges, max_size=4))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, wanted: list[Exchange]) -> None:
    """Whatever was asked, and whatever came."""
    path = tmp_path_factory.getbasetemp() / "written.jsonl"

    cassette.write(path, [encode(exchange) for exchange in wanted])

    assert load(path) == wanted


def test_the_file_is_for_its_owner(tmp_path: Path) -> None:
    """Its folder is made, and nothing else is left there."""
    path = cassette.prepare(tmp_path / "a" / "b" / "x.jsonl")

    cassette.write(path, [])

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(path.parent) == ["x.jsonl"]
    assert load(path) == []


def test_a_write_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old file stays, whole, and the error says which one it is."""
    path = tmp_path / "x.jsonl"
    cassette.write(path, [encode(EXCHANGE)])

    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(FiberValidationError, match=r"x\.jsonl cannot be written \(No space left on device\)") as caught:
        cassette.write(path, [])

    assert (caught.value.parameter, caught.value.outcome) == ("path", "not_sent")
    assert path.read_bytes() == LINES
    assert os.listdir(tmp_path) == ["x.jsonl"]


def test_a_path_that_can_be_no_file_is_refused(tmp_path: Path) -> None:
    """Before anything is sent: a folder, or something under a file."""
    (tmp_path / "file").touch()

    with pytest.raises(FiberValidationError, match="is a folder"):
        cassette.prepare(tmp_path)
    with pytest.raises(FiberValidationError, match="cannot be written"):
        cassette.prepare(tmp_path / "file" / "x.jsonl")


def test_a_cassette_that_is_not_there_is_told(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(FiberValidationError, match=r"cannot be read \(No such file or directory\): record it first"):
        load(tmp_path / "x.jsonl")


def test_a_truncated_cassette_is_refused(tmp_path: Path) -> None:
    """Wherever it was cut; only the last line's end may be missing."""
    path = tmp_path / "x.jsonl"
    parameters = set()

    for size in range(len(LINES) - 1):
        path.write_bytes(LINES[:size])
        with pytest.raises(FiberValidationError, match="is not a whole cassette") as caught:
            load(path)
        parameters.add(caught.value.parameter)

    assert parameters == {"path"}


@pytest.mark.parametrize("data", [LINES[:-1], LINES.replace(b"\n", b"\r\n")], ids=["no last newline", "windows"])
def test_an_editor_may_change_line_ends(tmp_path: Path, data: bytes) -> None:
    """It is the same cassette."""
    path = tmp_path / "x.jsonl"
    path.write_bytes(data)

    assert load(path) == [EXCHANGE]


HEAD, REQUEST, RESPONSE, *_, CHUNK, END = LINES.splitlines()
FAILED = b'{"kind":"end","how":"error","seconds":1,"failure":{"error":"%s","message":"m","outcome":"unknown"}}'
FOREIGN = {
    "text": ([b"Dear diary"], "line 1"),
    "other json": ([b'{"version": 1}'], "line 1.*kind"),
    "no opening": ([REQUEST, RESPONSE, END], "line 1: a 'request' cannot stand here"),
    "of tomorrow": ([HEAD.replace(b":1,", b":2,")], "line 1: version 2 is not known, only 1"),
    "chunk before its head": ([HEAD, REQUEST, CHUNK, END], "line 3: a 'chunk' cannot stand here"),
    "no answer": ([HEAD, REQUEST, END], "line 3: the request has no answer"),
    "too few": ([HEAD.replace(b":1}", b":2}"), REQUEST, RESPONSE, END], "line 4: 1 of 2 exchanges are whole"),
    "too many": ([HEAD, *[REQUEST, RESPONSE, END] * 2], "line 7: 2 of 1 exchanges are whole"),
    "no such error": ([HEAD, REQUEST, FAILED % b"ValueError"], "there is no error 'ValueError'"),
    "no error at all": ([HEAD, REQUEST, FAILED % b"Outcome"], "there is no error 'Outcome'"),
    "a reason for nothing": ([HEAD, REQUEST, FAILED.replace(b'"error",', b'"closed",')], "line 3.*failure"),
    "no reason": ([HEAD, REQUEST, END.replace(b"complete", b"error")], "line 3.*failure"),
    "too deep": ([HEAD, REQUEST.replace(b"[1]", b"[" * 10_000)], "line 2"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_refused(tmp_path: Path, name: str) -> None:
    """With the line that is wrong, and why."""
    lines, why = FOREIGN[name]
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"\n".join(lines))

    with pytest.raises(FiberValidationError, match=why):
        load(path)


@pytest.mark.parametrize(
    ("mine", "theirs", "same"),
    [
        (b'{"a": 1, "b": {"d": 2, "c": 3}}', b'{"b":{"c":3,"d":2},"a":1}', True),
        (b'{"a": 1}', b'{"a": true}', False),
        (b'{"a": 1}', b'{"a": 1.0}', False),
        (b"[1, 2]", b"[2, 1]", False),
        (b"", b"null", False),
        (b'"x"', b"x", False),
        (b"\xff", b"\xff", True),
        (b"\xff", b"\xfe", False),
    ],
)
def test_a_body_is_the_same_in_any_spelling(mine: bytes, theirs: bytes, same: bool) -> None:
    """Spaces and the order of members do not count; values and their types do."""
    one, other = (Asked("POST", "https://x/y", **readable(body)) for body in (mine, theirs))

    assert (one.identity == other.identity) is same


def test_a_request_is_known_by_method_path_and_query() -> None:
    """Neither by host nor by headers."""
    same = msgspec.structs.replace(ASKED, url="http://127.0.0.1:1/v1/chat?a=1", headers={})
    others = [
        {"method": "PUT"},
        {"url": "https://x/v1"},
        {"url": "https://x/v1/chat?a=2"},
        {"url": "https://x/v1/chat"},
    ]

    assert same.identity == ASKED.identity
    for changes in others:
        assert msgspec.structs.replace(ASKED, **changes).identity != ASKED.identity


class Own(FiberConnectionError):
    """An error of somebody's transport."""


@pytest.mark.parametrize(
    "error",
    [
        FiberConnectionError("lost", outcome="unknown", should_retry=False),
        FiberTimeoutError("late", timer="connect", seconds=5.0, outcome="not_sent"),
        Own("lost"),
    ],
)
def test_an_error_comes_back_as_it_was(error: FiberError) -> None:
    """Its class, or the public one above it, and what decides about a retry."""
    error.attempts = (Attempt(number=1, provider="p", model="m"),)

    back = Failure.of(error, "masked").restored()

    assert type(back) is (FiberConnectionError if type(error) is Own else type(error))
    assert (back.message, back.outcome, back.is_retryable) == ("masked", error.outcome, error.is_retryable)
    assert [getattr(back, name, None) for name in ("timer", "seconds")] == [
        getattr(error, name, None) for name in ("timer", "seconds")
    ]
    assert back.attempts == ()
