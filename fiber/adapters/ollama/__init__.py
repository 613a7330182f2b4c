"""
Ollama's own API: `POST {base_url}/api/chat`.

Documentation: https://docs.ollama.com/api/chat and `docs/api.md`, `api/types.go` of ollama/ollama,
August 2026.

What sets it apart: a stream is lines of JSON, and the default, so that `stream` is always said;
what steers the model stands under `options`; pictures are bare base64; tools are called with
arguments as objects, in one piece, and a result names its tool; the last line has the counts and
the durations. How much of the prompt the model sees (`num_ctx`) and how long it stays loaded
(`keep_alive`) are said in `extra_body`.
"""

from __future__ import annotations

from fiber.adapters.base import Adapter
from fiber.adapters.ollama.errors import parse_error
from fiber.adapters.ollama.parameters import PARAMETERS
from fiber.adapters.ollama.request import build_request
from fiber.adapters.ollama.response import parse_response
from fiber.adapters.ollama.stream import OllamaDecoder

ADAPTER = Adapter(
    name="ollama",
    parameters=PARAMETERS,
    build_request=build_request,
    parse_response=parse_response,
    parse_error=parse_error,
    stream_decoder=OllamaDecoder,
)
