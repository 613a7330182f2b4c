"""Signers."""

from __future__ import annotations

import pytest

from fiber.providers.auth import Dated, Signer, bearer, header, header_or_token, signed, unsigned
from fiber.types.http import HTTPRequest, Secret

REQUEST = HTTPRequest("POST", "https://h", (("content-type", "a"), ("Authorization", "old"), ("x-api-key", "old")))
KEY = Secret("k-123")


@pytest.mark.parametrize(
    ("sign", "name", "value"),
    [
        pytest.param(bearer, "authorization", "Bearer k-123", id="bearer"),
        pytest.param(unsigned, "authorization", "Bearer k-123", id="unsigned with a key"),
        pytest.param(header("x-api-key"), "x-api-key", "k-123", id="header"),
        pytest.param(header_or_token("x-api-key"), "x-api-key", "k-123", id="a key and no token"),
    ],
)
def test_key_is_put_in_its_header(sign: Signer, name: str, value: str) -> None:
    """The key stands once, as a secret, in the header of its scheme, and the rest stays."""
    signed = sign(REQUEST, KEY)
    found = [said for key, said in signed.headers if key.lower() == name]

    assert found == [Secret(value)]
    assert ("content-type", "a") in signed.headers
    assert (signed.method, signed.url, signed.body) == ("POST", "https://h", b"")
    assert "k-123" not in repr(signed)


def test_dated_signer_is_given_the_time_and_others_do_not_ask() -> None:
    """Only a signature that holds the time looks at the clock."""
    asked: list[float] = []

    def now() -> float:
        asked.append(7.0)
        return 7.0

    def stamp(request: HTTPRequest, secret: Secret, seconds: float) -> HTTPRequest:
        return request.with_headers(("x-date", f"{seconds}"), ("x-key", secret))

    dated = signed(Dated(stamp), REQUEST, KEY, now)
    plain = signed(bearer, REQUEST, KEY, now)

    assert dated == REQUEST.with_headers(("x-date", "7.0"), ("x-key", KEY))
    assert plain == bearer(REQUEST, KEY)
    assert asked == [7.0]


@pytest.mark.parametrize("sign", [bearer, unsigned, header("x-api-key"), header_or_token("x-api-key")])
def test_request_without_a_key_stays_unsigned(sign: Signer) -> None:
    """A server that needs no key gets none, and no empty header, which HTTP libraries refuse to write."""
    assert sign(REQUEST, Secret("")) is REQUEST


@pytest.mark.parametrize("token", ["eyJ0eXAi.eyJhdWQi.c2ln", "eyJlbmMi.a.b.c.d"], ids=["signed", "encrypted"])
def test_a_token_in_the_place_of_a_key_is_a_bearer(token: str) -> None:
    """A JWT is told from a key by its shape."""
    signed = header_or_token("api-key")(HTTPRequest("POST", "https://h"), Secret(token))

    assert signed.headers == (("authorization", Secret(f"Bearer {token}")),)


@pytest.mark.parametrize("key", ["eyJ-and-no-dots", "eyJ.one", "sk.with.dots"])
def test_what_is_no_token_is_a_key(key: str) -> None:
    """Whatever a key looks like."""
    signed = header_or_token("api-key")(HTTPRequest("POST", "https://h"), Secret(key))

    assert signed.headers == (("api-key", Secret(key)),)
