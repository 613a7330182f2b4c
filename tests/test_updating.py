"""A newer catalogue, from a file or from the web."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fiber import (
    FiberClosedError,
    FiberConnectionError,
    FiberValidationError,
    ModelCatalog,
    _updating,
)
from fiber.testing.fake import FakeReply, FakeTransport
from tests.kit import scripted

URL = "https://example.com/catalog.json"
DATA = msgspec.json.encode(
    {
        "format": 1,
        "revision": "2027-01-01",
        "sources": [],
        "rows": {},
        "models": {"openai": {"gpt-9": {"max_input": 5}}},
    }
)
DIGEST = sha256(DATA).hexdigest()
MINE = ModelCatalog(overrides={"openai:gpt-9": {"max_output": 7}}, rows={"proxy": "openai"})


def sent(*chunks: bytes, status: int = 200, kind: str = "application/json") -> FakeReply:
    """Make an answer of a host of files."""
    return FakeReply(status, {"content-type": kind}, chunks)


def web(*script: Any) -> FakeTransport:
    """Return a transport that finds the host."""
    transport = FakeTransport(*script)
    transport.addresses["example.com"] = ["93.184.216.34"]
    return transport


def refusal(source: Any, digest: str | None, transport: FakeTransport) -> FiberValidationError:
    """Return the error of an update."""
    with pytest.raises(FiberValidationError) as caught:
        scripted(transport=transport)[0].sync.update_catalog(source, sha256=digest)
    return caught.value


@pytest.mark.parametrize("as_text", [False, True])
@pytest.mark.parametrize("digest", [None, DIGEST, DIGEST.upper()])
def test_a_file_becomes_a_new_catalogue(tmp_path: Path, as_text: bool, digest: str | None) -> None:
    """With the overrides and rows of the client's, which stays as it is."""
    path = tmp_path / "newer.json"
    path.write_bytes(DATA)
    fiber, _ = scripted(catalog=MINE)

    newer = fiber.sync.update_catalog(str(path) if as_text else path, sha256=digest)

    assert (newer.room("openai", "gpt-9"), newer.max_output("proxy", "gpt-9")) == (5, 7)
    assert str(newer.revision) == "2027-01-01"
    assert fiber.catalog is MINE
    assert (MINE.room("openai", "gpt-9"), MINE.revision) == (None, ModelCatalog().revision)


@pytest.mark.anyio
async def test_a_url_is_fetched_without_a_key() -> None:
    """Over the transport of the client; both faces can."""
    transport = web(sent(DATA[:9], DATA[9:], kind="text/plain"), sent(DATA))
    fiber, _ = scripted(transport=transport)

    assert (await fiber.update_catalog(URL, sha256=DIGEST)).room("openai", "gpt-9") == 5
    assert fiber.sync.update_catalog(URL, sha256=DIGEST).room("openai", "gpt-9") == 5
    assert [(request.method, request.url) for request in transport.requests] == [("GET", URL)] * 2
    assert not {"authorization", "x-api-key"} & set(transport.requests[0].headers)


@pytest.mark.parametrize(
    ("source", "digest", "words", "parameter"),
    [
        (URL, None, "needs its digest", "sha256"),
        (URL, "abc", "64 hexadecimal digits", "sha256"),
        ("newer.json", "abc", "64 hexadecimal digits", "sha256"),
        ("http://example.com/x", DIGEST, "Only https", "url"),
        ("https://user:secret@example.com/x", DIGEST, "no user name", "url"),
        ("https:///x", DIGEST, "Nothing is fetched from", "url"),
        ("no/such/file.json", None, "cannot be read", "path"),
        ("a\0b", None, "cannot be read", "path"),
    ],
)
def test_what_is_wrong_is_told_before_anything_is_sent(
    source: str, digest: str | None, words: str, parameter: str
) -> None:
    """A URL without a digest, a digest that is none, another scheme, a file that is not there."""
    transport = web()

    error = refusal(source, digest, transport)

    assert words in error.message
    assert "secret" not in str(error)
    assert (error.parameter, transport.requests) == (parameter, [])


@pytest.mark.parametrize(
    ("data", "digest", "parameter"),
    [(DATA + b" ", DIGEST, "sha256"), (b"{}", sha256(b"{}").hexdigest(), "path")],
)
def test_another_file_is_refused(data: bytes, digest: str, parameter: str) -> None:
    """One with another digest, and one that is no catalogue."""
    assert refusal(URL, digest, web(sent(data))).parameter == parameter


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (sent(b"no", status=404), "status 404"),
        (sent(DATA, status=302), "a redirect"),
        (sent(b"x" * 11), "more than the 10 bytes"),
        (sent(), "sent nothing"),
        (sent(DATA, kind="image/png"), "image/png"),
    ],
)
def test_nothing_usable_is_an_error(reply: FakeReply, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal, a redirect, too many bytes, none, a picture."""
    monkeypatch.setattr(_updating, "MOST_BYTES", 10)

    with pytest.raises(FiberConnectionError, match=words):
        scripted(transport=web(reply))[0].sync.update_catalog(URL, sha256=DIGEST)


def test_a_closed_client_updates_nothing() -> None:
    """Not from a file either."""
    fiber, _ = scripted()
    fiber.sync.close()

    with pytest.raises(FiberClosedError):
        fiber.sync.update_catalog("newer.json")
