"""
From messages to `contents` and `systemInstruction`.

Rules of the format that stand behind this module:

* there is no system role: every system and developer prompt becomes a part of `systemInstruction`,
  in order;
* a tool result is a `functionResponse` in a user content; it names the tool, and the results of one
  step stand in one content, in the order of the calls, for without ids that order is what they are
  matched by;
* an id is sent only when it came from here: the `native` of the call knows it. Ids of other
  providers, and those that this library made up, are left out on both sides;
* a part with a `thoughtSignature` goes back exactly as it came; Gemini 3 and later answer 400 when
  the first function call of a step of the current turn has none.

Documentation: https://ai.google.dev/api/caching#Content and
https://ai.google.dev/gemini-api/docs/thought-signatures. Facts as of google-genai 3.4.0, November
2026.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from fiber._errors import FiberValidationError
from fiber.adapters.gemini.media import media_part
from fiber.adapters.gemini.models import is_before, is_modern
from fiber.adapters.gemini.schema import SEAL, Seal
from fiber.adapters.history import arguments_object, is_spoken, leave_out, refuse_part, sealed
from fiber.adapters.jsons import decode
from fiber.types.content import Media, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.target import Target

SKIP_SIGNATURE = "skip_thought_signature_validator"
"""The documented stand-in for a missing signature (page thought-signatures, section FAQ)."""


_ROLES = {"user": "user", "assistant": "model"}


class _Call(NamedTuple):
    """What a tool result needs to know of its call; `id` is None when it is not sent."""

    name: str
    id: str | None
    position: int


class Contents:
    """
    Builder of the conversation.

    Attributes:
        contents: The turns.
        system: Parts of `systemInstruction`.
    """

    def __init__(self, request: ChatRequest, target: Target, notes: list[Note]) -> None:
        self.contents: list[dict[str, Any]] = []
        self.system: list[dict[str, Any]] = []
        self._request = request
        self._target = target
        self._notes = notes
        self._calls: dict[str, _Call] = {}
        self._results: list[tuple[int, Any]] = []
        self._stand_ins = 0

    def build(self) -> None:
        """
        Build everything.

        Raises:
            FiberValidationError: There is no turn besides system prompts, or a turn lacks what the
            format needs. FiberCapabilityError: A part cannot be sent and `on_unsupported` is
            `raise`.
        """
        messages = self._request.messages
        if is_spoken(messages):
            self.contents = [
                {"role": _ROLES[message.role], "parts": [{"text": message.content}]} for message in messages
            ]
            return
        turn = max((n for n, message in enumerate(messages) if _opens_turn(message)), default=-1)
        for number, message in enumerate(messages):
            if message.name:
                why = "Gemini has no names of participants"
                self._notes.append(Note("dropped", "name", why))
            if message.role in ("system", "developer"):
                self._system(message)
            elif message.role == "tool":
                self._results += [self._result(part) for part in message.parts]
            elif message.role == "assistant":
                self._close_results()
                self._add("model", self._model_parts(message, current=number > turn))
            else:
                self._user(message)
        self._close_results()
        if not self.contents:
            raise FiberValidationError(
                "Gemini needs a message besides the system prompt: add a user message.",
                parameter="messages",
            )
        if self._stand_ins:
            detail = f"{self._stand_ins} call(s) of another origin are sent with {SKIP_SIGNATURE!r}"
            self._notes.append(Note("warned", "thoughtSignature", detail))

    def _add(self, role: str, parts: list[Any]) -> None:
        if parts:
            self.contents.append({"role": role, "parts": parts})

    def _close_results(self) -> None:
        self._results.sort(key=lambda result: result[0])
        self._add("user", [part for _, part in self._results])
        self._results = []

    def _system(self, message: ChatMessage) -> None:
        if self.contents or self._results:
            detail = "a later system prompt moved up to systemInstruction: Gemini has no such role"
            self._notes.append(Note("mapped", message.role, detail))
        for part in message.parts:
            if isinstance(part, Text):
                self.system.append({"text": part.text})
            else:
                self._refuse(part, "systemInstruction takes text only")

    def _user(self, message: ChatMessage) -> None:
        results = [part for part in message.parts if isinstance(part, ToolResult)]
        self._results += [self._result(part) for part in results]
        self._close_results()
        rest = [part for part in message.parts if not isinstance(part, ToolResult)]
        self._add("user", [made for part in rest if (made := self._part(part)) is not None])

    def _part(self, part: Part) -> Any:
        """Return the JSON of a part that is no call and no result; None when it is left out."""
        if (raw := sealed(part, self._target)) is not None:
            if isinstance(part, Opaque) and part.kind == "thoughtSignature":
                # Signature-only parts come from media processing and are not to be sent back
                # (pydantic-ai 2.68).
                self._notes.append(Note("dropped", "thoughtSignature", "a signature without a part"))
                return None
            return raw
        if isinstance(part, Text):
            return {"text": part.text} if part.text else None
        if isinstance(part, Media):
            return media_part(part, self._notes)
        if isinstance(part, Opaque | Reasoning):
            leave_out(part, self._target, self._notes)
            return None
        return self._refuse(part, "it belongs to another role")

    def _refuse(self, part: Part, why: str) -> None:
        refuse_part(self._request, self._target, self._notes, part, why)

    # -- calls and results ------------------------------------------------------------------------

    def _model_parts(self, message: ChatMessage, *, current: bool) -> list[Any]:
        made: list[Any] = []
        first = True
        for part in message.parts:
            if isinstance(part, ToolCall):
                sign = first and current and is_modern(self._target.model)
                made.append(self._call(part, sign=sign))
                first = False
            elif (value := self._part(part)) is not None:
                made.append(value)
        return made

    def _call(self, call: ToolCall, *, sign: bool) -> Any:
        raw = sealed(call, self._target)
        seal = Seal() if raw is None else decode(bytes(raw), SEAL)
        self._calls[call.id] = _Call(call.name, seal.id, len(self._calls))
        part: Any = raw
        if raw is None:
            part = {"functionCall": {"name": call.name, "args": arguments_object(call, self._notes)}}
        if sign and not seal.signature:
            self._stand_ins += 1
            part = msgspec.json.decode(raw) if raw is not None else part
            part = {**part, "thoughtSignature": SKIP_SIGNATURE}
        return part

    def _result(self, part: Part) -> tuple[int, Any]:
        if not isinstance(part, ToolResult):
            raise FiberValidationError(
                f"A tool message holds tool results, not {type(part).__name__}: put it into a user message.",
                parameter="messages",
            )
        call = self._calls.get(part.call_id, _Call("", None, len(self._calls)))
        if (raw := sealed(part, self._target)) is not None:
            return call.position, raw
        name = part.name or call.name
        if not name:
            raise FiberValidationError(
                f"Gemini matches tool results by the tool's name, and no call {part.call_id!r}"
                " stands before its result: set ToolResult.name.",
                parameter="messages",
            )
        response: dict[str, Any] = {"name": name}
        if call.id:
            response["id"] = call.id
        # The text stays text: a JSON object of the tool's own could hold `output` or `error`, which
        # mean something.
        response["response"] = {"error" if part.is_error else "output": part.text}
        if media := self._result_media(part):
            response["parts"] = media
        return call.position, {"functionResponse": response}

    def _result_media(self, result: ToolResult) -> list[Any]:
        made: list[Any] = []
        for part in result.content if isinstance(result.content, tuple) else ():
            if isinstance(part, Text):
                continue
            if isinstance(part, Media) and is_before(self._target.model, 3, 0):
                self._refuse(part, "tool results hold media from Gemini 3 on")
                continue
            value = self._part(part)
            if isinstance(value, dict) and "fileData" in value:
                self._refuse(part, "media in tool results are given as bytes")
            elif value is not None:
                made.append(value)
        return made


def _opens_turn(message: ChatMessage) -> bool:
    """Say whether the user speaks here, and does not only return the results of tools."""
    return message.role == "user" and any(not isinstance(p, ToolResult) for p in message.parts)
