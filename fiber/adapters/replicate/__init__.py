"""
Replicate's predictions: `POST {base_url}/models/{owner}/{name}/predictions`.

Documentation: https://replicate.com/docs/reference/http, /docs/topics/predictions/streaming and
/docs/topics/models, and the models' own pages (`/{owner}/{name}/api/schema`), November 2026.

What sets it apart: no chat but a prediction, whose `input` is another for each model, and which is
there later: the first answer names it, and `follow` says where the rest is to be had, by asking
again and again, or in a stream at an address of its own. A prediction goes on, and is charged,
until it is stopped. A stream is plain text, not JSON.
"""

from __future__ import annotations

from fiber.adapters.base import Adapter
from fiber.adapters.replicate.errors import parse_error
from fiber.adapters.replicate.follow import follow
from fiber.adapters.replicate.parameters import PARAMETERS
from fiber.adapters.replicate.request import build_request
from fiber.adapters.replicate.response import parse_response
from fiber.adapters.replicate.stream import ReplicateDecoder

ADAPTER = Adapter(
    name="replicate",
    parameters=PARAMETERS,
    build_request=build_request,
    parse_response=parse_response,
    parse_error=parse_error,
    stream_decoder=ReplicateDecoder,
    follow=follow,
)
