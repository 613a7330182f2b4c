"""One recording through one adapter: decoded, cut up, compared with its oracle, and sent back."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from fiber._errors import FiberError, FiberParsingError
from fiber.adapters.base import Adapter
from fiber.providers.row import Provider
from fiber.providers.table import PROVIDERS
from fiber.types.content import Opaque
from fiber.types.events import MessageEnd, StreamEvent, TextDelta
from fiber.types.http import HTTPHead
from fiber.types.messages import ChatMessage
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult
from fiber.types.target import Quirks, Target
from tests.conformance.chunking import chunkings
from tests.conformance.fields import unknown
from tests.conformance.oracles import differences, reading
from tests.conformance.recordings import Recording
from tests.conformance.shown import shown

_MERGED = ("assistant.members", "message", "item_reference")
"""Kinds of sealed parts that become part of a larger object: members of a turn, one content part, a stand-in by id."""
_RETOLD = ("began its answer anew", "differ from its finished text")
"""Warnings of results that are not the sum of their events, because the provider took back what it had said."""


@dataclass
class Verdict:
    """
    What came out.

    Attributes:
        kind: `whole`, `stream`, `error`, `promise` for an answer that only says where the answer will be, or `other`
            for an exchange that answers no chat request.
        raised: Class and words of the exception that decoding ended with; empty when it ended well.
        problems: What is wrong, in words; an exception is none yet, for it may be truthful.
        chunkings: Ways in which the stream was cut.
        natives: Sealed parts that were sent back verbatim.
        left_out: Sealed parts that the adapter did not send back, and said so.
        unknown: Members that are neither read nor known.
        shows: Columns of the scoreboard for which it speaks.
    """

    kind: str
    raised: str = ""
    problems: list[str] = field(default_factory=list)
    chunkings: int = 0
    natives: int = 0
    left_out: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    shows: set[str] = field(default_factory=set)


def replay(recording: Recording, format: str, random_chunkings: int) -> Verdict:
    """Replay *recording* through the adapter *format*."""
    adapter: Adapter = import_module(f"fiber.adapters.{format}").ADAPTER
    head = HTTPHead(recording.status, recording.headers)
    target = target_of(row_of(recording.provider, format), recording.provider)
    body = recording.body(format)
    if recording.is_error:
        return _error(recording, format, adapter.parse_error(head, body, target))
    if not recording.is_answer:
        return Verdict("other")
    payloads, oracle = recording.payloads, reading(format)
    if adapter.follow is not None and (promised := oracle.promised(payloads[0], target.base_url)):
        return _promise(adapter, head, body, target, promised)
    verdict = Verdict("stream" if recording.stream else "whole")
    results: list[ChatResult] = []
    events: list[StreamEvent] = []
    try:
        if not recording.is_framed:
            results.append(adapter.parse_response(head, body, target))
        if recording.stream:
            first = _stream(adapter, head, target, body, random_chunkings, recording.id, verdict)
            results.append(first.result)
            events = first.events
        for result in results:
            answer = oracle.answer(payloads)
            verdict.problems += differences(answer, result)
            _send_back(adapter, target, result, answer.choice().seals, verdict)
    except FiberError as error:
        verdict.raised = f"{type(error).__name__}: {error}"
    except Exception as error:  # a bug, of an adapter or of its oracle: it belongs to this recording
        verdict.problems.append(f"raised {error!r}")
    else:
        verdict.shows = {"stream" if recording.stream else "chat", *shown(recording.tags, results, events)}
    verdict.unknown.update(unknown(format, payloads, oracle.UNREAD, whole=not recording.is_framed))
    return verdict


def row_of(provider: str, format: str) -> Provider | None:
    """Return the row by which *provider* speaks *format*; None when there is none."""

    def is_it(row: Provider) -> bool:
        return provider in (row.name, row.key_of, row.name.partition("-")[0], *row.aliases)

    return next((row for row in PROVIDERS if row.adapter == format and is_it(row)), None)


def target_of(row: Provider | None, provider: str = "") -> Target:
    """Return where *provider* is asked, with all that its row says, when there is one."""
    return Target(
        provider=provider or (row.name if row else ""),
        model="asked",
        base_url="https://recorded.invalid/v1",
        quirks=Quirks() if row is None else row.quirks,
        adapt_request=None if row is None else row.adapt_request,
    )


def _error(recording: Recording, format: str, error: FiberError) -> Verdict:
    verdict = Verdict("error")
    value = recording.payloads[0] if recording.payloads else None
    true = reading(format).refusal(recording.status, value)
    if type(error).__name__ != true:
        verdict.problems.append(f"is {type(error).__name__}, the documentation says {true}: {error}")
    if error.status_code != recording.status:
        verdict.problems.append(f"status is {error.status_code}, the recording says {recording.status}")
    verdict.shows.add("errors")
    return verdict


def _promise(adapter: Adapter, head: HTTPHead, body: bytes, target: Target, promised: Any) -> Verdict:
    """Follow an answer that is none yet, with a stream wanted and without; it must not be taken for the answer."""
    verdict = Verdict("promise")
    assert adapter.follow is not None
    for stream in (False, True):
        step = adapter.follow(head, body, target, stream=stream)
        if step is None or step.stop is None:
            verdict.problems.append("is not followed, or cannot be stopped")
            continue
        true = promised.stream if stream and promised.stream else promised.look
        if (step.request.method, step.request.url) != ("GET", true):
            verdict.problems.append(f"is followed to {step.request.url}, the recording says {true}")
        if (step.stop.method, step.stop.url) != ("POST", promised.cancel):
            verdict.problems.append(f"is stopped at {step.stop.url}, the recording says {promised.cancel}")
    try:
        adapter.parse_response(head, body, target)
    except FiberParsingError:
        return verdict
    verdict.problems.append("is taken for the answer")
    return verdict


def _stream(
    adapter: Adapter, head: HTTPHead, target: Target, body: bytes, count: int, name: str, verdict: Verdict
) -> _Decoded:
    """
    Decode a stream at once and in pieces; all must agree.

    Raises:
        FiberError: What the decoder ended with.
    """
    first = _decode(adapter, head, target, [body])
    for chunks in chunkings(body, name, count):
        verdict.chunkings += 1
        if _decode(adapter, head, target, chunks) != first:
            how = "byte by byte" if len(chunks) == len(body) else f"as {len(chunks)} chunks"
            verdict.problems.append(f"is another answer {how} (chunking {verdict.chunkings})")
            break
    if first.error is not None:
        raise first.error
    ends = [event for event in first.events if isinstance(event, MessageEnd)]
    if not first.done or first.events[-1:] != ends:
        verdict.problems.append("did not end with one message-end")
    said = "".join(event.text for event in first.events if isinstance(event, TextDelta) and event.index == 0)
    retold = any(words in warning for words in _RETOLD for warning in first.result.warnings)
    if said != first.result.text and not retold:
        verdict.problems.append("has other text in its events than in its result")
    return first


@dataclass
class _Decoded:
    """All that a stream gave; errors are compared by what they say."""

    events: list[StreamEvent]
    result: ChatResult
    done: bool
    words: str
    partial: ChatResult | None
    error: FiberError | None = field(compare=False)


def _decode(adapter: Adapter, head: HTTPHead, target: Target, chunks: Iterable[bytes]) -> _Decoded:
    decoder = adapter.stream_decoder(head, target)
    events: list[StreamEvent] = []
    for chunk in chunks:
        events += decoder.feed(chunk)
    events += decoder.finish()
    error = decoder.error
    partial = getattr(error, "partial", None)
    return _Decoded(events, decoder.result(), decoder.done, f"{type(error).__name__}: {error}", partial, error)


def _send_back(adapter: Adapter, target: Target, result: ChatResult, seals: list[str], verdict: Verdict) -> None:
    """Append the answer to a history, build the next request to the same place, and look for what was sealed."""
    messages = (ChatMessage.user("first"), result.message, ChatMessage.user("next"))
    try:
        built = adapter.build_request(ChatRequest(messages=messages), target, stream=False)
    except FiberError as error:
        verdict.problems.append(f"cannot be sent back: {error}")
        return
    body = built.body.decode()
    dropped = any(note.kind == "dropped" for note in built.notes)
    lost = [] if dropped else [seal for seal in seals if json.dumps(seal)[1:-1] not in body]
    verdict.problems += [f"a signature of the recording does not go back: {seal[:80]}" for seal in lost]
    for part in result.message.parts:
        native = part if isinstance(part, Opaque) else part.native
        if native is None:
            continue
        if native.data in body or (native.kind in _MERGED and _is_within(native.value(), json.loads(body))):
            verdict.natives += 1
        elif dropped:
            verdict.left_out += 1
        else:
            verdict.problems.append(f"a sealed part does not go back as it came: {native.kind} {native.data[:120]}")


def _is_within(small: Any, big: Any) -> bool:
    """Say whether an object in *big* has all that *small* has; the elements of a list may stand among others."""
    if isinstance(big, list):
        return any(_is_within(small, each) for each in big)
    if not isinstance(big, dict):
        return False
    same = all(
        name in big and (big[name] == value or (isinstance(value, list) and all(each in big[name] for each in value)))
        for name, value in small.items()
        if value != "item_reference"
    )
    return same or any(_is_within(small, each) for each in big.values())
