"""HTTP values and secrets."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fiber.types.http import HTTPHead, HTTPRequest, Note, Secret

KEY = "sk-live-0123456789"


@pytest.mark.parametrize(
    "render",
    [
        repr,
        str,
        "{}".format,
        "{!r}".format,
        "{:>40}".format,
        lambda secret: f"{secret}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - the old spelling must mask too
        lambda secret: repr([secret]) + str({"k": secret}),
        lambda secret: repr(HTTPRequest("POST", "https://h", (("authorization", secret),))),
        lambda secret: json.dumps({"k": secret}, default=str),
        lambda secret: json.dumps({"k": secret}, default=repr),
        lambda secret: repr(dir(secret)),
        lambda secret: repr(hash(secret)),
    ],
)
def test_secret_is_masked(render: Callable[[Secret], str]) -> None:
    """No rendering of a secret, alone or inside another value, shows it."""
    assert KEY not in render(Secret(KEY))


@pytest.mark.parametrize(
    "write",
    [pickle.dumps, copy.copy, copy.deepcopy, msgspec.json.encode, msgspec.msgpack.encode, json.dumps, vars],
    ids=lambda write: f"{write.__module__}.{write.__name__}",
)
def test_secret_leaves_no_process(write: Callable[[Any], Any]) -> None:
    """A secret can be neither pickled nor written as JSON."""
    with pytest.raises(TypeError) as caught:
        write(Secret(KEY))

    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_secret_is_not_pickled_by_any_protocol(protocol: int) -> None:
    """Every pickle protocol is refused, with what to do instead."""
    with pytest.raises(TypeError, match="pass the key again"):
        pickle.dumps(Secret(KEY), protocol)


def test_secret_is_revealed_on_demand() -> None:
    """The one who sends it can read it."""
    assert Secret(KEY).reveal() == KEY


def test_secrets_compare_by_value() -> None:
    """Equal secrets are equal and hash alike; a secret is never equal to its text."""
    assert Secret(KEY) == Secret(KEY)
    assert hash(Secret(KEY)) == hash(Secret(KEY))
    assert Secret(KEY) != Secret("other")
    assert Secret(KEY) != KEY


def test_empty_secret_is_false() -> None:
    """A secret is true when there is one."""
    assert Secret(KEY)
    assert not Secret("")


def test_headers_are_added_and_replaced() -> None:
    """A further header replaces one of the same name, whatever its case, and leaves the request as it was."""
    request = HTTPRequest("POST", "https://h", (("accept", "a"), ("X-Key", "old")))

    signed = request.with_headers(("x-key", Secret(KEY)), ("x-more", "1"))

    assert signed.headers == (("accept", "a"), ("x-key", Secret(KEY)), ("x-more", "1"))
    assert request.headers == (("accept", "a"), ("X-Key", "old"))


def test_note_is_a_sentence() -> None:
    """A note reads as subject, kind and detail."""
    assert str(Note("dropped", "seed", "no such thing")) == "seed dropped: no such thing"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("application/json", "application/json"),
        ("Text/Event-Stream; charset=utf-8", "text/event-stream"),
        (" text/html ", "text/html"),
        ("", ""),
    ],
)
def test_content_type_is_without_parameters(value: str, expected: str) -> None:
    """The content type is lower-case and without parameters."""
    assert HTTPHead(200, {"content-type": value}).content_type == expected


def test_content_type_may_be_missing() -> None:
    """A head without a content type has an empty one."""
    assert HTTPHead(200).content_type == ""
