"""
Amazon Bedrock Converse: `POST {base_url}/model/{model}/converse`, streamed by `.../converse-stream`.

Documentation: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html; service model
`bedrock-runtime/2023-09-30` of botocore 1.44.5, November 2026.

What sets it apart: one format for the models of many vendors, whose own knobs stand in `additionalModelRequestFields`;
content blocks without a type, each named by its only member; caching by blocks of their own between the others;
streams as binary event streams, with the counts after the end of the message; media as base64 or in S3, never by URL.
"""

from __future__ import annotations

from fiber.adapters.aws_errors import parse_error
from fiber.adapters.base import Adapter
from fiber.adapters.bedrock_converse.counting import COUNTING
from fiber.adapters.bedrock_converse.parameters import PARAMETERS
from fiber.adapters.bedrock_converse.request import build_request
from fiber.adapters.bedrock_converse.response import parse_response
from fiber.adapters.bedrock_converse.stream import ConverseDecoder

ADAPTER = Adapter(
    name="bedrock_converse",
    parameters=PARAMETERS,
    build_request=build_request,
    parse_response=parse_response,
    parse_error=parse_error,
    stream_decoder=ConverseDecoder,
    counting=COUNTING,
)
