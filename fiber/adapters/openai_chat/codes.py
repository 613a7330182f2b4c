"""
What providers' error codes mean: data only.

Sources, read 2026-11-20: https://platform.openai.com/docs/guides/error-codes,
https://learn.microsoft.com/azure/ai-foundry/openai (content filter, quotas),
https://openrouter.ai/docs/api-reference/errors, https://console.groq.com/docs/errors,
https://api-docs.deepseek.com/quick_start/error_codes, https://docs.z.ai/api-reference/api-code,
https://platform.moonshot.ai/docs/api/errors, and the code lists of pydantic-ai 2.68 and litellm
1.109.
"""

from __future__ import annotations

from collections.abc import Mapping

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberContentFilterError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)

_BY_KIND: Mapping[type[FiberError], tuple[str, ...]] = {
    # In order of weight: when an error has several codes, the first kind listed here decides.
    FiberQuotaError: (
        "arrearage",
        "billing_hard_limit_reached",
        "billing_not_active",
        "budget_exceeded",
        "credit_balance_exhausted",
        "exceeded_current_quota_error",
        "insufficient_balance",
        "insufficient_quota",
        "organization_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
        "payment_required",
        "project_spend_limit_exceeded",
    ),
    FiberContentFilterError: (
        "content_filter",
        "content_policy_violation",
        "data_inspection_failed",
        "datainspectionfailed",
        "invalid_prompt",
        "refusal",
        "responsibleaipolicyviolation",
    ),
    FiberContextLengthError: (
        "context_length_exceeded",
        "exceed_context_size_error",
        "token_limit_exceeded",
    ),
    FiberModelNotFoundError: (
        "deploymentnotfound",
        "invalid_model",
        "model_not_available",
        "model_not_found",
        "model_not_supported",
    ),
    FiberAuthError: (
        "access_denied",
        "api_key_invalid",
        "authentication",
        "authentication_error",
        "incorrect_api_key_error",
        "invalid_api_key",
        "invalid_authentication_error",
        "invalid_key",
        "permission_denied",
        "permission_error",
        "unauthorized",
        "wrong_api_key",
    ),
    FiberOverloadedError: (
        "capacity_exceeded",
        "engine_overloaded_error",
        "overloaded",
        "overloaded_error",
        "provider_overloaded",
        "queue_exceeded",
        "server_is_overloaded",
        "service_unavailable",
        "slow_down",
    ),
    FiberRateLimitError: (
        "rate_limit_error",
        "rate_limit_exceeded",
        "rate_limit_reached_error",
        "ratelimitreached",
        "resource_exhausted",
        "throttling",
        "throttling.allocationquota",
        "throttling.ratequota",
        "too_many_requests",
    ),
}
WEIGHT = tuple(_BY_KIND)
"""Kinds of errors, the weightiest first."""

CODES: Mapping[str, type[FiberError]] = {code: kind for kind, codes in _BY_KIND.items() for code in codes}
"""Codes in lower case."""

PROVIDER_CODES: Mapping[str, Mapping[str, type[FiberError]]] = {
    # Numbers mean something only where they come from.
    "zai": {
        "1113": FiberQuotaError,
        "1261": FiberContextLengthError,
        "1301": FiberContentFilterError,
        "1302": FiberRateLimitError,
        "1305": FiberOverloadedError,
        **dict.fromkeys(map(str, (1308, 1309, 1310, 1311, *range(1313, 1322))), FiberQuotaError),
    },
    "minimax": {
        "1002": FiberRateLimitError,
        "1004": FiberAuthError,
        "1008": FiberQuotaError,
        "1026": FiberContentFilterError,
        "1027": FiberContentFilterError,
        "1039": FiberContextLengthError,
    },
    "mistral": {"1500": FiberModelNotFoundError, "3505": FiberOverloadedError},
}

BAD_REQUESTS = {
    "bad request",
    "badrequesterror",
    "invalid_argument",
    "invalid_parameter_error",
    "invalid_request",
    "invalid_request_error",
    "tool_use_failed",
}
"""Types that say whose fault it is, used only where there is no status."""

STATUS: Mapping[type[FiberError], int] = {
    FiberQuotaError: 429,
    FiberContentFilterError: 400,
    FiberContextLengthError: 400,
    FiberModelNotFoundError: 404,
    FiberAuthError: 401,
    FiberOverloadedError: 503,
    FiberRateLimitError: 429,
    FiberBadRequestError: 400,
    FiberProviderError: 500,
}
"""The status that an error inside a 200 stands for, when it does not say."""

PHRASES: tuple[tuple[str, type[FiberError]], ...] = (
    # Words of providers that have no code for it, or only a general one; tried last, in lower case.
    ("maximum context length", FiberContextLengthError),
    ("context window", FiberContextLengthError),
    ("context size has been exceeded", FiberContextLengthError),  # llama.cpp, status 500
    ("reduce the length of the messages", FiberContextLengthError),
    ("too many tokens", FiberContextLengthError),
    ("prompt is too long", FiberContextLengthError),
    ("is not a valid model id", FiberModelNotFoundError),  # OpenRouter
    ("invalid model id", FiberModelNotFoundError),  # OpenAI, code null
    ("model not exist", FiberModelNotFoundError),  # DeepSeek
    ("supported api model names are", FiberModelNotFoundError),  # DeepSeek
    ("not supported model ", FiberModelNotFoundError),  # Xiaomi
    ("incorrect api key", FiberAuthError),  # xAI, status 400
    ("content violates usage guidelines", FiberContentFilterError),  # xAI, status 403
    ("datainspectionfailed", FiberContentFilterError),  # Alibaba behind gateways
)
