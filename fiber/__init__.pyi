"""The public names for type checkers and editors; `_HOMES` in `__init__.py` says the same for the interpreter."""

from fiber._batch import BatchRequest as BatchRequest, BatchStream as BatchStream, SyncBatchStream as SyncBatchStream
from fiber._chain import Call as Call, Handler as Handler, Layer as Layer
from fiber._conversation import (
    Conversation as Conversation,
    ConversationOptions as ConversationOptions,
    SyncConversation as SyncConversation,
)
from fiber._errors import (
    FiberAuthError as FiberAuthError,
    FiberBadRequestError as FiberBadRequestError,
    FiberBudgetError as FiberBudgetError,
    FiberCapabilityError as FiberCapabilityError,
    FiberCircuitOpenError as FiberCircuitOpenError,
    FiberClosedError as FiberClosedError,
    FiberConnectionError as FiberConnectionError,
    FiberContentFilterError as FiberContentFilterError,
    FiberContextLengthError as FiberContextLengthError,
    FiberError as FiberError,
    FiberFallbackError as FiberFallbackError,
    FiberModelNotFoundError as FiberModelNotFoundError,
    FiberOverloadedError as FiberOverloadedError,
    FiberParsingError as FiberParsingError,
    FiberProviderError as FiberProviderError,
    FiberQuotaError as FiberQuotaError,
    FiberRateLimitError as FiberRateLimitError,
    FiberStreamInterruptedError as FiberStreamInterruptedError,
    FiberTimeoutError as FiberTimeoutError,
    FiberValidationError as FiberValidationError,
)
from fiber._fiber import Fiber as Fiber
from fiber._files import read_part as read_part, read_parts as read_parts
from fiber._images import (
    compare_images as compare_images,
    describe_images as describe_images,
    transcribe_images as transcribe_images,
)
from fiber._operations import RawResponse as RawResponse
from fiber._options import ClientOptions as ClientOptions
from fiber._pieces import PieceStream as PieceStream, SyncPieceStream as SyncPieceStream
from fiber._prompt import Prompt as Prompt, PromptDefaults as PromptDefaults
from fiber._reply import Ending as Ending, Reply as Reply
from fiber._setup import find_lockfile as find_lockfile
from fiber._streams import ChatStream as ChatStream, SyncChatStream as SyncChatStream
from fiber._sync import SyncFiber as SyncFiber
from fiber._validation import Problem as Problem
from fiber.adapters.base import Adapter as Adapter
from fiber.credentials.aws import aws_credentials as aws_credentials
from fiber.credentials.google import google_credentials as google_credentials
from fiber.credentials.refreshing import Expiring as Expiring, Refreshing as Refreshing
from fiber.layers import default_layers as default_layers
from fiber.layers.breaker import Breaker as Breaker
from fiber.layers.budget import Budget as Budget, Budgets as Budgets
from fiber.layers.cache import Cache as Cache
from fiber.layers.ratelimit import RateLimit as RateLimit, RateLimiter as RateLimiter
from fiber.metering.events import Events as Events
from fiber.metering.metrics import Metrics as Metrics
from fiber.metering.statsd import StatsD as StatsD
from fiber.providers.aws import AWSKeys as AWSKeys
from fiber.providers.compatible import openai_compatible as openai_compatible
from fiber.providers.installed import installed_providers as installed_providers
from fiber.providers.keys import KeyPool as KeyPool
from fiber.providers.row import Provider as Provider
from fiber.providers.table import PROVIDERS as PROVIDERS
from fiber.registry.capabilities import ModelCapabilities as ModelCapabilities
from fiber.registry.catalog import ModelCatalog as ModelCatalog
from fiber.registry.genai import GenaiPrices as GenaiPrices
from fiber.registry.lockfile import Lockfile as Lockfile
from fiber.registry.models import ModelRegistry as ModelRegistry, Route as Route
from fiber.registry.prices import (
    PriceQuery as PriceQuery,
    PriceSource as PriceSource,
    PriceTable as PriceTable,
    Rates as Rates,
)
from fiber.registry.tokens import count_tokens as count_tokens
from fiber.stores import (
    EncryptedStore as EncryptedStore,
    FileStore as FileStore,
    MemoryStore as MemoryStore,
    RedisStore as RedisStore,
)
from fiber.stores.histories import (
    FileHistories as FileHistories,
    MemoryHistories as MemoryHistories,
    SQLiteHistories as SQLiteHistories,
)
from fiber.transports.base import Transport as Transport
from fiber.types.batch import BatchProgress as BatchProgress, BatchSummary as BatchSummary
from fiber.types.business import (
    BusinessEvent as BusinessEvent,
    CacheHit as CacheHit,
    CacheWrite as CacheWrite,
    CallCompleted as CallCompleted,
    CallFailed as CallFailed,
    CallStarted as CallStarted,
    EventScope as EventScope,
    ProviderCall as ProviderCall,
    TokenUsage as TokenUsage,
)
from fiber.types.calls import ChatOptions as ChatOptions
from fiber.types.config import (
    BreakerPolicy as BreakerPolicy,
    HedgePolicy as HedgePolicy,
    NO_RETRY as NO_RETRY,
    NO_TIMEOUTS as NO_TIMEOUTS,
    RETRY_PRESETS as RETRY_PRESETS,
    RetryPolicy as RetryPolicy,
    TIMEOUT_PRESETS as TIMEOUT_PRESETS,
    Timeouts as Timeouts,
)
from fiber.types.content import (
    Audio as Audio,
    Document as Document,
    Image as Image,
    Opaque as Opaque,
    Part as Part,
    Reasoning as Reasoning,
    Text as Text,
    ToolCall as ToolCall,
    ToolResult as ToolResult,
)
from fiber.types.cost import Cost as Cost, CostLine as CostLine
from fiber.types.events import (
    ContentPart as ContentPart,
    Heartbeat as Heartbeat,
    Log as Log,
    MessageEnd as MessageEnd,
    MessageStart as MessageStart,
    ReasoningDelta as ReasoningDelta,
    Restart as Restart,
    StreamEvent as StreamEvent,
    TextDelta as TextDelta,
    ToolCallDelta as ToolCallDelta,
    ToolCallEnd as ToolCallEnd,
    ToolCallStart as ToolCallStart,
    UsageUpdate as UsageUpdate,
)
from fiber.types.fetch import FetchPolicy as FetchPolicy
from fiber.types.functions import tool_of as tool_of
from fiber.types.growing import GrowingValue as GrowingValue
from fiber.types.http import Secret as Secret
from fiber.types.limits import RateLimits as RateLimits
from fiber.types.media import ImageInfo as ImageInfo, check_image as check_image, data_url as data_url
from fiber.types.messages import ChatMessage as ChatMessage
from fiber.types.metrics import (
    Distribution as Distribution,
    MetricPoint as MetricPoint,
    MetricsSnapshot as MetricsSnapshot,
)
from fiber.types.partial import partial_json as partial_json
from fiber.types.receipt import Attempt as Attempt, Receipt as Receipt, Usage as Usage
from fiber.types.request import ChatRequest as ChatRequest
from fiber.types.result import (
    ChatResult as ChatResult,
    Choice as Choice,
    Citation as Citation,
    TokenLogprob as TokenLogprob,
)
from fiber.types.target import Quirks as Quirks
from fiber.types.tools import (
    ReasoningOptions as ReasoningOptions,
    ResponseFormat as ResponseFormat,
    ServerTool as ServerTool,
    Tool as Tool,
    ToolChoice as ToolChoice,
)
from fiber.types.usage import UsageRecord as UsageRecord
from fiber.usage.log import UsageLog as UsageLog
from fiber.usage.postgres import PostgresUsage as PostgresUsage
from fiber.usage.sinks import JSONLUsage as JSONLUsage, UsageSink as UsageSink
from fiber.usage.sqlite import SQLiteUsage as SQLiteUsage

sync: SyncFiber
__version__: str
__all__: list[str]
