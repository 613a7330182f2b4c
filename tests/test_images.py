"""Questions about images."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fiber import ChatMessage, FiberValidationError, Image, Text, compare_images, describe_images, transcribe_images

PNG = b"\x89PNG\r\n\x1a\n rest"
HERE, THERE = Image(data=PNG), Image(url="https://x/a.png", detail="high")
QUESTIONS = {describe_images: "Describe", compare_images: "Compare", transcribe_images: "Write down"}

every_question = pytest.mark.parametrize("ask", QUESTIONS, ids=lambda ask: ask.__name__)


@every_question
def test_question_follows_the_images(ask: Callable[..., ChatMessage]) -> None:
    """A user message has the images in their order, and then one sentence."""
    message = ask(HERE, THERE)

    *images, question = message.parts
    assert message.role == "user"
    assert images == [HERE, THERE]
    assert isinstance(question, Text)
    assert question.text.startswith(QUESTIONS[ask])
    assert question.text.index(".") == len(question.text) - 1


def test_images_can_be_files(tmp_path: Path) -> None:
    """A path is read."""
    (tmp_path / "a.png").write_bytes(PNG)

    message = compare_images(tmp_path / "a.png", str(tmp_path / "a.png"))

    assert message.parts[:2] == (Image(data=PNG, media_type="image/png"),) * 2


def test_detail_is_set_on_all_images() -> None:
    """Given, it wins over that of an image; else each keeps its own."""
    low = describe_images(HERE, THERE, detail="low").parts[:2]

    assert low == (Image(data=PNG, detail="low"), Image(url="https://x/a.png", detail="low"))
    assert (HERE.detail, THERE.detail) == (None, "high")


@pytest.mark.parametrize(
    ("ask", "images", "words"),
    [
        (describe_images, (), "needs 1 or more images, not 0"),
        (transcribe_images, (), "needs 1 or more images, not 0"),
        (compare_images, (HERE,), "needs 2 or more images, not 1"),
        (describe_images, ("a.pdf",), "^'a.pdf' is no image: give Image parts, or paths"),
        (describe_images, (PNG,), "^A bytes is no image: give Image parts, or paths"),
        (describe_images, ("none.png",), "'none.png' cannot be read"),
    ],
    ids=["none", "nothing to read", "one to compare", "document", "bytes", "missing"],
)
def test_question_without_its_images_is_refused(
    ask: Callable[..., ChatMessage], images: Any, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too few, or something else, is an error before anything is sent."""
    monkeypatch.chdir(tmp_path)
    Path("a.pdf").write_bytes(b"%PDF-1.7")

    with pytest.raises(FiberValidationError, match=words) as caught:
        ask(*images)

    assert (caught.value.parameter, caught.value.outcome) == ("messages", "not_sent")
