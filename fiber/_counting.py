"""How many tokens an input is: estimated here, or counted by the provider when that is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fiber import _calls, _running
from fiber._chain import Call
from fiber._errors import FiberCapabilityError, FiberError
from fiber._operations import adapter_of, refused
from fiber._settings import Settings, looking
from fiber.adapters.base import Adapter, Counting, StreamDecoder
from fiber.registry.tokens import tokens_of
from fiber.types.http import HTTPHead, HTTPRequest
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_NO_INPUT = (
    *("temperature", "top_p", "top_k", "stop", "seed", "frequency_penalty", "presence_penalty", "n"),
    *("logprobs", "top_logprobs", "logit_bias", "user", "metadata", "store", "service_tier", "safety_settings"),
)
"""What does not change the input, and need not be known to the format that counts."""


class Count:
    """The question to a provider how many tokens a chat's input is; it may be repeated, for it changes nothing."""

    name = "count_tokens"
    unknown_retries = 8

    def __init__(self, asked: ChatRequest, adapter: Adapter, counting: Counting) -> None:
        self.asked = asked
        self.adapter = adapter
        self.counting = counting

    def build(self, target: Target, *, stream: bool) -> HTTPRequest:
        """Turn the question into HTTP."""
        return self.counting.build(self.adapter.build_request(self.asked, target, stream=False), target)

    def follow(self, head: HTTPHead, body: bytes, target: Target, *, stream: bool) -> None:
        """The number comes at once."""

    def parse(self, head: HTTPHead, body: bytes, target: Target) -> int:
        """Read the number."""
        return self.counting.parse(head, body, target)

    def parse_error(self, head: HTTPHead, body: bytes, target: Target) -> FiberError:
        """Make the error of a refused request."""
        return refused(self.adapter, head, body, target)

    def decoder(self, head: HTTPHead, target: Target) -> StreamDecoder:
        """Refuse: a number is no stream."""
        raise NotImplementedError  # `run` is never asked to stream one.

    def repaired(self, value: int) -> None:
        """Nothing can be wrong with a number."""


async def count(settings: Settings, messages: Any, options: Mapping[str, Any], *, exact: bool) -> int:
    """
    Return the input tokens of a chat at its first target.

    Args:
        exact: Ask the provider.

    Raises:
        FiberCapabilityError: The provider does not count.
    """
    if not exact:
        # What a model cannot take can be counted all the same, and looking does not move a balance on.
        call = _calls.prepare(looking(settings), messages, {**options, "on_unsupported": "drop"}, stream=False)
        return tokens_of(_told(call), call.target.model)
    call = _calls.prepare(settings, messages, options, stream=False)
    counted: int = await _running.complete(
        settings, call.replace(operation=_question(call), fallbacks=(), cache_policy="off", repair=False)
    )
    return counted


def _question(call: Call) -> Count:
    adapter = adapter_of(call.row.counting) if call.row.counting else None
    if adapter is None or adapter.counting is None:
        raise FiberCapabilityError(
            f"{call.row.name} has no endpoint that counts tokens, as far as is known: leave exact out for an estimate.",
            provider=call.row.name,
            model=call.target.model,
            parameter="exact",
            outcome="not_sent",
        )
    asked = msgspec.structs.replace(_told(call), **dict.fromkeys(_NO_INPUT))
    return Count(asked, adapter, adapter.counting)


def _told(call: Call) -> ChatRequest:
    chat: Any = call.operation
    request: ChatRequest = chat.told
    return request
