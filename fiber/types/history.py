"""The messages of a conversation as a value that lasts: written, read, and cut to fit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

import msgspec

from fiber._errors import FiberContextLengthError, FiberParsingError, FiberValidationError
from fiber.types.messages import ChatMessage

VERSION = 1
"""Of the written form; a reader refuses a newer one rather than lose what it does not know."""

Messages: TypeAlias = tuple[ChatMessage, ...]
Trim: TypeAlias = Callable[[Messages, int], Messages]

_INSTRUCTIONS = ("system", "developer")


class History(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What was said in a conversation.

    Attributes:
        id: Its name.
        revision: How often it was saved.
        response_id: The provider's id of the last answer, where it has one.
        provider: Row that gave it.
    """

    id: str
    messages: Messages = ()
    revision: int = 0
    response_id: str | None = None
    provider: str = ""

    def written(self) -> bytes:
        """
        Return it as JSON, with everything that a provider may want back.

        Raises:
            FiberValidationError: The metadata of a message is no JSON.
        """
        try:
            return msgspec.json.encode(_Written(version=VERSION, history=self))
        except (TypeError, ValueError, RecursionError) as error:
            raise FiberValidationError(
                f"The conversation {self.id!r} cannot be written: {error}.", parameter="messages"
            ) from None


class _Written(msgspec.Struct, frozen=True):
    version: int
    history: History


class _Version(msgspec.Struct):
    version: int


_READER, _VERSION = msgspec.json.Decoder(_Written), msgspec.json.Decoder(_Version)


def read(data: bytes) -> History:
    """
    Return the history that *data* is.

    Raises:
        FiberParsingError: It is damaged, or was written by a newer release.
    """
    try:
        version = _VERSION.decode(data).version
        if version == VERSION:
            return _READER.decode(data).history
    except (ValueError, RecursionError) as error:
        raise FiberParsingError(f"A saved conversation cannot be read: {error}.") from None
    raise FiberParsingError(
        f"A saved conversation has version {version}, and this release reads {VERSION}: install a newer one."
    )


def trimmed(messages: Messages, most: int, tokens: Callable[[Sequence[ChatMessage]], int]) -> Messages:
    """
    Leave out the oldest turns until *messages* are *most* tokens, as *tokens* counts them.

    A turn begins with a message of the user and goes on to the next one, so that no call is parted from its result.
    Instructions at the beginning stay, and so does the last turn.

    Raises:
        FiberContextLengthError: These alone are more.
    """
    leading = next((at for at, each in enumerate(messages) if each.role not in _INSTRUCTIONS), len(messages))
    head, turns = messages[:leading], list(_turns(messages[leading:]))
    weights = [tokens(turn) for turn in turns]
    total = tokens(head) + sum(weights)
    left_out = 0
    while total > most and left_out < len(turns) - 1:
        total -= weights[left_out]
        left_out += 1
    if total > most:
        raise FiberContextLengthError(
            f"The last turn and the instructions are about {total} tokens, more than the {most} that may be sent: say"
            " less, or raise max_input_tokens.",
            outcome="not_sent",
        )
    return (*head, *(message for turn in turns[left_out:] for message in turn))


def _turns(messages: Messages) -> Iterator[Messages]:
    starts = [at for at, message in enumerate(messages) if message.role == "user" and at > 0]
    # Several messages of the user in a row are one turn.
    starts = [at for at in starts if messages[at - 1].role != "user"]
    yield from (messages[begin:end] for begin, end in zip([0, *starts], [*starts, len(messages)], strict=True))
