"""The libraries that are compared, as data: what they speak, which errors are theirs."""

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
    """

    name: str
    worker: str
    formats: tuple[str, ...]
    own: tuple[str, ...]


LIBRARIES: Mapping[str, Library] = {
    library.name: library
    for library in (
        Library(
            name="fiber",
            worker="with_fiber.py",
            formats=("openai_chat", "openai_responses", "anthropic", "gemini"),
            own=("fiber._errors.FiberError",),
        ),
        Library(
            name="openai",
            worker="with_openai.py",
            formats=("openai_chat", "openai_responses"),
            own=("openai.OpenAIError",),
        ),
        Library(
            name="anthropic",
            worker="with_anthropic.py",
            formats=("anthropic",),
            own=("anthropic.AnthropicError",),
        ),
        Library(
            name="litellm",
            worker="with_litellm.py",
            formats=("openai_chat", "anthropic"),
            own=("openai.OpenAIError", "litellm.exceptions."),
        ),
        Library(
            name="google-genai",
            worker="with_google.py",
            formats=("gemini",),
            own=("google.genai.errors.",),
        ),
    )
}
