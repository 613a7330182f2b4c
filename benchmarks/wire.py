"""What the floors know of the four formats: where to ask, how to write a request, and which members to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from client import MODEL

KEY = "key-of-the-benchmarks"
Message = dict[str, Any]


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Text | None = None
    delta: _Text | None = None


class _Completion(msgspec.Struct):
    choices: list[_Choice]


class _Piece(msgspec.Struct, frozen=True):
    text: str = ""


class _Item(msgspec.Struct):
    content: list[_Piece] = []


class _Output(msgspec.Struct):
    output: list[_Item]


class _OutputEvent(msgspec.Struct):
    type: str
    delta: str = ""


class _Blocks(msgspec.Struct):
    content: list[_Piece]


class _BlockEvent(msgspec.Struct):
    type: str
    delta: _Piece = _Piece()


class _Content(msgspec.Struct):
    parts: list[_Piece]


class _Candidate(msgspec.Struct):
    content: _Content


class _Candidates(msgspec.Struct):
    candidates: list[_Candidate]


def _completion_text(read: _Completion) -> str | None:
    message = read.choices[0].message
    return message and message.content


def _completion_delta(read: _Completion) -> str | None:
    delta = read.choices[0].delta if read.choices else None
    return delta and delta.content


def _output_delta(read: _OutputEvent) -> str | None:
    return read.delta if read.type == "response.output_text.delta" else None


def _block_delta(read: _BlockEvent) -> str | None:
    return read.delta.text if read.type == "content_block_delta" else None


def _candidate_text(read: _Candidates) -> str | None:
    return read.candidates[0].content.parts[0].text


class Wire:
    """
    One format.

    Args:
        path: Of a whole answer, below the server's URL and its options.
        stream_path: Of a stream.
        headers: Of every request.
        messages: Name of the list of messages in a request.
        further: Other members of every request.
        stream_further: Other members of the request of a stream.
        whole: What a whole answer is read as, and how its text is found.
        event: The same for the JSON of one event of a stream.
    """

    def __init__(
        self,
        path: str,
        headers: dict[str, str],
        messages: str,
        whole: tuple[type, Callable[[Any], str | None]],
        event: tuple[type, Callable[[Any], str | None]],
        stream_path: str = "",
        further: Message | None = None,
        stream_further: Message | None = None,
    ) -> None:
        self.path = path
        self.stream_path = stream_path or path
        self.headers = {**headers, "content-type": "application/json"}
        self._messages = messages
        self._further = further or {}
        self._stream_further = {**self._further, **(stream_further or {})}
        self._encode = msgspec.json.Encoder().encode
        self._read_whole, self._text = msgspec.json.Decoder(whole[0]).decode, whole[1]
        self._read_event, self._delta = msgspec.json.Decoder(event[0]).decode, event[1]

    def body(self, messages: Sequence[Message], *, stream: bool) -> bytes:
        """Write a request."""
        return self._encode({**(self._stream_further if stream else self._further), self._messages: messages})

    def text(self, body: bytes) -> str:
        """Return the text of a whole answer."""
        return self._text(self._read_whole(body)) or ""

    def delta(self, data: bytes | str) -> str | None:
        """Return the text of an event of a stream, nothing for other events."""
        return self._delta(self._read_event(data))

    def history(self, turns: Sequence[tuple[str, str]]) -> list[Message]:
        """Return *turns*, of roles and texts, as messages."""
        if self._messages != "contents":
            return [{"role": role, "content": text} for role, text in turns]
        return [{"role": "model" if role == "assistant" else role, "parts": [{"text": text}]} for role, text in turns]


_BEARER = {"authorization": f"Bearer {KEY}"}
_NAMED = {"model": MODEL}

WIRES = {
    "openai_chat": Wire(
        "/v1/chat/completions",
        _BEARER,
        "messages",
        (_Completion, _completion_text),
        (_Completion, _completion_delta),
        further=_NAMED,
        stream_further={"stream": True, "stream_options": {"include_usage": True}},
    ),
    "openai_responses": Wire(
        "/v1/responses",
        _BEARER,
        "input",
        (_Output, lambda read: read.output[0].content[0].text),
        (_OutputEvent, _output_delta),
        further=_NAMED,
        stream_further={"stream": True},
    ),
    "anthropic": Wire(
        "/v1/messages",
        {"x-api-key": KEY, "anthropic-version": "2023-06-01"},
        "messages",
        (_Blocks, lambda read: read.content[0].text),
        (_BlockEvent, _block_delta),
        further={**_NAMED, "max_tokens": 1024},
        stream_further={"stream": True},
    ),
    "gemini": Wire(
        f"/v1/models/{MODEL}:generateContent",
        {"x-goog-api-key": KEY},
        "contents",
        (_Candidates, _candidate_text),
        (_Candidates, _candidate_text),
        stream_path=f"/v1/models/{MODEL}:streamGenerateContent?alt=sse",
    ),
}
