"""Where a request goes."""

from __future__ import annotations

import pytest

from fiber import FiberValidationError
from fiber.transports.origin import split_url


@pytest.mark.parametrize(
    ("url", "origin", "target", "netloc"),
    [
        ("https://a.example", ("https", "a.example", 443), "/", "a.example"),
        ("http://A.example:8080/v1/x?y=%20", ("http", "a.example", 8080), "/v1/x?y=%20", "a.example:8080"),
        ("http://127.0.0.1:80/", ("http", "127.0.0.1", 80), "/", "127.0.0.1"),
        ("https://[::1]:8443/x", ("https", "::1", 8443), "/x", "[::1]:8443"),
        ("https://[::1]/x", ("https", "::1", 443), "/x", "[::1]"),
        ("https://bücher.example?q", ("https", "xn--bcher-kva.example", 443), "/?q", "xn--bcher-kva.example"),
    ],
)
def test_a_url_is_split(url: str, origin: tuple[str, str, int], target: str, netloc: str) -> None:
    """Into where to go and what to ask there."""
    found, rest = split_url(url)

    assert (found[:3], rest, found.netloc) == (origin, target, netloc)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "http://",
        "http://a.example:999999/",
        "http://a.example:0/",
        "http://a.example:x/",
        "http://user:word@a.example/",
        "http://[::1/",
        "http://a.example/a b",
        "http://a.example/é",
        "http://a.example/#x",
        f"http://{'a' * 70}é.example/",
        "http://:80/",
    ],
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(FiberValidationError) as caught:
        split_url(url)

    assert (caught.value.parameter, caught.value.outcome) == ("base_url", "not_sent")
