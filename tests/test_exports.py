"""The front door: what is public, and that it is all there."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import fiber

NAMES = [
    "AWSKeys",
    "Adapter",
    "Attempt",
    "Audio",
    "BatchProgress",
    "BatchRequest",
    "BatchStream",
    "BatchSummary",
    "Breaker",
    "BreakerPolicy",
    "Budget",
    "Budgets",
    "BusinessEvent",
    "Cache",
    "CacheHit",
    "CacheWrite",
    "Call",
    "CallCompleted",
    "CallFailed",
    "CallStarted",
    "ChatMessage",
    "ChatOptions",
    "ChatRequest",
    "ChatResult",
    "ChatStream",
    "Choice",
    "Citation",
    "ClientOptions",
    "ContentPart",
    "Conversation",
    "ConversationOptions",
    "Cost",
    "CostLine",
    "Distribution",
    "Document",
    "EncryptedStore",
    "Ending",
    "EventScope",
    "Events",
    "Expiring",
    "FetchPolicy",
    "Fiber",
    "FiberAuthError",
    "FiberBadRequestError",
    "FiberBudgetError",
    "FiberCapabilityError",
    "FiberCircuitOpenError",
    "FiberClosedError",
    "FiberConnectionError",
    "FiberContentFilterError",
    "FiberContextLengthError",
    "FiberError",
    "FiberFallbackError",
    "FiberModelNotFoundError",
    "FiberOverloadedError",
    "FiberParsingError",
    "FiberProviderError",
    "FiberQuotaError",
    "FiberRateLimitError",
    "FiberStreamInterruptedError",
    "FiberTimeoutError",
    "FiberValidationError",
    "FileHistories",
    "FileStore",
    "GenaiPrices",
    "GrowingValue",
    "Handler",
    "Heartbeat",
    "HedgePolicy",
    "Image",
    "ImageInfo",
    "JSONLUsage",
    "KeyPool",
    "Layer",
    "Lockfile",
    "Log",
    "MemoryHistories",
    "MemoryStore",
    "MessageEnd",
    "MessageStart",
    "MetricPoint",
    "Metrics",
    "MetricsSnapshot",
    "ModelCapabilities",
    "ModelCatalog",
    "ModelRegistry",
    "NO_RETRY",
    "NO_TIMEOUTS",
    "Opaque",
    "PROVIDERS",
    "Part",
    "PieceStream",
    "PostgresUsage",
    "PriceQuery",
    "PriceSource",
    "PriceTable",
    "Problem",
    "Prompt",
    "PromptDefaults",
    "Provider",
    "ProviderCall",
    "Quirks",
    "RETRY_PRESETS",
    "RateLimit",
    "RateLimiter",
    "RateLimits",
    "Rates",
    "RawResponse",
    "Reasoning",
    "ReasoningDelta",
    "ReasoningOptions",
    "Receipt",
    "RedisStore",
    "Refreshing",
    "Reply",
    "ResponseFormat",
    "Restart",
    "RetryPolicy",
    "Route",
    "SQLiteHistories",
    "SQLiteUsage",
    "Secret",
    "ServerTool",
    "StatsD",
    "StreamEvent",
    "SyncBatchStream",
    "SyncChatStream",
    "SyncConversation",
    "SyncFiber",
    "SyncPieceStream",
    "TIMEOUT_PRESETS",
    "Text",
    "TextDelta",
    "Timeouts",
    "TokenLogprob",
    "TokenUsage",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallEnd",
    "ToolCallStart",
    "ToolChoice",
    "ToolResult",
    "Transport",
    "Usage",
    "UsageLog",
    "UsageRecord",
    "UsageSink",
    "UsageUpdate",
    "__version__",
    "aws_credentials",
    "check_image",
    "compare_images",
    "count_tokens",
    "data_url",
    "default_layers",
    "describe_images",
    "find_lockfile",
    "google_credentials",
    "installed_providers",
    "openai_compatible",
    "partial_json",
    "read_part",
    "read_parts",
    "tool_of",
    "transcribe_images",
]

NOT_CLASSES = {"Handler", "Part", "StreamEvent"}
"""Names of types that have no docstring of their own."""


def test_the_public_names_are_these() -> None:
    """A change here is a change of the contract: it belongs into the changelog."""
    assert fiber.__all__ == NAMES


def test_type_checkers_are_told_the_same() -> None:
    """`__init__.pyi` has every name from the module where it lives, under its own name."""
    stub = ast.parse(Path(fiber.__file__).with_suffix(".pyi").read_text(encoding="utf-8"))
    imports = [(node.module, alias) for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    said = [
        node.target.id for node in stub.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]

    assert {alias.name: module for module, alias in imports} == fiber._WHERE
    assert all(alias.asname == alias.name for _, alias in imports)
    assert said == ["sync", "__version__", "__all__"]


@pytest.mark.parametrize("name", fiber.__all__)
def test_every_name_can_be_imported_and_is_documented(name: str) -> None:
    """By a docstring of its own where it can have one."""
    value = getattr(fiber, name)

    if (inspect.isclass(value) or inspect.isfunction(value)) and name not in NOT_CLASSES:
        assert inspect.getdoc(value)
        assert value.__doc__ not in (None, "")


def test_public_methods_are_documented() -> None:
    """Of the classes that are called."""
    for kind in (fiber.Fiber, fiber.SyncFiber, fiber.ChatStream, fiber.SyncChatStream, fiber.Prompt):
        for name, member in vars(kind).items():
            if not name.startswith("_") and (callable(member) or isinstance(member, property)):
                assert inspect.getdoc(member), f"{kind.__name__}.{name}"


def test_sync_is_the_blocking_face_of_a_client_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made at its first use, and kept."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.delitem(vars(fiber), "sync", raising=False)

    made = fiber.sync

    assert isinstance(made, fiber.SyncFiber)
    assert fiber.sync is made
    monkeypatch.delitem(vars(fiber), "sync")


def test_dir_knows_every_name() -> None:
    """For those who look around."""
    assert set(fiber.__all__) <= set(dir(fiber))


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As for any module."""
    with pytest.raises(AttributeError, match="Fibre"):
        _ = fiber.Fibre


def test_importing_loads_next_to_nothing() -> None:
    """Every name waits until it is used."""
    program = "import sys, fiber; print(sorted(m for m in sys.modules if m.startswith('fiber.')))"

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
