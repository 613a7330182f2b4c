"""
Tool calls from pieces.

OpenAI sends `index` with every piece, and `id` and `name` once. Others leave out the index
(Gemini's compatible endpoint, Mistral) or the id, give every call index 0 with another id, repeat
id and name in each piece, send arguments as an object or null, or bring the name late. So a piece
belongs to the call of its index, else of its id, else to the latest call; and a piece with a new id
*and* a name is a new call.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.assembly import Assembly
from fiber.adapters.jsons import text, text_of
from fiber.adapters.openai_chat.schema import OBJECT

_KNOWN = {"index", "id", "type", "function", "custom"}
_KNOWN_OF_FUNCTION = {"name", "arguments", "input"}


class _Call:
    """
    One call in the making; `extras` are members of its own (a thought signature) to be sent back.
    """

    __slots__ = (
        "arguments",
        "extras",
        "first",
        "function_extras",
        "id",
        "key",
        "name",
        "pieces",
        "type",
    )

    def __init__(self, key: Any) -> None:
        self.key = key
        self.id = ""
        self.name = ""
        self.type = "function"
        self.arguments: list[str] = []
        self.extras: dict[str, Any] = {}
        self.function_extras: dict[str, Any] = {}
        self.first: msgspec.Raw | None = None
        self.pieces = 0

    def native(self) -> str | None:
        """
        Return the JSON to send back, when the unified fields do not say all; bytes of a whole call
        are kept.
        """
        if not self.extras and not self.function_extras and self.type == "function":
            return None
        if self.first is not None and self.pieces == 1:
            whole = OBJECT.decode(self.first)
            if whole.get("id") and "index" not in whole:
                return text_of(self.first)
        words = "".join(self.arguments)
        inner = {"name": self.name, "input" if self.type == "custom" else "arguments": words}
        call = {"id": self.id, "type": self.type, self.type: {**inner, **self.function_extras}}
        return msgspec.json.encode({**call, **self.extras}).decode()


class Calls:
    """The tool calls of one choice."""

    __slots__ = ("_assembly", "_by_id", "_by_index", "_calls", "_choice")

    def __init__(self, assembly: Assembly, choice: int) -> None:
        self._assembly = assembly
        self._choice = choice
        self._calls: list[_Call] = []
        self._by_index: dict[Any, _Call] = {}
        self._by_id: dict[str, _Call] = {}

    def read(self, raw: msgspec.Raw, *, whole: bool) -> None:
        """Take a piece of a call, or with *whole* a call."""
        try:
            piece = OBJECT.decode(raw)
        except msgspec.DecodeError:
            return  # null, or no object
        index, id_ = piece.get("index"), piece.get("id")
        index = index if isinstance(index, int) else None
        body, words = piece.get("function"), "arguments"
        if not isinstance(body, dict) and isinstance(piece.get("custom"), dict):
            body, words = piece["custom"], "input"
        if not isinstance(body, dict):
            if whole or index is None or index not in self._by_index:  # a kind of call that nobody has told us about
                kind = self._assembly.opaque(text_of(raw), "tool_calls")
                self._assembly.part(kind, choice=self._choice)
                return
            body = {}
        call = self._find(index, text(id_), text(body.get("name")), whole=whole)
        call.pieces += 1
        if call.first is None:
            call.first = raw
        if words == "input":
            call.type = "custom"
        _collect(call.extras, piece, _KNOWN)
        _collect(call.function_extras, body, _KNOWN_OF_FUNCTION)
        self._add(call, body.get(words))

    def legacy(self, function: Any) -> None:
        """Take (a piece of) the deprecated `function_call` member."""
        if isinstance(function, dict):
            call = self._find("function_call", "", text(function.get("name")))
            self._add(call, function.get("arguments"))

    def end(self) -> None:
        """The choice ended, and its calls with it."""
        for call in self._calls:
            self._start(call)
            if call.type == "function" and not any(call.arguments):
                # Claude behind Databricks, and GPT-4o at times, stream nothing for a call without
                # arguments.
                self._add(call, "{}")
            native = call.native()
            sealed = None if native is None else self._assembly.opaque(native, call.type)
            self._assembly.tool_end(call.key, self._choice, sealed)

    def _find(self, index: Any, id_: str, name: str, *, whole: bool = False) -> _Call:
        call: _Call | None = None
        if whole:
            pass
        elif index is not None:
            call = self._by_index.get(index)
            if call is not None and name and id_ and call.id not in ("", id_):
                call = None
        elif id_:
            call = self._by_id.get(id_)
        elif not name and self._calls:
            call = self._calls[-1]
        if call is None:
            call = _Call(("call", len(self._calls)))
            self._calls.append(call)
        if index is not None:
            self._by_index[index] = call
        if id_:
            call.id = call.id or id_
            self._by_id[id_] = call
        call.name = call.name or name
        return call

    def _add(self, call: _Call, arguments: Any) -> None:
        words = ""
        if isinstance(arguments, str):
            words = arguments
        elif arguments is not None:
            words = msgspec.json.encode(arguments).decode()
        if call.name:
            self._start(call)
            self._assembly.tool_delta(call.key, words, self._choice)
        call.arguments.append(words)

    def _start(self, call: _Call) -> None:
        """Give out the start of *call*, once, with what came before its name was known."""
        if not self._assembly.has(call.key, self._choice):
            call.id = call.id or f"call_{self._choice}_{self._calls.index(call)}"
            self._assembly.tool_start(call.key, call.id, call.name, self._choice)
            for words in call.arguments:
                self._assembly.tool_delta(call.key, words, self._choice)


def _collect(extras: dict[str, Any], source: dict[str, Any], known: set[str]) -> None:
    extras.update({k: v for k, v in source.items() if k not in known and v is not None})
