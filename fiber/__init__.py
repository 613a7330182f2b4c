"""Raw HTTP and SSE to every language-model provider; each public name is imported when first used."""

from __future__ import annotations

from typing import Any

_HOMES = {
    "fiber._batch": "BatchRequest BatchStream SyncBatchStream",
    "fiber._chain": "Call Handler Layer",
    "fiber._conversation": "Conversation ConversationOptions SyncConversation",
    "fiber._errors": (
        "FiberAuthError FiberBadRequestError FiberBudgetError FiberCapabilityError FiberCircuitOpenError "
        "FiberClosedError FiberConnectionError FiberContentFilterError FiberContextLengthError FiberError "
        "FiberFallbackError FiberModelNotFoundError FiberOverloadedError FiberParsingError FiberProviderError "
        "FiberQuotaError FiberRateLimitError FiberStreamInterruptedError FiberTimeoutError FiberValidationError"
    ),
    "fiber._fiber": "Fiber",
    "fiber._files": "read_part read_parts",
    "fiber._images": "compare_images describe_images transcribe_images",
    "fiber._operations": "RawResponse",
    "fiber._options": "ClientOptions",
    "fiber._pieces": "PieceStream SyncPieceStream",
    "fiber._prompt": "Prompt PromptDefaults",
    "fiber._reply": "Ending Reply",
    "fiber._setup": "find_lockfile",
    "fiber._streams": "ChatStream SyncChatStream",
    "fiber._sync": "SyncFiber",
    "fiber._validation": "Problem",
    "fiber.adapters.base": "Adapter",
    "fiber.credentials.aws": "aws_credentials",
    "fiber.credentials.google": "google_credentials",
    "fiber.credentials.refreshing": "Expiring Refreshing",
    "fiber.layers": "default_layers",
    "fiber.layers.breaker": "Breaker",
    "fiber.layers.budget": "Budget Budgets",
    "fiber.layers.cache": "Cache",
    "fiber.layers.ratelimit": "RateLimit RateLimiter",
    "fiber.metering.events": "Events",
    "fiber.metering.metrics": "Metrics",
    "fiber.metering.statsd": "StatsD",
    "fiber.providers.aws": "AWSKeys",
    "fiber.providers.compatible": "openai_compatible",
    "fiber.providers.installed": "installed_providers",
    "fiber.providers.keys": "KeyPool",
    "fiber.providers.row": "Provider",
    "fiber.providers.table": "PROVIDERS",
    "fiber.registry.capabilities": "ModelCapabilities",
    "fiber.registry.catalog": "ModelCatalog",
    "fiber.registry.genai": "GenaiPrices",
    "fiber.registry.lockfile": "Lockfile",
    "fiber.registry.models": "ModelRegistry Route",
    "fiber.registry.prices": "PriceQuery PriceSource PriceTable Rates",
    "fiber.registry.tokens": "count_tokens",
    "fiber.stores": "EncryptedStore FileStore MemoryStore RedisStore",
    "fiber.stores.histories": "FileHistories MemoryHistories SQLiteHistories",
    "fiber.transports.base": "Transport",
    "fiber.types.batch": "BatchProgress BatchSummary",
    "fiber.types.business": (
        "BusinessEvent CacheHit CacheWrite CallCompleted CallFailed CallStarted EventScope ProviderCall TokenUsage"
    ),
    "fiber.types.calls": "ChatOptions",
    "fiber.types.config": (
        "BreakerPolicy HedgePolicy NO_RETRY NO_TIMEOUTS RETRY_PRESETS RetryPolicy TIMEOUT_PRESETS Timeouts"
    ),
    "fiber.types.content": "Audio Document Image Opaque Part Reasoning Text ToolCall ToolResult",
    "fiber.types.cost": "Cost CostLine",
    "fiber.types.events": (
        "ContentPart Heartbeat Log MessageEnd MessageStart ReasoningDelta Restart StreamEvent TextDelta "
        "ToolCallDelta ToolCallEnd ToolCallStart UsageUpdate"
    ),
    "fiber.types.fetch": "FetchPolicy",
    "fiber.types.functions": "tool_of",
    "fiber.types.growing": "GrowingValue",
    "fiber.types.http": "Secret",
    "fiber.types.limits": "RateLimits",
    "fiber.types.media": "ImageInfo check_image data_url",
    "fiber.types.messages": "ChatMessage",
    "fiber.types.metrics": "Distribution MetricPoint MetricsSnapshot",
    "fiber.types.partial": "partial_json",
    "fiber.types.receipt": "Attempt Receipt Usage",
    "fiber.types.request": "ChatRequest",
    "fiber.types.result": "ChatResult Choice Citation TokenLogprob",
    "fiber.types.target": "Quirks",
    "fiber.types.tools": "ReasoningOptions ResponseFormat ServerTool Tool ToolChoice",
    "fiber.types.usage": "UsageRecord",
    "fiber.usage.log": "UsageLog",
    "fiber.usage.postgres": "PostgresUsage",
    "fiber.usage.sinks": "JSONLUsage UsageSink",
    "fiber.usage.sqlite": "SQLiteUsage",
}

_WHERE = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted([*_WHERE, "__version__"])  # noqa: PLE0605  # pyright: ignore[reportUnsupportedDunderAll] - they read __init__.pyi


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _WHERE:
        value = getattr(import_module(_WHERE[name]), name)
    elif name == "sync":
        value = import_module("fiber._fiber").Fiber.from_env().sync
    elif name == "__version__":
        value = import_module("importlib.metadata").version("fiber-llm")
    else:
        raise AttributeError(f"module 'fiber' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
