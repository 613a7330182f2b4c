"""One call site, every provider: only a string changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from fiber import (
    ChatMessage,
    Fiber,
    FiberAuthError,
    FiberContextLengthError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
    FiberStreamInterruptedError,
    Log,
    RetryPolicy,
    openai_compatible,
)
from fiber.testing import FakeTransport, MockServer, Reply, sse_reply

MODELS = (
    "openai:gpt-mock",
    "openai-responses:gpt-mock",
    "anthropic:claude-mock",
    "gemini:gemini-mock",
    "cohere:command-mock",
    "ollama:llama-mock",
    "mine:any-mock",
)


class Answer(msgspec.Struct):
    """What the structured call asks for."""

    city: str
    population: int


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


@pytest.mark.parametrize("model", MODELS)
def test_chat_is_the_same_everywhere(fiber: Fiber, model: str) -> None:
    """Text, finish reason, counts, model, provider and request id are filled for every provider."""
    result = fiber.sync.chat([("system", "be brief"), ("user", "hello there")], model=model, max_tokens=50)

    assert (result.text, result.finish_reason) == ("You said: hello there", "stop")
    assert result.usage.output_tokens == 4
    assert (result.provider, result.model) == tuple(model.split(":"))
    assert result.latency_ms is not None
    assert len(result.receipt.attempts) == 1


@pytest.mark.parametrize("model", MODELS)
def test_stream_gives_the_result_of_the_whole_reply(fiber: Fiber, model: str) -> None:
    """Streamed and whole answers of the same question are the same message, reason and counts."""
    whole = fiber.sync.chat("one two three four", model=model)
    with fiber.sync.chat_stream("one two three four", model=model) as stream:
        kinds = [event.type for event in stream]

    assert stream.result.text == stream.text == whole.text
    assert (stream.result.finish_reason, stream.result.usage) == (whole.finish_reason, whole.usage)
    assert (kinds[0], kinds[-1]) == ("message-start", "message-end")


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", MODELS)
def test_tool_round_trip_is_the_same_everywhere(fiber: Fiber, model: str, stream: bool) -> None:
    """Parallel calls, their results, and the final answer go through every format; Ollama can only be let call."""

    def weather(city: str) -> str:
        """Look up the weather."""
        return f"sunny in {city}"

    def clock(timezone: str) -> str:
        """Tell the time."""
        return "noon"

    history = [ChatMessage.user("weather and time please")]
    options = {"model": f"{model}-parallel", "tools": [weather, clock], "tool_choice": "required"}
    options["on_unsupported"] = "drop"
    first = (
        fiber.sync.chat_stream(history, **options).collect()  # type: ignore[arg-type]
        if stream
        else fiber.sync.chat(history, **options)  # type: ignore[arg-type]
    )
    assert first.finish_reason == "tool_calls"
    assert [call.name for call in first.tool_calls] == ["weather", "clock"]
    assert len({call.id for call in first.tool_calls}) == 2

    history += [first.message]
    history += [ChatMessage.tool(call, f"result of {call.name}") for call in first.tool_calls]
    second = fiber.sync.chat(history, model=model, tools=[weather, clock])

    assert second.text == "The tool says: result of weather; result of clock"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("model", MODELS)
def test_tools_in_words_are_the_same_everywhere(fiber: Fiber, server: MockServer, model: str, stream: bool) -> None:
    """A call in the text, its result and the final answer go through every format, and back into native tools."""

    def weather(city: str) -> str:
        """Look up the weather."""
        return f"sunny in {city}"

    call = '<tool_call>{"name": "weather", "arguments": {"city": "Paris"}}</tool_call>'
    server.enqueue(Reply(f"Let me see. {call}"), Reply("It is sunny."))
    history = [ChatMessage.system("be brief"), ChatMessage.user("weather?")]
    results = []
    for _ in range(2):
        options = {"model": model, "tools": [weather], "emulate_tools": True}
        results.append(
            fiber.sync.chat_stream(history, **options).collect()  # type: ignore[arg-type]
            if stream
            else fiber.sync.chat(history, **options)  # type: ignore[arg-type]
        )
        history.append(results[-1].message)
        history += [ChatMessage.tool(call.id, weather(**call.arguments)) for call in results[-1].tool_calls]
    history.append(ChatMessage.user("thanks"))

    assert [(result.text, len(result.tool_calls), result.finish_reason) for result in results] == [
        ("Let me see. ", 1, "tool_calls"),
        ("It is sunny.", 0, "stop"),
    ]
    assert "tools" not in server.requests[-1].json
    assert "sunny in Paris" in server.requests[-1].body.decode()
    assert fiber.sync.chat(history, model=model).text == "You said: thanks"


@pytest.mark.parametrize("model", MODELS)
def test_structured_output_is_the_same_everywhere(fiber: Fiber, model: str) -> None:
    """A type as response format gives a value of that type."""
    whole = fiber.sync.chat("Paris?", model=model, response_format=Answer)
    streamed = fiber.sync.chat_stream("Paris?", model=model, response_format=Answer).collect()

    assert whole.parsed == streamed.parsed == Answer("Paris", 1)


@pytest.mark.parametrize("policy", ["raise", "drop"])
@pytest.mark.parametrize("model", MODELS)
def test_json_mode_is_there_everywhere(fiber: Fiber, server: MockServer, model: str, policy: Any) -> None:
    """By a switch, or in words: then a warning says so, and in a stream a log event, whatever the policy."""
    server.reply(Reply('{"a": 1}'), times=2)
    options = {"model": model, "response_format": "json_object", "on_unsupported": policy}
    whole = fiber.sync.chat("JSON!", **options)  # type: ignore[arg-type]
    with fiber.sync.chat_stream("JSON!", **options) as stream:  # type: ignore[arg-type]
        logs = [event.message for event in stream if isinstance(event, Log)]

    assert whole.parsed == stream.result.parsed == {"a": 1}
    assert list(whole.warnings) == list(stream.result.warnings) == logs
    assert [warning.split(":")[0] for warning in logs] == (
        ["response_format warned"] if model.startswith("anthropic") else []
    )


@pytest.mark.parametrize("model", MODELS)
def test_reasoning_is_never_part_of_the_text(fiber: Fiber, server: MockServer, model: str) -> None:
    """Thinking stands beside the answer, whole and streamed."""
    server.reply(Reply("the answer", reasoning="a thought"), times=2)
    whole = fiber.sync.chat("q", model=model)
    streamed = fiber.sync.chat_stream("q", model=model).collect()

    assert (whole.text, whole.reasoning) == (streamed.text, streamed.reasoning) == ("the answer", "a thought")


FAILURES = {
    "bad-key": FiberAuthError,
    "unknown-model": FiberModelNotFoundError,
    "too-long": FiberContextLengthError,
    "throttled": FiberRateLimitError,
    "quota": FiberQuotaError,
    "overloaded": FiberOverloadedError,
    "broken": FiberProviderError,
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("word", FAILURES)
@pytest.mark.parametrize("model", MODELS)
def test_failures_have_one_type_everywhere(fiber: Fiber, model: str, word: str, stream: bool) -> None:
    """Each provider's own status and code becomes the same class, with its facts."""
    call = fiber.sync.chat_stream if stream else fiber.sync.chat
    with pytest.raises(FiberProviderError if word != "unknown-model" else FiberModelNotFoundError) as failure:
        answer = call("hi", model=f"{model}-{word}")
        getattr(answer, "collect", lambda: None)()

    error = failure.value
    assert type(error) is FAILURES[word]
    assert error.provider == model.split(":", maxsplit=1)[0]
    assert error.status_code is not None
    assert len(error.attempts) == 1


@pytest.mark.parametrize(
    ("model", "word"),
    # Without their last event the other formats have still told why they ended.
    [*((model, "cut") for model in MODELS), (MODELS[1], "no-end"), (MODELS[3], "no-end")],
)
def test_cut_streams_are_reported_everywhere(fiber: Fiber, model: str, word: str) -> None:
    """A stream that loses its connection, or ends without its end, is an error that holds what came."""
    stream = fiber.sync.chat_stream("one two three four five six", model=f"{model}-{word}")
    with pytest.raises(FiberStreamInterruptedError) as failure:
        stream.collect()

    assert failure.value.partial is not None
    assert failure.value.partial.text == stream.text
    assert failure.value.partial.receipt.attempts


SPLIT = "wave \U0001f44b and smile \U0001f600!"


def test_emoji_cut_between_events_is_whole_again() -> None:
    """A server that cuts an emoji into surrogate halves loses nothing: pieces and text agree."""
    units = SPLIT.encode("utf-16-be")
    halves = [f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2)]
    chunk = '{"choices":[{"index":0,"delta":{"content":"%s"}}]}'
    end = '{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}'
    transport = FakeTransport(sse_reply(*(chunk % half for half in halves), end, "[DONE]"))
    stream = Fiber(transport=transport, api_keys={"openai": "key"}).sync.chat_stream("hi", model="openai:gpt-x")

    pieces = "".join(event.text for event in stream if event.type == "text-delta")  # type: ignore[union-attr]

    assert pieces == stream.result.text == SPLIT
