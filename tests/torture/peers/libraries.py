"""The libraries that are compared, as data: what they speak, which errors are theirs, what is set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """
    One library.

    Attributes:
        name: As on the package index.
        worker: Its script in `workers/`.
        formats: What it speaks here.
        own: Where the errors begin that its documentation tells callers to catch; a dot at the end means a module.
        timeout: How the seconds of a cell are set.
        retries: What it does by itself, and how two retries are set.
    """

    name: str
    worker: str
    formats: tuple[str, ...]
    own: tuple[str, ...]
    timeout: str
    retries: str


LIBRARIES: Mapping[str, Library] = {
    library.name: library
    for library in (
        Library(
            name="fiber",
            worker="with_fiber.py",
            formats=("openai_chat", "openai_responses", "anthropic", "gemini"),
            own=("fiber._errors.FiberError",),
            timeout="`timeouts=Timeouts(connect=T, read=T, first_event=T, stall=T, total=5 * T)`",
            retries="default: up to 3; set with `retry=RetryPolicy(max_attempts=3)`",
        ),
        Library(
            name="openai",
            worker="with_openai.py",
            formats=("openai_chat", "openai_responses"),
            own=("openai.OpenAIError",),
            timeout="`timeout=T`",
            retries="default: 2; set with `max_retries=2`",
        ),
        Library(
            name="anthropic",
            worker="with_anthropic.py",
            formats=("anthropic",),
            own=("anthropic.AnthropicError",),
            timeout="`timeout=T`",
            retries="default: 2; set with `max_retries=2`",
        ),
        Library(
            name="litellm",
            worker="with_litellm.py",
            formats=("openai_chat", "anthropic"),
            own=("openai.OpenAIError", "litellm.exceptions."),
            timeout="`timeout=T`",
            retries="default: those of the client below it; set with `num_retries=2`",
        ),
        Library(
            name="google-genai",
            worker="with_google.py",
            formats=("gemini",),
            own=("google.genai.errors.",),
            timeout="`HttpOptions(timeout=1000 * T)`",
            retries="default: none; set with `HttpRetryOptions(attempts=3)`",
        ),
    )
}
