"""Answers of formats that have both give the same result whole, streamed, and streamed in any pieces."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters import load
from fiber.types.events import StreamEvent
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Target
from tests.strategies import pieces

FIXTURES = Path(__file__).parents[1] / "fixtures"
CASES = [path for name in ("cohere", "ollama") for path in sorted((FIXTURES / name).iterdir())]
HEAD = HTTPHead(200, {"x-request-id": "r1"})

EXPECTED: dict[str, dict[str, Any]] = {
    "thinking_documents_citations": {
        "text": "The largest is São Paulo 🌆.",
        "reasoning": "The document says it.",
        "finish": ("stop", "COMPLETE"),
        "calls": [],
        "usage": (700, 40, 740, 512, 21, 9),
        "citations": [
            ("https://cities.example/1", "Cities", "São Paulo is the largest city.", 15, 24),
            (None, None, "12 million 🌆", 15, 24),
        ],
        "logprobs": [("The", -0.25), (" largest", -1.5)],
    },
    "plan_and_parallel_calls": {
        "text": "",
        "reasoning": "I will look up both.",
        "finish": ("tool_calls", "TOOL_CALL"),
        "calls": [("weather_a", "weather", {"city": "Rome"}), ("clock_b", "clock", {})],
        "usage": (900, 31, 931, None, 50, 12),
        "citations": [],
        "logprobs": [],
    },
    "thinking_and_logprobs": {
        "text": "Hi 🌧 Zürich",
        "reasoning": "A greeting.",
        "finish": ("stop", "stop"),
        "calls": [],
        "usage": (26, 12, 38, None, None, None),
        "citations": [],
        "logprobs": [("Hi", -0.5)],
    },
    "two_calls": {
        "text": "Both.",
        "reasoning": "",
        "finish": ("tool_calls", "stop"),
        "calls": [("call_0_0", "weather", {"city": "Rome", "days": 2}), ("call_2", "clock", {})],
        "usage": (26, 12, 38, None, None, None),
        "citations": [],
        "logprobs": [],
    },
}

each_case = pytest.mark.parametrize("case", CASES, ids=lambda path: path.name)


def target(case: Path) -> Target:
    """Make the place where the answer came from."""
    return Target(provider=case.parent.name, model="asked", base_url="https://host.example")


def whole(case: Path) -> ChatResult:
    """Decode the whole reply."""
    return load(case.parent.name).parse_response(HEAD, (case / "response.json").read_bytes(), target(case))


def body(case: Path) -> bytes:
    """Return the bytes of the stream."""
    return next(case.glob("stream.*")).read_bytes()


def streamed(case: Path, chunks: list[bytes]) -> tuple[list[StreamEvent], ChatResult]:
    """Decode a stream cut into *chunks*."""
    decoder = load(case.parent.name).stream_decoder(HEAD, target(case))
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    events += decoder.finish()
    assert (decoder.error, decoder.done) == (None, True)
    return events, decoder.result()


@each_case
def test_result_is_what_the_answer_says(case: Path) -> None:
    """Text, reasoning, calls, counts, sources and probabilities are all there."""
    result, want = whole(case), EXPECTED[case.name]
    usage = result.usage

    assert (result.text, result.reasoning) == (want["text"], want["reasoning"])
    assert (result.finish_reason, result.raw_finish_reason) == want["finish"]
    assert [(call.id, call.name, call.arguments) for call in result.tool_calls] == want["calls"]
    assert (
        usage.input_tokens,
        usage.output_tokens,
        usage.total_tokens,
        usage.cache_read_tokens,
        usage.billed_input_tokens,
        usage.billed_output_tokens,
    ) == want["usage"]
    assert [(c.url, c.title, c.cited_text, c.start, c.end) for c in result.citations] == want["citations"]
    assert [(token.token, token.logprob) for token in result.logprobs or ()] == want["logprobs"]


@each_case
def test_stream_gives_the_result_of_the_whole_reply(case: Path) -> None:
    """Nothing differs but the body, which a stream does not keep."""
    _, result = streamed(case, [body(case)])

    assert result == msgspec.structs.replace(whole(case), body=b"")


@each_case
def test_stream_byte_by_byte_is_the_same(case: Path) -> None:
    """Events and result do not depend on how the bytes come."""
    data = body(case)

    assert streamed(case, [data[at : at + 1] for at in range(len(data))]) == streamed(case, [data])


@each_case
@given(data=st.data())
def test_stream_in_any_pieces_is_the_same(case: Path, data: st.DataObject) -> None:
    """Whatever the cuts."""
    said = body(case)
    cuts = data.draw(st.lists(st.integers(0, len(said)), max_size=12))

    assert streamed(case, pieces(said, cuts)) == streamed(case, [said])


@each_case
def test_answer_goes_back_as_it_came(case: Path) -> None:
    """What was thought is sent again to where it came from, and nowhere else."""
    result = whole(case)
    request = ChatRequest(messages=(ChatMessage.user("first"), result.message, ChatMessage.user("next")))
    adapter = load(case.parent.name)

    here = adapter.build_request(request, target(case), stream=False)
    there = adapter.build_request(request, msgspec.structs.replace(target(case), provider="other"), stream=False)

    natives = [part.native for part in result.message.parts if part.native is not None]  # type: ignore[union-attr]
    assert all(native.data.encode() in here.body for native in natives)
    assert here.notes == ()
    assert [note.subject for note in there.notes] == ["reasoning"] * len(natives)
    assert not any(native.data.encode() in there.body for native in natives)
