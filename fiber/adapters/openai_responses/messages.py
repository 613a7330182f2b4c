"""
A conversation becomes a flat list of input items.

What came from this provider and host goes back exactly as it came, in its order: reasoning has to
stand before the item it led to, and an item with an id needs the reasoning it came from. So when
reasoning cannot go back, the items after it in the same message go without their ids.

Source: https://platform.openai.com/docs/guides/conversation-state and
https://platform.openai.com/docs/guides/reasoning, read 2026-11-20.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters.history import is_spoken, leave_out, sealed
from fiber.adapters.jsons import text
from fiber.adapters.openai_responses.content import KINDS, Content
from fiber.adapters.openai_responses.items import REFERENCE
from fiber.adapters.openai_responses.models import facts
from fiber.adapters.openai_responses.schema import HEAD, RAW_FIELDS, RAW_LIST, Head
from fiber.adapters.parameters import refuse
from fiber.types.content import (
    Audio,
    Document,
    Image,
    Opaque,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_SEALS: tuple[tuple[type, tuple[str, ...]], ...] = (
    (Text, ("message",)),
    (Reasoning, ("reasoning",)),
    (ToolCall, ("function_call", "custom_tool_call")),
    (ToolResult, ("function_call_output", "custom_tool_call_output")),
)
"""Items that may stand for a part; another format of the provider seals parts with other JSON."""


def input_items(request: ChatRequest, target: Target, notes: list[Note]) -> list[Any]:
    """
    Return the messages of *request* as input items: dicts, and `Raw` for what goes back as it came.
    """
    if is_spoken(request.messages):
        return [{"type": "message", "role": message.role, "content": message.content} for message in request.messages]
    items = InputItems(request, target, notes)
    for message in request.messages:
        items.add(message)
    items.drop_idle_reasoning()
    return items.made


class InputItems:
    """
    The list in the making.

    Attributes:
        made: Items so far.
    """

    def __init__(self, request: ChatRequest, target: Target, notes: list[Note]) -> None:
        self.made: list[Any] = []
        self._request = request
        self._target = target
        self._notes = notes
        self._content = Content(request, target, notes, breakpoints=facts(target.model).breakpoints)
        self._custom = {
            call.id
            for message in request.messages
            for call in message.tool_calls
            if call.native is not None and call.native.kind == "custom_tool_call"
        }
        self._sent: set[str] = set()
        self._last_id = ""
        self._pending: list[Any] = []
        self._role = ""
        self._detached = False

    def add(self, message: ChatMessage) -> None:
        """Add the items of one message."""
        if message.name is not None:
            why = "the Responses API has no names for participants"
            refuse(self._request, self._target, self._notes, "name of a message", why)
        if message.role != "assistant":
            self.drop_idle_reasoning()
        self._role = self._role_of(message)
        self._detached = False
        for part in message.parts:
            self._add(part)
        if message.cache_hint is not None and self._pending and self._role != "assistant":
            last = self._pending[-1]
            if isinstance(last, dict):
                self._pending[-1] = self._content.hinted(last, message.cache_hint)
        self._flush()

    def drop_idle_reasoning(self) -> None:
        """Take back reasoning at the end of the list: what led to nothing is refused."""
        while self.made and isinstance(self.made[-1], msgspec.Raw):
            if HEAD.decode(self.made[-1]).type != "reasoning":
                break
            self.made.pop()
            self._notes.append(Note("dropped", "reasoning", "nothing follows it in its turn"))

    def _role_of(self, message: ChatMessage) -> str:
        role = self._target.quirks.system_role
        if message.role in ("system", "developer") and role != "as_is":
            return role
        return "user" if message.role == "tool" else message.role

    def _add(self, part: Part) -> None:
        raw, head = self._native(part)
        match part:
            case Opaque() if raw is not None and head.type in KINDS:
                self._pending.append(raw)
            case Image() | Audio() | Document() if raw is not None and head.type in KINDS:
                self._pending.append(raw)
            case Image() | Audio() | Document() if raw is not None and head.type == REFERENCE and head.id in self._sent:
                pass  # its call, which holds the picture, was sent just before
            case Image() | Audio() | Document() if self._role == "assistant":
                self._media_of_answer(part)
            case Opaque() | Reasoning() | Text() | ToolCall() | ToolResult() if raw is not None:
                self._replay(raw, head)
            case Opaque() | Reasoning():
                self._detached = self._detached or isinstance(part, Reasoning)
                leave_out(part, self._target, self._notes)
            case ToolCall():
                self._append(_call(part))
            case ToolResult():
                self._append(self._result(part))
            case Text() if self._role == "assistant" and not part.text:
                pass  # an empty text only carried its seal
            case _:
                made = self._content.of(part, answer=self._role == "assistant")
                if made is not None:
                    self._pending.append(made)

    # -- what goes back as it came -----------------------------------------------------------------

    def _native(self, part: Part) -> tuple[msgspec.Raw | None, Head]:
        """
        Return the part's own JSON when it may go to this target and stands for such a part here.
        """
        raw = sealed(part, self._target)
        if raw is None:
            return None, Head()
        try:
            head = HEAD.decode(raw)
        except ValueError:
            return None, Head()
        for kind, types in _SEALS:
            if isinstance(part, kind) and head.type not in types:
                return None, head
        return raw, head

    def _replay(self, raw: msgspec.Raw, head: Head) -> None:
        self._flush()
        name = text(head.id)
        if name and name == self._last_id and head.type == "message" and not self._detached:
            # Parts of one message, see `items`: they go back as the one message they were.
            self.made[-1] = _joined(self.made[-1], raw)
            return
        if name and (self._detached or name in self._sent):
            raw = _without_id(raw)
            name = ""
        self._append(raw)
        if name:
            self._sent.add(name)
            self._last_id = name

    # -- what is made from its fields --------------------------------------------------------------

    def _append(self, item: Any) -> None:
        self._flush()
        self._last_id = ""
        self.made.append(item)

    def _flush(self) -> None:
        if self._pending:
            content, self._pending = self._pending, []
            self._last_id = ""
            self.made.append(self._message(self._role, content))

    def _message(self, role: str, content: list[Any]) -> dict[str, Any]:
        texts = [
            part["text"]
            for part in content
            if isinstance(part, dict) and "text" in part and "prompt_cache_breakpoint" not in part
        ]
        plain = len(texts) == len(content)
        if plain and (len(texts) == 1 or self._target.quirks.collapse_text):
            return {"type": "message", "role": role, "content": "".join(texts)}
        return {"type": "message", "role": role, "content": content}

    def _media_of_answer(self, part: Image | Audio | Document) -> None:
        """
        Send a picture or sound of the model as the user's: an assistant message holds only text.
        """
        made = self._content.of(part)
        if made is not None:
            self._append(self._message("user", [made]))
            what = f"{type(part).__name__} in an assistant message"
            self._notes.append(Note("mapped", what, "sent as a user message at the same place"))

    def _result(self, part: ToolResult) -> dict[str, Any]:
        custom = part.call_id in self._custom
        output: Any = part.content
        if not isinstance(part.content, str):
            output = [made for each in part.content if (made := self._output(each)) is not None]
            if all(isinstance(each, Text) for each in part.content) and len(output) < 2:
                output = part.text
        if part.is_error:
            output = _marked(output)
            why = 'there is no such flag; the output begins with "Error: "'
            self._notes.append(Note("mapped", "is_error", why))
        if part.cache_hint is not None and self._content.breakpoints:
            if isinstance(output, str):
                output = [{"type": "input_text", "text": output}]
            if output and isinstance(output[-1], dict):
                output[-1] = self._content.hinted(output[-1], part.cache_hint)
        return {
            "type": "custom_tool_call_output" if custom else "function_call_output",
            "call_id": part.call_id,
            "output": output,
        }

    def _output(self, part: Text | Image | Document | Opaque) -> Any:
        raw, head = self._native(part)
        if raw is not None and head.type in KINDS:
            return raw
        if isinstance(part, Opaque):
            leave_out(part, self._target, self._notes)
            return None
        return self._content.of(part)


def _call(part: ToolCall) -> dict[str, Any]:
    if part.native is not None and part.native.kind == "custom_tool_call":
        # The seal of another host does not fit, but the kind of call it tells of still does.
        return {
            "type": "custom_tool_call",
            "call_id": part.id,
            "name": part.name,
            "input": _free_text(part),
        }
    return {
        "type": "function_call",
        "call_id": part.id,
        "name": part.name,
        "arguments": part.arguments_json or "{}",
    }


def _free_text(part: ToolCall) -> str:
    try:
        return msgspec.json.decode(part.arguments_json, type=str)
    except ValueError:
        return part.arguments_json


def _marked(output: str | list[Any]) -> str | list[Any]:
    if isinstance(output, str):
        return f"Error: {output}"
    return [{"type": "input_text", "text": "Error: "}, *output]


def _without_id(raw: msgspec.Raw) -> msgspec.Raw:
    fields = RAW_FIELDS.decode(raw)
    del fields["id"]
    return msgspec.Raw(msgspec.json.encode(fields))


def _joined(before: msgspec.Raw, after: msgspec.Raw) -> msgspec.Raw:
    fields = RAW_FIELDS.decode(before)
    parts = RAW_LIST.decode(fields["content"])
    parts += RAW_LIST.decode(RAW_FIELDS.decode(after)["content"])
    fields["content"] = msgspec.Raw(b"[" + b",".join(bytes(part) for part in parts) + b"]")
    return msgspec.Raw(msgspec.json.encode(fields))
