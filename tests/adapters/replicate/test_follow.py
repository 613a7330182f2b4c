"""Where the answer is, when the first one only names the prediction."""

from __future__ import annotations

from typing import Any

import pytest

from fiber.adapters.replicate.follow import POLL_SECONDS, follow
from fiber.types.http import Step
from tests.adapters.replicate.conftest import BASE, HEAD, Tools, target

STREAM = "https://stream.replicate.com/v1/streams/s1"


def step(body: bytes, *, stream: bool = False) -> Step | None:
    """Ask where the answer is."""
    return follow(HEAD, body, target(), stream=stream)


@pytest.mark.parametrize("status", ["starting", "processing", "queued"])
def test_prediction_that_is_not_over_is_looked_at_again(tools: Tools, status: str) -> None:
    """After a while, at the base URL, which may be a gateway's; also in states of which nobody has heard."""
    found = step(
        tools.prediction(status, output=["Hal"], urls={"get": "https://elsewhere.example/p1", "stream": STREAM})
    )

    assert found is not None
    assert (found.request.method, found.request.url) == ("GET", f"{BASE}/predictions/p1")
    assert found.wait_seconds == POLL_SECONDS
    assert found.stop is not None
    assert (found.stop.method, found.stop.url) == ("POST", f"{BASE}/predictions/p1/cancel")


def test_stream_is_had_at_its_own_address(tools: Tools) -> None:
    """At once, and uncompressed."""
    found = step(tools.prediction("starting", urls={"stream": STREAM}), stream=True)

    assert found is not None
    assert (found.request.url, found.wait_seconds) == (STREAM, 0.0)
    assert dict(found.request.headers)["accept"] == "text/event-stream"
    assert dict(found.request.headers)["accept-encoding"] == "identity"
    assert found.stop is not None


@pytest.mark.parametrize("urls", [None, {}, {"stream": None}])
def test_model_without_a_stream_is_looked_at_again(tools: Tools, urls: Any) -> None:
    """Its answer is then given out in one piece."""
    found = step(tools.prediction("starting", urls=urls), stream=True)

    assert found is not None
    assert found.request.url == f"{BASE}/predictions/p1"


def test_id_stays_one_segment_of_the_path(tools: Tools) -> None:
    """Whatever a server calls its predictions."""
    found = step(tools.prediction("starting", id="a/../b?c"))

    assert found is not None
    assert found.request.url == f"{BASE}/predictions/a%2F..%2Fb%3Fc"


@pytest.mark.parametrize("status", ["succeeded", "failed", "canceled", "aborted"])
def test_prediction_that_is_over_is_the_answer(tools: Tools, status: str) -> None:
    """There is nothing to wait for."""
    assert step(tools.prediction(status), stream=True) is None


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"status": 5}', b'{"status": "starting", "id": 7}'])
def test_what_is_no_prediction_is_not_followed(body: bytes) -> None:
    """Whoever reads it says what it is."""
    assert step(body) is None
