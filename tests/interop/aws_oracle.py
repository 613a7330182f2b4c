"""
What boto3 and botocore make of the material; runs in their environment, which has no fiber.

Called with `signatures`, `frames` (bytes as hexadecimal on standard input, a stream a line), `requests`, or `answers`
with the address of a server and the models to ask; prints a line of JSON for each.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.auth
from aws_material import CLAUDE, KEYS, NOVA, REGION, described, unsigned
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.eventstream import EventStreamBuffer
from material import BIG, CITY, EMPTY, PDF, PNG, SAID, WAV

WEATHER = {"toolSpec": {"name": "get_weather", "description": "Weather of a city.", "inputSchema": {"json": CITY}}}
CLOCK = {"toolSpec": {"name": "get_time", "description": "Time of day.", "inputSchema": {"json": EMPTY}}}
TOOLS = [WEATHER, CLOCK]
TEXT = {"text": SAID}
USER = {"role": "user", "content": [TEXT]}
CALL = {"toolUse": {"toolUseId": "call_1", "name": "get_weather", "input": {"city": "Z\u00fcrich"}}}
OTHER = {"toolUse": {"toolUseId": "call_2", "name": "get_time", "input": {}}}


def signatures() -> Iterator[Any]:
    """Sign every request."""
    for one in unsigned():
        moment = datetime.datetime.fromtimestamp(one.seconds, datetime.UTC).replace(tzinfo=None)
        botocore.auth.get_current_datetime = lambda *_, moment=moment: moment
        request = AWSRequest(method=one.method, url=one.url, data=one.body)
        for name, value in one.headers:
            request.headers.add_header(name, value)
        keys = Credentials(one.access_key_id, one.secret_access_key, one.session_token or None)
        botocore.auth.SigV4Auth(keys, one.service, one.region).add_auth(request)
        yield request.headers["Authorization"]


def frames() -> Iterator[Any]:
    """Read every stream, up to its first damage."""
    for line in sys.stdin:
        buffer, found = EventStreamBuffer(), []
        buffer.add_data(bytes.fromhex(line.strip()))
        broken = False
        try:
            for message in buffer:
                found.append(described(message.headers, message.payload))
        except Exception:
            broken = True
        yield {"messages": found, "broken": broken}


def result(id: str, text: str, **more: Any) -> dict[str, Any]:
    """A tool's result."""
    return {"toolResult": {"toolUseId": id, "content": [{"text": text}], **more}}


def cases() -> dict[str, dict[str, Any]]:
    """Return keywords of `converse` by case; model and messages have defaults."""

    def user(*content: Any) -> list[Any]:
        return [{"role": "user", "content": list(content)}]

    picture = {"image": {"format": "png", "source": {"bytes": PNG}}}
    two_rounds = [
        USER,
        {"role": "assistant", "content": [CALL, OTHER]},
        *user(result("call_1", "no such city", status="error"), result("call_2", "noon")),
        {"role": "assistant", "content": [{"text": "It is noon."}]},
        *user({"text": "Thanks!"}),
    ]
    form = {"type": "json_schema", "structure": {"jsonSchema": {"name": "city", "schema": json.dumps(CITY)}}}
    guardrail = {"guardrailIdentifier": "g1", "guardrailVersion": "1", "trace": "enabled"}
    short = {"cachePoint": {"type": "default"}}
    return {
        "text": {},
        "system": {"system": [{"text": "Be brief."}]},
        "history": {"messages": [*user({"text": "Hello"}), {"role": "assistant", "content": [{"text": "Hi!"}]}, USER]},
        "stream": {"stream": True, "inferenceConfig": {"maxTokens": BIG}},
        "sampling": {"inferenceConfig": {"temperature": 0.2, "topP": 0.9, "stopSequences": ["END"], "maxTokens": BIG}},
        "top_k": {"additionalModelRequestFields": {"top_k": 5}},
        "tools_auto": {"toolConfig": {"tools": TOOLS, "toolChoice": {"auto": {}}}},
        "tools_named": {"toolConfig": {"tools": TOOLS, "toolChoice": {"tool": {"name": "get_weather"}}}},
        "tools_required": {"toolConfig": {"tools": TOOLS, "toolChoice": {"any": {}}}},
        "tools_stream": {"stream": True, "toolConfig": {"tools": TOOLS}},
        "tool_results": {"messages": two_rounds, "toolConfig": {"tools": TOOLS}},
        "image": {"messages": user(TEXT, picture)},
        "document": {
            "messages": user({"document": {"format": "pdf", "name": "a pdf", "source": {"bytes": PDF}}}, TEXT)
        },
        "audio": {"messages": user(TEXT, {"audio": {"format": "wav", "source": {"bytes": WAV}}})},
        "schema": {"outputConfig": {"textFormat": form}},
        "cache": {
            "system": [{"text": "Be brief."}, {"cachePoint": {"type": "default", "ttl": "1h"}}],
            "messages": user(TEXT, short),
        },
        "labels": {"requestMetadata": {"k": "v"}, "serviceTier": {"type": "flex"}},
        "guardrail": {"guardrailConfig": guardrail},
        "effort": {
            "additionalModelRequestFields": {"thinking": {"type": "adaptive"}},
            "outputConfig": {"effort": "low"},
        },
        "nova_effort": {
            "modelId": NOVA,
            "additionalModelRequestFields": {"reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"}},
        },
        "nova_search": {"modelId": NOVA, "toolConfig": {"tools": [{"systemTool": {"name": "nova_grounding"}}]}},
        "arn": {"modelId": "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"},
    }


def client(url: str | None = None) -> Any:
    """Make a client."""
    config = Config(retries={"total_max_attempts": 1}, region_name=REGION)
    id, secret = KEYS
    return boto3.client(
        "bedrock-runtime",
        endpoint_url=url,
        aws_access_key_id=id,
        aws_secret_access_key=secret,
        config=config,
    )


def requests() -> Iterator[Any]:
    """Prepare every request, and send none."""
    sent: list[Any] = []

    def keep(request: Any, **_: Any) -> AWSResponse:
        sent.append(request)
        return AWSResponse(request.url, 400, {}, _Raw())

    runtime = client()
    runtime.meta.events.register("before-send.bedrock-runtime.*", keep)
    for name, said in cases().items():
        asked = {"modelId": CLAUDE, "messages": [USER], **said}
        method: Callable[..., Any] = runtime.converse_stream if asked.pop("stream", False) else runtime.converse
        error = ""
        try:
            method(**asked)
        except runtime.exceptions.ClientError:
            pass  # our own 400
        except Exception as caught:
            error = f"{type(caught).__name__}: {caught}"[:300]
        request = sent.pop() if sent else None
        body = {} if request is None else json.loads(request.body)
        yield {"case": name, "error": error, "url": request and request.url, "body": body}


class _Raw:
    """The body of an answer that never came."""

    def stream(self, *_: Any, **__: Any) -> Iterator[bytes]:
        """Return an empty object."""
        yield b"{}"


def answers(url: str, models: list[str]) -> Iterator[Any]:
    """Ask a server, and say what was read."""
    runtime = client(url)
    for model in models:
        for stream in (False, True):
            asked = {"modelId": model, "messages": [USER]}
            try:
                reply = runtime.converse_stream(**asked) if stream else runtime.converse(**asked)
                seen: Any = joined(reply["stream"]) if stream else read(reply)
            except Exception as caught:
                seen = {"error": type(caught).__name__}
            yield {"case": f"{model}{'.stream' if stream else ''}", "seen": seen}


def read(reply: Any) -> dict[str, Any]:
    """Say what a whole answer says."""
    content = reply["output"]["message"]["content"]
    calls = [block["toolUse"] for block in content if "toolUse" in block]
    thoughts = [block["reasoningContent"]["reasoningText"]["text"] for block in content if "reasoningContent" in block]
    usage = reply["usage"]
    return {
        "text": "".join(block.get("text", "") for block in content),
        "reasoning": "".join(thoughts),
        "calls": [[call["name"], call["input"]] for call in calls],
        "stop": reply["stopReason"],
        "input": usage["inputTokens"] + usage["cacheReadInputTokens"] + usage["cacheWriteInputTokens"],
        "output": usage["outputTokens"],
    }


def joined(events: Any) -> dict[str, Any]:
    """Say what a stream says."""
    content: dict[int, dict[str, Any]] = {}
    reply: dict[str, Any] = {}
    for event in events:
        [(kind, said)] = event.items()
        place = content.setdefault(said["contentBlockIndex"], {}) if "contentBlockIndex" in said else {}
        if kind == "contentBlockStart":
            place["toolUse"] = {**said["start"]["toolUse"], "input": ""}
        elif kind == "contentBlockDelta":
            delta = said["delta"]
            if "text" in delta:
                place["text"] = place.get("text", "") + delta["text"]
            elif "toolUse" in delta:
                place["toolUse"]["input"] += delta["toolUse"]["input"]
            elif "text" in delta.get("reasoningContent", {}):
                thought = place.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
                thought["text"] += delta["reasoningContent"]["text"]
        else:
            reply.update(said)
    for block in content.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    return read({**reply, "output": {"message": {"content": list(content.values())}}})


def main() -> None:
    """Run what is asked for."""
    what = sys.argv[1]
    lines = {"signatures": signatures, "frames": frames, "requests": requests}
    made = answers(sys.argv[2], json.loads(sys.argv[3])) if what == "answers" else lines[what]()
    for line in made:
        print(json.dumps(line), flush=False)


if __name__ == "__main__":
    main()
