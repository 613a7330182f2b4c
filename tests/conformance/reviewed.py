"""
Recordings that rightly end in an exception, each looked at by a person.

`REVIEWED` maps an id to the class of the exception and the reason why it is the truth. A recording that is listed and
decodes, or raises another class, is a regression like one that is not listed and raises.
"""

from __future__ import annotations

from collections.abc import Mapping

_CUT = "FiberStreamInterruptedError"
_UNREADABLE = "FiberParsingError"
_BAD = "FiberBadRequestError"
_FAILED = "FiberProviderError"

REVIEWED: Mapping[str, tuple[str, str]] = {
    # -- errors under a 200 ------------------------------------------------------------------------------------------
    "openai.chat.63c821da25": (
        "FiberBadRequestError",
        "an `invalid_request_error` amid the audio: the output limit was reached; `[DONE]` follows all the same",
    ),
    "azure.chat.595d5adbb1": (
        "FiberContentFilterError",
        "the body is `content_filter`, status 400 inside; the cassette kept it under a 200",
    ),
    "openai.responses.ea56732092": ("FiberRateLimitError", "`event: error` with `rate_limit_exceeded`"),
    "openai.responses.501de15e94": ("FiberQuotaError", "`event: error` with `insufficient_quota`"),
    "openai.responses.50adcd5e36": (
        "FiberProviderError",
        "`event: error` with the made-up code `unknown-error`: a failure that nobody is known to have caused",
    ),
    "vertex.generate.d8844003fd": (
        "FiberProviderError",
        "bare JSON behind the events: 499 CANCELLED, after chunks that all say STOP",
    ),
    "cohere.chat.5557520a5a": ("FiberBadRequestError", "finish reason ERROR, `INVALID_TOOL_GENERATION`"),
    "cohere.chat.b9b1282e09": ("FiberBadRequestError", "finish reason ERROR, `INVALID_TOOL_GENERATION`"),
    "cohere.chat.ff9d8a6489": (
        "FiberBadRequestError",
        "finish reason ERROR, no valid response; the same request without a stream is cohere.chat.ffefac3d7b, a 422",
    ),
    "cohere.chat.b2e2d31ee4": (
        "FiberBadRequestError",
        "finish reason ERROR, no valid response; the same request without a stream is cohere.chat.d6c1827530, a 422",
    ),
    **dict.fromkeys(
        ("alibaba.chat.00d3d97628", "alibaba.chat.d27b6d0c05", "alibaba.chat.d7397188fb"),
        (_BAD, "the only event is `invalid_parameter_error`, 400 inside: Alibaba could not fetch a picture"),
    ),
    "groq.chat.a58a3173cf": (_BAD, "`event: error` with `tool_use_failed`, 400 inside: arguments that fit no schema"),
    "openrouter.chat.240b6bcfc7": (_BAD, "a chunk without choices and `error.code` 400, `invalid_request` upstream"),
    "openrouter.chat.ca157d07fd": (_BAD, "a chunk without choices and `error.code` 400, `invalid_request` upstream"),
    "openrouter.chat.0018c1e717": (_BAD, "the body is `error.code` 400 and nothing else, after blank lines"),
    "openrouter.chat.4d07f859e9": (_BAD, "the body is `error.code` 400 and nothing else, after blank lines"),
    "openrouter.chat.14777a64b6": (
        "FiberContentFilterError",
        "an `error` in the choice: upstream's `DataInspectionFailed`, which is a content filter and no failure",
    ),
    "openrouter.chat.87da3d54b9": (_FAILED, "an `error` 502 in the choice: upstream made a malformed function call"),
    "openrouter.chat.0c61244eb2": (_FAILED, "an `error` 502 beside a finished choice: the same call, streamed"),
    **dict.fromkeys(
        ("replicate.predictions.40ccc9369e", "replicate.predictions.c0a4a9001e"),
        (_FAILED, "the answer to who cancels it: a prediction that is over, `canceled`, and has no output"),
    ),
    # -- streams that are cut ----------------------------------------------------------------------------------------
    "openai.responses.376774a553": (_CUT, "a fixture of a cancelled stream: it stops amid the reasoning"),
    "gemini.generate.59f645209d": (_CUT, "a stub of one chunk without `finishReason`"),
    "vertex.generate.30368d97b8": (_CUT, "no chunk has a `finishReason`, just as if the end were missing"),
    "vertex.generate.2bf06e9187": (_CUT, "made to fail: one chunk with empty content and no `finishReason`"),
    "vertex.generate.32d686e063": (_CUT, "made to fail: content without parts, and no `finishReason`"),
    # -- not the format ----------------------------------------------------------------------------------------------
    "openai.responses.207584ab63": (_CUT, "a test double: objects `response.delta`, which the API never had"),
    "vertex.generate.bef09fd72e": (_CUT, 'made to fail: the only event is `{"this": [{"is": {"not": ...`'),
    "vertex.generate.a2face3266": (_UNREADABLE, 'made to fail: the body is `{"this": [{"is": {"not": ...`'),
    "vertex.generate.36bf9a1987": (_UNREADABLE, "made to fail: empty content and no `finishReason`"),
    "vertex.generate.c45fa6553e": (_UNREADABLE, "made to fail: content without parts, and no `finishReason`"),
}
