"""Questions about images, as messages."""

from __future__ import annotations

from os import PathLike
from pathlib import PurePath
from typing import Any, TypeAlias

import msgspec

from fiber._errors import FiberValidationError
from fiber._files import read_part
from fiber.types.content import Image, ImageDetail, Text
from fiber.types.messages import ChatMessage

ImageSource: TypeAlias = Image | str | PathLike[str]
"""An image, or the path of its file."""


def describe_images(*images: ImageSource, detail: ImageDetail | None = None) -> ChatMessage:
    """
    Make a message that asks what can be seen.

    Args:
        images: At least one image, or path of its file.
        detail: Resolution asked for all of them, where the provider has such a switch; None leaves each as it is.

    Raises:
        FiberValidationError: There is no image, or a file that cannot be read or is no image.
    """
    return _asked("Describe what can be seen, image by image.", images, 1, detail)


def compare_images(*images: ImageSource, detail: ImageDetail | None = None) -> ChatMessage:
    """
    Make a message that asks what images share and how they differ; they are two or more, as in `describe_images`.

    Raises:
        FiberValidationError: There are fewer than two, or a file that cannot be read or is no image.
    """
    return _asked("Compare these images: say what they share and how they differ.", images, 2, detail)


def transcribe_images(*images: ImageSource, detail: ImageDetail | None = None) -> ChatMessage:
    """
    Make a message that asks for the text in the images, word for word; arguments are those of `describe_images`.

    Raises:
        FiberValidationError: There is no image, or a file that cannot be read or is no image.
    """
    return _asked("Write down all text, image by image, word for word, and nothing else.", images, 1, detail)


def _asked(question: str, images: tuple[ImageSource, ...], least: int, detail: ImageDetail | None) -> ChatMessage:
    if len(images) < least:
        raise _wrong(f"This question needs {least} or more images, not {len(images)}.")
    # Anthropic asks for images before text, https://platform.claude.com/docs/en/build-with-claude/vision.
    return ChatMessage.user([*(_image(image, detail) for image in images), Text(question)])


def _image(source: ImageSource, detail: ImageDetail | None) -> Image:
    part: Any = source
    name = f"A {type(source).__name__}"
    if isinstance(source, str | PathLike):
        part, name = read_part(source), repr(PurePath(source).name)
    if not isinstance(part, Image):
        raise _wrong(f"{name} is no image: give Image parts, or paths of image files.")
    return part if detail is None else msgspec.structs.replace(part, detail=detail)


def _wrong(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="messages", outcome="not_sent")
