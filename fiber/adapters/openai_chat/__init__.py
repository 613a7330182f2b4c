"""
OpenAI Chat Completions, and every server that speaks it.

`POST {base_url}/chat/completions`, documented at
https://platform.openai.com/docs/api-reference/chat. Dozens of servers offer the same shape and
deviate in small ways. Deviations of *requests* are dials of the row (`fiber.types.target.Quirks`);
deviations of *replies* (where reasoning stands, how tool calls are cut, where usage comes, how an
error looks) are all read here, whoever sends them, because a reply tells by itself what it is.

Rules per model are applied only to OpenAI and Azure, whose models they describe; everybody else
gets what was asked.
"""

from fiber.adapters.base import Adapter
from fiber.adapters.openai_chat.errors import parse_error
from fiber.adapters.openai_chat.parameters import PARAMETERS
from fiber.adapters.openai_chat.request import build_request
from fiber.adapters.openai_chat.response import parse_response
from fiber.adapters.openai_chat.stream import OpenAIChatDecoder

ADAPTER = Adapter(
    name="openai_chat",
    parameters=PARAMETERS,
    build_request=build_request,
    parse_response=parse_response,
    parse_error=parse_error,
    stream_decoder=OpenAIChatDecoder,
)
