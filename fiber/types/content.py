"""
Content parts: what a message is made of.

All are frozen. `native` on a part is the provider's own JSON for it, exactly as received; it is sent back only
to the provider and host it came from, instead of the part's other fields. To change such a part, make a new one.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from fiber._errors import FiberValidationError
from fiber.types.jsons import json_of, parse_json

T = TypeVar("T")

CacheHint: TypeAlias = Literal["ephemeral", "extended"]
"""Prompt caching asked of the provider up to and including this item: 5 minutes, or 1 hour."""

ImageDetail: TypeAlias = Literal["auto", "low", "high", "original"]


class Opaque(msgspec.Struct, frozen=True, tag="opaque", omit_defaults=True):
    """
    JSON of one provider that this library only carries.

    Attributes:
        data: JSON text, exactly as received or as the caller wrote it.
        provider: Row name it belongs to; empty means whichever provider is called.
        host: Host it came from; empty means any host of the provider.
        kind: The provider's word for it, like `server_tool_use`.
    """

    data: str
    provider: str = ""
    host: str = ""
    kind: str = ""

    @classmethod
    def of(cls, value: Any, *, provider: str = "", host: str = "") -> Opaque:
        """
        Encode *value* (anything msgspec writes as JSON) as an opaque part.

        Raises:
            FiberValidationError: JSON cannot say it.
        """
        kind = value.get("type", "") if isinstance(value, dict) else ""
        try:
            data = msgspec.json.encode(value).decode()
        except (TypeError, ValueError, RecursionError) as error:
            raise FiberValidationError(f"An opaque part must be JSON: {error}.", parameter="messages") from None
        return cls(data, provider, host, kind if isinstance(kind, str) else "")

    def fits(self, provider: str, host: str) -> bool:
        """Say whether this part may be sent to *provider* at *host*."""
        return self.provider in ("", provider) and self.host in ("", host)

    def value(self) -> Any:
        """Decode `data`."""
        return msgspec.json.decode(self.data)


class Text(msgspec.Struct, frozen=True, tag="text", omit_defaults=True):
    """Plain text."""

    text: str
    cache_hint: CacheHint | None = None
    native: Opaque | None = None

    @classmethod
    def of(cls, value: Any, *, cache_hint: CacheHint | None = None) -> Text:
        """
        Write a structured *value* as JSON: the same text for equal values, whatever the order of their names.

        Args:
            value: A Struct, dataclass, dict, list, ..., or pydantic model.

        Raises:
            FiberValidationError: JSON cannot say it, NaN and infinity included.
        """
        return cls(json_of(value), cache_hint)


class Media(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """
    What images, audio and documents share: exactly one of three sources.

    Attributes:
        url: `https:` address, `data:` URL, or a provider's file URI.
        data: The bytes themselves; sent as base64.
        file_id: Handle of a file that the provider already has.
        media_type: MIME type; sniffed from `data` when empty.
    """

    url: str | None = None
    data: bytes | None = None
    file_id: str | None = None
    media_type: str = ""
    cache_hint: CacheHint | None = None
    native: Opaque | None = None

    def __post_init__(self) -> None:
        kind = type(self).__name__
        sources = [s for s in (self.url, self.data, self.file_id) if s is not None]
        if len(sources) != 1:
            raise FiberValidationError(
                f"{kind} needs exactly one of url, data and file_id, got {len(sources)}.",
                parameter="messages",
            )
        if not sources[0]:
            raise FiberValidationError(f"{kind} is empty: give it content.", parameter="messages")
        for name, wanted in (("url", str), ("data", bytes), ("file_id", str)):
            source = getattr(self, name)
            if source is not None and not isinstance(source, wanted):
                raise FiberValidationError(
                    f"{kind}.{name} must be {wanted.__name__}, not {type(source).__name__}.", parameter="messages"
                )


class Image(Media, frozen=True, tag="image", kw_only=True):
    """A picture; `detail` is the resolution asked for, where the provider has such a switch."""

    detail: ImageDetail | None = None


class Audio(Media, frozen=True, tag="audio", kw_only=True):
    """A sound; `media_type` defaults to what the bytes say, else `audio/wav`."""

    transcript: str = ""


class Document(Media, frozen=True, tag="document", kw_only=True):
    """A PDF or text file; `citations` asks the provider to cite it, where it can."""

    filename: str = ""
    title: str = ""
    context: str = ""
    citations: bool = False


class ToolCall(msgspec.Struct, frozen=True, tag="tool-call", omit_defaults=True):
    """
    The model asks for a tool to be run.

    Attributes:
        id: Correlates with `ToolResult.call_id`.
        name: Name of the tool.
        arguments_json: Arguments as the provider wrote them; not always valid JSON.
        left_out: Members of the arguments, as JSON Pointers, whose null means that they were left out: a strict mode
            has every member there, so an optional one was sent as nullable.
    """

    id: str
    name: str
    arguments_json: str = "{}"
    native: Opaque | None = None
    left_out: tuple[str, ...] = ()

    @property
    def arguments(self) -> Any:
        """
        The arguments as a Python value, a `dict` when the model obeyed the schema; without what was left out.

        Raises:
            FiberParsingError: `arguments_json` is not valid JSON; it is never repaired.
        """
        return self._read(None)

    @property
    def partial_arguments(self) -> Any:
        """
        The arguments as far as they have come, None before they begin; for the calls of `stream.partial`.

        Raises:
            FiberParsingError: They cannot become JSON; see `partial_json`.
        """
        from fiber.types.partial import partial_json  # compiles its patterns, 2 ms: only for those who look

        return partial_json(self.arguments_json)

    def parse(self, kind: type[T]) -> T:
        """
        Return the arguments as a checked value of *kind*.

        Args:
            kind: A msgspec Struct, dataclass, TypedDict, builtin generic or pydantic model.

        Raises:
            FiberParsingError: `arguments_json` is not valid JSON or does not fit *kind*; it is never repaired.
        """
        value: T = self._read(kind)
        return value

    def _read(self, kind: Any) -> Any:
        text = self.arguments_json
        if self.left_out:
            from fiber.types.omitted import without  # for the few calls that need it

            text = msgspec.json.encode(without(msgspec.json.decode(text), self.left_out)).decode()
        return parse_json(
            text,
            kind,
            subject=f"The model's arguments for tool {self.name!r} (call {self.id!r}) are",
            advice="Read arguments_json for the text, or ask the model again.",
        )


class ToolResult(msgspec.Struct, frozen=True, tag="tool-result", omit_defaults=True):
    """
    What a tool returned.

    Attributes:
        call_id: `ToolCall.id` it answers.
        content: Text, or parts (text, images, documents) where the provider takes them.
        name: Name of the tool; found in the history when empty.
        is_error: The tool failed; `content` says how.
    """

    call_id: str
    content: str | tuple[Text | Image | Document | Opaque, ...] = ""
    name: str = ""
    is_error: bool = False
    cache_hint: CacheHint | None = None
    native: Opaque | None = None

    @property
    def text(self) -> str:
        """All text of the result, joined."""
        if isinstance(self.content, str):
            return self.content
        return "".join(part.text for part in self.content if isinstance(part, Text))


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning", omit_defaults=True):
    """
    The model's thinking.

    `text` is what may be shown: the thinking or a summary of it, empty when the provider hides it. Only `native`
    (with its signature or ciphertext) can be sent back, and only to where it came from; `text` is never sent.
    """

    text: str = ""
    native: Opaque | None = None


Part: TypeAlias = Text | Image | Audio | Document | ToolCall | ToolResult | Reasoning | Opaque

_SIGNATURES: tuple[tuple[bytes, int, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", 0, "image/png"),
    (b"\xff\xd8\xff", 0, "image/jpeg"),
    (b"GIF8", 0, "image/gif"),
    (b"WEBP", 8, "image/webp"),
    (b"WAVE", 8, "audio/wav"),
    (b"ID3", 0, "audio/mpeg"),
    (b"\xff\xfb", 0, "audio/mpeg"),
    (b"\xff\xf3", 0, "audio/mpeg"),
    (b"OggS", 0, "audio/ogg"),
    (b"fLaC", 0, "audio/flac"),
    (b"%PDF-", 0, "application/pdf"),
)
_FALLBACKS = {"Image": "", "Audio": "audio/wav", "Document": ""}


def sniffed(data: bytes) -> str:
    """Return the MIME type that the first bytes of *data* tell, or an empty string."""
    found = (media_type for magic, offset, media_type in _SIGNATURES if data.startswith(magic, offset))
    return next(found, "")


def media_type_of(part: Media) -> str:
    """
    Return the MIME type of *part*: as given, else from its first bytes or its `data:` URL.

    Raises:
        FiberValidationError: It cannot be told; the caller has to set `media_type`.
    """
    if part.media_type:
        return part.media_type
    if part.url is not None and part.url.startswith("data:"):
        return part.url[5:].split(";", 1)[0].split(",", 1)[0] or "text/plain"
    if part.data is not None and (media_type := sniffed(part.data)):
        return media_type
    fallback = _FALLBACKS.get(type(part).__name__, "")
    if not fallback and isinstance(part, Document) and part.data is not None:
        try:
            part.data.decode()
        except UnicodeDecodeError:
            pass
        else:
            return "text/plain"
    if fallback:
        return fallback
    raise FiberValidationError(
        f"The media type of this {type(part).__name__} cannot be told from its content: set media_type.",
        parameter="messages",
    )
