"""What a `repr` shows of headers and bodies."""

from __future__ import annotations

import pytest

from fiber._operations import RawResponse
from fiber.types.http import HTTPRequest, Secret
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.showing import HARMLESS_HEADERS, masked, size_of

CANARY = "canary-0123456789"


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(HTTPRequest("POST", "https://h", (("x-gateway", CANARY),)), id="header of a request"),
        pytest.param(HTTPRequest("POST", "https://h", (("User-Agent", Secret(CANARY)),)), id="secret"),
        pytest.param(HTTPRequest("POST", "https://h", body=CANARY.encode()), id="body of a request"),
        pytest.param(ChatRequest(messages=(), extra_headers={"x-gateway": CANARY}), id="header of a chat"),
        pytest.param(ChatResult(body=CANARY.encode()), id="body of a result"),
        pytest.param(RawResponse(status=200, headers={}, body=CANARY.encode()), id="body of a raw answer"),
    ],
)
def test_nothing_shows_what_is_not_for_logs(value: object) -> None:
    """Neither `repr` nor `str` nor a format shows what came in a header or a body."""
    assert CANARY not in f"{value!r} {value} {[value]}"


def test_the_rest_is_shown() -> None:
    """Names, harmless values, the length of a body and the words of messages are for those who look for a fault."""
    request = HTTPRequest("POST", "https://h", (("Content-Type", "a/b"), ("x-gateway", CANARY)), b"12345")
    chat = ChatRequest(messages=(ChatMessage.user("Hi"),), extra_headers={"x-gateway": CANARY, "user-agent": "me"})

    assert repr(request).startswith(
        "HTTPRequest(method='POST', url='https://h', headers=(('Content-Type', 'a/b'), ('x-gateway', '***')),"
        " body=<5 bytes>, "
    )
    assert "content='Hi'" in repr(chat)
    assert "extra_headers={'x-gateway': '***', 'user-agent': 'me'}" in repr(chat)
    assert "body=<2 bytes>" in repr(ChatResult(body=b"{}"))
    assert "body=<2 bytes>" in repr(RawResponse(status=200, headers={}, body=b"{}"))


def test_what_is_not_there_is_shown_as_it_is() -> None:
    """No headers and no bytes have nothing to hide."""
    assert "extra_headers=None" in repr(ChatRequest(messages=()))
    assert "extra_headers={}" in repr(ChatRequest(messages=(), extra_headers={}))
    assert "headers=(), body=b''" in repr(HTTPRequest("GET", "https://h"))
    assert (masked(()), size_of(b"")) == ((), b"")


def test_a_repr_changes_nothing() -> None:
    """The value that was shown is what it was."""
    request = HTTPRequest("POST", "https://h", (("x-gateway", CANARY),), b"12345")

    repr(request)

    assert (request.headers, request.body) == ((("x-gateway", CANARY),), b"12345")


@pytest.mark.parametrize("name", ["authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie", "x-anything"])
def test_no_header_of_a_key_is_harmless(name: str) -> None:
    """What holds a key, or may, is not on the list; what is on it is written in lower case."""
    assert name not in HARMLESS_HEADERS
    assert all(harmless == harmless.lower() for harmless in HARMLESS_HEADERS)
