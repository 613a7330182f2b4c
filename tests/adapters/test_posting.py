"""The last step of every builder."""

from __future__ import annotations

import pytest

from fiber.adapters.posting import post
from fiber.types.http import HTTPRequest, Note
from fiber.types.options import chat_request

URL = "http://127.0.0.1/v1/chat"


@pytest.mark.parametrize(
    ("stream", "accepted"),
    [
        (False, (("accept", "application/json"),)),
        (True, (("accept", "text/event-stream"), ("accept-encoding", "identity"))),
    ],
    ids=["plain", "stream"],
)
def test_plain_and_stream_ask_for_their_own_kind_of_answer(stream: bool, accepted: tuple[tuple[str, str], ...]) -> None:
    """A stream wants events and no compression; the format's headers come last, its notes are kept."""
    note = Note("warned", "a", "b")

    made = post(URL, {"a": 1}, chat_request("hi"), [note], stream=stream, headers=(("version", "1"),))

    headers = (("content-type", "application/json"), *accepted, ("version", "1"))
    assert made == HTTPRequest("POST", URL, headers, b'{"a":1}', (note,))


def test_stream_of_another_kind_is_asked_for_by_name() -> None:
    """A format whose streams are no server-sent events says what they are."""
    made = post(URL, {}, chat_request("hi"), [], stream=True, stream_type="application/x-frames")

    assert dict(made.headers)["accept"] == "application/x-frames"


def test_the_caller_has_the_last_word() -> None:
    """Body, query and headers of the caller are merged over the format's, and percent-encoded where needed."""
    request = chat_request(
        "hi",
        extra_body={"a": {"y": 3}},
        extra_query={"alt": "json", "q": "a b&c"},
        extra_headers={"Version": "2"},
    )

    made = post(
        URL, {"a": {"x": 1, "y": 2}}, request, [], stream=False, query={"alt": "sse"}, headers=(("version", "1"),)
    )

    assert made.url == f"{URL}?alt=json&q=a%20b%26c"
    assert made.body == b'{"a":{"x":1,"y":3}}'
    assert [value for name, value in made.headers if name.lower() == "version"] == ["2"]
