"""
Put an answer together from its pieces: one machine for streams and for whole replies.

Parsers and decoders tell the `Assembly` what they read; it gives out the events and, at any moment, the result.
Because both go through it, a stream and the whole reply of the same answer give the same `ChatResult`.

An answer is a list of slots per choice, in the order in which they were first named. A slot has a *key* chosen by
the adapter (a block index, an item id, or a constant), and pieces with the same key belong together. Pieces are
kept in lists and joined once.
"""

from __future__ import annotations

from typing import Any

from fiber._errors import FiberError, FiberStreamInterruptedError
from fiber.adapters import headers as read
from fiber.adapters.keeping import SLOT_BYTES
from fiber.adapters.slots import Answer, Slot, Unkept
from fiber.types.content import Media, Opaque, Part, Reasoning, ToolCall
from fiber.types.cost import CostStatus
from fiber.types.events import (
    ContentPart,
    MessageEnd,
    MessageStart,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    ToolCallEnd,
    ToolCallStart,
    UsageUpdate,
)
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult, Choice, Citation, FinishReason, TokenLogprob
from fiber.types.target import Target


class Assembly:
    """
    The answer in the making.

    Attributes:
        warnings: Notes for `ChatResult.warnings`.
        forgets_text: The answer's text is told in events and not kept.
    """

    def __init__(self, head: HTTPHead, target: Target) -> None:
        self.head = head
        self.target = target
        self.model = ""
        self.response_id: str | None = None
        self.request_id = read.request_id(head.headers)
        self.usage = Usage(cost_status="no_usage")
        self.warnings: list[str] = []
        self.forgets_text = False
        self.citations: list[Citation] = []
        self._choices: dict[int, Answer] = {}
        self._events: list[StreamEvent] = []
        self._started = False
        self._sealed = 0

    # -- what adapters say ----------------------------------------------------------------------------------------

    def opaque(self, data: str, kind: str = "") -> Opaque:
        """Make a sealed part that may be replayed only to where this answer came from."""
        self._sealed += len(data)
        return Opaque(data, self.target.provider, self.target.host, kind)

    def start(self, model: str = "", response_id: str | None = None, request_id: str | None = None) -> None:
        """The answer began. Called again, it only fills in what was missing."""
        self.model = self.model or model
        self.response_id = self.response_id or response_id
        self.request_id = self.request_id or request_id
        if not self._started:
            self._started = True
            self._events.append(MessageStart(self.model or self.target.model, self.target.provider, self.request_id))

    def text(self, piece: str, key: Any = "text", choice: int = 0) -> Slot:
        """Add a piece of the answer's text; return its slot, for `more_text`."""
        slot = self._slot(key, "text", choice)
        if piece:
            slot.pieces.append(piece)
            self._events.append(TextDelta(piece, choice))
        return slot

    def more_text(self, piece: str, slot: Slot, choice: int = 0) -> None:
        """Add a piece, not empty, to text that has begun in *slot*."""
        slot.pieces.append(piece)
        self._events.append(TextDelta(piece, choice))

    def reasoning(self, piece: str, key: Any = "reasoning", choice: int = 0) -> None:
        """Add a piece of visible reasoning."""
        slot = self._slot(key, "reasoning", choice)
        if piece:
            slot.pieces.append(piece)
            self._events.append(ReasoningDelta(piece, choice))

    def hold(self, key: Any, choice: int = 0) -> None:
        """Keep the place of a part that comes later, so that parts stand in the order in which they began."""
        self._slot(key, "whole", choice)

    def replace(self, whole: str, key: Any, choice: int = 0) -> None:
        """Set the final text of a slot whose pieces turned out to be others; no event tells it."""
        slot = self._choice(choice).slots[key]
        if not isinstance(slot.pieces, Unkept):
            slot.reset(whole)

    def seal(self, native: Opaque, key: Any, choice: int = 0) -> None:
        """Attach the provider's own JSON to the slot with *key*; a sealed reasoning slot is given out as a part."""
        slot = self._choice(choice).slots[key]
        slot.native = native
        if slot.kind == "reasoning" and slot.open:
            slot.open = False
            self._events.append(ContentPart(Reasoning("".join(slot.pieces), native), choice))

    def tool_start(self, key: Any, id: str, name: str, choice: int = 0) -> None:
        """A tool call began; an empty id is replaced by one that is unique in this answer and stable."""
        state = self._choice(choice)
        slot = self._slot(key, "tool", choice)
        slot.index = state.calls
        slot.id = id or f"call_{choice}_{state.calls}"
        slot.name = name
        state.calls += 1
        self._events.append(ToolCallStart(slot.index, slot.id, name, choice))

    def has(self, key: Any, choice: int = 0) -> bool:
        """Say whether a slot with *key* exists."""
        state = self._choices.get(choice)
        return state is not None and key in state.slots

    def tool_delta(self, key: Any, piece: str, choice: int = 0) -> None:
        """Add a piece of a tool call's arguments."""
        if piece:
            slot = self._choice(choice).slots[key]
            slot.pieces.append(piece)
            self._events.append(ToolCallDelta(slot.index, piece, choice))

    def tool_arguments(self, key: Any, whole: str, choice: int = 0) -> None:
        """Set the whole arguments where they were not, or not fully, given as pieces."""
        slot = self._choice(choice).slots[key]
        if (have := "".join(slot.pieces)) == whole:
            return
        if whole.startswith(have):
            self.tool_delta(key, whole[len(have) :], choice)
        else:
            slot.reset(whole)

    def tool_end(self, key: Any, choice: int = 0, native: Opaque | None = None) -> None:
        """A tool call is complete."""
        slot = self._choice(choice).slots[key]
        if slot.open:
            slot.open = False
            slot.native = native or slot.native
            call = slot.part(sealed=True)
            assert isinstance(call, ToolCall)  # noqa: S101 - narrows the type
            self._events.append(ToolCallEnd(slot.index, call, choice))

    def part(self, part: Part, key: Any = None, choice: int = 0) -> None:
        """Add a whole part: an image, audio, a server tool's block."""
        slot = self._slot(object() if key is None else key, "whole", choice)
        slot.whole = part
        if isinstance(part, Media):
            self._sealed += len(part.data or "")
        self._events.append(ContentPart(part, choice))

    def cite(self, citation: Citation) -> None:
        """Add a source."""
        self.start()
        self.citations.append(citation)
        self._events.append(citation)

    def logprobs(self, tokens: list[TokenLogprob], choice: int = 0) -> None:
        """Add token probabilities."""
        self._choice(choice).logprobs.extend(tokens)

    def finish(self, reason: FinishReason | None, raw: str | None, choice: int = 0) -> None:
        """A choice ended; the last word wins."""
        state = self._choice(choice)
        state.finished = True
        state.finish_reason = reason
        state.raw_finish_reason = raw

    @property
    def finished(self) -> bool:
        """Every choice seen so far has ended, and there is one."""
        return bool(self._choices) and all(choice.finished for choice in self._choices.values())

    @property
    def started(self) -> bool:
        """The answer began."""
        return self._started

    @property
    def empty(self) -> bool:
        """No choice has any slot."""
        return not any(choice.slots for choice in self._choices.values())

    # -- what comes out -------------------------------------------------------------------------------------------

    def end(self) -> None:
        """The answer is whole: give out the last events."""
        self.start()
        for number, choice in self._choices.items():
            for key, slot in choice.slots.items():
                if slot.kind == "tool":
                    self.tool_end(key, number)
        if self.usage.cost_status != "no_usage":
            self._events.append(UsageUpdate(self.usage))
        first = self._choice(0)
        self._events.append(MessageEnd(first.reason(), first.raw_finish_reason, self.usage))

    def take(self) -> list[StreamEvent]:
        """Return the events since the last call."""
        events, self._events = self._events, []
        return events

    def pack(self) -> int:
        """Join the small pieces; return how many bytes are kept for the result."""
        beside = SLOT_BYTES * (len(self.citations) + len(self.warnings))
        return self._sealed + beside + sum(choice.pack() for choice in self._choices.values())

    def result(self, *, whole: bool = True, body: bytes = b"") -> ChatResult:
        """Make the result; unless *whole*, with nothing in it that could be replayed as if it were complete."""
        if not self._choices:
            self._choice(0)
        choices = [
            Choice(
                index=number,
                message=ChatMessage("assistant", tuple(choice.parts(sealed=whole))),
                finish_reason=choice.reason() if whole else choice.finish_reason,
                raw_finish_reason=choice.raw_finish_reason,
                logprobs=tuple(choice.logprobs) or None,
            )
            for number, choice in sorted(self._choices.items())
        ]
        return ChatResult(
            choices=tuple(choices),
            usage=self.usage,
            model=self.model or self.target.model,
            provider=self.target.provider,
            request_id=self.request_id,
            response_id=self.response_id,
            citations=tuple(self.citations),
            warnings=tuple(self.warnings),
            body=body,
            headers=read.public(self.head.headers),
        )

    def interrupted(self, why: str) -> FiberError:
        """Make the error for a stream that ended before its terminal marker."""
        return FiberStreamInterruptedError(
            f"The stream of {self.target.provider} ended before it was complete: {why}."
            " What arrived is in error.partial; ask again for the whole answer.",
            partial=self.result(whole=False),
            provider=self.target.provider,
            model=self.target.model,
            request_id=self.request_id,
            status_code=self.head.status,
        )

    # -- slots ----------------------------------------------------------------------------------------------------

    def _choice(self, number: int) -> Answer:
        choice = self._choices.get(number)
        if choice is None:
            choice = self._choices[number] = Answer()
        return choice

    def _slot(self, key: Any, kind: str, choice: int) -> Slot:
        if not self._started:
            self.start()
        slots = self._choice(choice).slots
        slot = slots.get(key)
        if slot is None:
            slot = slots[key] = Slot(kind)
            if self.forgets_text and kind == "text":
                slot.pieces = Unkept()
        return slot


def with_partial(error: FiberError, partial: ChatResult) -> FiberError:
    """Attach the result so far to *error*."""
    error.partial = partial
    return error


def usage_of(*, cost_status: CostStatus = "no_price", **counts: Any) -> Usage:
    """Make a `Usage`; with no count known at all it says `no_usage`."""
    if counts.get("cost_usd") is not None:
        cost_status = "priced"
    usage = Usage(**counts, cost_status=cost_status)
    nothing = Usage(service_tier=usage.service_tier, region=usage.region, cost_status=usage.cost_status)
    return Usage(cost_status="no_usage") if usage == nothing else usage
