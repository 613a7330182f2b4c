"""
The rows of Amazon Bedrock: its own format, Claude as `InvokeModel` takes it, and the hosts called mantle.

Source: https://docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html, read 2026-11-21; environment variables of
the official SDKs, November 2026.
"""

from __future__ import annotations

from fiber.providers.aws import KEY_ENV, REGION_ENV, from_environment, signed_for
from fiber.providers.row import Provider
from fiber.types.target import Quirks

_NOVA = "amazon.nova-2-lite-v1:0"
_CLAUDE = "anthropic.claude-haiku-4-5-20251001-v1:0"

BEDROCK = Provider(
    name="bedrock",
    adapter="bedrock_converse",
    base_url="https://bedrock-runtime.{region}.amazonaws.com",
    key_env=KEY_ENV,
    read_key=from_environment,
    places={"region": REGION_ENV},
    base_url_env=("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "AWS_BEDROCK_BASE_URL"),
    auth=signed_for("bedrock"),
    aliases=("aws",),
    prefixes=("amazon.", "anthropic.", "us.", "eu.", "apac.", "jp.", "au.", "global."),
    default_model=f"global.{_NOVA}",
    models_path="",  # it is at the host of the control plane
    counting="bedrock_converse",
    docs_url="https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html",
)

BEDROCK_ANTHROPIC = BEDROCK.replace(
    name="bedrock-anthropic",
    adapter="anthropic",
    key_of="bedrock",
    base_url_env=("ANTHROPIC_BEDROCK_BASE_URL", *BEDROCK.base_url_env),
    aliases=(),
    prefixes=(),
    default_model=f"global.{_CLAUDE}",
    counting="anthropic",
    quirks=Quirks(platform="bedrock", api_version="bedrock-2023-05-31"),
    docs_url="https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html",
)

BEDROCK_MANTLE = BEDROCK.replace(
    name="bedrock-mantle",
    adapter="openai_chat",
    key_of="bedrock",
    base_url="https://bedrock-mantle.{region}.api.aws/v1",
    base_url_env=("AWS_ENDPOINT_URL_BEDROCK_MANTLE",),
    auth=signed_for("bedrock-mantle"),
    models_path="/models",
    counting="",
    aliases=(),
    prefixes=(),
    default_model="openai.gpt-oss-120b",
    docs_url="https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html",
)

BEDROCK_MANTLE_RESPONSES = BEDROCK_MANTLE.replace(
    name="bedrock-mantle-responses",
    adapter="openai_responses",
    key_of="bedrock",
    base_url="https://bedrock-mantle.{region}.api.aws/openai/v1",
    base_url_env=("AWS_ENDPOINT_URL_BEDROCK_MANTLE_RESPONSES",),
    default_model="openai.gpt-5.4",
)

BEDROCK_MANTLE_ANTHROPIC = BEDROCK_MANTLE.replace(
    name="bedrock-mantle-anthropic",
    adapter="anthropic",
    key_of="bedrock",
    base_url="https://bedrock-mantle.{region}.api.aws/anthropic",
    base_url_env=("ANTHROPIC_BEDROCK_MANTLE_BASE_URL",),
    models_path="/v1/models",
    default_model="anthropic.claude-opus-4-7",
    counting="anthropic",
    docs_url="https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html",
)

AWS_ROWS: tuple[Provider, ...] = (
    BEDROCK,
    BEDROCK_ANTHROPIC,
    BEDROCK_MANTLE,
    BEDROCK_MANTLE_RESPONSES,
    BEDROCK_MANTLE_ANTHROPIC,
)
"""Bedrock, most preferred first."""
