"""
Token probabilities.

Documentation: https://ai.google.dev/api/generate-content#LogprobsResult. Facts as of google-genai
3.4.0, November 2026.
"""

from __future__ import annotations

from typing import Any

from fiber.adapters.jsons import members, objects
from fiber.types.result import TokenLogprob


def token_logprobs(result: Any) -> list[TokenLogprob]:
    """Read `logprobsResult`: the chosen tokens, each with the alternatives at its place."""
    said = members(result)
    tops = [_tokens(top.get("candidates")) for top in objects(said.get("topCandidates"))]
    chosen = _tokens(said.get("chosenCandidates"))
    return [
        TokenLogprob(token.token, token.logprob, top=tuple(tops[n]) if n < len(tops) else ())
        for n, token in enumerate(chosen)
    ]


def _tokens(records: Any) -> list[TokenLogprob]:
    found: list[TokenLogprob] = []
    for record in objects(records):
        # Zeros are left out: a certain token comes without its probability.
        probability = record.get("logProbability", 0.0)
        number = float(probability) if isinstance(probability, int | float) else float("-inf")
        found.append(TokenLogprob(str(record.get("token", "")), number))
    return found
