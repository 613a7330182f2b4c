"""The rows this library brings, in order of preference for `Fiber.from_env()`; a file for each kind holds them."""

from __future__ import annotations

from fiber.providers.azure import AZURE_ROWS
from fiber.providers.compatible import OPENAI_COMPATIBLE
from fiber.providers.first_party import ANTHROPIC, GEMINI, OPENAI, OPENAI_RESPONSES
from fiber.providers.gateways import GATEWAYS
from fiber.providers.hosts import HOSTS
from fiber.providers.labs import LABS
from fiber.providers.local import LOCAL
from fiber.providers.own_formats import COHERE, OLLAMA, REPLICATE
from fiber.providers.row import Provider
from fiber.providers.rows_aws import AWS_ROWS
from fiber.providers.vertex import VERTEX_ROWS

PROVIDERS: tuple[Provider, ...] = (
    OPENAI,
    ANTHROPIC,
    GEMINI,
    OPENAI_RESPONSES,
    *LABS,
    COHERE,
    REPLICATE,
    *AZURE_ROWS,
    *VERTEX_ROWS,
    *AWS_ROWS,
    *HOSTS,
    *GATEWAYS,
    OLLAMA,
    *LOCAL,
    OPENAI_COMPATIBLE,
)
"""Every row, most preferred first."""
