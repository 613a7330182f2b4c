"""
The reader of an answer: tells an `Assembly` what messages and deltas say, the same for whole
replies and streams.

Reasoning text stands in one of several members, at times in two at once; the first that speaks in
an answer is read and the others are not. To be sent back are the `reasoning_details` as they came
when there are any, else the member that was read.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.assembly import Assembly
from fiber.adapters.jsons import text, text_of, text_or_none
from fiber.adapters.openai_chat.calls import Calls
from fiber.adapters.openai_chat.extras import logprobs_of, search_sources, url_citations
from fiber.adapters.openai_chat.media import AudioPieces, image_of
from fiber.adapters.openai_chat.schema import MEMBERS, NOTHING, OBJECT, WORDS, Choice, Chunk, Delta
from fiber.adapters.openai_chat.thinking import Details, Thinking, detail_text
from fiber.adapters.openai_chat.usage import read_usage
from fiber.adapters.slots import Slot
from fiber.types.result import FinishReason

FINISH_REASONS: dict[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",  # Together
    "end_turn": "stop",  # Claude behind gateways
    "stop_sequence": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",  # Mistral
    "model_context_window_exceeded": "length",  # Z.ai
    "tool_calls": "tool_calls",
    "tool_call": "tool_calls",  # some models on Azure
    "tool_use": "tool_calls",
    "function_call": "tool_calls",  # deprecated
    "content_filter": "content_filter",
    "sensitive": "content_filter",  # Z.ai
    "refusal": "refusal",
    "error": "error",
    "network_error": "error",  # Z.ai
    "insufficient_system_resource": "error",  # DeepSeek
}
_REASONING = "reasoning"
_DETAILS = "reasoning_details"


class _Turn:
    """One choice in the making."""

    def __init__(self, assembly: Assembly, number: int) -> None:
        self.calls = Calls(assembly, number)
        self.begun = False
        self.text: Slot | None = None  # what is being said, when the last thing read was a piece of it
        self._assembly = assembly
        self._number = number
        self._block = 0
        self._block_type = ""
        self._reasoning_member = ""
        self._reasoning: list[str] = []
        self._details = Details()
        self._thinking: dict[int, Thinking] = {}
        self._refusal: list[str] = []
        self._audio = AudioPieces()

    def read(self, delta: Delta, *, whole: bool) -> None:
        """Take a piece of the message, or with *whole* the message."""
        self.begun = True
        if delta.reasoning_content is not None or delta.reasoning is not None or delta.reasoning_details is not NOTHING:
            self._read_reasoning(delta)
        content = delta.content
        self.text = None
        if isinstance(content, str):
            if content:
                self.text = self._assembly.text(content, self._key("text"), self._number)
        elif isinstance(content, list):
            for part in content:
                self._read_part(part, whole=whole)
        elif content is not None:  # Cloudflare gives structured answers as objects
            structured = msgspec.json.encode(content).decode()
            self._assembly.text(structured, self._key("text"), self._number)
        if delta.refusal:
            self._refuse(delta.refusal)
        for image in delta.images or ():
            self._assembly.part(image_of(image, self._assembly), choice=self._number)
        if delta.audio is not None:
            self._audio.read(delta.audio)
        for call in delta.tool_calls or ():
            self.calls.read(call, whole=whole)
        if delta.function_call is not None:
            self.calls.legacy(delta.function_call)
        if delta.annotations:
            for citation in url_citations(delta.annotations, self._number, self._assembly):
                self._assembly.cite(citation)

    def finish(self, said: Any) -> None:
        """Take a finish reason; null and the empty string are none."""
        if not isinstance(said, str) or not said:
            return
        self.calls.end()
        reason = FINISH_REASONS.get(said, "other")
        if self._refusal and reason == "stop":
            reason = "refusal"
        self._assembly.finish(reason, said, self._number)

    def close(self) -> None:
        """The answer is whole: seal what must be sent back as it came."""
        self.calls.end()
        for key, thinking in self._thinking.items():
            opaque = self._assembly.opaque(thinking.native(), "thinking")
            self._assembly.seal(opaque, key, self._number)
        members = self._details.native()
        if members is None and self._reasoning:
            said = {self._reasoning_member: "".join(self._reasoning)}
            members = msgspec.json.encode(said).decode()
        if members is not None:
            opaque = self._assembly.opaque(members, MEMBERS)
            self._assembly.seal(opaque, _REASONING, self._number)
        if self._refusal:
            part = {"type": "refusal", "refusal": "".join(self._refusal)}
            opaque = self._assembly.opaque(msgspec.json.encode(part).decode(), "refusal")
            self._assembly.seal(opaque, "refusal", self._number)
        if (audio := self._audio.part(self._assembly)) is not None:
            self._assembly.part(audio, choice=self._number)

    def _key(self, kind: str, *, fresh: bool = False) -> int:
        """Number the content blocks: pieces of one kind in a row are one block."""
        if fresh or kind != self._block_type:
            self._block_type = kind
            self._block += 1
        return self._block

    def _read_reasoning(self, delta: Delta) -> None:
        if self._details.add(delta.reasoning_details):
            self._assembly.reasoning("", _REASONING, self._number)
        for member, said in (
            ("reasoning_content", delta.reasoning_content),
            (_REASONING, delta.reasoning),
            (_DETAILS, None),
        ):
            if self._reasoning_member not in ("", member):
                continue
            words = detail_text(delta.reasoning_details) if member == _DETAILS else said
            if isinstance(words, str) and words:
                self._reasoning_member = member
                self._reasoning.append(words)
                self._assembly.reasoning(words, _REASONING, self._number)
                return

    def _read_part(self, raw: msgspec.Raw, *, whole: bool) -> None:
        """Take an entry of list content, as Mistral sends it."""
        try:
            part = OBJECT.decode(raw)
        except msgspec.DecodeError:
            return
        kind = part.get("type")
        if kind == "text" and isinstance(part.get("text"), str):
            key = self._key("text", fresh=whole)
            self._assembly.text(part["text"], key, self._number)
        elif kind == "thinking":
            key = self._key("thinking", fresh=whole)
            thinking = self._thinking.setdefault(key, Thinking())
            self._assembly.reasoning(thinking.add(raw, part), key, self._number)
        elif kind == "refusal":
            self._refuse(part.get("refusal"))
        elif kind == "image_url":
            self._assembly.part(image_of(raw, self._assembly), self._key("image", fresh=True))
        else:
            opaque = self._assembly.opaque(text_of(raw), text(kind))
            self._assembly.part(opaque, self._key("", fresh=True), self._number)

    def _refuse(self, said: Any) -> None:
        if isinstance(said, str) and said:
            self._refusal.append(said)
            self._assembly.text(said, "refusal", self._number)


class Answer:
    """All choices of one answer, and what stands beside them."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._turns: dict[int, _Turn] = {}
        self._first: _Turn | None = None
        self._tier: Any = None
        self._sources: Any = None

    @property
    def begun(self) -> bool:
        """A choice was seen."""
        return bool(self._turns)

    def read(self, chunk: Chunk, *, whole: bool) -> None:
        """Take a chunk of a stream, or with *whole* a reply."""
        model = text(chunk.model)
        if model or chunk.choices:  # Azure begins with a chunk that has neither
            self._assembly.start(model, text_or_none(chunk.id), text_or_none(chunk.request_id))
        for choice in chunk.choices or ():
            self._read_choice(choice, whole=whole)
        groq = chunk.x_groq if isinstance(chunk.x_groq, dict) else {}
        usage = chunk.usage or groq.get("usage")
        self._tier = chunk.service_tier or self._tier
        if usage and isinstance(usage, dict):
            self._assembly.usage = read_usage(usage, self._tier)
        self._sources = chunk.search_results or chunk.citations or self._sources

    def read_words(self, data: bytes) -> bool:
        """Take a chunk that goes on with the text and says nothing else, as most do; say whether it is one."""
        turn = self._first
        if turn is None or turn.text is None or not self._assembly.model:  # this chunk may bring that
            return False
        try:
            words = WORDS.decode(data)
        except (ValueError, RecursionError):
            return False
        piece = words.choices[0].delta.content
        if not piece:
            return False
        self._tier = words.service_tier or self._tier
        self._assembly.more_text(piece, turn.text)
        return True

    def close(self) -> None:
        """The answer is whole."""
        for turn in self._turns.values():
            turn.close()
        if not self._assembly.citations:
            for citation in search_sources(self._sources, self._assembly):
                self._assembly.cite(citation)

    def _read_choice(self, choice: Choice, *, whole: bool) -> None:
        # Copilot cuts one answer into several choices, all without an index.
        number = choice.index if type(choice.index) is int else 0
        turn = self._turns.get(number)
        if turn is None:
            turn = self._turns[number] = _Turn(self._assembly, number)
            self._first = self._turns.get(0)
        if whole or choice.delta is None:
            message = choice.message or choice.delta
            if message is not None and (whole or not turn.begun):
                turn.read(message, whole=True)
        else:
            turn.read(choice.delta, whole=False)
        if choice.logprobs is not None:
            self._assembly.logprobs(logprobs_of(choice.logprobs), number)
        if choice.finish_reason:
            turn.finish(choice.finish_reason)
