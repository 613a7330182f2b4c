"""
The reader of an answer: tells an `Assembly` what blocks, plans, calls and citations say, the same
for whole replies and streams.

Thinking and the plan for tools are reasoning, and sealed, so that they go back as what they were.
Indexes tell no blocks apart: text begins at 0 again behind thinking (recorded,
cohere.chat.352aecefac), so blocks are counted as they begin.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.assembly import Assembly
from fiber.adapters.cohere.citations import citations_of
from fiber.adapters.cohere.schema import TOOL_PLAN, objects
from fiber.adapters.jsons import members, text
from fiber.types.numbers import is_number
from fiber.types.result import FinishReason, TokenLogprob

FINISH_REASONS: dict[str, FinishReason] = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
    "ERROR": "error",
    "TIMEOUT": "error",
}
_NO_ARGUMENTS = ("", "null")
"""What stands for the arguments of a tool that has none (recorded, cohere.chat.56c2086ea2)."""


class _Block:
    """A content block: its members, those that grow in pieces."""

    def __init__(self, key: int, kind: str) -> None:
        self.key = key
        self.kind = kind
        self._members: dict[str, Any] = {}
        self._pieces: dict[str, list[str]] = {}

    def add(self, piece: dict[str, Any]) -> str:
        """Take a piece, return what it adds to the text of the block."""
        for name, value in piece.items():
            if isinstance(value, str) and name != "type":
                self._members.setdefault(name, "")
                self._pieces.setdefault(name, []).append(value)
            else:
                self._members[name] = value
        return text(piece.get(self.kind))

    def native(self) -> str:
        """Return the block as it would have come whole."""
        grown = {name: "".join(pieces) for name, pieces in self._pieces.items()}
        return msgspec.json.encode({**self._members, **grown}).decode()


class Answer:
    """What one answer says."""

    def __init__(self, assembly: Assembly) -> None:
        self._assembly = assembly
        self._plan: list[str] = []
        self._block: _Block | None = None
        self._blocks = 0
        self._calls: dict[Any, tuple[Any, list[str]]] = {}
        self._called = 0

    def plan(self, piece: Any) -> None:
        """Take (a piece of) the plan."""
        if isinstance(piece, str) and piece:
            self._plan.append(piece)
            self._assembly.reasoning(piece, TOOL_PLAN)

    def begin(self, said: dict[str, Any]) -> None:
        """A content block begins, or comes whole; the one before it is over."""
        self.end()
        kind = text(said.get("type")) or next((kind for kind in ("thinking", "text") if kind in said), "")
        self._block = _Block(self._blocks, kind)
        self._blocks += 1
        self.grow({"type": kind, **said})

    def grow(self, said: dict[str, Any]) -> None:
        """Take a piece of the block that is open; one begins when none is."""
        block = self._block
        if block is None:
            self.begin(said)
            return
        piece = block.add(said)
        if block.kind == "text":
            self._assembly.text(piece, block.key)
        elif block.kind == "thinking":
            self._assembly.reasoning(piece, block.key)
        else:
            self._assembly.hold(block.key)

    def end(self) -> None:
        """The block is whole."""
        block, self._block = self._block, None
        if block is None or block.kind == "text":
            return
        native = self._assembly.opaque(block.native(), block.kind)
        if block.kind == "thinking":
            self._assembly.seal(native, block.key)
        else:
            self._assembly.part(native, block.key)

    def begin_call(self, index: Any, said: dict[str, Any]) -> None:
        """A tool call begins, or comes whole."""
        self.end_call(index)
        key = ("call", self._called)
        self._called += 1
        self._calls[index] = (key, [])
        self._assembly.tool_start(key, text(said.get("id")), text(members(said.get("function")).get("name")))
        self.grow_call(index, said)

    def grow_call(self, index: Any, said: dict[str, Any]) -> None:
        """Take a piece of a call's arguments."""
        key, pieces = self._calls.get(index, (None, []))
        piece = text(members(said.get("function")).get("arguments"))
        if key is not None and piece:
            pieces.append(piece)
            self._assembly.tool_delta(key, piece)

    def end_call(self, index: Any) -> None:
        """The call is whole."""
        key, pieces = self._calls.pop(index, (None, []))
        if key is not None:
            if "".join(pieces) in _NO_ARGUMENTS:
                self._assembly.tool_arguments(key, "{}")
            self._assembly.tool_end(key)

    def cite(self, said: Any) -> None:
        """Take citations, a list of them or one."""
        for record in objects(said):
            for citation in citations_of(record, self._assembly):
                self._assembly.cite(citation)

    def logprobs(self, said: Any) -> None:
        """
        Take probabilities: `{"text", "token_ids", "logprobs"}`, a list of them or one.

        A record stands for a piece of text; when that is several tokens, their logarithms add up.
        """
        for record in objects(said):
            values = record.get("logprobs")
            known = [float(value) for value in values if is_number(value)] if isinstance(values, list) else []
            if known:
                self._assembly.logprobs([TokenLogprob(text(record.get("text")), sum(known))])

    def close(self, reason: str) -> None:
        """The answer is whole, and ended for *reason*."""
        self.end()
        for index in list(self._calls):
            self.end_call(index)
        if self._plan:
            plan = msgspec.json.encode("".join(self._plan)).decode()
            self._assembly.seal(self._assembly.opaque(plan, TOOL_PLAN), TOOL_PLAN)
        self._assembly.finish(FINISH_REASONS.get(reason, "other") if reason else None, reason or None)
