"""
What a recipe sees, what a fault is, and the answers that recipes start from.

A recipe is a pure function from a `Scene` to actions: no socket, no clock, no randomness.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

from fiber.testing.answers import usual_reply
from fiber.testing.formats import Format
from fiber.testing.hostile.actions import Action, End, Head, Part
from fiber.testing.script import Failure, Reply
from fiber.testing.view import ChatView

Mode: TypeAlias = Literal["whole", "stream"]
Greeting: TypeAlias = Literal[
    "good", "wrong-host", "expired", "untrusted", "too-old", "cut", "reset", "stall", "plain", "unasked"
]
"""How a server answers the handshake of TLS; `unasked`: well, but the URL says http."""

Half = TypeVar("Half", bytes, list[bytes])

MARK = "\x7f"
"""Stands in the text of a reply where other bytes will be put; JSON leaves this character as it is."""
_ALL_MODES: frozenset[Mode] = frozenset({"whole", "stream"})
PLAIN_FORMATS = frozenset({"replicate"})
"""Formats whose streams are plain text, in server-sent events; they know no tools."""
JSON_EVENT_FORMATS = frozenset({"openai_chat", "openai_responses", "anthropic", "gemini", "cohere"})
"""Formats whose streams are JSON in server-sent events."""
EVENT_FORMATS = JSON_EVENT_FORMATS | PLAIN_FORMATS
"""Formats whose streams are server-sent events."""
TEXT_FORMATS = EVENT_FORMATS | {"ollama"}
"""Formats whose streams are text; that of Bedrock is framed in bytes, with a checksum."""
_ALL_FORMATS = TEXT_FORMATS | {"bedrock_converse"}
JSON_FORMATS = _ALL_FORMATS - PLAIN_FORMATS
"""Formats whose answers and events are JSON alike; they know tools."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """
    One request in the eyes of a recipe.

    Attributes:
        view: What is asked.
        number: Counts the requests of the server from 1.
        nth: Counts the requests that met this fault from 1.
        nth_on_connection: Counts the requests on this connection from 1.
        models: Body of the answer when the list of models is asked, else None.
        api_key: The key that came.
        origin: The server's address, without a path.
        rest: Path and query behind the fault's name.
        now: Seconds since 1970, for HTTP dates.
        slow_seconds: What is slow takes so long.
        tick_seconds: Between two signs of life.
        limit_seconds: No recipe lasts longer.
        bulk_bytes: What is huge decodes to so much.
        flood_events: What is many is so many.
    """

    format: Format
    view: ChatView
    number: int = 1
    nth: int = 1
    nth_on_connection: int = 1
    models: bytes | None = None
    api_key: str = ""
    origin: str = ""
    rest: str = ""
    now: float = 0.0
    slow_seconds: float = 1.0
    tick_seconds: float = 0.02
    limit_seconds: float = 60.0
    bulk_bytes: int = 256 * 1024 * 1024
    flood_events: int = 100_000

    @property
    def streams(self) -> bool:
        """The client asked for a stream."""
        return self.view.stream

    @property
    def ticks(self) -> range:
        """Counts the signs of life until the limit."""
        return range(int(self.limit_seconds / self.tick_seconds))

    def reply(self, more: str = "") -> Reply:
        """Return the good reply, which repeats the user, with *more* text at its end."""
        reply = usual_reply(self.view)
        return replace(reply, text=reply.text + more, words_per_event=1)

    def body(self, reply: Reply | None = None) -> bytes:
        """Return the body of a whole answer."""
        if self.models is not None:
            return self.models
        return self.format.whole(self.view, reply or self.reply(), self.number)

    def events(self, reply: Reply | None = None) -> list[bytes]:
        """Return the events of a streamed answer."""
        return self.format.frames(self.view, reply or self.reply(), self.number)

    def headers(self) -> dict[str, str]:
        """Return the provider's headers of a good answer."""
        kind = self.format.stream_type(self.view) if self.streams else self.format.content_type
        return {"content-type": kind, **self.format.headers(self.number)}


Recipe: TypeAlias = Callable[[Scene], Iterable[Action]]


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One way to misbehave.

    Attributes:
        name: Stands in the URL.
        matrix: Group and number: C connection, S status, B body, E stream; empty for a good answer.
        meaning: What happens, in one sentence.
        play: The recipe.
        modes: Kinds of chat that it concerns; others get a good answer.
        formats: Formats that can have it; others get a good answer.
        json: It is about JSON, which streams of plain text have not.
        tls: How the handshake goes, for a fault that needs a server with TLS; None for one that does not.
    """

    name: str
    matrix: str
    meaning: str
    play: Recipe
    modes: frozenset[Mode] = _ALL_MODES
    formats: frozenset[str] = _ALL_FORMATS
    json: bool = False
    tls: Greeting | None = None

    def concerns(self, format: str, mode: Mode) -> bool:
        """Tell whether a request of this format and kind meets the fault."""
        has_json = mode == "whole" or format not in PLAIN_FORMATS
        return format in self.formats and mode in self.modes and (has_json or not self.json)


def whole(scene: Scene, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> list[Action]:
    """Send *body* at once, with its length; *headers* go over the provider's."""
    return [Head(status, {**scene.headers(), **(headers or {})}, length=len(body)), Part(body), End()]


def opened(scene: Scene, headers: Mapping[str, str] | None = None) -> Head:
    """Begin an answer in chunks."""
    return Head(headers={**scene.headers(), **(headers or {})})


def streamed(scene: Scene, parts: Iterable[bytes], headers: Mapping[str, str] | None = None) -> list[Action]:
    """Send *parts*, a chunk each, and end well."""
    return [opened(scene, headers), *map(Part, parts), End()]


def good(scene: Scene, reply: Reply | None = None) -> list[Action]:
    """Answer well."""
    return streamed(scene, scene.events(reply)) if scene.streams else whole(scene, scene.body(reply))


def refused(scene: Scene, failure: Failure, headers: Mapping[str, str] | None = None) -> list[Action]:
    """Refuse in the provider's own shape."""
    status, own, body = scene.format.error(failure, scene.view.model, scene.api_key)
    typed = {"content-type": scene.format.content_type}
    return whole(scene, body, status, {**typed, **own, **(headers or {})})


def once(recipe: Recipe) -> Recipe:
    """Make a recipe that is played for the first request and forgiven afterwards."""
    return lambda scene: recipe(scene) if scene.nth == 1 else good(scene)


def half(items: Half) -> Half:
    """Return the first half; of a stream, that ends behind a piece of text and before the last one."""
    return items[: len(items) // 2]


def middle(events: Sequence[bytes]) -> int:
    """Return the place of an event that carries a piece of the text."""
    return max(0, len(events) // 2 - 1)
