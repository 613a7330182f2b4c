"""
Where the answer is, when the first one only names the prediction: in its stream, or in itself, a little later.

Documentation: https://replicate.com/docs/topics/predictions/lifecycle and /streaming, November 2026. Requests are made
of the base URL and the prediction's id, as documented, and not of the addresses in the answer: those would pass by a
gateway. The stream is only to be had at its own address, on another host.
"""

from __future__ import annotations

from urllib.parse import quote

from fiber._errors import FiberParsingError
from fiber.adapters.jsons import decode, text
from fiber.adapters.replicate.schema import OVER, PREDICTION
from fiber.types.http import HTTPHead, HTTPRequest, Step
from fiber.types.target import Target

POLL_SECONDS = 0.5
"""Between two looks at a prediction, as Replicate's own clients have it."""
_STREAM_HEADERS = (("accept", "text/event-stream"), ("cache-control", "no-store"), ("accept-encoding", "identity"))


def follow(head: HTTPHead, body: bytes, target: Target, *, stream: bool) -> Step | None:
    """
    Say where the answer is to be had; None when *body* is it, or is no prediction.

    Args:
        body: A prediction, shape `{"id", "status", "urls": {"stream"?}}`.
        stream: Its stream is wanted, if it has one.
    """
    try:
        prediction = decode(body, PREDICTION)
    except FiberParsingError:
        return None
    status, id_ = text(prediction.status), text(prediction.id)
    if not status or status in OVER or not id_:
        return None
    itself = f"{target.base_url}/predictions/{quote(id_, safe='')}"
    stop = HTTPRequest("POST", f"{itself}/cancel", (("accept", "application/json"),))
    url = text(prediction.urls.stream) if stream and prediction.urls is not None else ""
    if url:
        return Step(request=HTTPRequest("GET", url, _STREAM_HEADERS), stop=stop)
    look = HTTPRequest("GET", itself, (("accept", "application/json"),))
    return Step(request=look, wait_seconds=POLL_SECONDS, stop=stop)
