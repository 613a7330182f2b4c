"""
Output items become parts of the answer, from a whole reply and from a stream alike.

A stream tells an item three times: it is added, it grows by deltas, it is done. `OutputItems` takes
all three; a whole reply is a list of items that are done at once. The done item is the truth: it
completes what deltas left out, and it is what goes back in the next request (the item of
`response.output_item.added` may be partial).

Slots of the assembly have the key `(item, part)`, where the item is its output index, and the part
a number for texts and a word for what is no text. Some gateways give one item a new id in each
event, so ids only stand in where an index is missing.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber.adapters import jsons
from fiber.adapters.assembly import Assembly
from fiber.adapters.jsons import objects, text
from fiber.adapters.logprobs import token_logprobs
from fiber.adapters.openai_responses import pieces
from fiber.adapters.openai_responses.schema import HEAD, ITEM, RAW_FIELDS, Item, decode, raw_list, whole_text
from fiber.adapters.slots import Slot
from fiber.types.content import Opaque

REFERENCE = "item_reference"
"""Kind of the seal on an image that stands for a call beside it: the image is not sent twice."""

_PLAIN = {"type", "call_id", "name", "arguments", "status"}


class _Thought:
    """One reasoning item: which of its two texts is shown, and what of it was given out."""

    __slots__ = ("section", "source", "told")

    def __init__(self, source: str) -> None:
        self.source = source
        self.section: Any = None
        self.told: list[str] = []


class OutputItems:
    """
    Tells an `Assembly` what items say.

    Attributes:
        refused: A refusal was among the content.
        tools: Tools as the reply echoes them.
    """

    def __init__(self, assembly: Assembly) -> None:
        self.refused = False
        self.tools: Any = None
        self._assembly = assembly
        self._keys: dict[str, int | str] = {}
        self._begun: set[int | str] = set()
        self._done: set[Any] = set()
        self._told: dict[Any, list[str]] = {}
        self._speaking: tuple[Any, list[str], Slot] | None = None
        self._quoted: set[int | str] = set()
        self._cited: dict[Any, int] = {}
        self._logprobs: dict[Any, list[Any]] = {}
        self._thoughts: dict[Any, _Thought] = {}

    # -- deltas ------------------------------------------------------------------------------------

    def key(self, index: Any, item_id: Any) -> int | str:
        """Name an item: its output index, else its id."""
        name = text(item_id)
        if isinstance(index, int):
            if name:
                self._keys.setdefault(name, index)
            return index
        return self._keys.setdefault(name, name) if name else 0

    def text(self, item: int | str, part: Any, piece: str) -> None:
        """Add a piece of text (or of a refusal); an empty one holds the place."""
        key = (item, _number(part))
        if self._speaking is not None and self._speaking[0] == key and piece:  # goes on, as most do
            _, told, slot = self._speaking
            told.append(piece)
            self._assembly.more_text(piece, slot)
            return
        told = self._told.setdefault(key, [])
        told.append(piece)
        self._speaking = (key, told, self._assembly.text(piece, key))

    def logprobs(self, item: int | str, part: Any, tokens: Any) -> None:
        """Keep the log probabilities of a delta, for servers that do not repeat them at the end."""
        if tokens:
            self._logprobs.setdefault((item, _number(part)), []).extend(objects(tokens))

    def cite(self, item: int | str, part: Any, annotation: Any) -> None:
        """Add a source."""
        if isinstance(annotation, dict):
            slot = (item, _number(part))
            self._cited[slot] = self._cited.get(slot, 0) + 1
            self._cite(annotation)

    def think(self, item: int | str, source: str, section: Any, piece: str) -> None:
        """
        Add a piece of reasoning. Sections of a summary are parted by an empty line.

        Args:
            source: `summary` or `content`; an item that has both shows the one that came first.
        """
        thought = self._thoughts.setdefault(item, _Thought(source))
        if source != thought.source or not piece:
            return
        if thought.told and section != thought.section:
            piece = "\n\n" + piece
        thought.section = section
        thought.told.append(piece)
        self._assembly.reasoning(piece, (item, "reasoning"))

    def arguments(self, item: int | str, piece: str) -> None:
        """Add a piece of a call's arguments; while the call has no name it waits for the end."""
        if self._assembly.has((item, "call")):
            self._assembly.tool_delta((item, "call"), piece)

    def all_arguments(self, item: int | str, whole: str) -> None:
        """Set the arguments of a function call that deltas left out."""
        if whole and self._assembly.has((item, "call")):
            self._assembly.tool_arguments((item, "call"), whole)

    def free_text(self, item: int | str, piece: str) -> None:
        """Add a piece of a custom tool's input, which becomes one JSON string."""
        quoted = pieces.encoded(piece)[:-1]
        self.arguments(item, quoted[1:] if item in self._quoted else quoted)
        self._quoted.add(item)

    # -- items -------------------------------------------------------------------------------------

    def begin(self, raw: msgspec.Raw, index: Any) -> None:
        """An item was added: hold its place, so that the answer keeps the provider's order."""
        item = decode(raw, ITEM)
        key = self.key(index, item.id)
        self._begun.add(key)
        match item.type:
            case "message":
                pass  # its parts hold their own places
            case "reasoning":
                self._assembly.reasoning("", (key, "reasoning"))
            case "function_call" | "custom_tool_call" if not self._is_provider_run(item):
                if item.name:
                    self._start_call(key, item)
            case _:
                self._assembly.hold((key, "item"))
                if item.type == "image_generation_call":
                    self._assembly.hold((key, "image"))

    def begin_part(self, item: int | str, part: Any, raw: msgspec.Raw) -> None:
        """A content part was added to a message: hold its place."""
        kind = decode(raw, HEAD).type
        if kind in ("output_text", "refusal"):
            self.text(item, part, "")
        elif kind not in ("reasoning_text", "summary_text"):
            self._assembly.hold((item, _number(part), "part"))

    def end(self, raw: msgspec.Raw, index: Any) -> None:
        """An item is done."""
        raw = whole_text(raw)
        item = decode(raw, ITEM)
        key = self.key(index, item.id)
        if (key, item.type) in self._done:
            return
        self._done.add((key, item.type))
        match item.type:
            case "message" if item.role in (None, "assistant") and item.content:
                self._end_message(key, item, raw)
            case "reasoning":
                self._end_reasoning(key, item, raw)
            case "function_call":
                self._start_call(key, item)
                self.all_arguments(key, pieces.arguments(item.arguments))
                self._assembly.tool_end((key, "call"), native=self._sealed(raw, item))
            case "custom_tool_call" if not self._is_provider_run(item):
                self._start_call(key, item)
                self.all_arguments(key, pieces.encoded(text(item.input)))
                self._assembly.tool_end((key, "call"), native=self._opaque(raw, item))
            case _:
                self._assembly.part(self._opaque(raw, item), (key, "item"))
                self._image(key, item)

    def catch_up(self, output: msgspec.Raw) -> None:
        """Read the output of a terminal event for items that no event of their own completed."""
        told = bool(self._done)
        for index, raw in enumerate(raw_list(output) or ()):
            key = self._keys.get(text(decode(raw, HEAD).id), index)
            # Some gateways put less into the last event than they streamed: positions mean nothing.
            if not told or key in self._begun:
                self.end(raw, key)

    # -- kinds of items ----------------------------------------------------------------------------

    def _end_message(self, key: int | str, item: Item, raw: msgspec.Raw) -> None:
        content = item.content if isinstance(item.content, list) else [item.content]
        natives = pieces.cut(raw, len(content))
        sealed = bool(item.id or item.phase)
        for number, (part, native) in enumerate(zip(content, natives, strict=True)):
            slot = (key, number)
            seal = self._assembly.opaque(native, "message")
            match part:
                case str():
                    self._finish_text(slot, part)
                case {"type": "output_text", "text": str(said)}:
                    self._finish_text(slot, said)
                    tokens = objects(part.get("logprobs")) or self._logprobs.get(slot, [])
                    self._assembly.logprobs(token_logprobs(tokens))
                    for annotation in objects(part.get("annotations"))[self._cited.get(slot, 0) :]:
                        self._cite(annotation)
                case {"type": "refusal", "refusal": str(said)}:
                    self.refused = True
                    self._finish_text(slot, said)
                    self._assembly.seal(seal, slot)
                case _:
                    kind = part.get("type") if isinstance(part, dict) else None
                    unknown = self._assembly.opaque(native, text(kind))
                    self._assembly.part(unknown, (*slot, "part"))
                    continue
            if sealed:
                self._assembly.seal(seal, slot)

    def _finish_text(self, slot: tuple[int | str, int], whole: str) -> None:
        rest = pieces.rest(self._told.get(slot, ()), whole)
        self.text(*slot, rest or "")
        if rest is None:
            self._assembly.replace(whole, slot)
            self._assembly.warnings.append(
                "The pieces of the stream differ from its finished text, which is in the result."
            )

    def _end_reasoning(self, key: int | str, item: Item, raw: msgspec.Raw) -> None:
        texts = {
            "summary": [text(part.get("text")) for part in objects(item.summary)],
            "content": [text(part.get("text")) for part in objects(item.content)],
        }
        source = "summary" if any(texts["summary"]) else "content"
        thought = self._thoughts.get(key) or _Thought(source)
        whole = "\n\n".join(filter(None, texts[thought.source]))
        slot = (key, "reasoning")
        rest = pieces.rest(thought.told, whole)
        self._assembly.reasoning(rest or "", slot)
        if rest is None:
            # At the token limit OpenAI may begin a summary anew and say so only in the end
            # (recorded with gpt-5.6-sol); the result has the final words.
            self._assembly.replace(whole, slot)
        self._assembly.seal(self._opaque(raw, item), slot)

    def _cite(self, annotation: dict[str, Any]) -> None:
        kind = text(annotation.get("type"))
        seal = self._assembly.opaque(pieces.encoded(annotation), kind)
        self._assembly.cite(pieces.citation(annotation, seal))

    def _start_call(self, key: int | str, item: Item) -> None:
        if not self._assembly.has((key, "call")):
            name, call_id = text(item.name), text(item.call_id) or text(item.id)
            self._assembly.tool_start((key, "call"), call_id, name)

    def _is_provider_run(self, item: Item) -> bool:
        # xAI reports the steps of its own x_search as custom tool calls that nobody has to answer:
        # tools [{"type": "x_search"}], call "x_keyword_search" (recorded with grok-4-fast).
        if item.type != "custom_tool_call":
            return False
        tools = {(tool.get("type"), tool.get("name")) for tool in objects(self.tools)}
        return any(kind == "x_search" for kind, _ in tools) and ("custom", item.name) not in tools

    def _image(self, key: int | str, item: Item) -> None:
        if item.type == "image_generation_call":
            reference = pieces.encoded({"type": REFERENCE, "id": text(item.id)})
            image = pieces.picture(item, self._assembly.opaque(reference, REFERENCE))
            if image is not None:
                self._assembly.part(image, (key, "image"))

    def _sealed(self, raw: msgspec.Raw, item: Item) -> Opaque | None:
        """Seal a call that says more than its unified fields; its id ties it to its reasoning."""
        return None if RAW_FIELDS.decode(raw).keys() <= _PLAIN else self._opaque(raw, item)

    def _opaque(self, raw: msgspec.Raw, item: Item) -> Opaque:
        return self._assembly.opaque(jsons.text_of(raw), text(item.type))


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0
