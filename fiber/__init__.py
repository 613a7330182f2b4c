"""Raw HTTP and SSE to every language-model provider; each public name is imported when first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fiber._batch import BatchRequest
    from fiber._chain import Call, Ending, Handler, Layer, Reply
    from fiber._errors import (
        FiberAuthError,
        FiberBadRequestError,
        FiberBudgetError,
        FiberCapabilityError,
        FiberCircuitOpenError,
        FiberClosedError,
        FiberConnectionError,
        FiberContentFilterError,
        FiberContextLengthError,
        FiberError,
        FiberFallbackError,
        FiberModelNotFoundError,
        FiberOverloadedError,
        FiberParsingError,
        FiberProviderError,
        FiberQuotaError,
        FiberRateLimitError,
        FiberStreamInterruptedError,
        FiberTimeoutError,
        FiberValidationError,
    )
    from fiber._fiber import Fiber
    from fiber._files import read_part, read_parts
    from fiber._images import compare_images, describe_images, transcribe_images
    from fiber._operations import RawResponse
    from fiber._pieces import PieceStream, SyncPieceStream
    from fiber._prompt import Prompt, PromptDefaults
    from fiber._streams import ChatStream, SyncChatStream
    from fiber._sync import SyncFiber
    from fiber.adapters.base import Adapter
    from fiber.credentials.aws import aws_credentials
    from fiber.credentials.google import google_credentials
    from fiber.credentials.refreshing import Expiring, Refreshing
    from fiber.layers import default_layers
    from fiber.layers.budget import Budget, Budgets
    from fiber.layers.cache import Cache
    from fiber.providers.aws import AWSKeys
    from fiber.providers.compatible import openai_compatible
    from fiber.providers.row import Provider
    from fiber.providers.table import PROVIDERS
    from fiber.registry.capabilities import ModelCapabilities
    from fiber.registry.catalog import ModelCatalog
    from fiber.registry.models import ModelRegistry, Route
    from fiber.registry.prices import PriceQuery, PriceSource, PriceTable, Rates
    from fiber.registry.tokens import count_tokens
    from fiber.stores import FileStore, MemoryStore, RedisStore
    from fiber.transports.base import Transport
    from fiber.types.calls import ChatOptions
    from fiber.types.config import (
        NO_RETRY,
        NO_TIMEOUTS,
        RETRY_PRESETS,
        TIMEOUT_PRESETS,
        BreakerPolicy,
        RetryPolicy,
        Timeouts,
    )
    from fiber.types.content import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
    from fiber.types.cost import Cost, CostLine
    from fiber.types.events import (
        ContentPart,
        Heartbeat,
        Log,
        MessageEnd,
        MessageStart,
        ReasoningDelta,
        Restart,
        StreamEvent,
        TextDelta,
        ToolCallDelta,
        ToolCallEnd,
        ToolCallStart,
        UsageUpdate,
    )
    from fiber.types.fetch import FetchPolicy
    from fiber.types.functions import tool_of
    from fiber.types.http import Secret
    from fiber.types.limits import RateLimits
    from fiber.types.media import ImageInfo, check_image, data_url
    from fiber.types.messages import ChatMessage
    from fiber.types.partial import partial_json
    from fiber.types.request import ChatRequest
    from fiber.types.result import Attempt, ChatResult, Choice, Citation, Receipt, TokenLogprob, Usage
    from fiber.types.target import Quirks
    from fiber.types.tools import ReasoningOptions, ResponseFormat, ServerTool, Tool, ToolChoice

    sync: SyncFiber
    __version__: str

_HOMES = {
    "fiber._batch": "BatchRequest",
    "fiber._chain": "Call Ending Handler Layer Reply",
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
    "fiber._pieces": "PieceStream SyncPieceStream",
    "fiber._prompt": "Prompt PromptDefaults",
    "fiber._streams": "ChatStream SyncChatStream",
    "fiber._sync": "SyncFiber",
    "fiber.adapters.base": "Adapter",
    "fiber.credentials.aws": "aws_credentials",
    "fiber.credentials.google": "google_credentials",
    "fiber.credentials.refreshing": "Expiring Refreshing",
    "fiber.layers": "default_layers",
    "fiber.layers.budget": "Budget Budgets",
    "fiber.layers.cache": "Cache",
    "fiber.providers.aws": "AWSKeys",
    "fiber.providers.compatible": "openai_compatible",
    "fiber.providers.row": "Provider",
    "fiber.providers.table": "PROVIDERS",
    "fiber.registry.capabilities": "ModelCapabilities",
    "fiber.registry.catalog": "ModelCatalog",
    "fiber.registry.models": "ModelRegistry Route",
    "fiber.registry.prices": "PriceQuery PriceSource PriceTable Rates",
    "fiber.registry.tokens": "count_tokens",
    "fiber.stores": "FileStore MemoryStore RedisStore",
    "fiber.transports.base": "Transport",
    "fiber.types.calls": "ChatOptions",
    "fiber.types.config": "BreakerPolicy NO_RETRY NO_TIMEOUTS RETRY_PRESETS RetryPolicy TIMEOUT_PRESETS Timeouts",
    "fiber.types.content": "Audio Document Image Opaque Part Reasoning Text ToolCall ToolResult",
    "fiber.types.cost": "Cost CostLine",
    "fiber.types.events": (
        "ContentPart Heartbeat Log MessageEnd MessageStart ReasoningDelta Restart StreamEvent TextDelta "
        "ToolCallDelta ToolCallEnd ToolCallStart UsageUpdate"
    ),
    "fiber.types.fetch": "FetchPolicy",
    "fiber.types.functions": "tool_of",
    "fiber.types.http": "Secret",
    "fiber.types.media": "ImageInfo check_image data_url",
    "fiber.types.limits": "RateLimits",
    "fiber.types.messages": "ChatMessage",
    "fiber.types.partial": "partial_json",
    "fiber.types.request": "ChatRequest",
    "fiber.types.result": "Attempt ChatResult Choice Citation Receipt TokenLogprob Usage",
    "fiber.types.target": "Quirks",
    "fiber.types.tools": "ReasoningOptions ResponseFormat ServerTool Tool ToolChoice",
}

__all__ = [
    "AWSKeys",
    "Adapter",
    "Attempt",
    "Audio",
    "BatchRequest",
    "BreakerPolicy",
    "Budget",
    "Budgets",
    "Cache",
    "Call",
    "ChatMessage",
    "ChatOptions",
    "ChatRequest",
    "ChatResult",
    "ChatStream",
    "Choice",
    "Citation",
    "ContentPart",
    "Cost",
    "CostLine",
    "Document",
    "Ending",
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
    "FileStore",
    "Handler",
    "Heartbeat",
    "Image",
    "ImageInfo",
    "Layer",
    "Log",
    "MemoryStore",
    "MessageEnd",
    "MessageStart",
    "ModelCapabilities",
    "ModelCatalog",
    "ModelRegistry",
    "NO_RETRY",
    "NO_TIMEOUTS",
    "Opaque",
    "PROVIDERS",
    "Part",
    "PieceStream",
    "PriceQuery",
    "PriceSource",
    "PriceTable",
    "Prompt",
    "PromptDefaults",
    "Provider",
    "Quirks",
    "RETRY_PRESETS",
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
    "Secret",
    "ServerTool",
    "StreamEvent",
    "SyncChatStream",
    "SyncFiber",
    "SyncPieceStream",
    "TIMEOUT_PRESETS",
    "Text",
    "TextDelta",
    "Timeouts",
    "TokenLogprob",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallEnd",
    "ToolCallStart",
    "ToolChoice",
    "ToolResult",
    "Transport",
    "Usage",
    "UsageUpdate",
    "__version__",
    "aws_credentials",
    "check_image",
    "compare_images",
    "count_tokens",
    "data_url",
    "default_layers",
    "describe_images",
    "google_credentials",
    "openai_compatible",
    "partial_json",
    "read_part",
    "read_parts",
    "tool_of",
    "transcribe_images",
]

_WHERE = {name: module for module, names in _HOMES.items() for name in names.split()}


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
