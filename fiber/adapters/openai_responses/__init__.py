"""
OpenAI Responses: `POST {base_url}/responses`.

Documentation: https://platform.openai.com/docs/api-reference/responses (read 2026-11-20). Azure,
xAI, OpenRouter, LM Studio, Perplexity and others speak it too, with fewer item types.

A conversation is a flat list of *items*: messages, reasoning, calls, outputs of calls, records of
tools that the provider ran itself. What deviates from the other formats:

* System and developer prompts are items where they stand; `instructions` is not used, because it
  would move them.
* Every item that the provider gave an id goes back exactly as it came; items this library does not
  know are `Opaque`.
* Usage needs no asking; the terminal event of a stream carries the whole reply again.
* There is no `stop`, `seed`, `n`, `top_k`, `logit_bias` and no penalty.
"""

from __future__ import annotations

from fiber.adapters.base import Adapter
from fiber.adapters.openai_responses.counting import COUNTING
from fiber.adapters.openai_responses.errors import parse_error
from fiber.adapters.openai_responses.parameters import PARAMETERS
from fiber.adapters.openai_responses.request import build_request
from fiber.adapters.openai_responses.response import parse_response
from fiber.adapters.openai_responses.stream import ResponsesDecoder

ADAPTER = Adapter(
    name="openai_responses",
    parameters=PARAMETERS,
    build_request=build_request,
    parse_response=parse_response,
    parse_error=parse_error,
    stream_decoder=ResponsesDecoder,
    counting=COUNTING,
)
