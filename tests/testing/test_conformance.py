"""What every adapter owes the client: ours keep it, and each way to break it is seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fiber.adapters import NAMES, load
from fiber.adapters.base import Adapter
from fiber.adapters.openai_chat.stream import OpenAIChatDecoder
from fiber.adapters.parameters import unsupported
from fiber.testing import check_adapter
from fiber.testing.fake import sse_reply
from fiber.types.events import MessageEnd, MessageStart, StreamEvent, TextDelta
from fiber.types.http import HTTPHead, HTTPRequest, Step
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult, Choice
from fiber.types.target import Quirks, Target
from tests.kit import answer, frames

FIXTURES = Path(__file__).parent.parent / "fixtures"
SAMPLES = {
    "anthropic": ("refusal", "utf8_split_in_delta"),
    "bedrock_converse": ("thinking_and_tools", "utf8_split_in_delta"),
    "cohere": ("plan_and_parallel_calls", "thinking_documents_citations"),
    "gemini": ("parallel_calls", "utf8_split_in_delta"),
    "ollama": ("thinking_and_logprobs", "two_calls"),
    "openai_chat": ("message_beside_delta", "reasoning_content"),
    "replicate": ("llama", "backslash_is_text"),
    "openai_responses": ("custom_tool_free_text", "refusal"),
}
KINDS = {
    ".sse": "text/event-stream",
    ".ndjson": "application/x-ndjson",
    ".bin": "application/vnd.amazon.eventstream",
}
REFUSALS = {
    "anthropic": {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "max_tokens: Field required"},
        "request_id": "req_1",
    },
    "bedrock_converse": {"message": "The provided model identifier is invalid."},
    "cohere": {"id": "r1", "message": "invalid api token"},
    "gemini": {"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}},
    "ollama": {"error": "model 'sample-model' not found"},
    "replicate": {"title": "Input validation failed", "detail": "- input: prompt is required", "status": 422},
}
REFUSAL = {"error": {"message": "Unknown model.", "type": "invalid_request_error", "code": "model_not_found"}}

GOOD = load("openai_chat")
BODY = msgspec.json.encode(answer("Hello"))
STREAM = b"".join(chunk for chunk in sse_reply(*frames("Hel", "lo")).chunks if isinstance(chunk, bytes))
ERROR = msgspec.json.encode(REFUSAL)


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name in NAMES for case in SAMPLES[name]], ids=lambda word: word
)
def test_our_adapters_conform(name: str, case: str) -> None:
    """With true bytes of each format."""
    folder = FIXTURES / name / case
    stream = next(folder.glob("stream.*"))

    check_adapter(
        load(name),
        body=(folder / "response.json").read_bytes(),
        stream=stream.read_bytes(),
        error=msgspec.json.encode(REFUSALS.get(name, REFUSAL)),
        stream_type=KINDS[stream.suffix],
    )


# -- broken in one way each ---------------------------------------------------------------------------------------


def built(change: Callable[[HTTPRequest, bool], HTTPRequest]) -> Adapter:
    """Return an adapter that changes its requests once more."""

    def build(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
        return change(GOOD.build_request(request, target, stream=stream), stream)

    return replace(GOOD, build_request=build)


def parsed(change: Callable[[ChatResult, bytes], ChatResult]) -> Adapter:
    """Return an adapter that changes its results once more."""

    def parse(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
        return change(GOOD.parse_response(head, body, target), body)

    return replace(GOOD, parse_response=parse)


def forgetful(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
    """Forget the seed without a word."""
    return GOOD.build_request(msgspec.structs.replace(request, seed=None), target, stream=stream)


def with_body(request: HTTPRequest, stream: bool, *bodies: bytes) -> HTTPRequest:
    """Put another body into a request, the second for streams."""
    return msgspec.structs.replace(request, body=bodies[stream])


def gullible(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """Take anything for an answer."""
    return GOOD.parse_response(head, body if body.startswith(b"{") else BODY, target)


def raising(head: HTTPHead, body: bytes, target: Target, **more: Any) -> Any:
    """Be surprised."""
    raise LookupError("surprise")


def surprised_by_strangers(result: ChatResult, body: bytes) -> ChatResult:
    """Know all members that there will ever be."""
    if b"unknown_member" in body:
        raise LookupError("surprise")
    return result


class Endless(OpenAIChatDecoder):
    """Knows no end marker."""

    def complete(self) -> None:
        """Not this one."""

    def at_eof(self) -> str | None:
        """Never."""
        return "it goes on"


class Gullible(OpenAIChatDecoder):
    """Takes the end of the body for the end of the answer."""

    def at_eof(self) -> str | None:
        """Always."""
        return None


class Blind(OpenAIChatDecoder):
    """Takes whatever came for an answer."""

    def finish(self) -> list[StreamEvent]:
        """Always."""
        self.complete()
        return self.assembly.take()


class Changing(OpenAIChatDecoder):
    """Leaves events out."""

    left_out: tuple[type, ...] = ()

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Leave them out."""
        return [event for event in super().feed(chunk) if not isinstance(event, self.left_out)]


class Headless(Changing):
    """Does not say that the answer began."""

    left_out = (MessageStart,)


class Silent(Changing):
    """Gives out no event at all."""

    left_out = (MessageStart, TextDelta, MessageEnd, object)


class Mumbling(Changing):
    """Gives out no text."""

    left_out = (TextDelta,)


class Restless(OpenAIChatDecoder):
    """Reads on behind the end."""

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Forget the end."""
        self.done = False
        return super().feed(chunk)


class Strict(OpenAIChatDecoder):
    """Knows all members that there will ever be."""

    def read(self, event: str, data: bytes) -> None:
        """Stumble."""
        if b"unknown_member" in data:
            self.fail(GOOD.parse_error(self.head, b"", self.target))
        super().read(event, data)


class Hasty(OpenAIChatDecoder):
    """Takes each chunk for whole events."""

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """End the event here."""
        return super().feed(chunk + b"\n\n")


class Wasteful(OpenAIChatDecoder):
    """Throws away what came before the cut."""

    def finish(self) -> list[StreamEvent]:
        """Forget it."""
        events = super().finish()
        if self.error is not None:
            self.error.partial = None
        return events


class Surprised(OpenAIChatDecoder):
    """Raises what it should keep in `error`."""

    def feed(self, chunk: bytes) -> list[StreamEvent]:
        """Not prepared for this."""
        raise LookupError("surprise")


def restless(head: HTTPHead, body: bytes, target: Target, *, stream: bool) -> Step | None:
    """Never find that it has arrived."""
    return Step(request=HTTPRequest("GET", target.base_url)) if stream else None


NUMBER = count()

BROKEN: dict[str, tuple[Adapter, str]] = {
    "parameter without a place": (
        replace(GOOD, parameters={name: rule for name, rule in GOOD.parameters.items() if name != "seed"}),
        "has no 'seed'",
    ),
    "refusal without a reason": (
        replace(GOOD, parameters={**GOOD.parameters, "top_k": unsupported("")}),
        "refuses 'top_k' without a reason",
    ),
    "takes what the table refuses": (
        replace(GOOD, parameters={**GOOD.parameters, "seed": unsupported("no dice")}),
        "takes 'seed', which the parameter table refuses",
    ),
    "forgets a parameter": (replace(GOOD, build_request=forgetful), "neither sends 'seed' nor notes"),
    "another request each time": (
        built(lambda request, stream: request.with_headers(("x-number", str(next(NUMBER))))),
        "makes another request",
    ),
    "another member in a stream": (
        built(lambda request, stream: with_body(request, stream, b'{"a":1}', b'{"a":2,"stream":true}')),
        "without a note: a differ",
    ),
    "another header in a stream": (
        built(lambda request, stream: request.with_headers(*[("x-mode", "fast")] * stream)),
        "without a note: x-mode differ",
    ),
    "another text in a stream": (
        built(lambda request, stream: with_body(request, stream, b"say", b"sing")),
        "without a note: body differ",
    ),
    "no body": (parsed(lambda result, body: msgspec.structs.replace(result, body=b"")), "does not keep the body"),
    "no finish reason": (
        parsed(lambda result, body: ChatResult(choices=(Choice(),), body=body)),
        "finds no finish reason",
    ),
    "unknown members change the answer": (
        parsed(lambda result, body: ChatResult(body=body) if b"unknown_member" in body else result),
        "parse_response reads another answer",
    ),
    "unknown members break the parser": (
        parsed(surprised_by_strangers),
        "parse_response raised LookupError",
    ),
    "anything is an answer": (replace(GOOD, parse_response=gullible), "takes b'<html></html>' for an answer"),
    "never arrives": (replace(GOOD, follow=restless), "follow goes on from"),
    "follow raises": (replace(GOOD, follow=raising), "follow raised LookupError"),
    "parse_error raises": (replace(GOOD, parse_error=raising), "it must never raise"),
    "parse_error returns no error": (replace(GOOD, parse_error=lambda *_: None), "is no FiberError"),  # type: ignore[arg-type]
    "no end": (replace(GOOD, stream_decoder=Endless), "does not come to the end"),
    "no start": (replace(GOOD, stream_decoder=Headless), "The first event must be MessageStart"),
    "no events": (replace(GOOD, stream_decoder=Silent), "The first event must be MessageStart"),
    "no text": (replace(GOOD, stream_decoder=Mumbling), "The events say '', and the result 'Hello'"),
    "reads on": (replace(GOOD, stream_decoder=Restless), "reads on behind the end marker"),
    "unknown members break the stream": (replace(GOOD, stream_decoder=Strict), "when objects have unknown members"),
    "any stream is an answer": (replace(GOOD, stream_decoder=Blind), "takes b'<html></html>' for an answer"),
    "a cut is not seen": (replace(GOOD, stream_decoder=Gullible), "passes for whole, with the text ''"),
    "a cut loses what came": (replace(GOOD, stream_decoder=Wasteful), "has no partial result"),
    "chunks are taken for events": (replace(GOOD, stream_decoder=Hasty), "when the stream comes byte by byte"),
    "the decoder raises": (replace(GOOD, stream_decoder=Surprised), "stream_decoder raised LookupError"),
}


@pytest.mark.parametrize(("adapter", "complaint"), BROKEN.values(), ids=BROKEN)
def test_a_broken_adapter_is_told_what_is_broken(adapter: Adapter, complaint: str) -> None:
    """The message names the adapter and says what is wrong."""
    with pytest.raises(AssertionError, match="'openai_chat' does not conform") as caught:
        check_adapter(adapter, body=BODY, stream=STREAM, error=ERROR)

    assert complaint in str(caught.value)


def test_all_complaints_come_at_once() -> None:
    """A contributor need not run it for each."""
    adapter = replace(GOOD, parameters={}, parse_error=raising)

    with pytest.raises(AssertionError) as caught:
        check_adapter(adapter, body=BODY, stream=STREAM, error=ERROR)

    assert str(caught.value).count("\n* The parameter table has no ") == len(GOOD.parameters)
    assert "parse_error raised" in str(caught.value)


def test_a_good_adapter_passes_in_silence() -> None:
    """The samples of the broken ones are good."""
    check_adapter(GOOD, body=BODY, stream=STREAM, error=ERROR)


def test_a_row_without_end_marker_may_end_anywhere() -> None:
    """`terminal="eof"` says that a cut cannot be told."""
    adapter = replace(GOOD, stream_decoder=Gullible)

    check_adapter(adapter, body=BODY, stream=STREAM, error=ERROR, quirks=Quirks(terminal="eof"))


def test_members_that_ask_for_a_stream_may_be_named() -> None:
    """Another format has another word for it."""
    adapter = built(
        lambda request, stream: with_body(request, stream, request.body, b'{"flow":true,%s' % request.body[1:])
    )
    samples: Any = {"body": BODY, "stream": STREAM, "error": ERROR}

    check_adapter(adapter, **samples, stream_members=("stream", "stream_options", "flow"))
    with pytest.raises(AssertionError, match="flow differ"):
        check_adapter(adapter, **samples)
