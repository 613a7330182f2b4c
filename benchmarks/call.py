"""Calls over a real socket, one after another, against bare httpx with msgspec doing the same."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import msgspec
from measure import compare

from fiber import Fiber
from fiber.testing import MockServer

QUESTION = "Say a few words about rivers."


def run(*, smoke: bool) -> Iterator[str]:
    """Yield a line for whole answers and one for streams."""
    with MockServer() as server, httpx.Client() as bare:
        url = server.base_url("openai")
        fiber = Fiber(api_keys={"openai": "key"}, base_urls={"openai": url}, default_model="openai:gpt-mock")
        wire = {"model": "gpt-mock", "messages": [{"role": "user", "content": QUESTION}]}
        headers = {"authorization": "Bearer key", "content-type": "application/json"}

        def floor() -> object:
            response = bare.post(f"{url}/chat/completions", content=msgspec.json.encode(wire), headers=headers)
            return msgspec.json.decode(response.content)

        def floor_stream() -> object:
            body = msgspec.json.encode({**wire, "stream": True})
            with bare.stream("POST", f"{url}/chat/completions", content=body, headers=headers) as response:
                lines = [line for line in response.iter_lines() if line.startswith("data: {")]
            return [msgspec.json.decode(line[6:]) for line in lines]

        pairs = {
            "whole": (lambda: fiber.sync.chat(QUESTION), floor),
            "stream": (lambda: fiber.sync.chat_stream(QUESTION).collect(), floor_stream),
        }
        for name, (ours, below) in pairs.items():
            # The mock server runs in this process: its share is in both figures and draws the ratio towards 1.
            microseconds, ratio = compare(ours, below, smoke=smoke, repeat=100)
            yield f"{name:6}: {microseconds:8.1f} us a call, {ratio:4.2f} x bare httpx, mock server included in both"
        fiber.sync.close()
