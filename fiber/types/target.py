"""Where one call goes, and the ways in which that place deviates from its wire format."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from fiber.types.draft import AdaptRequest


class Quirks(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    Typed deviations of a row from its wire format; the defaults are the format's own home.

    Attributes:
        max_tokens_field: Member that carries `max_tokens` (OpenAI chat format).
        system_role: Role that carries system and developer prompts: `as_is` keeps what the caller wrote.
        stream_usage: Ask for usage in streams with `stream_options`.
        terminal: `marker` needs the format's terminal marker; `eof` accepts the end of the body.
        platform: Who stands between, with an envelope of its own: `bedrock` for `InvokeModel` (Anthropic format).
        api_version: Version of the API, where the format has one.
        collapse_text: Send content that is all text as one string.
        members: Members of the body for parameters that have another name here, or exist here and not in the format,
            like `{"seed": "random_seed", "top_k": "top_k"}`.
        reasoning: How effort and budget are sent (OpenAI chat format): `effort` as `reasoning_effort`; `object` as
            `reasoning`, as OpenRouter has it; `thinking` like `effort`, and turned off by `thinking`; `hook` by the
            row's hook.
        efforts: Efforts that this row knows; another is sent as the next lower one. Empty: all are sent as they are.
        family: Row whose error codes and rules for models hold here; its own when empty.
        unsupported: What this row does not have, each with the reason: parameters; one kind of a parameter, like
            `tool_choice.required` or `response_format.json_schema`; and in the OpenAI chat format kinds of tools, like
            `tools.strict`, and of content, like `content.document`.
    """

    max_tokens_field: str = "max_completion_tokens"
    system_role: Literal["as_is", "system", "developer"] = "as_is"
    stream_usage: bool = True
    terminal: Literal["marker", "eof"] = "marker"
    platform: Literal["own", "bedrock"] = "own"
    api_version: str = ""
    collapse_text: bool = False
    members: Mapping[str, str] = {}
    reasoning: Literal["effort", "object", "thinking", "hook"] = "effort"
    efforts: tuple[str, ...] = ()
    family: str = ""
    unsupported: Mapping[str, str] = {}


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """
    Where one call goes; all that an adapter may know about it.

    Attributes:
        provider: Row name.
        model: Model, as the provider spells it.
        base_url: URL without a trailing slash, to which the format's paths are appended.
        quirks: Deviations of the row.
        adapt_request: The row's last word on a request, for what no quirk says.
    """

    provider: str
    model: str
    base_url: str
    quirks: Quirks = Quirks()
    adapt_request: AdaptRequest | None = None

    @property
    def name(self) -> str:
        """Provider and model, as a call may name them."""
        return f"{self.provider}:{self.model}"

    @property
    def key(self) -> tuple[str, str]:
        """Provider and model: what layers remember of a target, they remember under these."""
        return self.provider, self.model

    @property
    def family(self) -> str:
        """Row whose error codes and rules for models hold."""
        return self.quirks.family or self.provider

    @property
    def host(self) -> str:
        """Host and port; sealed parts are replayed only to the same provider and host."""
        return urlsplit(self.base_url).netloc
