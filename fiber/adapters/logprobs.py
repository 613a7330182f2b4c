"""Probabilities of tokens as OpenAI writes them, and others with it."""

from __future__ import annotations

from typing import Any

from fiber.adapters.jsons import objects, text
from fiber.types.numbers import is_number
from fiber.types.result import TokenLogprob


def token_logprobs(tokens: Any) -> list[TokenLogprob]:
    """Read a list of `{"token", "logprob", "bytes", "top_logprobs": [...]}`; one without a number says nothing."""
    return [
        TokenLogprob(
            text(said.get("token")),
            float(said["logprob"]),
            tuple(octets) if isinstance(octets := said.get("bytes"), list) else None,
            tuple(token_logprobs(said.get("top_logprobs"))),
        )
        for said in objects(tokens)
        if is_number(said.get("logprob"))
    ]
