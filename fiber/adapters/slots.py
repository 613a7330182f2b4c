"""Where the pieces of an answer are kept until it is put together: slots of one part each, in their order."""

from __future__ import annotations

from typing import Any

from fiber.types.content import Opaque, Part, Reasoning, Text, ToolCall
from fiber.types.result import FinishReason, TokenLogprob


class Slot:
    """One part in the making: text or reasoning in pieces, a tool call, or a whole part."""

    __slots__ = ("id", "index", "kind", "name", "native", "open", "pieces", "whole")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.native: Opaque | None = None
        self.whole: Part | None = None
        self.open = True
        self.index = 0
        self.id = ""
        self.name = ""

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

    __slots__ = ("calls", "finish_reason", "finished", "logprobs", "raw_finish_reason", "slots")

    def __init__(self) -> None:
        self.slots: dict[Any, Slot] = {}
        self.calls = 0
        self.logprobs: list[TokenLogprob] = []
        self.finish_reason: FinishReason | None = None
        self.raw_finish_reason: str | None = None
        self.finished = False

    def reason(self) -> FinishReason | None:
        # Providers disagree on the word (OpenAI says "stop" after a forced call, Gemini has none): the calls decide.
        return "tool_calls" if self.calls and self.finish_reason in ("stop", None) else self.finish_reason

    def parts(self, *, sealed: bool) -> list[Part]:
        """Make the parts; unless *sealed*, none that could be replayed as if the answer were complete."""
        parts = [slot.part(sealed=sealed) for slot in self.slots.values()]
        return [part for part in parts if part is not None and (sealed or not isinstance(part, Opaque))]
