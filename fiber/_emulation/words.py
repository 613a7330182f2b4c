"""Say in words what a request says of tools: what is offered, and the calls and results of its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fiber._emulation.reading import CLOSE, OPEN
from fiber.adapters.history import arguments_object, call_names
from fiber.adapters.instructions import instructed
from fiber.types.content import CacheHint, Part, Text, ToolCall, ToolResult
from fiber.types.http import Note
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.tools import AnyTool, Tool, ToolChoice

_RESULT = "tool_result"
_EMULATED = "emulated: tools, calls and results are told in words, and calls are read out of the answer's text"
_HELD = "it holds the whole answer, and may keep the model from calling a tool in words"

_HOW: Mapping[str, str] = {
    # Mode of the tool choice -> what the model is told; of a named one, the name follows.
    "auto": "Call a tool only where it helps; else answer as if there were none.",
    "required": "This answer must call at least one tool.",
    "named": "This answer must call the tool ",
}
_INSTRUCTION = """\
You can call tools. Each of these lines describes one: its name, what it does, and the JSON Schema of its arguments.
{tools}

To call a tool, write exactly this, with valid JSON between the tags and no code fence around them:
{open}{{"name": "name of the tool", "arguments": {{}}}}{close}
{how}
{parallel}
When you have called, end the answer: the results come with the next message, in the order of the calls, each as \
<{result} id="..." name="...">...</{result}>, with error="true" where a tool failed. Never write a result yourself."""


def offered(request: ChatRequest) -> bool:
    """Say whether *request* offers tools, so that the answer may call them."""
    return bool(request.tools) and not (request.tool_choice is not None and request.tool_choice.mode == "none")


def refused(tools: Iterable[AnyTool]) -> str | None:
    """Return the kind of the first tool that cannot be told in words, else None."""
    return next((tool.kind for tool in tools if not isinstance(tool, Tool)), None)


def in_words(request: ChatRequest) -> tuple[ChatRequest, list[Note]]:
    """Return *request* with everything of tools said in words, and notes of it."""
    notes = [Note("warned", "tools", _EMULATED)]
    messages = _told(request.messages, notes)
    if offered(request):
        tools = [tool for tool in request.tools or () if isinstance(tool, Tool)]
        hint: CacheHint | None = next(
            (tool.cache_hint for tool in reversed(tools) if tool.cache_hint is not None), None
        )
        messages = instructed(messages, _instruction(tools, request.tool_choice, request.parallel_tool_calls), hint)
        if request.response_format is not None and request.response_format.kind != "text":
            notes.append(Note("warned", "response_format", _HELD))
    worded = msgspec.structs.replace(request, messages=messages, tools=None, tool_choice=None, parallel_tool_calls=None)
    return worded, notes


def _instruction(tools: Iterable[Tool], choice: ToolChoice | None, parallel: bool | None) -> str:
    mode = "auto" if choice is None else choice.mode
    named = f"{_json(choice.name)}." if choice is not None and mode == "named" else ""
    return _INSTRUCTION.format(
        tools="\n".join(_described(tool) for tool in tools),
        open=OPEN,
        close=CLOSE,
        result=_RESULT,
        how=_HOW[mode] + named,
        parallel="Write one call at most." if parallel is False else "Several calls may follow one another.",
    )


def _described(tool: Tool) -> str:
    described = {"description": tool.description} if tool.description else {}
    return _json({"name": tool.name, **described, "parameters": tool.parameters})


def _told(messages: tuple[ChatMessage, ...], notes: list[Note]) -> tuple[ChatMessage, ...]:
    """Return the history with calls and results as text; neighbouring messages of tools become one of the user."""
    names = call_names(messages)
    told: list[ChatMessage] = []
    joins = False
    for message in messages:
        if message.role != "tool" and not any(isinstance(part, ToolCall | ToolResult) for part in message.parts):
            told.append(message)
            joins = False
            continue
        parts = _joined(piece for part in message.parts for piece in _worded(part, names, notes))
        if message.role != "tool":
            told.append(msgspec.structs.replace(message, content=parts))
        elif joins:
            told[-1] = ChatMessage.user(_joined((*told[-1].parts, *parts)), cache_hint=message.cache_hint)
        else:
            told.append(ChatMessage.user(parts, cache_hint=message.cache_hint))
        # A breakpoint is at the end of its message, so nothing joins it.
        joins = message.role == "tool" and message.cache_hint is None
    return tuple(told)


def _worded(part: Part, names: Mapping[str, str], notes: list[Note]) -> Iterable[Part]:
    match part:
        case ToolCall():
            written = _json({"name": part.name, "arguments": arguments_object(part, notes)})
            # `</` stands in strings only, where JSON has a second spelling for it: the tag ends the call.
            yield Text(OPEN + written.replace("</", "<\\/") + CLOSE)
        case ToolResult():
            failed = ' error="true"' if part.is_error else ""
            name = _json(part.name or names.get(part.call_id, ""))
            yield Text(f"<{_RESULT} id={_json(part.call_id)} name={name}{failed}>")
            content = (Text(part.content),) if isinstance(part.content, str) else part.content
            yield from (_inside(piece) if isinstance(piece, Text) else piece for piece in content)
            yield Text(f"</{_RESULT}>", part.cache_hint)
        case _:
            yield part


def _inside(text: Text) -> Text:
    # What a tool returned must not end its own result and go on in another's name.
    return Text(text.text.replace(f"</{_RESULT}", f"<\\/{_RESULT}"), text.cache_hint)


def _joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Join neighbouring texts, a line each, up to every cache hint; empty ones are left out."""
    joined: list[Part] = []
    for part in parts:
        last = joined[-1] if joined else None
        if isinstance(part, Text) and not part.text:
            continue
        if isinstance(part, Text) and isinstance(last, Text) and last.cache_hint is None:
            joined[-1] = Text(f"{last.text}\n{part.text}", part.cache_hint)
        else:
            joined.append(part)
    return tuple(joined)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
