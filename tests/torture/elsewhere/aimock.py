"""aimock, a mock server of four formats: its errors, its chaos, and streams that it slows down or cuts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.interop import installing
from tests.interop.processes import HOST, free_port, running
from tests.torture.cell import KEY
from tests.torture.elsewhere.playing import TIMEOUT, Cell, Lane, shared, ways

FORMATS = ("chat", "responses", "messages", "generate beta")
SAID = "Halves of pairs: 👋🏽👨‍👩‍👧 whole again, 你好, and so on until there is nothing left to say."
_MODELS = {"messages": "claude-sonnet-4-5", "generate beta": "gemini-2.5-flash"}
_PROCESSES = 4


def _refusal(status: int, kind: str, **more: Any) -> list[dict[str, Any]]:
    return [
        {"response": {"error": {"message": f"This is {kind}.", "type": kind, "code": kind}, "status": status, **more}}
    ]


def _good(**more: Any) -> list[dict[str, Any]]:
    return [{"response": {"content": SAID}, **more}]


FIXTURES: Mapping[str, list[dict[str, Any]]] = {
    # What aimock answers, fixture by fixture; https://aimock.copilotkit.dev says what their members mean.
    "ok": _good(),
    "pieces": _good(chunkSize=1),
    "400": _refusal(400, "invalid_request_error"),
    "403": _refusal(403, "permission_error"),
    "404": _refusal(404, "not_found_error"),
    "413": _refusal(413, "request_too_large"),
    "422": _refusal(422, "invalid_request_error"),
    "429": _refusal(429, "rate_limit_error"),
    "429-long": _refusal(429, "rate_limit_error", retryAfter=3600),
    "quota": _refusal(429, "insufficient_quota"),
    "500": _refusal(500, "server_error"),
    "503": _refusal(503, "server_error"),
    "529": _refusal(529, "overloaded_error"),
    "flaky": [{**_refusal(503, "server_error")[0], "sequenceIndex": 0}, *_good()],
    "drop": _good(chaos={"dropRate": 1}),
    "malformed": _good(chaos={"malformedRate": 1}),
    "disconnect": _good(chaos={"disconnectRate": 1}),
    "rate-limited": _good(chaos={"rateLimitRate": 1}),
    "late": _good(chaos={"latencyMs": 400}),
    "too-late": _good(chaos={"latencyMs": 4000}),
    "cut": _good(truncateAfterChunks=3, latency=20),
    "cut-at-once": _good(truncateAfterChunks=1, latency=20),
    "cut-by-time": _good(disconnectAfterMs=100, latency=40),
    "slow-start": _good(streamingProfile={"ttft": 3000, "tps": 100}),
    "slow-tokens": _good(streamingProfile={"ttft": 1, "tps": 0.5}),
}
WHOLE: Mapping[str, str] = {
    "ok": "ok",
    "pieces": "ok",
    "wrong-key": "auth",
    "400": "bad_request",
    "403": "auth",
    "404": "model_not_found|bad_request",
    "413": "bad_request",
    "422": "bad_request",
    "429": "rate_limit",
    "429-long": "rate_limit",
    "quota": "quota|rate_limit",
    "500": "provider",
    "503": "overloaded",
    "529": "overloaded",
    "flaky": "ok",
    "drop": "provider",
    "malformed": "parsing",
    "disconnect": "connection",
    "rate-limited": "rate_limit",
    "late": "ok",
    "too-late": TIMEOUT,
}
STREAM: Mapping[str, str] = {
    "malformed": "parsing|interrupted",
    "disconnect": "connection|interrupted",
    "cut": "interrupted",
    "cut-at-once": "interrupted|connection",
    "cut-by-time": "interrupted|connection",
    "slow-start": TIMEOUT,
    "slow-tokens": TIMEOUT,
}


@contextmanager
def rounds() -> Iterator[list[list[Lane]]]:
    """
    Start aimock with a fixture for each cell, for it counts how often one was asked.

    Raises:
        SkippedError: There is no node, or no npm to install it with.
    """
    command = installing.aimock()
    port = free_port()
    cells = [
        Cell(
            name=name,
            format=format,
            stream=stream,
            world=world,
            want=want,
            url=f"http://{HOST}:{port}",
            model=_MODELS.get(format, "gpt-4o"),
            prompt=f"#{name} {format} {stream} {world}.",
            key="sk-wrong-0123456789abcdef" if name == "wrong-key" else KEY,
            text=SAID,
        )
        for name, stream, world, want in ways(WHOLE, STREAM)
        for format in FORMATS
    ]
    with tempfile.TemporaryDirectory() as folder:
        config = {"port": port, "host": HOST, "auth": {"apiKeys": [KEY]}, "llm": {"fixtures": "fixtures.json"}}
        (Path(folder) / "fixtures.json").write_text(json.dumps({"fixtures": [*_fixtures(cells)]}))
        (Path(folder) / "config.json").write_text(json.dumps(config))
        with running([*command, "--config", "config.json"], port, Path(folder)):
            yield [shared(cells, _PROCESSES)]


def _fixtures(cells: Lane) -> Iterator[dict[str, Any]]:
    for cell in cells:
        for fixture in FIXTURES.get(cell.name, ()):
            sequence = {"sequenceIndex": fixture["sequenceIndex"]} if "sequenceIndex" in fixture else {}
            rest = {name: value for name, value in fixture.items() if name != "sequenceIndex"}
            yield {"match": {"userMessage": cell.prompt, **sequence}, **rest}
