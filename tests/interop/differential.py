"""
The official clients as oracles.

`requests`: every logical request is sent once by the vendor's client and once by fiber to a recorder, and the two are
compared. `answers`: every canned answer is given to both, and what they read is compared.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from answers import ANSWERS, FORMATS
from cases import CASES, MODELS, PROVIDERS, Case
from installing import sdk_python
from material import BIG, KEY, SAID
from outcomes import Outcome, compare
from recorder import Recorder

from fiber import NO_RETRY, ChatResult, Fiber, SyncFiber
from fiber.testing import MockServer

HERE = Path(__file__).parent
LIMIT_SECONDS = 300
_BASES = {
    "chat": "/v1",
    "responses": "/v1",
    "messages": "",
    "generate": "",
    "cohere": "",
    "ollama": "",
    "azure": "/openai/v1",
    "azure-dated": "/openai",
    "azure-responses": "/openai/v1",
    "mistral": "/v1",
}
_FAMILIES = {
    "chat": "openai",
    "responses": "openai",
    "messages": "anthropic",
    "generate": "gemini",
    "cohere": "cohere",
    "ollama": "ollama",
}


def run() -> Iterator[Outcome]:
    """Run both directions."""
    python = sdk_python()
    yield from requests(python)
    yield from answers(python)


def requests(python: Path) -> Iterator[Outcome]:
    """Compare what is sent."""
    with Recorder() as recorder:
        said = _script(python, "sdk_requests.py", recorder.url, json.dumps(MODELS))
        errors = {line["case"]: line["error"] for line in said}
        recorded = {name: recorder.requests.pop(name, []) for name in errors}
        for case in CASES:
            failure = _send(recorder.url, case)
            ours = recorder.requests.pop(case.name, [])
            theirs = recorded.pop(case.name, None)
            found = [] if theirs is None else compare({"requests": theirs}, {"requests": ours})
            found = [line.removeprefix("requests.0.") for line in found]
            if theirs is None:
                found.append("the case is missing in sdk_requests")
            found += [f"SDK error: {errors[case.name]}"] if errors.get(case.name) else []
            found += [f"fiber error: {failure}"] if failure else []
            yield Outcome(f"requests {case.name}", tuple(found))
        for name in recorded:
            yield Outcome(f"requests {name}", ("the case is missing in cases",))


def answers(python: Path) -> Iterator[Outcome]:
    """Compare what is read."""
    with MockServer(handler=lambda request: ANSWERS[request.model]) as server:
        bases = {name: server.base_url(_FAMILIES[name]) for name in FORMATS}  # type: ignore[arg-type]
        said = _script(python, "sdk_answers.py", json.dumps(bases), json.dumps(list(ANSWERS)))
        theirs = {line["case"]: line["seen"] for line in said}
        for name in FORMATS:
            with _client(name, bases[name]) as client:
                for answer in ANSWERS:
                    for stream in (False, True):
                        case = f"{name}.{answer}{'.stream' if stream else ''}"
                        found = compare(theirs.get(case, {}), _read(client, name, answer, stream=stream))
                        yield Outcome(f"answers {case}", tuple(found))
        for error in server.errors:
            yield Outcome("answers mock", (str(error),))


@contextmanager
def _client(format: str, base_url: str, key: str = KEY) -> Iterator[SyncFiber]:
    """Make a blocking client of one row at one address."""
    provider = PROVIDERS[format]
    client = Fiber(api_keys={provider: key}, base_urls={provider: base_url}, retry=NO_RETRY).sync
    try:
        yield client
    finally:
        client.close()


def _send(url: str, case: Case) -> str:
    options = {"model": case.model, "provider": PROVIDERS[case.format], **case.options}
    if case.format == "messages":
        options.setdefault("max_tokens", BIG)  # the vendor's client wants it said
    try:
        with _client(case.format, f"{url}/{case.name}{_BASES[case.format]}", case.key) as client:
            if case.stream:
                with client.chat_stream(case.messages, **options) as stream:
                    stream.collect()
            else:
                client.chat(case.messages, **options)
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:300]
    return ""


def _read(client: SyncFiber, format: str, answer: str, *, stream: bool) -> dict[str, Any]:
    options = {"model": answer, "provider": PROVIDERS[format]}
    try:
        if stream:
            with client.chat_stream(SAID, **options) as events:
                result: ChatResult = events.collect()
        else:
            result = client.chat(SAID, **options)
        calls = [[call.id, call.name, call.arguments] for call in result.tool_calls]
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    usage = {
        "input": result.usage.input_tokens,
        "output": result.usage.output_tokens,
        "cached": result.usage.cache_read_tokens,
        "reasoning": result.usage.reasoning_tokens,
    }
    counts = {name: count for name, count in usage.items() if count is not None}
    return {"text": result.text, "calls": calls, "finish": result.finish_reason, "usage": counts}


def _script(python: Path, name: str, *arguments: str) -> list[dict[str, Any]]:
    """Run a script of ours under the official clients' Python; return its lines."""
    done = subprocess.run(
        [python, HERE / name, *arguments], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{name} failed: {done.stderr[-500:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]
