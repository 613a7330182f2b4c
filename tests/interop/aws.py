"""
Amazon's own client as an oracle for Bedrock.

`signatures`: random requests, each signed by botocore and by fiber. `frames`: random event streams, good and damaged,
read by both. `requests`: the same requests, as boto3 prepares them and as fiber sends them. `answers`: both read the
same answers of a mock server.
"""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aws_material import CLAUDE, FRAMES, KEYS, NOVA, REGION, described, unsigned
from cases import SCHEMA, TOOLS, TWO_ROUNDS
from installing import sdk_python
from material import BIG, PDF, PNG, SAID, WAV
from outcomes import Outcome, compare

from fiber import NO_RETRY, Audio, AWSKeys, ChatMessage, Document, Fiber, FiberError, Image, ServerTool, Text
from fiber.framing.event_stream import EventStreamDecoder
from fiber.providers.sigv4 import Scope, authorization, timestamp
from fiber.testing import Failure, FakeTransport, MockCall, MockServer, Reply, json_reply
from fiber.testing.formats.event_stream import message

HERE = Path(__file__).parent
LIMIT_SECONDS = 300
_GUARDRAIL = {"guardrailIdentifier": "g1", "guardrailVersion": "1", "trace": "enabled"}
_REFUSED = json_reply({"message": "No."}, 400)

REQUESTS: dict[str, tuple[Any, dict[str, Any]]] = {
    # Case -> messages, and options; `aws_oracle.cases` has the same ones in boto3's words.
    "text": (SAID, {}),
    "system": ([ChatMessage.system("Be brief."), ChatMessage.user(SAID)], {}),
    "history": (["Hello", ("assistant", "Hi!"), ("user", SAID)], {}),
    "stream": (SAID, {"max_tokens": BIG, "stream": True}),
    "sampling": (SAID, {"temperature": 0.2, "top_p": 0.9, "stop": "END", "max_tokens": BIG}),
    "top_k": (SAID, {"top_k": 5}),
    "tools_auto": (SAID, {"tools": TOOLS, "tool_choice": "auto"}),
    "tools_named": (SAID, {"tools": TOOLS, "tool_choice": "get_weather"}),
    "tools_required": (SAID, {"tools": TOOLS, "tool_choice": "required"}),
    "tools_stream": (SAID, {"tools": TOOLS, "stream": True}),
    "tool_results": (TWO_ROUNDS, {"tools": TOOLS}),
    "image": ([ChatMessage.user([Text(SAID), Image(data=PNG)])], {}),
    "document": ([ChatMessage.user([Document(data=PDF, filename="a.pdf"), Text(SAID)])], {}),
    "audio": ([ChatMessage.user([Text(SAID), Audio(data=WAV)])], {}),
    "schema": (SAID, {"response_format": SCHEMA}),
    "cache": (
        [ChatMessage.system("Be brief.", cache_hint="extended"), ChatMessage.user(SAID, cache_hint="ephemeral")],
        {},
    ),
    "labels": (SAID, {"metadata": {"k": "v"}, "service_tier": "flex"}),
    "guardrail": (SAID, {"safety_settings": [_GUARDRAIL]}),
    "effort": (SAID, {"reasoning": "low"}),
    "nova_effort": (SAID, {"reasoning": "low", "model": NOVA}),
    "nova_search": (SAID, {"tools": [ServerTool("web_search")], "model": NOVA}),
    "arn": (SAID, {"model": "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"}),
}
ANSWERS: dict[str, Reply | Failure] = {
    "words": Reply("Zürich is sunny."),
    "calls": Reply("I look.", tool_calls=[MockCall("a", {"x": [1, "ä"]}), MockCall("b")], usage=(50, 20, 30)),
    "thinking": Reply("Yes.", reasoning="Let me think about it."),
    "length": Reply("Cut", finish_reason="length"),
    "filtered": Reply("No.", finish_reason="content_filter"),
    "busy": Failure(code="rate_limit"),
}


def run() -> Iterator[Outcome]:
    """Run all four."""
    python = sdk_python()
    yield signatures(python)
    yield frames(python)
    yield from requests(python)
    yield from answers(python)


def signatures(python: Path) -> Outcome:
    """Compare signatures."""
    theirs = _oracle(python, "signatures")
    found = []
    for one, expected in zip(unsigned(), theirs, strict=True):
        stamp = timestamp(one.seconds)
        token = [("x-amz-security-token", one.session_token)] if one.session_token else []
        ours = authorization(
            one.method,
            one.url,
            [*one.headers, ("x-amz-date", stamp), *token],
            one.body,
            scope=Scope(stamp, one.region, one.service),
            access_key_id=one.access_key_id,
            secret_access_key=one.secret_access_key,
        )
        found += compare(expected, ours, one.url)
    print(f"{len(theirs)} signatures")
    return Outcome("aws converse.signatures", tuple(found[:10]))


def frames(python: Path) -> Outcome:
    """Compare what event streams say, and where they break."""
    dice = random.Random("frames")
    streams = [b"".join(_message(dice) for _ in range(dice.randint(1, 4))) for _ in range(FRAMES)]
    streams += [_damaged(dice, stream) for stream in streams]
    theirs = _oracle(python, "frames", said="\n".join(stream.hex() for stream in streams))
    found = []
    for stream, expected in zip(streams, theirs, strict=True):
        decoder = EventStreamDecoder()
        messages = [described(dict(one.headers), one.payload) for one in decoder.feed(stream)]
        found += compare(expected, {"messages": messages, "broken": decoder.failure is not None})
    print(f"{len(theirs)} event streams, {sum(one['broken'] for one in theirs)} of them damaged")
    return Outcome("aws converse.frames", tuple(found[:10]))


def requests(python: Path) -> Iterator[Outcome]:
    """Compare what is sent."""
    for said in _oracle(python, "requests"):
        name = said["case"]
        if name not in REQUESTS:
            yield Outcome(f"aws converse.{name}", ("the case is missing in aws",))
            continue
        messages, options = REQUESTS[name]
        ours, failure = _sent(messages, {"model": CLAUDE, **options})
        theirs = {"url": said["url"], "body": _parsed(said["body"])}
        found = compare(theirs, ours, words=("boto3", "fiber"))
        found += [f"boto3 error: {said['error']}"] if said["error"] else []
        found += [f"fiber error: {failure}"] if failure else []
        yield Outcome(f"aws converse.{name}", tuple(found))


def answers(python: Path) -> Iterator[Outcome]:
    """Compare what is read."""

    with MockServer(handler=lambda request: ANSWERS[request.model]) as server:
        lines = _oracle(python, "answers", server.url, json.dumps(list(ANSWERS)))
        theirs = {line["case"]: line["seen"] for line in lines}
        client = Fiber(api_keys={"bedrock": _keys()}, base_urls={"bedrock": server.url}, retry=NO_RETRY).sync
        for model in ANSWERS:
            for stream in (False, True):
                case = f"{model}{'.stream' if stream else ''}"
                seen, expected = _read(client, model, stream=stream), theirs[case]
                if "error" in seen:
                    expected = {"error": {"ThrottlingException": "FiberRateLimitError"}.get(expected.get("error"))}
                yield Outcome(f"aws converse.answer_{case}", tuple(compare(expected, seen, words=("boto3", "fiber"))))
        client.close()
        for error in server.errors:
            yield Outcome("aws converse.mock", (str(error),))


def _keys() -> AWSKeys:
    return AWSKeys(*KEYS, region=REGION)


def _sent(messages: Any, options: dict[str, Any]) -> tuple[dict[str, Any], str]:
    transport = FakeTransport(_REFUSED)
    client = Fiber(api_keys={"bedrock": _keys()}, transport=transport, retry=NO_RETRY).sync
    stream, failure = options.pop("stream", False), ""
    try:
        if stream:
            client.chat_stream(messages, provider="bedrock", **options).collect()
        else:
            client.chat(messages, provider="bedrock", **options)
    except FiberError as error:
        failure = "" if error.status_code else f"{type(error).__name__}: {error}"
    if not transport.requests:
        return {}, failure
    (request,) = transport.requests
    return {"url": request.url, "body": _parsed(request.json())}, failure


def _parsed(body: dict[str, Any]) -> dict[str, Any]:
    """Read the schema, which travels as a string: white space in it means nothing."""
    described = body.get("outputConfig", {}).get("textFormat", {}).get("structure", {}).get("jsonSchema")
    if described:
        described["schema"] = json.loads(described["schema"])
    return body


def _read(client: Any, model: str, *, stream: bool) -> dict[str, Any]:
    try:
        if stream:
            with client.chat_stream(SAID, model=model, provider="bedrock") as events:
                result = events.collect()
        else:
            result = client.chat(SAID, model=model, provider="bedrock")
    except FiberError as error:
        return {"error": type(error).__name__}
    return {
        "text": result.text,
        "reasoning": result.reasoning,
        "calls": [[call.name, call.arguments] for call in result.tool_calls],
        "stop": result.raw_finish_reason,
        "input": result.usage.input_tokens,
        "output": result.usage.output_tokens,
    }


def _message(dice: random.Random) -> bytes:
    names = (":event-type", ":message-type", "x", "\u00e4")
    headers = {name: dice.choice(("event", "", "\u00e9" * 9)) for name in names[: dice.randint(0, len(names))]}
    return message(headers, dice.randbytes(dice.randint(0, 60)))


def _damaged(dice: random.Random, stream: bytes) -> bytes:
    at = dice.randrange(len(stream))
    return stream[:at] + bytes([stream[at] ^ dice.randint(1, 255)]) + stream[at + 1 :]


def _oracle(python: Path, *arguments: str, said: str = "") -> list[Any]:
    """Run the oracle under boto3's Python; return its lines."""
    done = subprocess.run(
        [python, HERE / "aws_oracle.py", *arguments],
        input=said,
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"aws_oracle.py {arguments[0]} failed: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]
