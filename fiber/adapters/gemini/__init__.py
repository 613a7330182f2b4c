"""
Google Gemini: `models/{model}:generateContent` and `:streamGenerateContent?alt=sse`.

Documentation: https://ai.google.dev/api/generate-content. What deviates from other formats:

* no system role, no terminal marker in streams, function calls whole and often without id;
* the key goes into `x-goog-api-key` (a signer adds it), never into the URL; an invalid key is a
  400;
* thought signatures belong to their part and must go back in it;
* output counts are without the thoughts, and a blocked prompt is a 200 without candidates.

The version in the path is `v1`, or what `Quirks.api_version` says (`v1beta` for preview features).
`-` means that the base URL already ends where `/models/...` begins, as it does on Vertex AI.
"""

from __future__ import annotations

from fiber.adapters.base import Adapter
from fiber.adapters.gemini.counting import COUNTING
from fiber.adapters.gemini.errors import parse_error
from fiber.adapters.gemini.parameters import PARAMETERS
from fiber.adapters.gemini.request import build_request
from fiber.adapters.gemini.response import parse_response
from fiber.adapters.gemini.stream import stream_decoder

ADAPTER = Adapter(
    name="gemini",
    parameters=PARAMETERS,
    build_request=build_request,
    parse_response=parse_response,
    parse_error=parse_error,
    stream_decoder=stream_decoder,
    counting=COUNTING,
)
