"""One table of layers, six worlds, one outcome; docs/features/extending.md shows the table, and a layer of a user."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import pytest

import fiber.layers
from fiber import (
    NO_RETRY,
    BreakerPolicy,
    Budget,
    Cache,
    Fiber,
    FiberError,
    HedgePolicy,
    RateLimit,
    RetryPolicy,
    Timeouts,
    default_layers,
)
from fiber.testing.fake import FakeReply
from tests.kit import refused, scripted, streamed, whole

PAGE = Path(__file__).parents[2] / "docs" / "features" / "extending.md"


@dataclass(frozen=True)
class Scenario:
    """
    What a layer does.

    Attributes:
        does: In words, as the page says it.
        script: What the provider does; a string is a good answer, whole or streamed.
        said: Text or error of each call; as many are made, one after another.
        sent: Requests that reach the provider.
        told: What is logged.
        clock: Seconds that all calls take together.
        streams: It does so for streams too.
    """

    does: str
    script: tuple[Any, ...]
    said: tuple[str, ...]
    sent: int
    told: tuple[str, ...]
    clock: float = 0.0
    streams: bool = True
    client: Callable[[], dict[str, Any]] = dict
    options: dict[str, Any] = field(default_factory=dict)


BUSY = refused(503)
NEVER = FakeReply(delay_seconds=1000)

SCENARIOS: dict[str, Scenario] = {
    "telemetry": Scenario(
        "one line for each call, whatever happens in it",
        ("A", refused(400), refused(503, retry_after="1"), "B"),
        ("A", "FiberBadRequestError", "B"),
        4,
        ("call", "error", "retry", "call"),
        clock=1.0,
    ),
    "content": Scenario(
        "one more line for each call, with its question and answer",
        ("A", refused(400)),
        ("A", "FiberBadRequestError"),
        2,
        ("content", "call", "content", "error"),
        client=lambda: {"log_content": 1.0},
    ),
    "deadline": Scenario(
        "two calls end after nine seconds each",
        (NEVER, NEVER),
        ("FiberTimeoutError",) * 2,
        2,
        ("error", "error"),
        clock=18.0,
        client=lambda: {"timeouts": Timeouts(total=9)},
    ),
    "cache": Scenario(
        "three calls, one request",
        ("A",),
        ("A", "A", "A"),
        1,
        ("call", "call", "call"),
        client=lambda: {"cache": Cache(), "cache_policy": "write_through"},
    ),
    "budget": Scenario(
        "two calls fit, the third is refused",
        ("A", "B"),
        ("A", "B", "FiberBudgetError"),
        2,
        ("call", "call", "error"),
        client=lambda: {"budgets": [Budget(name="b", requests=2)]},
    ),
    "fallback": Scenario(
        "the next model answers; when all fail, the error says so",
        (BUSY, "B", BUSY, BUSY),
        ("B", "FiberFallbackError"),
        4,
        ("fallback", "call", "fallback", "error"),
        client=lambda: {"retry": NO_RETRY},
        options={"fallback": ["openai:other"]},
    ),
    "repair": Scenario(
        "the second answer is a list; when it is none either, an error",
        ("no", '{"value": [1]}', "no", "never"),
        ('{"value": [1]}', "FiberParsingError"),
        4,
        ("repair", "call", "repair", "error"),
        options={"response_format": list[int], "repair": True},
        streams=False,
    ),
    "retry": Scenario(
        "the provider's wait is kept; what is wrong for good is asked once",
        (refused(503, retry_after="2"), "A", refused(400)),
        ("A", "FiberBadRequestError"),
        3,
        ("retry", "call", "error"),
        clock=2.0,
        client=lambda: {"retry": RetryPolicy()},
    ),
    "hedge": Scenario(
        "a second request answers after two seconds; a failure in time is asked once",
        (NEVER, "A", BUSY),
        ("A", "FiberOverloadedError"),
        3,
        ("hedge", "call", "error"),
        clock=2.0,
        client=lambda: {"retry": NO_RETRY, "hedge": HedgePolicy(after_seconds=2)},
    ),
    "keys": Scenario(
        "the second key answers while the first rests; when both do, nothing is sent",
        (refused(429, retry_after="9"), "A", "B", refused(401)),
        ("A", "B", "FiberRateLimitError", "FiberRateLimitError"),
        4,
        ("key_rest", "call", "call", "key_rest", "error", "error"),
        client=lambda: {"retry": NO_RETRY, "api_keys": {"openai": ["first-of-the-keys", "second-of-the-keys"]}},
    ),
    "ratelimit": Scenario(
        "the second call waits ten seconds; after a refusal the last one would wait too long, and is not sent",
        ("A", "B", refused(429, retry_after="60")),
        ("A", "B", "FiberRateLimitError", "FiberRateLimitError"),
        3,
        ("call", "rate_limited", "call", "rate_limited", "error", "error"),
        clock=pytest.approx(20.0),
        client=lambda: {
            "retry": NO_RETRY,
            "timeouts": Timeouts(total=30),
            "rate_limits": {"openai": RateLimit(requests=6)},
        },
    ),
    "breaker": Scenario(
        "after two failures nothing is sent",
        (BUSY, BUSY),
        ("FiberOverloadedError", "FiberOverloadedError", "FiberCircuitOpenError"),
        2,
        ("error", "circuit_open", "error", "error"),
        client=lambda: {"retry": NO_RETRY, "breaker": BreakerPolicy(failures=2)},
    ),
}


async def on_loop(client: Fiber, stream: bool, options: dict[str, Any]) -> Any:
    """Call asynchronously."""
    return await (client.chat_stream("Hi", **options).collect() if stream else client.chat("Hi", **options))


WORLDS: dict[str, Callable[..., Any]] = {
    "asyncio": lambda *call: anyio.run(on_loop, *call, backend="asyncio"),
    "trio": lambda *call: anyio.run(on_loop, *call, backend="trio"),
    "blocking": lambda client, stream, options: (
        client.sync.chat_stream("Hi", **options).collect() if stream else client.sync.chat("Hi", **options)
    ),
}


CASES = [
    pytest.param(layer, world, stream, id=f"{layer} {world} {'streamed' if stream else 'whole'}")
    for layer, scenario in SCENARIOS.items()
    for world in WORLDS
    for stream in ([False, True] if scenario.streams else [False])
]


@pytest.mark.parametrize(("layer", "world", "stream"), CASES)
def test_a_layer_is_the_same_everywhere(layer: str, world: str, stream: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Texts, errors, requests, waits and log lines."""
    caplog.set_level("INFO", "fiber")
    scenario = SCENARIOS[layer]
    good = streamed if stream else whole
    script = [good(reply) if isinstance(reply, str) else reply for reply in scenario.script]
    client, transport = scripted(*script, **scenario.client())

    said = []
    for _ in scenario.said:
        try:
            said.append(WORLDS[world](client, stream, scenario.options).text)
        except FiberError as error:
            said.append(type(error).__name__)
    line = "chat_stream" if stream else "chat_call"
    told = ["call" if record.message == line else record.message for record in caplog.records]

    assert (tuple(said), tuple(told)) == (scenario.said, scenario.told)
    assert (len(transport.requests), transport.clock) == (scenario.sent, scenario.clock)


def test_every_layer_has_a_scenario() -> None:
    """Whoever adds one says here what it is seen to do."""
    files = {path.stem for path in Path(fiber.layers.__path__[0]).glob("*.py")} - {"__init__"}

    assert set(SCENARIOS) == files


def test_the_page_shows_the_table() -> None:
    """Each layer with what it is seen to do."""
    section = PAGE.read_text("utf-8").partition("### The same in every world\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|$", section, re.MULTILINE)

    assert rows == [(layer, scenario.does) for layer, scenario in SCENARIOS.items()]


def users_layer() -> tuple[Any, Counter[str], int]:
    """Return the layer that the page shows, what it counts, and how many lines it has."""
    block = PAGE.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    parts = ast.parse(block).body
    (layer,) = [part for part in parts if isinstance(part, ast.AsyncFunctionDef)]
    made = [part for part in parts[: parts.index(layer) + 1] if not isinstance(part, ast.Expr)]
    names: dict[str, Any] = {}
    exec(compile(ast.Module(made, []), str(PAGE), "exec"), names)  # noqa: S102 - our own page
    return names[layer.name], names["spent"], (layer.end_lineno or 0) - layer.lineno + 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("world", WORLDS)
def test_a_layer_of_a_user_is_the_same_everywhere(world: str, stream: bool) -> None:
    """The one of the page, in ten lines, around all the others: retries are one call."""
    layer, spent, lines = users_layer()
    good = streamed if stream else whole
    script = (good(), BUSY, good(), refused(400))
    client, _ = scripted(*script, layers=(layer, *default_layers()))

    for _ in range(2):
        WORLDS[world](client, stream, {})
    with pytest.raises(FiberError):
        WORLDS[world](client, stream, {})

    assert spent == {"gpt-test": 16}
    assert lines <= 10
