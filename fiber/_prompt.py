"""
Prompts with named gaps.

`{name}` is a gap, `{{` and `}}` are braces. Values are inserted as they are: no formatting, no attribute access, no
logic. A template is one user message, or `(role, template)` pairs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from fiber._errors import FiberValidationError
from fiber.types.calls import KNOWN
from fiber.types.messages import ROLES, ChatMessage, Role
from fiber.types.result import ChatResult

if TYPE_CHECKING:
    from fiber._fiber import Fiber
    from fiber._streams import ChatStream, SyncChatStream

_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_]*)\}|[{}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDefaults:
    """Call keywords of a prompt, used where the caller says nothing; they win over the client's defaults."""

    model: str | None = None
    provider: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    timeout: float | None = None


class Prompt:
    """
    A template and its inputs.

    Args:
        template: Text with gaps, or pairs of role and text with gaps.
        inputs: Names of the gaps; they must be exactly those of the template.
        defaults: Call keywords.

    Raises:
        FiberValidationError: Template and inputs disagree, or a brace stands alone.
    """

    __slots__ = ("_defaults", "_inputs", "_turns")

    def __init__(
        self,
        template: str | Iterable[tuple[Role, str]],
        inputs: Iterable[str] = (),
        defaults: PromptDefaults | None = None,
    ) -> None:
        turns: list[Any] = [("user", template)] if isinstance(template, str) else list(template)
        if isinstance(inputs, str) or not turns or not all(map(_is_turn, turns)):
            raise _wrong(
                f"A template is text or (role, text) pairs, with a role of {', '.join(ROLES)}; inputs are a tuple of"
                " names.",
                "template",
            )
        self._turns = tuple((role, _pieces(text)) for role, text in turns)
        self._inputs = tuple(inputs)
        self._defaults = defaults or PromptDefaults()
        gaps = {name for _, pieces in self._turns for _, name in pieces if name}
        for name in sorted(gaps - set(self._inputs)):
            raise _wrong(f"The template has {{{name}}}, which is not in inputs.", name)
        for name in sorted(set(self._inputs) - gaps):
            raise _wrong(f"Input {name!r} has no {{{name}}} in the template.", name)

    def __repr__(self) -> str:
        return f"Prompt(inputs={self._inputs})"

    def render(self, /, **values: Any) -> tuple[ChatMessage, ...]:
        """
        Return the messages with *values* in the gaps.

        Raises:
            FiberValidationError: A value is missing, or one has no gap.
        """
        for name in self._inputs:
            if name not in values:
                raise _wrong(f"Input {name!r} is missing.", name)
        for name in values:
            if name not in self._inputs:
                raise _wrong(f"{name!r} is neither an input ({', '.join(self._inputs)}) nor a keyword of chat.", name)
        return tuple(
            ChatMessage(role, "".join(text + (str(values[name]) if name else "") for text, name in pieces))
            for role, pieces in self._turns
        )

    def call(self, fiber: Fiber, /, **values: Any) -> ChatResult:
        """Fill in and send, blocking; *values* may hold keywords of `chat` too."""
        messages, options = self._split(values)
        return fiber.sync.chat(messages, **options)

    async def acall(self, fiber: Fiber, /, **values: Any) -> ChatResult:
        """Fill in and send."""
        messages, options = self._split(values)
        return await fiber.chat(messages, **options)

    def stream(self, fiber: Fiber, /, **values: Any) -> SyncChatStream:
        """Fill in, send, and iterate the events, blocking."""
        messages, options = self._split(values)
        return fiber.sync.chat_stream(messages, **options)

    def astream(self, fiber: Fiber, /, **values: Any) -> ChatStream:
        """Fill in, send, and iterate the events."""
        messages, options = self._split(values)
        return fiber.chat_stream(messages, **options)

    def _split(self, values: Mapping[str, Any]) -> tuple[list[ChatMessage], Any]:
        options = {
            f.name: said for f in fields(self._defaults) if (said := getattr(self._defaults, f.name)) is not None
        }
        # A name that is both is an input: `{n}` in a template is filled in, and `n` is then no call keyword here.
        keywords = KNOWN - set(self._inputs)
        options |= {name: value for name, value in values.items() if name in keywords and value is not None}
        inputs = {name: value for name, value in values.items() if name not in keywords}
        return list(self.render(**inputs)), options


def _is_turn(value: Any) -> bool:
    return isinstance(value, tuple | list) and len(value) == 2 and value[0] in ROLES and isinstance(value[1], str)


def _pieces(template: str) -> tuple[tuple[str, str], ...]:
    """Cut *template* into pairs of literal text and the name of the gap after it (empty at the end)."""
    pieces: list[tuple[str, str]] = []
    literal = ""
    position = 0
    for token in _TOKEN.finditer(template):
        literal += template[position : token.start()]
        position = token.end()
        if token[1]:
            pieces.append((literal, token[1]))
            literal = ""
        elif token[0] in ("{{", "}}"):
            literal += token[0][0]
        else:
            raise _wrong(
                f"A lone {token[0]!r} at character {token.start()} of the template: write {token[0] * 2!r}.",
                "template",
            )
    return (*pieces, (literal + template[position:], ""))


def _wrong(message: str, parameter: str) -> FiberValidationError:
    return FiberValidationError(message, parameter=parameter, outcome="not_sent")
