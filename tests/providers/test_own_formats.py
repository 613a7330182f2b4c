"""Rows of providers that speak a format of their own."""

from __future__ import annotations

import pytest

from fiber._errors import FiberValidationError
from fiber.providers.own_formats import COHERE, OLLAMA, ollama_url
from fiber.types.http import HTTPRequest, Secret


@pytest.mark.parametrize(
    ("said", "url"),
    [
        ("localhost", "http://localhost:11434"),
        ("127.0.0.1:8080", "http://127.0.0.1:8080"),
        (":8080", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:11434"),
        ("0.0.0.0:8080", "http://127.0.0.1:8080"),
        ("[::]:8080", "http://[::1]:8080"),
        ("[::1]", "http://[::1]:11434"),
        ("http://localhost:11434", "http://localhost:11434"),
        ("https://ollama.com", "https://ollama.com"),
        ("https://h.example/ollama", "https://h.example/ollama"),
    ],
)
def test_host_of_ollama_becomes_a_url(said: str, url: str) -> None:
    """Scheme, host and port may be missing; what a server listens on is where it is called."""
    assert ollama_url(said) == url
    assert OLLAMA.replace(base_url=ollama_url(said)).base_url == url


@pytest.mark.parametrize("said", ["http://me:secret@h.example", "h.example:port", "https://h.example?a=b", "h#x"])
def test_host_that_is_none_is_refused_by_the_row(said: str) -> None:
    """It is left as it is, so that nothing in it is lost without a word."""
    assert ollama_url(said) == said
    with pytest.raises(FiberValidationError):
        OLLAMA.replace(base_url=ollama_url(said))


def test_ollama_needs_no_key_and_may_have_one() -> None:
    """A server on this machine has none; the cloud takes a bearer token."""
    request = HTTPRequest("GET", "https://ollama.com")

    assert not OLLAMA.needs_key
    assert OLLAMA.auth(request, Secret("")) == request
    assert OLLAMA.auth(request, Secret("k")).headers == (("authorization", Secret("Bearer k")),)


def test_plain_http_is_for_this_machine() -> None:
    """Another one in plain text has to be meant."""
    with pytest.raises(FiberValidationError, match="allow_http"):
        OLLAMA.replace(base_url=ollama_url("192.168.1.2"))

    assert OLLAMA.replace(base_url="http://192.168.1.2:11434", allow_http=True).allow_http


def test_cohere_has_two_names_for_its_key() -> None:
    """Its own first, then the one that everybody expects."""
    assert COHERE.key_env == ("CO_API_KEY", "COHERE_API_KEY")
