"""Images, documents and sounds."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from typing import Any

import pytest

from fiber._errors import FiberCapabilityError, FiberValidationError
from fiber.types.content import Audio, Document, Image, Media
from fiber.types.http import HTTPRequest
from fiber.types.messages import ChatMessage

Ask = Callable[..., HTTPRequest]
Body = Callable[..., Any]
Notes = Callable[..., list[str]]

PNG, PDF, WAV = b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", b"RIFF\0\0\0\0WAVE"
OFFICE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


def coded(data: bytes) -> dict[str, str]:
    """Bytes as a source."""
    return {"bytes": b64encode(data).decode()}


@pytest.mark.parametrize(
    ("part", "block"),
    [
        (Image(data=PNG), {"image": {"format": "png", "source": coded(PNG)}}),
        (
            Image(url="data:image/webp;base64,AAAA"),
            {"image": {"format": "webp", "source": {"bytes": "AAAA"}}},
        ),
        (
            Image(url="s3://bucket/a.jpg", media_type="image/jpeg"),
            {"image": {"format": "jpeg", "source": {"s3Location": {"uri": "s3://bucket/a.jpg"}}}},
        ),
        (Audio(data=WAV), {"audio": {"format": "wav", "source": coded(WAV)}}),
        (Audio(data=b"x", media_type="audio/mpeg"), {"audio": {"format": "mp3", "source": coded(b"x")}}),
        (Document(data=PDF), {"document": {"format": "pdf", "source": coded(PDF), "name": "document"}}),
        (
            Document(data=b"x", media_type=OFFICE, filename="My_report v1.2.docx", context="From 2025."),
            {
                "document": {
                    "format": "docx",
                    "source": coded(b"x"),
                    "name": "My report v1 2 docx",
                    "context": "From 2025.",
                }
            },
        ),
        (
            Document(data=b"a,b", media_type="text/csv", title="Table (1)", citations=True),
            {
                "document": {
                    "format": "csv",
                    "source": coded(b"a,b"),
                    "name": "Table (1)",
                    "citations": {"enabled": True},
                }
            },
        ),
        (
            Document(url="data:text/x-rst,a%20b"),
            {"document": {"format": "txt", "source": coded(b"a b"), "name": "document"}},
        ),
    ],
)
def test_media_are_sent_as_bytes_or_from_s3(part: Media, block: dict[str, Any], body: Body, notes: Notes) -> None:
    """Each kind has its block, with the format's own word for the media type."""
    message = ChatMessage.user([part])  # type: ignore[list-item]

    assert body(message)["messages"][0]["content"] == [block]
    assert notes(message) == []


def test_names_of_documents_are_never_the_same(body: Body) -> None:
    """Two documents of one name are a 400, in whichever messages they stand; names have at most 200 characters."""
    first = ChatMessage.user([Document(data=PDF, filename="a"), Document(data=PDF, filename="a")])
    second = ChatMessage.user([Document(data=PDF, title="a"), Document(data=PDF, title="b" * 300)])

    content = body(first, ChatMessage.assistant("ok"), second)["messages"]

    names = [block["document"]["name"] for message in content for block in message["content"] if "document" in block]
    assert names == ["a", "a (2)", "a (3)", "b" * 195]


@pytest.mark.parametrize(
    ("part", "subject"),
    [
        (Image(url="https://example.com/a.png", media_type="image/png"), "Image content"),
        (Image(data=b"BM", media_type="image/bmp"), "Image content"),
        (Document(file_id="file_1", media_type="application/pdf"), "Document content"),
        (Document(data=b"x", media_type="application/zip"), "Document content"),
        (Audio(data=b"x", media_type="audio/midi"), "Audio content"),
    ],
)
def test_what_converse_cannot_read_is_refused(part: Media, subject: str, ask: Ask) -> None:
    """It fetches no URL, has no files, and knows certain formats only."""
    message = ChatMessage.user([part])  # type: ignore[list-item]

    with pytest.raises(FiberCapabilityError) as caught:
        ask(message)

    assert caught.value.parameter == subject


def test_media_of_unknown_type_need_one(ask: Ask) -> None:
    """An object in S3 does not tell what it is."""
    with pytest.raises(FiberValidationError, match="media_type"):
        ask(ChatMessage.user([Document(url="s3://bucket/a")]))


@pytest.mark.parametrize(
    ("part", "model", "expected"),
    [
        (Image(data=PNG, detail="high"), "anthropic.claude-sonnet-4-6", ["dropped image detail"]),
        (Image(data=PNG, detail="auto"), "anthropic.claude-sonnet-4-6", []),
        (Document(data=PDF, citations=True), "amazon.nova-lite-v1:0", ["dropped citations"]),
    ],
)
def test_wishes_that_are_not_sent_are_noted(part: Media, model: str, expected: list[str], notes: Notes) -> None:
    """The part itself goes."""
    assert notes(ChatMessage.user([part]), model=model) == expected  # type: ignore[list-item]
