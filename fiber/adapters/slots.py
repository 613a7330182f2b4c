"""Where the pieces of an answer are kept until it is put together: slots of one part each, in their order."""

from __future__ import annotations

from typing import Any

from fiber.adapters.keeping import SLOT_BYTES, pack, text_bytes, token_bytes
from fiber.types.content import Opaque, Part, Reasoning, Text, ToolCall
from fiber.types.result import FinishReason, TokenLogprob


class Unkept(list[str]):
    """Pieces of a text that is given out and not kept."""

    def append(self, piece: str, /) -> None:
        """Forget it."""


class Slot:
    """One part in the making: text or reasoning in pieces, a tool call, or a whole part."""

    __slots__ = ("_bytes", "_packed", "id", "index", "kind", "name", "native", "open", "pieces", "whole")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.native: Opaque | None = None
        self.whole: Part | None = None
        self.open = True
        self.index = 0
        self.id = ""
        self.name = ""
        self._packed = 0
        self._bytes = SLOT_BYTES

    def reset(self, whole: str) -> None:
        """Take *whole* instead of all pieces so far."""
        self.pieces = [whole]
        self._packed = 0
        self._bytes = SLOT_BYTES

    def pack(self) -> int:
        """Join the pieces that came since the last time; return how many bytes they, and the slot itself, take."""
        if count := len(self.pieces) - self._packed:
            self._packed = pack(self.pieces, self._packed)
            self._bytes += text_bytes(self.pieces[-1], count)
        return self._bytes

    def part(self, *, sealed: bool) -> Part | None:
        """Make the part; None when there is nothing in it. Unless *sealed*, nothing that could be replayed."""
        native = self.native if sealed else None
        joined = "".join(self.pieces)
        match self.kind:
            case "text":
                return Text(joined, native=native) if joined or native else None
            case "reasoning":
                return Reasoning(joined, native) if joined or native else None
            case "tool":
                return ToolCall(self.id, self.name, joined, native)
            case _:
                return self.whole


class Answer:
    """One answer in the making."""

    __slots__ = ("_bytes", "_tokens", "calls", "finish_reason", "finished", "logprobs", "raw_finish_reason", "slots")

    def __init__(self) -> None:
        self.slots: dict[Any, Slot] = {}
        self.calls = 0
        self.logprobs: list[TokenLogprob] = []
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason: str | None = None
        self.finished = False
        self._tokens = 0
        self._bytes = 0

    def pack(self) -> int:
        """Join the small pieces; return how many bytes are kept."""
        fresh = self.logprobs[self._tokens :]
        self._tokens += len(fresh)
        self._bytes += sum(map(token_bytes, fresh))
        return self._bytes + sum(slot.pack() for slot in self.slots.values())

    def reason(self) -> FinishReason | None:
        # Providers disagree on the word (OpenAI says "stop" after a forced call, Gemini has none): the calls decide.
        return "tool_calls" if self.calls and self.finish_reason in ("stop", None) else self.finish_reason

    def parts(self, *, sealed: bool) -> list[Part]:
        """Make the parts; unless *sealed*, none that could be replayed as if the answer were complete."""
        parts = [slot.part(sealed=sealed) for slot in self.slots.values()]
        return [part for part in parts if part is not None and (sealed or not isinstance(part, Opaque))]
