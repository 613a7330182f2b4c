"""
The recordings: where they are, which endpoints there are, and one recorded exchange as a value.

They lie beside the repository, in `../shared/wire`, and are only read there. A stream is cut into its JSON payloads
here with plain string methods, so that an oracle shares no code with the decoders it judges.
"""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from tests.conformance import event_stream

FOLDER = Path(__file__).parents[3] / "shared" / "wire"

OWN: Mapping[str, str] = {
    "openai.chat": "openai_chat",
    "azure.chat": "openai_chat",
    "openai.responses": "openai_responses",
    "azure.responses": "openai_responses",
    "anthropic.messages": "anthropic",
    "azure.messages": "anthropic",
    "vertex.raw_predict": "anthropic",
    "bedrock.converse": "bedrock_converse",
    "bedrock.invoke": "anthropic",
    "gemini.generate": "gemini",
    "vertex.generate": "gemini",
    "cohere.chat": "cohere",
    "ollama.chat": "ollama",
    "replicate.predictions": "replicate",
}
"""Endpoints of those who made a format, and of the clouds that serve their models, each with its adapter."""

_CHAT = (
    *("ai21", "alibaba", "baseten", "cerebras", "cloudflare", "copilot", "databricks", "deepseek", "groq"),
    *("huggingface", "llamacpp", "mistral", "moonshot", "openai-compatible", "openrouter", "perplexity"),
    *("pollinations", "together", "writer", "xai", "xiaomi", "zai"),
)
_RESPONSES = ("lmstudio", "openrouter", "xai")

FORMATS: Mapping[str, str] = {
    **OWN,
    **{f"{provider}.chat": "openai_chat" for provider in _CHAT},
    "ollama.oai_chat": "openai_chat",
    "anthropic.chat": "openai_chat",
    "openai.stored_chat": "openai_chat",
    **dict.fromkeys(("mistral.completions", "mistral.fim"), "openai_chat"),
    **{f"{provider}.responses": "openai_responses" for provider in _RESPONSES},
}
"""Endpoints that have to conform, each with its adapter."""

NO_ANSWERS = ("list", "response.deleted", "chat.completion.deleted")
"""Objects that OpenAI gives to other requests: lists of items, messages and completions, deletions."""

_BLANK_LINE = re.compile(r"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(r"\r\n|\n|\r")
_FIRST_ERROR_STATUS = 300


@dataclass(frozen=True)
class Recording:
    """
    One recorded exchange.

    Attributes:
        kind: How the body was kept: `json`, `sse`, `ndjson`, `eventstream-b64`, `text`, `empty`, or `events` (a
            payload per line, the framing is lost).
        text: The body.
        schema: The JSON Schema that the request asked the answer to be held to.
        request: What was asked, as JSON, where it was kept.
    """

    id: str
    endpoint: str
    status: int
    headers: Mapping[str, str]
    kind: str
    text: str
    stream: bool
    tags: frozenset[str]
    schema: Any = None
    request: Any = None

    @property
    def provider(self) -> str:
        """Who answered."""
        return self.endpoint.partition(".")[0]

    @property
    def is_error(self) -> bool:
        """The status says so."""
        return self.status >= _FIRST_ERROR_STATUS

    @property
    def is_framed(self) -> bool:
        """The body is a stream of events."""
        return self.kind in ("sse", "ndjson", "events", "eventstream-b64")

    @cached_property
    def payloads(self) -> list[Any]:
        """The JSON values of the answer, in order; payloads that are no JSON (a cut one) are left out."""
        return [value for words in self._words() if (value := _json(words)) is not None]

    @property
    def is_answer(self) -> bool:
        """It answers a chat request; a few exchanges with OpenAI are about something else."""
        first = self.payloads[0] if self.payloads else None
        if self.endpoint == "bedrock.invoke":  # the formats of many vendors
            return isinstance(first, dict) and first.get("type") in ("message", "message_start")
        return not (isinstance(first, dict) and first.get("object") in NO_ANSWERS)

    def body(self, format: str) -> bytes:
        """The bytes of the answer; where only payloads were kept, they are framed as *format* frames them."""
        if self.kind == "eventstream-b64":
            return b64decode(self.text)
        if self.kind != "events" or format == "ollama":  # whose streams are a payload per line
            return self.text.encode()
        if format == "bedrock_converse":
            return b"".join(event_stream.written(words) for words in self._words())
        framed = "".join(_framed(words, format) for words in self._words())
        return (framed + ("data: [DONE]\n\n" if format == "openai_chat" else "")).encode()

    def _words(self) -> Iterator[str]:
        if self.kind in ("ndjson", "events"):
            yield from filter(str.strip, self.text.split("\n"))
        elif self.kind == "eventstream-b64":
            yield from event_stream.words(b64decode(self.text))
        elif self.kind == "sse":
            for block in _BLANK_LINE.split(self.text):
                said = [line[5:] for line in _LINE.split(block) if line.startswith("data:")]
                if said and self.provider == "replicate":
                    yield json.dumps(_plain(block))
                elif said and (words := "\n".join(said).strip()):
                    if words.startswith("[DONE]"):
                        return
                    yield words
        else:
            whole = _json(self.text)
            yield from map(json.dumps, whole) if isinstance(whole, list) else [self.text]


@lru_cache(maxsize=2)
def read(endpoint: str) -> tuple[Recording, ...]:
    """
    Read every exchange of *endpoint*.

    Raises:
        FileNotFoundError: There are no recordings of it.
    """
    for suffix, opener in ((".jsonl.gz", gzip.open), (".jsonl", open)):
        path = FOLDER / f"{endpoint}{suffix}"
        if path.exists():
            with opener(path, "rt", encoding="utf-8") as lines:
                return tuple(_recording(endpoint, json.loads(line)) for line in lines)
    raise FileNotFoundError(f"no recordings of {endpoint}")


def _recording(endpoint: str, row: dict[str, Any]) -> Recording:
    return Recording(
        id=row["id"],
        endpoint=endpoint,
        status=row["status"] or 200,  # a fixture without its status was kept for its answer
        headers=row["response_headers"] or {},
        kind=row["body_kind"],
        text=row["response_body"] or "",
        stream=row["stream"],
        tags=frozenset(row["tags"]),
        schema=_schema(row.get("request_json")),
        request=row.get("request_json"),
    )


_SCHEMAS = (
    ("response_format", "json_schema", "schema"),
    ("response_format", "json_schema"),
    ("text", "format", "schema"),
    ("output_config", "format", "schema"),
    ("output_format", "schema"),
    ("outputConfig", "textFormat", "structure", "jsonSchema", "schema"),
    ("generationConfig", "responseJsonSchema"),
    ("format",),
)
"""Where requests of the formats have it."""


def _schema(request: Any) -> Any:
    for path in _SCHEMAS:
        node = request
        for name in path:
            node = node.get(name) if isinstance(node, dict) else None
        node = _json(node) if isinstance(node, str) else node
        if isinstance(node, dict) and ("type" in node or "properties" in node or "$ref" in node):
            return node
    return None


def _framed(words: str, format: str) -> str:
    if format == "gemini":
        return f"data: {words}\r\n\r\n"
    value = _json(words)
    kind = value.get("type") if isinstance(value, dict) else None
    return f"event: {kind}\ndata: {words}\n\n" if isinstance(kind, str) else f"data: {words}\n\n"


def _plain(block: str) -> dict[str, str]:
    """Return name and data of an event whose data is no JSON, but text."""
    fields: dict[str, list[str]] = {"event": [], "data": []}
    for line in _LINE.split(block):
        name, _, value = line.partition(":")
        fields.setdefault(name, []).append(value.removeprefix(" "))
    return {name: "\n".join(fields[name]) for name in ("event", "data")}


def _json(words: str) -> Any:
    try:
        return json.loads(words)
    except ValueError:
        return None
