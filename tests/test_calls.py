"""From settings and keywords to a call, and from its reply to what the caller gets."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from fiber import (
    NO_RETRY,
    ChatRequest,
    FiberCapabilityError,
    FiberClosedError,
    FiberModelNotFoundError,
    FiberParsingError,
    FiberValidationError,
    ModelRegistry,
    Prompt,
    PromptDefaults,
    Timeouts,
    openai_compatible,
)
from fiber._calls import either
from fiber.testing.fake import FakeReply, json_reply, sse_reply
from fiber.types.normalise import messages as normal
from tests.kit import DONE, FINISH, KEY, MODEL, START, answer, piece, refused, scripted, watched, whole


def body_of(options: dict[str, Any], **call: Any) -> dict[str, Any]:
    """Return the body that a client with *options* sends for *call*."""
    fiber, transport = scripted(whole(), **options)
    fiber.sync.chat("Hi", **call)
    body: dict[str, Any] = transport.requests[0].json()
    return body


# -- messages or request ------------------------------------------------------------------------------------------


def test_messages_or_a_request_but_one_of_them() -> None:
    """Both, and neither, are errors."""
    request = ChatRequest(messages=normal("Hi"))

    assert either("Hi", None) == "Hi"
    assert either(None, request) is request
    for both in (("Hi", request), (None, None)):
        with pytest.raises(FiberValidationError, match="one of them"):
            either(*both)


def test_members_of_a_body_go_to_either_api_of_openai() -> None:
    """A later target is the same provider when the first was named and the next is open; another one is not."""
    script = [refused(503), whole()] * 2
    keys = {"openai": KEY, "anthropic": KEY}
    fiber, transport = scripted(*script, api_keys=keys, openai_api="auto", retry=NO_RETRY, fallback=["gpt-6-sol"])
    body = {"verbosity": "low"}

    kept = fiber.sync.chat("Hi", model="openai-responses:gpt-6-sol", extra_body=body)
    lost = fiber.sync.chat("Hi", model="claude-sonnet-5-5", seed=1, extra_body=body, on_unsupported="drop")

    sent = [request.json() for request in transport.requests]
    assert ["verbosity" in each for each in sent] == [True, True, True, False]
    assert kept.receipt.dropped == ()
    assert any(said.startswith("extra_body: it was meant for anthropic") for said in lost.receipt.dropped)
    assert sent[3]["seed"] == 1


def test_every_spelling_makes_the_same_bytes() -> None:
    """Keywords, a request and a dict are one request."""
    fiber, transport = scripted(*[whole()] * 4)
    request = ChatRequest(messages=normal("Hi"), model=MODEL, temperature=0.5)

    fiber.sync.chat("Hi", model=MODEL, temperature=0.5)
    fiber.sync.chat(request)
    fiber.sync.chat(request=request)
    fiber.sync.chat({"messages": "Hi", "model": MODEL, "temperature": 0.5})

    assert len({sent.body for sent in transport.requests}) == 1


def test_an_unknown_keyword_is_a_type_error_before_anything() -> None:
    """The message lists the known ones, the nearest first."""
    fiber, transport = scripted()

    for call in (fiber.sync.chat, fiber.sync.chat_stream, fiber.sync.ask, fiber.sync.ask_stream):
        with pytest.raises(TypeError, match="'temprature' \\(did you mean 'temperature'\\?\\); known: "):
            call("Hi", temprature=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="temprature"):
        fiber.with_options(temprature=1)

    assert transport.requests == []


def test_a_call_without_model_says_what_to_do() -> None:
    """Neither call nor client names one."""
    fiber, _ = scripted(default_model=None)

    with pytest.raises(FiberValidationError, match="default_model") as caught:
        fiber.sync.chat("Hi")

    assert caught.value.parameter == "model"


def test_an_unknown_model_is_not_sent() -> None:
    """No provider is known for it."""
    fiber, transport = scripted()

    with pytest.raises(FiberModelNotFoundError):
        fiber.sync.chat("Hi", model="zebra-7")

    assert transport.requests == []


def test_a_registry_that_knows_more_than_the_client_is_an_error_of_ours() -> None:
    """The row is missing, and the message says how to add it."""
    fiber, _ = scripted(model_registry=ModelRegistry([openai_compatible("other", "http://127.0.0.1:1")]))

    with pytest.raises(FiberValidationError, match="providers="):
        fiber.sync.chat("Hi", model="other:m")
    with pytest.raises(FiberValidationError, match="providers="):
        fiber.sync.request("GET", "/x", provider="other")


# -- precedence (A9) ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "call", "sent"),
    [
        ({}, {}, {"temperature": None, "max_completion_tokens": None}),
        ({"default_temperature": 0.1}, {}, {"temperature": 0.1}),
        ({"default_temperature": 0.1}, {"temperature": 0.9}, {"temperature": 0.9}),
        ({"default_temperature": 0.1}, {"temperature": 0}, {"temperature": 0}),
        ({"default_temperature": 0.1}, {"temperature": None}, {"temperature": 0.1}),
        ({"default_max_tokens": 5}, {}, {"max_completion_tokens": 5}),
        ({"default_max_tokens": 5}, {"max_tokens": 7}, {"max_completion_tokens": 7}),
        ({"default_model": "openai:a"}, {}, {"model": "a"}),
        ({"default_model": "openai:a"}, {"model": "openai:b"}, {"model": "b"}),
    ],
)
def test_a_call_wins_over_the_client(options: dict[str, Any], call: dict[str, Any], sent: dict[str, Any]) -> None:
    """`None` means "not said", zero is said."""
    body = body_of(options, **call)

    assert {name: body.get(name) for name in sent} == sent


def test_a_request_wins_over_the_client() -> None:
    """What a `ChatRequest` says, it says."""
    fiber, transport = scripted(whole(), default_temperature=0.1, default_max_tokens=5)

    fiber.sync.chat(ChatRequest(messages=normal("Hi"), temperature=0.7))

    body = transport.requests[0].json()
    assert (body["temperature"], body["max_completion_tokens"]) == (0.7, 5)


def test_with_options_wins_over_the_constructor_and_loses_to_the_call() -> None:
    """A view is a client with other defaults."""
    fiber, transport = scripted(*[whole()] * 3, default_temperature=0.1)
    view = fiber.with_options(temperature=0.2, model="openai:view")

    view.sync.chat("Hi")
    view.sync.chat("Hi", temperature=0.3)
    fiber.sync.chat("Hi")

    sent = [sent.json() for sent in transport.requests]
    assert [body["temperature"] for body in sent] == [0.2, 0.3, 0.1]
    assert [body["model"] for body in sent] == ["view", "view", "gpt-test"]


def test_a_prompt_wins_over_the_client_and_loses_to_the_call() -> None:
    """Prompt defaults stand between."""
    fiber, transport = scripted(*[whole()] * 2, default_temperature=0.1)
    prompt = Prompt("Hi {name}", inputs=("name",), defaults=PromptDefaults(temperature=0.2))

    prompt.call(fiber, name="A")
    prompt.call(fiber, name="A", temperature=0.3)

    assert [sent.json()["temperature"] for sent in transport.requests] == [0.2, 0.3]


@pytest.mark.parametrize(
    ("client", "call", "total"),
    [
        ({}, {}, 600),
        ({"timeouts": Timeouts(total=50)}, {}, 50),
        ({"timeouts": Timeouts(total=50, read=7)}, {"timeout": 9}, 9),
        ({"timeouts": Timeouts(total=50)}, {"timeout": Timeouts(total=11, read=3)}, 11),
    ],
)
def test_timeouts_of_the_call_win(client: dict[str, Any], call: dict[str, Any], total: float) -> None:
    """A number is the total, a `Timeouts` is everything."""
    fiber, _, watch = watched(whole(), **client)

    fiber.sync.chat("Hi", **call)

    timeouts = watch.calls[0].timeouts
    assert timeouts.total == total
    if call.get("timeout") == 9:
        assert timeouts.read == 7


def test_timeout_of_a_view_is_a_default() -> None:
    """`timeout` is a keyword of `chat`, so a view may set it; `timeouts` and `retry` replace the client's."""
    fiber, _, watch = watched(*[whole()] * 3)

    fiber.with_options(timeout=4).sync.chat("Hi")
    fiber.with_options(timeout=4).sync.chat("Hi", timeout=3)
    fiber.with_options(timeouts=Timeouts(total=2)).sync.chat("Hi")

    assert [call.timeouts.total for call in watch.calls] == [4, 3, 2]


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), "5", True])
def test_a_timeout_must_be_a_positive_number(timeout: Any) -> None:
    """Anything else is refused before sending."""
    fiber, transport = scripted()

    with pytest.raises(FiberValidationError):
        fiber.sync.chat("Hi", timeout=timeout)

    assert transport.requests == []


@pytest.mark.parametrize("name", ["keep_raw", "forget_text", "heartbeats", "repair"])
@pytest.mark.parametrize("value", ["yes", 1, 0.5])
def test_a_switch_is_true_or_false(name: str, value: Any) -> None:
    """Anything else is refused before sending; None and false are "no"."""
    fiber, transport = scripted(*[whole()] * 2)
    wrong: Any = {name: value}

    with pytest.raises(FiberValidationError, match="True or False") as caught:
        fiber.sync.chat("Hi", **wrong)

    assert (caught.value.parameter, caught.value.outcome) == (name, "not_sent")
    assert transport.requests == []
    off: Any
    for off in ({name: None}, {name: False}):
        assert fiber.sync.chat("Hi", **off).text == "Hello"


# -- time ---------------------------------------------------------------------------------------------------------


def test_the_clock_of_a_stream_starts_when_it_is_opened() -> None:
    """A stream may be made long before it is read."""
    fiber, transport = scripted(sse_reply(START, piece("Hi"), 1.0, FINISH, DONE), timeouts=Timeouts(total=5))
    stream = fiber.sync.chat_stream("Hi")
    transport.clock += 100

    result = stream.collect()

    assert result.receipt.seconds == 1.0


def test_the_clock_of_a_batch_item_starts_at_its_turn() -> None:
    """A long batch does not time out its last items."""
    replies = [sse_reply(START, piece("Hi"), 4.0, FINISH, DONE) for _ in range(5)]
    fiber, transport = scripted(*replies, timeouts=Timeouts(total=5))

    results = fiber.sync.batch_chat(["Hi"] * 5, concurrency=1)

    assert [result.text for result in results] == ["Hi"] * 5  # type: ignore[union-attr]
    assert transport.clock == 20


# -- closed -------------------------------------------------------------------------------------------------------


def test_a_closed_client_makes_no_calls() -> None:
    """Neither new ones nor those that were made but not begun; views are closed too."""
    fiber, transport = scripted(whole())
    stream, view = fiber.sync.chat_stream("Hi"), fiber.bind(a=1)
    fiber.sync.close()

    for call in (stream.collect, lambda: fiber.sync.chat("Hi"), lambda: view.sync.chat("Hi")):
        with pytest.raises(FiberClosedError):
            call()
    with pytest.raises(FiberClosedError):
        fiber.sync.request("GET", "/x", provider="openai")
    assert transport.requests == []


# -- context ------------------------------------------------------------------------------------------------------


def test_context_merges_from_outside_in_and_is_never_sent() -> None:
    """Blocks, views and the call: the inner one wins."""
    fiber, transport, watch = watched(whole())
    scoped = fiber.bind(run="r1", tenant="canary-tenant").bind(run="r2")

    with fiber.bind(block="canary-block", tenant="outer"):
        scoped.sync.chat("Hi", context={"step": "canary-step"}, label="canary-label")

    assert watch.calls[0].context == {
        "run": "r2",
        "tenant": "canary-tenant",
        "block": "canary-block",
        "step": "canary-step",
    }
    assert watch.calls[0].label == "canary-label"
    sent = transport.requests[0]
    assert b"canary" not in sent.body
    assert "canary-tenant" not in str(sent.headers)


# -- results ------------------------------------------------------------------------------------------------------


def test_a_result_is_filled_in() -> None:
    """Provider, model, usage, ids, raw body, headers, receipt."""
    fiber, _ = scripted(whole("Hello", x_request_id="r1"))

    result = fiber.sync.chat("Hi")

    assert (result.text, result.finish_reason, result.provider, result.model) == (
        "Hello",
        "stop",
        "openai",
        "gpt-test-1",
    )
    assert (result.request_id, result.raw, result.warnings, result.cached) == ("r1", answer(), (), False)
    assert (result.usage.input_tokens, result.usage.output_tokens) == (3, 5)
    assert result.receipt.cost_usd is None
    assert result.receipt.first_event_seconds is None


def test_cost_told_by_the_provider_is_in_the_receipt() -> None:
    """Its source too."""
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8, "cost": 0.25}
    fiber, _ = scripted(json_reply(answer(usage=usage)))

    receipt = fiber.sync.chat("Hi").receipt

    assert str(receipt.cost_usd) == "0.25"
    assert receipt.cost_source == "provider"


@pytest.mark.parametrize(("policy", "warned"), [("warn", True), ("drop", False)])
@pytest.mark.parametrize("stream", [False, True])
def test_a_dropped_parameter_is_in_the_receipt_and_with_warn_in_the_warnings(
    policy: Any, warned: bool, stream: bool
) -> None:
    """`drop` is quiet but keeps the books; `warn` speaks."""
    reply = sse_reply(START, piece("Hi"), FINISH, DONE) if stream else whole()
    fiber, transport = scripted(reply, on_unsupported=policy)

    result = fiber.sync.chat_stream("Hi", top_k=5).collect() if stream else fiber.sync.chat("Hi", top_k=5)

    assert "top_k" not in transport.requests[0].json()
    assert result.receipt.dropped[0].startswith("top_k: ")
    assert any("top_k" in warning for warning in result.warnings) is warned


def test_on_unsupported_of_the_call_wins() -> None:
    """Over that of the client."""
    fiber, _ = scripted(whole(), on_unsupported="drop")

    assert fiber.sync.chat("Hi", top_k=5, on_unsupported="warn").warnings


def test_on_unsupported_of_the_client_holds_for_requests_that_say_nothing() -> None:
    """`raise` is what a request says when it says nothing."""
    fiber, _ = scripted(*[whole()] * 2, on_unsupported="drop")
    quiet = ChatRequest(messages=normal("Hi"), top_k=5)

    assert fiber.sync.chat(quiet).warnings == ()
    assert fiber.sync.chat(msgspec.structs.replace(quiet, on_unsupported="warn")).warnings


# -- parsed -------------------------------------------------------------------------------------------------------


class City(msgspec.Struct):
    """What is asked for."""

    name: str


PARIS = json.dumps({"name": "Paris"})
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("wanted", "parsed"),
    [(City, City("Paris")), ("json_object", {"name": "Paris"}), (SCHEMA, {"name": "Paris"}), (None, None)],
)
def test_json_that_was_asked_for_is_parsed(wanted: Any, parsed: Any, stream: bool) -> None:
    """Into the type that was asked for; the same for streams."""
    fiber, _ = scripted(sse_reply(START, piece(PARIS), FINISH, DONE) if stream else whole(PARIS))

    if stream:
        result = fiber.sync.chat_stream("Hi", response_format=wanted).collect()
    else:
        result = fiber.sync.chat("Hi", response_format=wanted)

    assert result.parsed == parsed


@pytest.mark.parametrize("stream", [False, True])
def test_strict_json_that_does_not_fit_is_an_error_with_the_result(stream: bool) -> None:
    """The answer is complete all the same, and closed."""
    reply = sse_reply(START, piece("{}"), FINISH, DONE, x_request_id="r1") if stream else whole("{}", x_request_id="r1")
    fiber, transport, watch = watched(reply)

    with pytest.raises(FiberParsingError) as caught:
        if stream:
            fiber.sync.chat_stream("Hi", response_format=City).collect()
        else:
            fiber.sync.chat("Hi", response_format=City)

    error = caught.value
    assert error.partial is not None
    assert error.partial.text == "{}"
    assert (error.provider, error.request_id, len(error.attempts)) == ("openai", "r1", 1)
    assert transport.closed == 1
    assert watch.outcomes == ["error"]


def test_strict_json_is_never_searched_for() -> None:
    """A fence around it is an error, though the result can be read leniently by whoever wants to."""
    fiber, _ = scripted(whole(f"```json\n{PARIS}\n```"))

    with pytest.raises(FiberParsingError) as caught:
        fiber.sync.chat("Hi", response_format=City)

    assert caught.value.partial is not None
    assert caught.value.partial.json(City, lenient=True) == City("Paris")


def test_loose_json_that_does_not_fit_is_a_warning() -> None:
    """`json_object` promises little."""
    fiber, _ = scripted(whole("no"))

    result = fiber.sync.chat("Hi", response_format="json_object")

    assert result.parsed is None
    assert "not JSON" in result.warnings[0]


def test_an_answer_that_was_cut_is_not_parsed() -> None:
    """It cannot be whole JSON."""
    fiber, _ = scripted(json_reply(answer('{"name":', "length")))

    result = fiber.sync.chat("Hi", response_format=City)

    assert (result.parsed, result.finish_reason) == (None, "length")


def test_a_failed_call_ends_once() -> None:
    """Layers outside of a failed call see the error, not an end."""
    fiber, transport, watch = watched(refused(400))

    with pytest.raises(Exception, match="refused"):
        fiber.sync.chat("Hi")

    assert watch.endings == []
    assert transport.closed == 1


def test_a_good_call_ends_once_with_its_facts() -> None:
    """Usage, finish reason, model, request id."""
    fiber, _, watch = watched(whole(x_request_id="r1"))

    fiber.sync.chat("Hi")

    (ending,) = watch.endings
    assert (ending.outcome, ending.finish_reason, ending.model, ending.request_id) == (
        "complete",
        "stop",
        "gpt-test-1",
        "r1",
    )
    assert ending.usage is not None
    assert ending.error is None


def test_a_raw_request_ends_once_with_its_request_id() -> None:
    """It has no usage."""
    fiber, _, watch = watched(FakeReply(200, {"x-request-id": "r1"}))

    fiber.sync.request("GET", "/x", provider="openai")

    (ending,) = watch.endings
    assert (ending.outcome, ending.request_id, ending.usage) == ("complete", "r1", None)


@pytest.mark.parametrize(
    ("kind", "why"), [(dict[str, int], "names of its members are free"), (tuple[int, str], "prefixItems")]
)
def test_a_schema_that_strict_mode_cannot_say_is_refused(kind: Any, why: str) -> None:
    """Nothing is sent, and the message says what is lost."""
    fiber, transport = scripted(whole("{}"))

    with pytest.raises(FiberCapabilityError, match=why):
        fiber.sync.chat("Hi", response_format=kind)

    assert transport.requests == []


def test_a_loss_that_is_allowed_is_a_warning() -> None:
    """With `on_unsupported` the schema is sent as far as it can be said."""
    fiber, _ = scripted(whole("{}"))

    result = fiber.sync.chat("Hi", response_format=dict[str, int], on_unsupported="warn")

    assert result.parsed == {}
    assert any("names of its members are free" in warning for warning in result.warnings)


class Tide(msgspec.Struct):
    """A default that is not None."""

    name: str
    height: float = 1.0


def test_null_for_an_optional_member_is_its_default() -> None:
    """What strict mode made nullable, and was left out with null, takes its default."""
    fiber, transport = scripted(whole('{"name": "spring", "height": null}'))

    result = fiber.sync.chat("Hi", response_format=Tide)

    assert result.parsed == result.json(Tide) == Tide("spring")
    assert transport.requests[0].json()["response_format"]["json_schema"]["schema"]["required"] == ["name", "height"]
