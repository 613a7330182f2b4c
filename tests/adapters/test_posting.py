"""The last step of every builder."""

from __future__ import annotations

import pytest

from fiber.adapters.posting import post
from fiber.types.draft import Draft
from fiber.types.http import HTTPRequest, Note
from fiber.types.options import chat_request
from fiber.types.reading import Reading
from fiber.types.request import ChatRequest
from fiber.types.target import Target

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


def test_the_row_has_its_say_before_the_caller() -> None:
    """A hook changes URL, body, query, headers and notes; what the caller adds is merged over that."""

    def moved(draft: Draft, request: ChatRequest, target: Target) -> Draft:
        draft.notes.append(Note("mapped", target.model, str(draft.stream)))
        body = {"first": request.messages[0].text, **draft.body}
        return draft._replace(url="http://127.0.0.1/v2", body=body, query={"v": "2"}, headers=(("b", "2"),))

    target = Target(provider="row", model="m", base_url=URL, adapt_request=moved)
    request = chat_request("hi", extra_body={"first": "mine"})

    made = post(URL, {"a": 1}, request, [], stream=True, query={"v": "1"}, headers=(("a", "1"),), target=target)

    assert made.url == "http://127.0.0.1/v2?v=2"
    assert made.body == b'{"first":"mine","a":1}'
    assert made.headers[-1] == ("b", "2")
    assert made.notes == (Note("mapped", "m", "True"),)


def test_a_row_without_a_hook_says_nothing() -> None:
    """With a target and without, the request is the same."""
    target = Target(provider="row", model="m", base_url=URL)
    request = chat_request("hi")

    assert post(URL, {"a": 1}, request, [], stream=False, target=target) == post(
        URL, {"a": 1}, request, [], stream=False
    )


def test_how_the_answer_is_read_goes_along() -> None:
    """What the builder knows of the answer is on the request, and is not sent."""
    reading = Reading("value")

    built = post(URL, {}, chat_request("hi"), (), stream=False, reading=reading)

    assert (built.reading, built.body) == (reading, b"{}")
