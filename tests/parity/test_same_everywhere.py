"""One table of scenarios, three worlds, one outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from fiber import FiberError, FiberTimeoutError, Timeouts
from fiber.testing.fake import FakeReply, json_reply, lost, sse_reply
from tests.kit import DONE, FINISH, START, answer, frames, piece, refused, streamed, watched, whole

BUSY = refused(503, retry_after="2")
ERROR = {"error": {"message": "no", "code": "server_error"}}


@dataclass(frozen=True)
class Scenario:
    """
    A script, and what must come of it.

    Attributes:
        expected: Text of the result, or name of the error.
        facts: Further members of the error.
        attempts: How often it is tried.
        requests: Exchanges; None for as many as attempts.
        slept: Waits, all of them asked for by the provider.
        closed: Answers that were opened, each closed once; None for as many as requests.
        outcomes: How layers saw the call end; None for one complete.
    """

    script: tuple[Any, ...]
    expected: str
    facts: dict[str, Any] = field(default_factory=dict)
    attempts: int = 1
    slept: tuple[float, ...] = ()
    closed: int | None = None
    outcomes: tuple[str, ...] | None = None
    stream: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    client: dict[str, Any] = field(default_factory=dict)
    requests: int | None = None


CALL = '<tool_call>{"name": "f", "arguments": {}}</tool_call>'
IN_WORDS = {"tools": [{"name": "f"}], "emulate_tools": True}
REFUSED: tuple[str, ...] = ()
SLOW = Timeouts(total=9, first_event=5, stall=3)

PROMISED = json_reply({"id": "p", "status": "starting"}, 201)
LATER: Any = {
    "requests": 3,
    "slept": (0.5, 0.5),
    "options": {"model": "replicate:meta/llama"},
    "client": {"api_keys": {"replicate": "r8"}},
}
"""An attempt of several exchanges."""

SCENARIOS: dict[str, Scenario] = {
    "whole": Scenario((whole("A"),), "A"),
    "stream": Scenario((streamed("A", "B"),), "AB", stream=True),
    "whole answer to a stream": Scenario((whole("A"),), "A", stream=True),
    "stream as a whole answer": Scenario((streamed("A", "B"),), "AB"),
    "busy, then good": Scenario((BUSY, whole("A")), "A", attempts=2, slept=(2.0,)),
    "busy, then a good stream": Scenario((BUSY, streamed("A")), "A", attempts=2, slept=(2.0,), stream=True),
    "busy for ever": Scenario(
        (BUSY,) * 4, "FiberOverloadedError", {"status_code": 503}, 4, (2.0,) * 3, outcomes=REFUSED
    ),
    "bad request": Scenario((refused(400),), "FiberBadRequestError", {"status_code": 400}, outcomes=REFUSED),
    "bad key": Scenario((refused(401, x_request_id="r1"),), "FiberAuthError", {"request_id": "r1"}, outcomes=REFUSED),
    "no money": Scenario(
        (refused(429, "insufficient_quota"),), "FiberQuotaError", {"status_code": 429}, outcomes=REFUSED
    ),
    "too fast, too long": Scenario(
        (refused(429, "rate_limit_exceeded", retry_after="500"),),
        "FiberRateLimitError",
        {"retry_after": 500.0},
        outcomes=REFUSED,
    ),
    "html": Scenario(
        (FakeReply(200, {"content-type": "text/html"}, (b"<p>",)),), "FiberParsingError", outcomes=REFUSED
    ),
    "redirect": Scenario((FakeReply(302),), "FiberParsingError", {"status_code": 302}, outcomes=REFUSED),
    "error in a 200": Scenario(
        (json_reply({"error": {"message": "no", "code": 400}}),), "FiberBadRequestError", outcomes=REFUSED
    ),
    "error before content": Scenario(
        (sse_reply(START, {"error": {"message": "no", "code": 503}}, retry_after="1"), streamed("A")),
        "A",
        attempts=2,
        slept=(1.0,),
        stream=True,
    ),
    "error after content": Scenario(
        (sse_reply(START, piece("A"), ERROR),), "FiberProviderError", {}, outcomes=("error",), stream=True
    ),
    "lost after content": Scenario(
        (sse_reply(START, piece("A"), cut=True),),
        "FiberStreamInterruptedError",
        {},
        outcomes=("truncated",),
        stream=True,
    ),
    "no end": Scenario(
        (sse_reply(START, piece("A")),), "FiberStreamInterruptedError", {}, outcomes=("truncated",), stream=True
    ),
    "lost in a whole answer, twice": Scenario(
        (FakeReply(200, {"retry-after": "1"}, (b"{", lost())), FakeReply(200, {}, (lost(),))),
        "FiberConnectionError",
        {"outcome": "unknown"},
        2,
        outcomes=REFUSED,
        client={"uniform": 0.0},
        slept=(0.0,),
    ),
    "stall": Scenario(
        (sse_reply(START, piece("A"), 4.0),),
        "FiberTimeoutError",
        {"timer": "stall", "seconds": 3},
        outcomes=("error",),
        stream=True,
        client={"timeouts": SLOW},
    ),
    "late head": Scenario(
        (FakeReply(delay_seconds=99),) * 2,
        "FiberTimeoutError",
        {"timer": "total", "seconds": 9},
        2,
        (0.0,),
        closed=0,
        outcomes=REFUSED,
        client={"timeouts": SLOW, "uniform": 0.0},
    ),
    "no time left": Scenario(
        (FakeReply(503, {"retry-after": "8"}, (2.0,)),),
        "FiberOverloadedError",
        outcomes=REFUSED,
        client={"timeouts": SLOW},
    ),
    "tool call": Scenario(
        (
            json_reply(
                answer(
                    choices=[
                        {
                            "index": 0,
                            "message": {
                                "role": "assistant",
                                "content": None,
                                "tool_calls": [
                                    {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
                                ],
                            },
                            "finish_reason": "tool_calls",
                        }
                    ]
                )
            ),
        ),
        "",
    ),
    "empty stream": Scenario((sse_reply(START, FINISH, DONE),), "", stream=True),
    "stream with heartbeats and its bytes": Scenario(
        (sse_reply(START, piece("A"), ": ping\n\n", piece("B"), FINISH, DONE),),
        "AB",
        stream=True,
        options={"heartbeats": True, "keep_raw": True},
    ),
    "bytes after the end": Scenario((sse_reply(*frames("A"), ": bye\n\n"),), "A", stream=True),
    "tools in words": Scenario((whole(f"A{CALL}"),), "A", options=IN_WORDS),
    "tools in words, streamed": Scenario(
        (streamed("A<tool", CALL[5:], "</tool"),), "A</tool", stream=True, options=IN_WORDS
    ),
    "tools in words, cut": Scenario(
        (sse_reply(START, piece(CALL), cut=True),),
        "FiberStreamInterruptedError",
        outcomes=("truncated",),
        stream=True,
        options=IN_WORDS,
    ),
    "unsupported": Scenario(
        (), "FiberCapabilityError", {"parameter": "top_k"}, 0, outcomes=REFUSED, options={"top_k": 5}
    ),
    "unsupported, dropped": Scenario((whole("A"),), "A", options={"top_k": 5, "on_unsupported": "drop"}),
    "no key": Scenario((), "FiberAuthError", {"outcome": "not_sent"}, 0, outcomes=REFUSED, client={"api_keys": {}}),
    "answer that is had later": Scenario(
        (PROMISED, PROMISED, json_reply({"id": "p", "status": "succeeded", "output": ["A"]})), "A", **LATER
    ),
    "answer that is had later, streamed": Scenario(
        (
            json_reply({"id": "p", "status": "starting", "urls": {"stream": "https://stream.replicate.com/1"}}, 201),
            sse_reply("event: output\ndata: A\n\n", "event: done\ndata: {}\n\n"),
        ),
        "A",
        stream=True,
        **{**LATER, "requests": 2, "slept": ()},
    ),
    "answer that is given up": Scenario(
        (PROMISED, refused(400), json_reply({})),
        "FiberBadRequestError",
        {"outcome": "unknown"},
        outcomes=REFUSED,
        **{**LATER, "slept": (0.5,)},
    ),
    "not strict JSON": Scenario(
        (whole("no"),),
        "FiberParsingError",
        outcomes=("error",),
        options={"response_format": list[int], "on_unsupported": "warn"},
    ),
}


async def on_loop(fiber: Any, stream: bool, options: dict[str, Any]) -> Any:
    """Call asynchronously."""
    return await (fiber.chat_stream("Hi", **options).collect() if stream else fiber.chat("Hi", **options))


def asyncio_world(*call: Any) -> Any:
    """Call on asyncio."""
    return anyio.run(on_loop, *call, backend="asyncio")


def trio_world(*call: Any) -> Any:
    """Call on trio."""
    return anyio.run(on_loop, *call, backend="trio")


def blocking_world(fiber: Any, stream: bool, options: dict[str, Any]) -> Any:
    """Call without a loop."""
    return fiber.sync.chat_stream("Hi", **options).collect() if stream else fiber.sync.chat("Hi", **options)


@pytest.mark.parametrize("world", [asyncio_world, trio_world, blocking_world])
@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_same_everywhere(scenario: Scenario, world: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Result or error, attempts, waits, closes and ends are the same in all three worlds."""
    settings = dict(scenario.client)
    if "uniform" in settings:
        monkeypatch.setattr("fiber.layers.retry.Retry.__init__.__defaults__", (lambda low, high: settings["uniform"],))
    client = {name: value for name, value in settings.items() if name != "uniform"}
    fiber, transport, watch = watched(*scenario.script, **client)

    try:
        said = world(fiber, scenario.stream, scenario.options)
    except FiberError as error:
        said = error

    if isinstance(said, FiberError):
        assert type(said).__name__ == scenario.expected
        assert {name: getattr(said, name) for name in scenario.facts} == scenario.facts
        attempts = said.attempts
    else:
        assert said.text == scenario.expected
        attempts = said.receipt.attempts
    exchanges = scenario.attempts if scenario.requests is None else scenario.requests
    assert len(attempts) == scenario.attempts
    assert len(transport.requests) == exchanges
    assert transport.slept == list(scenario.slept)
    assert transport.closed == (exchanges if scenario.closed is None else scenario.closed)
    assert watch.outcomes == list(("complete",) if scenario.outcomes is None else scenario.outcomes)


def test_the_table_is_large_enough() -> None:
    """Whole answers and streams, results and errors."""
    streams = [scenario.stream for scenario in SCENARIOS.values()]

    assert len(SCENARIOS) >= 20
    assert {True, False} == set(streams)
    assert FiberTimeoutError.__name__ in {scenario.expected for scenario in SCENARIOS.values()}
