"""
Cohere Chat, version 2: `POST {base_url}/v2/chat`.

Documentation: https://docs.cohere.com/reference/chat; types of cohere-python 7.3.1, November 2026.

What sets it apart: documents stand beside the messages, and the answer cites them; what the model
plans before it calls tools is a member of its own, `tool_plan`; a call streams as one object and
not as a list; two counts of tokens, those that are billed and all; an answer that failed is one
with finish reason ERROR.
"""

from __future__ import annotations

from fiber.adapters.base import Adapter
from fiber.adapters.cohere.errors import parse_error
from fiber.adapters.cohere.parameters import PARAMETERS
from fiber.adapters.cohere.request import build_request
from fiber.adapters.cohere.response import parse_response
from fiber.adapters.cohere.stream import CohereDecoder

ADAPTER = Adapter(
    name="cohere",
    parameters=PARAMETERS,
    build_request=build_request,
    parse_response=parse_response,
    parse_error=parse_error,
    stream_decoder=CohereDecoder,
)
