"""Answers whose schema has a root that a provider does not take: sent inside of an object, and read out of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import anyio
import msgspec
import pytest

from fiber import (
    Cache,
    Fiber,
    FiberParsingError,
    GrowingValue,
    MessageStart,
    Restart,
    RetryPolicy,
    TextDelta,
    openai_compatible,
)
from fiber.testing import Failure, MockServer, Reply
from fiber.testing.fake import sse_reply
from tests.kit import START, piece, refused, scripted, streamed, whole

WRAPPING = ("openai:gpt-mock", "openai-responses:gpt-mock", "cohere:command-mock")
OTHERS = ("anthropic:claude-mock", "gemini:gemini-mock", "ollama:llama-mock", "mine:any-mock")


class River(msgspec.Struct):
    """One member is optional."""

    name: str
    length_km: int = 0


class Lake(msgspec.Struct, tag=True):
    """One of a union."""

    name: str


class Sea(msgspec.Struct, tag=True):
    """Another of it."""

    salt: float


RHINE = River("Rhine", 1233)
RIVERS = '{"value":[{"name":"Rhine","length_km":1233},{"name":"Aare","length_km":null}]}'
EXPECTED = [RHINE, River("Aare")]


@pytest.fixture(scope="module")
def server() -> Iterator[MockServer]:
    """Run one mock server for all providers."""
    with MockServer() as running:
        yield running


@pytest.fixture(scope="module")
def fiber(server: MockServer) -> Iterator[Fiber]:
    """Make one client for all providers, a user's own row included."""
    families = ("openai", "anthropic", "gemini", "cohere", "ollama")
    client = Fiber(
        api_keys=dict.fromkeys(families, "key"),
        base_urls={family: server.base_url(family) for family in families},  # type: ignore[arg-type]
        providers=[openai_compatible("mine", server.base_url("openai"))],
        retry=RetryPolicy(max_attempts=1),
    )
    yield client
    client.sync.close()


@pytest.mark.parametrize("model", [*WRAPPING, *OTHERS])
@pytest.mark.parametrize(
    ("kind", "value"), [(list[int], [1, 2]), (int | str, "x"), (bool, True), (Lake | Sea, Lake("Como"))], ids=str
)
def test_any_root_can_be_asked_for_everywhere(
    fiber: Fiber, server: MockServer, model: str, kind: Any, value: Any
) -> None:
    """The value is the same, whole and streamed; only the text, and the receipt, tell where it was inside an object."""
    said = msgspec.json.encode(value).decode()
    wraps = model in WRAPPING
    server.reply(Reply(f'{{"value": {said}}}' if wraps else said), times=2)

    result = fiber.sync.chat("What?", model=model, response_format=kind)
    with fiber.sync.chat_stream("What?", model=model, response_format=kind) as stream:
        growing = GrowingValue[Any](kind)
        for event in stream:
            growing.feed(event)

    assert result.parsed == stream.result.parsed == growing.finish() == value
    assert result.json() == msgspec.json.decode(said)
    assert result.json(kind) == stream.result.json(kind, lenient=True) == value
    assert result.json_member == stream.result.json_member == ("value" if wraps else "")
    assert (result.text == said) is not wraps
    assert any("sent as the member 'value'" in line for line in result.receipt.mapped) is wraps


async def on_loop(fiber: Fiber, **options: Any) -> Any:
    """Stream asynchronously; return what grew, and the result."""
    growing = GrowingValue[Any](options["response_format"])
    async with fiber.chat_stream("Rivers?", **options) as stream:
        values = [value async for event in stream if (value := growing.feed(event)) is not None]
    return values, stream.result


def blocking(fiber: Fiber, **options: Any) -> Any:
    """Stream in blocking code; return what grew, and the result."""
    growing = GrowingValue[Any](options["response_format"])
    with fiber.sync.chat_stream("Rivers?", **options) as stream:
        values = [value for event in stream if (value := growing.feed(event)) is not None]
    return values, stream.result


WORLDS: dict[str, Callable[..., Any]] = {
    "asyncio": lambda fiber, **options: anyio.run(lambda: on_loop(fiber, **options), backend="asyncio"),
    "trio": lambda fiber, **options: anyio.run(lambda: on_loop(fiber, **options), backend="trio"),
    "blocking": blocking,
}


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
def test_a_list_grows_while_it_streams(world: Callable[..., Any]) -> None:
    """Its elements appear one by one, without the object around them."""
    fiber, _ = scripted(streamed(RIVERS[:20], RIVERS[20:48], RIVERS[48:]))

    values, result = world(fiber, response_format=list[River])

    assert values == [[River("R")], [RHINE], EXPECTED]
    assert result.parsed == EXPECTED
    assert result.text == RIVERS


def test_the_first_event_tells_where_the_value_is() -> None:
    """Who reads events learns the member before any text."""
    fiber, _ = scripted(streamed(RIVERS), streamed("{}"))

    with fiber.sync.chat_stream("?", response_format=list[River]) as stream:
        first = next(iter(stream))
    with fiber.sync.chat_stream("?", response_format="json_object") as stream:
        other = next(iter(stream))

    assert isinstance(first, MessageStart)
    assert isinstance(other, MessageStart)
    assert (first.json_member, other.json_member) == ("value", "")


def test_nothing_is_guessed_from_the_text() -> None:
    """A bare list where an object was asked for is an error, and an object where none was made is kept."""
    fiber, _ = scripted(whole("[]"), whole('{"value": 1}'), whole('{"other": []}'))

    with pytest.raises(FiberParsingError, match="not a JSON list, in its member 'value': Expected `object`"):
        fiber.sync.chat("?", response_format=list[River])
    kept = fiber.sync.chat("?", response_format=dict[str, int], on_unsupported="warn")
    with pytest.raises(FiberParsingError, match="the object has no member 'value'") as caught:
        fiber.sync.chat("?", response_format=list[River])

    assert kept.parsed == {"value": 1}
    assert caught.value.partial is not None
    assert caught.value.partial.json_member == "value"


def test_repair_reads_both_answers_inside_the_object() -> None:
    """The model is told in which member the fault is, and its second answer is read in the same way."""
    fiber, transport = scripted(whole('{"value": [{"name": 1}]}'), whole(RIVERS))

    result = fiber.sync.chat("?", response_format=list[River], repair=True)

    asked = transport.requests[-1].json()["messages"]
    assert result.parsed == EXPECTED
    assert asked[-2] == {"role": "assistant", "content": '{"value": [{"name": 1}]}'}
    assert "in the member 'value': Expected `str`, got `int` - at `$[0].name`" in asked[-1]["content"]


def test_history_keeps_what_the_model_said(server: MockServer, fiber: Fiber) -> None:
    """The next turn shows the model its own text, the object included."""
    server.reply(Reply(RIVERS))
    first = fiber.sync.chat("Rivers?", model="openai:gpt-mock", response_format=list[River])

    fiber.sync.chat([("user", "Rivers?"), first.message, ("user", "More")], model="openai:gpt-mock")

    assert server.requests[-1].json["messages"][1] == {"role": "assistant", "content": RIVERS}


def test_each_target_is_read_as_it_was_asked(server: MockServer, fiber: Fiber) -> None:
    """A fallback that takes the root as it is gives the value without an object."""
    server.reply(Failure(code="server_error"))
    server.enqueue(Reply('[{"name": "Rhine", "length_km": 1233}]'))

    result = fiber.sync.chat(
        "?", model="openai:gpt-mock", response_format=list[River], fallback=["anthropic:claude-mock"]
    )

    assert (result.parsed, result.json_member, result.provider) == ([RHINE], "", "anthropic")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_cached_answer_is_read_in_the_same_way(stream: bool) -> None:
    """What a cache kept still knows its member, whole and played as events."""
    fiber, transport = scripted(whole(RIVERS), cache=Cache(), cache_policy="write_through")
    fiber.sync.chat("Rivers?", response_format=list[River])

    values, result = (
        blocking(fiber, response_format=list[River])
        if stream
        else ([EXPECTED], fiber.sync.chat("Rivers?", response_format=list[River]))
    )

    assert (values, result.parsed, result.cached) == ([EXPECTED], EXPECTED, True)
    assert len(transport.requests) == 1


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_tools_in_words_go_with_it(stream: bool) -> None:
    """The text that is left of an answer with emulated tools is read in the same way."""
    fiber, _ = scripted(streamed(RIVERS) if stream else whole(RIVERS))
    options: Any = {"response_format": list[River], "tools": [{"name": "f"}], "emulate_tools": True}

    result = fiber.sync.chat_stream("?", **options).collect() if stream else fiber.sync.chat("?", **options)

    assert result.parsed == EXPECTED


def test_a_stream_that_begins_anew_grows_anew() -> None:
    """What had grown before a restart is forgotten."""
    broken = sse_reply(START, piece('{"value":[{"name":"Oder"}'), cut=True)
    fiber, _ = scripted(broken, streamed(RIVERS), retry=RetryPolicy(on_midstream="restart"))
    growing = GrowingValue[Any](list[River])

    with fiber.sync.chat_stream("?", response_format=list[River]) as stream:
        values = [growing.feed(event) for event in stream if isinstance(event, MessageStart | TextDelta | Restart)]

    assert [value for value in values if value is not None] == [[River("Oder")], EXPECTED]
    assert growing.finish() == EXPECTED


def test_a_failure_keeps_how_its_part_is_read() -> None:
    """The partial result of a broken stream has the member too."""
    fiber, _ = scripted(sse_reply(START, piece('{"value":['), cut=True), refused(400))

    with pytest.raises(FiberParsingError) as caught:
        fiber.sync.chat_stream("?", response_format=list[River]).collect()

    assert caught.value.partial is not None
    assert caught.value.partial.json_member == "value"


def test_loose_schemas_are_sent_as_they_are() -> None:
    """Without strict nothing is put into an object."""
    fiber, transport = scripted(whole("[1]"))
    loose = {"type": "json_schema", "json_schema": {"schema": {"type": "array"}, "strict": False}}

    result = fiber.sync.chat("?", response_format=loose)

    assert (result.parsed, result.json_member) == ([1], "")
    assert transport.requests[0].json()["response_format"]["json_schema"]["schema"] == {"type": "array"}
