"""Tests of the faults told by a status."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime

import pytest

from fiber.testing.hostile.actions import Close, Stall
from tests.testing.hostile.wire import FORMATS, body, head, played


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    ("fault", "status"), [("rate-limit", 429), ("too-large", 413), ("status-529", 529), ("too-early", 425)]
)
def test_refusal_has_the_providers_shape(fault: str, status: int, format: str) -> None:
    """A refusal has its status, and an error in the body: an object, but for Cohere and Ollama."""
    actions = played(fault, format)
    said = json.loads(body(actions))

    assert head(actions).status == status
    assert "message" in {"cohere": said, "ollama": {"message": said.get("error")}}.get(format, said.get("error"))


@pytest.mark.parametrize(
    ("fault", "header", "value"),
    [
        ("retry-after-seconds", "retry-after", "1"),
        ("retry-after-ms", "retry-after-ms", "200"),
        ("retry-after-nan", "retry-after", "nan"),
        ("retry-after-huge", "retry-after", "999999999"),
        ("should-retry-false", "x-should-retry", "false"),
    ],
)
def test_header_says_when_to_come_back(fault: str, header: str, value: str) -> None:
    """Each spelling is sent as it is."""
    assert head(played(fault)).headers[header] == value


def test_date_is_a_second_ahead() -> None:
    """A date to come back at is later than now."""
    asked = head(played("retry-after-date", now=1_767_225_600.0)).headers["retry-after"]

    assert parsedate_to_datetime(asked).timestamp() == 1_767_225_601


def test_key_is_repeated() -> None:
    """A careless provider repeats the key in body and headers."""
    actions = played("key-echoed", api_key="sk-canary")

    assert b"sk-canary" in body(actions)
    assert head(actions).headers["x-your-key"] == "sk-canary"


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("html-502", 502, b"<html>"),
        ("html", 200, b"log in"),
        ("null-200", 200, b"null"),
        ("empty-200", 200, b""),
        ("no-content", 204, b""),
        ("list-500", 500, b"null]"),
        ("redirect-nowhere", 307, b""),
    ],
)
def test_page_takes_the_place_of_an_answer(fault: str, status: int, said: bytes) -> None:
    """Whatever was asked, this comes."""
    actions = played(fault, stream=True)

    assert head(actions).status == status
    assert said in body(actions)
    assert bool(said) is bool(body(actions))


@pytest.mark.parametrize("format", FORMATS)
def test_error_comes_under_200(format: str) -> None:
    """The provider's error object comes with a good status; cut, it comes with a bad one."""
    under, cut = played("quota-under-200", format), played("cut-500", format)

    assert head(under).status == 200
    assert {"error", "message"} & json.loads(body(under)).keys()
    assert head(cut).status == 500
    with pytest.raises(ValueError, match=r"delimiter|Unterminated|Expecting"):
        json.loads(body(cut))


@pytest.mark.parametrize(
    ("fault", "location"),
    [
        ("redirect-other-host", "http://localhost:1/redirected/v1/x?alt=sse"),
        ("redirect-same-host", "/redirected/v1/x?alt=sse"),
        ("redirect-loop", "/redirect-loop/v1/x?alt=sse"),
    ],
)
def test_redirect_leads_there(fault: str, location: str) -> None:
    """The rest of the path follows the redirect."""
    found = head(played(fault, origin="http://127.0.0.1:1", rest="v1/x?alt=sse")).headers["location"]

    assert found == location


def test_error_bodies_may_not_end() -> None:
    """One is as long as what is huge, one never comes."""
    assert len(body(played("endless-500"))) == 1 << 20
    assert played("endless-500")[-1] == Close()
    assert played("stall-500")[-1] == Stall()


@pytest.mark.parametrize("stream", [False, True])
def test_limits_make_no_sense(*, stream: bool) -> None:
    """Rate-limit headers hold anything but numbers."""
    headers = head(played("odd-rate-limits", stream=stream)).headers

    assert headers["x-ratelimit-limit-requests"] == "6m0s"
    assert headers["x-ratelimit-remaining-tokens"] == ""
