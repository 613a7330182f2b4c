"""Hypothesis strategies that several rooms share."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from fiber.types.content import Audio, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from fiber.types.events import (
    ContentPart,
    Heartbeat,
    Log,
    MessageEnd,
    MessageStart,
    ReasoningDelta,
    Restart,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UsageUpdate,
)
from fiber.types.messages import ROLES, ChatMessage
from fiber.types.receipt import Attempt, Receipt, Usage
from fiber.types.result import ChatResult, Choice, Citation, TokenLogprob

words = st.text(max_size=8)
"""Short text, any Unicode without surrogates."""

some = st.text(min_size=1, max_size=8)
"""The same, never empty."""

counts = st.none() | st.integers(0, 2**40)

finite = st.floats(allow_nan=False, allow_infinity=False)


def chunkings(data: bytes) -> st.SearchStrategy[list[bytes]]:
    """Every way to cut *data* into pieces, empty ones included."""
    cuts = st.lists(st.integers(0, len(data)), max_size=min(len(data) + 1, 24))
    return cuts.map(lambda found: pieces(data, found))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut *data* at the offsets *cuts*."""
    bounds = [0, *sorted(cuts), len(data)]
    return [data[start:end] for start, end in pairwise(bounds)]


def json_values() -> st.SearchStrategy[Any]:
    """Anything that JSON can say and msgspec reads back as it is."""
    leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | finite | words
    return st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3))


def opaques() -> st.SearchStrategy[Opaque]:
    """Opaque parts."""
    return st.builds(Opaque, data=some, provider=words, host=words, kind=words)


natives = st.none() | opaques()
hints = st.sampled_from([None, "ephemeral", "extended"])


def _media(kind: Any, **more: Any) -> st.SearchStrategy[Any]:
    sources = (
        st.fixed_dictionaries({"url": some})
        | st.fixed_dictionaries({"data": st.binary(min_size=1, max_size=8)})
        | st.fixed_dictionaries({"file_id": some})
    )
    rest = st.fixed_dictionaries({"media_type": words, "cache_hint": hints, "native": natives, **more})
    return st.tuples(sources, rest).map(lambda found: kind(**found[0], **found[1]))


images = _media(Image, detail=st.sampled_from([None, "auto", "low", "high", "original"]))
audios = _media(Audio, transcript=words)
documents = _media(Document, filename=words, title=words, context=words, citations=st.booleans())
texts = st.builds(Text, text=words, cache_hint=hints, native=natives)
tool_calls = st.builds(ToolCall, id=words, name=words, arguments_json=words, native=natives)
tool_results = st.builds(
    ToolResult,
    call_id=words,
    content=words | st.lists(texts | images | documents | opaques(), max_size=2).map(tuple),
    name=words,
    is_error=st.booleans(),
    cache_hint=hints,
    native=natives,
)
reasonings = st.builds(Reasoning, text=words, native=natives)


def parts() -> st.SearchStrategy[Part]:
    """Every kind of content part."""
    return texts | images | audios | documents | tool_calls | tool_results | reasonings | opaques()


def chat_messages() -> st.SearchStrategy[ChatMessage]:
    """Messages of every role."""
    return st.builds(
        ChatMessage,
        role=st.sampled_from(ROLES),
        content=words | st.lists(parts(), max_size=3).map(tuple),
        name=st.none() | words,
        cache_hint=hints,
        metadata=st.none() | st.dictionaries(words, json_values(), max_size=2),
    )


usages = st.builds(
    Usage,
    input_tokens=counts,
    output_tokens=counts,
    total_tokens=counts,
    cache_read_tokens=counts,
    cache_write_tokens=counts,
    cache_write_1h_tokens=counts,
    reasoning_tokens=counts,
    audio_input_tokens=counts,
    audio_output_tokens=counts,
    image_tokens=counts,
    server_tool_uses=st.none() | st.dictionaries(words, st.integers(0, 9), max_size=2),
    cost_usd=st.none() | st.integers(0, 10**6).map(lambda micro: Decimal(micro) / 10**6),
    cost_status=st.sampled_from(["priced", "no_usage", "model_not_in_catalogue", "no_price"]),
)
citations = st.builds(
    Citation,
    url=st.none() | words,
    title=st.none() | words,
    cited_text=st.none() | words,
    file_id=st.none() | words,
    document_index=counts,
    start=counts,
    end=counts,
    index=st.integers(0, 3),
    native=natives,
)
reasons = st.sampled_from([None, "stop", "length", "tool_calls", "content_filter", "refusal", "error", "other"])
logprobs = st.none() | st.lists(st.builds(TokenLogprob, token=words, logprob=finite), max_size=2).map(tuple)
choices = st.builds(
    Choice,
    index=st.integers(0, 3),
    message=chat_messages(),
    finish_reason=reasons,
    raw_finish_reason=st.none() | words,
    logprobs=logprobs,
)


def chat_results() -> st.SearchStrategy[ChatResult]:
    """Results with everything that a provider can say."""
    attempts = st.builds(Attempt, number=st.integers(1, 4), provider=words, model=words, status=counts)
    return st.builds(
        ChatResult,
        choices=st.lists(choices, min_size=1, max_size=2).map(tuple),
        usage=usages,
        model=words,
        provider=words,
        request_id=st.none() | words,
        response_id=st.none() | words,
        citations=st.lists(citations, max_size=2).map(tuple),
        parsed=json_values(),
        cached=st.booleans(),
        warnings=st.lists(words, max_size=2).map(tuple),
        receipt=st.builds(Receipt, attempts=st.lists(attempts, max_size=2).map(tuple), dropped=st.tuples(words)),
        body=st.binary(max_size=8),
        headers=st.dictionaries(words, words, max_size=2),
    )


def stream_events() -> st.SearchStrategy[StreamEvent]:
    """Every kind of stream event."""
    number = st.integers(0, 3)
    return (
        st.builds(MessageStart, model=words, provider=words, request_id=st.none() | words)
        | st.builds(TextDelta, text=words, index=number)
        | st.builds(ReasoningDelta, text=words, index=number)
        | st.builds(ToolCallStart, index=number, id=words, name=words, choice=number)
        | st.builds(ToolCallDelta, index=number, arguments_delta=words, choice=number)
        | st.builds(ToolCallEnd, index=number, tool_call=tool_calls, choice=number)
        | st.builds(ContentPart, part=parts(), index=number)
        | citations
        | st.builds(UsageUpdate, usage=usages)
        | st.builds(Log, level=st.sampled_from(["info", "warning"]), message=words)
        | st.just(Heartbeat())
        | st.builds(Restart, attempt=number, reason=words)
        | st.builds(MessageEnd, finish_reason=reasons, raw_finish_reason=st.none() | words, usage=usages)
    )
