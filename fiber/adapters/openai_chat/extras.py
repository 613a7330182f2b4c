"""What stands beside the text of an answer: sources and token probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from fiber.adapters.assembly import Assembly
from fiber.adapters.jsons import count, text, text_or_none
from fiber.adapters.logprobs import token_logprobs
from fiber.types.numbers import is_number
from fiber.types.result import Citation, TokenLogprob


def url_citations(annotations: Any, choice: int, assembly: Assembly) -> Iterator[Citation]:
    """
    Read `message.annotations`: OpenAI nests `url_citation`, Xiaomi does not, OpenRouter also has
    `file`.

    Source: https://platform.openai.com/docs/guides/tools-web-search, read 2026-11-20.
    """
    for said in annotations if isinstance(annotations, list) else ():
        if not isinstance(said, dict):
            continue
        kind = text(said.get("type"))
        inner = said.get(kind)
        source = inner if isinstance(inner, dict) else said
        yield Citation(
            url=text_or_none(source.get("url")),
            title=text_or_none(source.get("title")) or text_or_none(source.get("name")),
            cited_text=text_or_none(source.get("summary")) or text_or_none(source.get("content")),
            file_id=text_or_none(source.get("file_id")) or text_or_none(source.get("hash")),
            start=count(source.get("start_index")),
            end=count(source.get("end_index")),
            index=choice,
            native=assembly.opaque(msgspec.json.encode(said).decode(), kind),
        )


def search_sources(sources: Any, assembly: Assembly) -> Iterator[Citation]:
    """
    Read `search_results` (objects) or `citations` (addresses) beside the choices, as Perplexity
    sends them.
    """
    for said in sources if isinstance(sources, list) else ():
        if isinstance(said, str):
            yield Citation(url=said)
        elif isinstance(said, dict):
            yield Citation(
                url=text_or_none(said.get("url")),
                title=text_or_none(said.get("title")),
                cited_text=text_or_none(said.get("snippet")),
                native=assembly.opaque(msgspec.json.encode(said).decode(), "search_result"),
            )


def logprobs_of(said: Any) -> list[TokenLogprob]:
    """
    Read `choices[].logprobs`: text first, then refusal; Together has parallel lists instead.

    Probabilities of reasoning tokens (DeepSeek) are not part of the answer and left in the body.
    """
    if not isinstance(said, dict):
        return []
    if isinstance(said.get("tokens"), list):
        values = said.get("token_logprobs")
        pairs = zip(said["tokens"], values if isinstance(values, list) else (), strict=False)
        return [
            TokenLogprob(token, float(value)) for token, value in pairs if isinstance(token, str) and is_number(value)
        ]
    return token_logprobs(said.get("content")) + token_logprobs(said.get("refusal"))
