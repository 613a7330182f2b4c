"""
Predictions of Replicate.

Facts: https://replicate.com/docs/reference/http and /docs/topics/predictions/streaming (read 2026-11-21). A stream is
no JSON: its events come here as `{"event", "data"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from tests.conformance.oracles import BY_STATUS, Answer, members, names, text, whole

UNREAD: Mapping[str, frozenset[str]] = {
    "Prediction": names(
        "version input logs stream data_removed created_at started_at completed_at webhook_completed",
    ),
    "URLs": names("get cancel"),
}

_GOES_ON = ("starting", "processing")
_HOST = "https://api.replicate.com/v1"


class Promise(NamedTuple):
    """Where the answer will be, as the first one says; `stream` is empty where there is none."""

    look: str
    cancel: str
    stream: str


def promised(value: Any, base_url: str) -> Promise | None:
    """Return where the answer will be when *value* is none yet; addresses of the API are seen from *base_url*."""
    if members(value).get("status") not in _GOES_ON:
        return None
    urls = value["urls"]
    look, cancel = (urls[name].replace(_HOST, base_url) for name in ("get", "cancel"))
    return Promise(look, cancel, urls.get("stream", ""))


def answer(payloads: list[Any]) -> Answer:
    """Put a prediction that is over, or the events of a stream, together."""
    made = Answer()
    said = made.choice()
    said.finish, said.raw = "stop", "succeeded"
    if "event" in members(payloads[0]):
        assert payloads[-1] == {"event": "done", "data": "{}"}
        said.text = "".join(event["data"] for event in payloads if event["event"] == "output")
        return made
    [prediction] = payloads
    assert prediction["status"] == said.raw
    output = prediction["output"]
    said.text = output if isinstance(output, str) else "".join(output)
    metrics = members(prediction.get("metrics"))
    made.usage = {f"{what}_tokens": whole(metrics.get(f"{what}_token_count")) for what in ("input", "output")}
    return made


def refusal(status: int, value: Any) -> str:
    """Name the class of an error answer."""
    if status == 422 and "invalid version" in text(members(value).get("detail")).lower():
        return "FiberModelNotFoundError"
    return BY_STATUS.get(status, "FiberProviderError")
