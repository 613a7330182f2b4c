"""Characters that a server cut in two."""

from __future__ import annotations

import json

import pytest

from fiber.adapters.surrogates import Rejoiner
from fiber.framing.sse import Frame


def frame(text: str) -> Frame:
    """Make a frame whose JSON holds *text* as it stands."""
    return Frame("", f'{{"t":"{text}"}}'.encode())


def passed(*texts: str) -> list[str]:
    """Pass frames through and return what is in them."""
    rejoiner = Rejoiner()
    frames = [ready for text in texts for ready in rejoiner.feed([frame(text)])] + rejoiner.finish()
    return [found.data.decode()[6:-2] for found in frames]


@pytest.mark.parametrize(
    ("sent", "received"),
    [
        (["a", "b"], ["a", "b"]),
        ([r"a\ud83d", r"\udc4bb"], ["a", r"\ud83d\udc4bb"]),
        ([r"\uD83D", r"\uDC4B"], ["", r"\uD83D\uDC4B"]),
        ([r"a\ud83d", r"\udc4b\ud83d", r"\ude00"], ["a", r"\ud83d\udc4b", r"\ud83d\ude00"]),
        ([r"\ud83d\ude00", "x"], [r"\ud83d\ude00", "x"]),
        ([r"a\ud83d", "x"], [r"a\ud83d", "x"]),
        ([r"a\ud83d"], [r"a\ud83d"]),
        (["x", r"\udc4b"], ["x", r"\udc4b"]),
        ([r"a\\ud83d", r"\udc4b"], [r"a\\ud83d", r"\udc4b"]),
        ([r"a\\\ud83d", r"\udc4b"], [r"a\\", r"\ud83d\udc4b"]),
    ],
    ids=[
        "none",
        "one",
        "upper case",
        "two in a row",
        "a whole one",
        "no second half",
        "at the end",
        "no first half",
        "an escaped backslash",
        "a backslash before",
    ],
)
def test_halves_meet_again(sent: list[str], received: list[str]) -> None:
    """A first half moves to the second half that begins the next frame; a half alone stays as it came."""
    assert passed(*sent) == received


def test_every_half_of_a_frame_moves() -> None:
    """A frame that repeats its text (for log probabilities, say) has several halves; each finds its own."""
    rejoiner = Rejoiner()
    first = Frame("e", rb'{"a":"\ud83d","b":["x\ud83d"]}')
    second = Frame("e", rb'{"a":"\udc4b!","b":["\udc4b"]}')

    one, two = rejoiner.feed([first, second])

    assert json.loads(one.data) == {"a": "", "b": ["x"]}
    assert json.loads(two.data) == {"a": "\U0001f44b!", "b": ["\U0001f44b"]}


def test_frames_without_halves_are_not_touched() -> None:
    """The common case costs a search and hands the same list back."""
    frames = [frame("hello"), frame(r"é")]

    assert Rejoiner().feed(frames) is frames
