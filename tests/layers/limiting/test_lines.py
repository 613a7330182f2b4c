"""Which limit holds for a call, and in which line it waits."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from fiber import FiberError, RateLimit, Secret
from fiber.layers.limiting.lines import queue_of
from tests.kit import MODEL, scripted, watched, whole

ONE = RateLimit(requests=1)


def call_to(model: str, key: Any = "k") -> Any:
    """Make a call."""
    row = model.partition(":")[0]
    fiber, _, watch = watched(whole(), api_keys={row: "k"})
    with suppress(FiberError):  # the answer is not of every row's format
        fiber.sync.chat("Hi", model=model)
    return watch.calls[0].replace(credential=key)


@pytest.mark.parametrize(
    ("model", "names", "expected"),
    [
        ("openai:gpt-6-mini", ["openai", "openai:gpt-6", "openai:gpt-6-max"], "openai:gpt-6"),
        ("openai:o9", ["openai", "openai:gpt-6"], "openai"),
        ("openai:o9", ["openai:gpt-6", "anthropic", "open"], None),
        ("gemini:pro", ["google"], "google"),
        ("openai-responses:gpt-6", ["openai:gpt"], "openai:gpt"),
        ("openai-responses:gpt-6", ["openai:gpt-6", "openai-responses"], "openai-responses"),
        ("ollama:llama", ["openai"], None),
    ],
)
def test_the_longest_beginning_wins(model: str, names: list[str], expected: str | None) -> None:
    """Of the row itself under any of its names, then of the row whose key it shares."""
    queue = queue_of(call_to(model), dict.fromkeys(names, ONE))

    assert (queue and queue.name) == expected


def test_each_key_has_a_line_of_its_own() -> None:
    """Which does not tell the key; callables of a row share one."""
    keys: list[Any] = ["one", Secret("one"), Secret("two"), lambda: "one", lambda: "two", None]
    queues = [queue_of(call_to(MODEL, key), {"openai": ONE}) for key in keys]
    lines = [queue.key for queue in queues if queue is not None]

    assert lines[0] == lines[1] != lines[2]
    assert lines[3] == lines[4] == lines[5] != lines[0]
    assert "one" not in lines[0]
    assert lines[0].startswith("rate:openai:")


def test_a_client_knows_the_providers_of_its_limits() -> None:
    """Also by their other names."""
    fiber, _ = scripted(whole(), rate_limits={"google:pro": ONE, "openai": ONE})

    assert fiber.sync.ask("Hi") == "Hello"
