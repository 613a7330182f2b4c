"""
Secrets stay where they are (goal G8): a canary key and a canary prompt go through many failures, and everything that
a host may write down is searched for them.
"""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figure import Figure, script
from independent import MISSING, Faults, faults
from raw import RawServer, full, mute
from sinks import KEY_WORD, PROMPT_WORD, Books, Found, Listener, exporter, search_error
from worlds import Job, client, run

from fiber import NO_RETRY, ChatMessage, Fiber, FiberError, RetryPolicy, Timeouts
from fiber._chain import Call, Handler
from fiber._reply import Reply
from fiber.layers import default_layers
from fiber.testing import Failure, MockRequest, MockServer, Recorder
from fiber.testing import Reply as Said
from fiber.testing.answers import SPECIAL_WORDS

KEYS = {
    "plain": f"sk-{KEY_WORD}-0123456789",
    "with a newline": f"sk-{KEY_WORD}-0123456789\n",
    "with a newline inside": f"sk-{KEY_WORD}\r\n-0123456789",
    "not ASCII": f"sk-{KEY_WORD}-\u00fc-0123456789",
}
PROMPT = f"Tell me nothing about {PROMPT_WORD}, please."
FAMILIES = {"openai": "openai", "openai-responses": "openai", "anthropic": "anthropic", "gemini": "gemini"}
WAYS = (
    "no_head",
    "drip_head",
    "silent_body",
    "drip_body",
    "pings",
    "stall",
    "stall_with_pings",
    "busy",
    "endless_head",
)
SINKS = (
    "logs of all loggers",
    "spans",
    "str and repr of errors",
    "tracebacks with causes",
    "variables of our frames in tracebacks",
    "members of errors",
    "pickles of errors",
    "partial results",
    "repr of clients",
    "repr of calls and requests",
    "cassettes",
    "metrics",
    "business events",
    "books of usage",
    "the page on usage",
)
OF_PROMPTS = (*SINKS[:4], *SINKS[5:7], "repr of calls and requests", *SINKS[-4:])
QUICK = Timeouts(connect=0.1, read=0.1, first_event=0.15, stall=0.15, total=0.3)
REPEAT = RetryPolicy(max_attempts=2, base_backoff_seconds=0.01, max_backoff_seconds=0.01, budget_reserve=1000)


class Keeper:
    """A layer that shows what every layer of a host is shown."""

    def __init__(self, found: Found) -> None:
        self._found = found

    async def __call__(self, call: Call, next: Handler) -> Reply:
        """Search the call, and the request that it makes."""
        self._found.search("repr of calls and requests", call.label, f"{call!r} {call} {call.credential!r}")
        try:
            said = f"{call.operation.build(call.target, stream=call.stream)!r} {call.journal!r}"
        except Exception:  # which the call itself will raise
            said = ""
        self._found.search("repr of calls and requests", call.label, said)
        # The messages of a request are its own; what is sent beside them is not for everybody.
        self._found.search(
            "repr of calls and requests", call.label, repr(getattr(call.operation, "request", "")), "key"
        )
        return await next(call)


def repeating(request: MockRequest) -> Any:
    """Answer so that a part of the request comes back, where the model's name asks for it."""
    key, model = request.api_key, request.model
    prompt = request.view.last_text if request.view else ""
    if "repeat-key" in model:
        return Failure(401, message=f"The key {key} is wrong; so is Bearer {key}.")
    if "repeat-prompt" in model:
        return Failure(400, message=f"The prompt is not valid: {prompt}")
    if "late-key" in model:
        return Said("A few words before it breaks", end="error", error=Failure(500, message=f"{key} is used up"))
    if "strange" in model:
        return Said(f"{prompt} {prompt}", end="drop")
    return None


def measure(smoke: bool) -> Iterator[Figure]:
    """Yield the bytes found in each sink."""
    found = Found()
    spans = exporter()
    failures = 0
    worlds = ("asyncio",) if smoke else ("asyncio", "trio", "sync")
    with Listener() as listener, tempfile.TemporaryDirectory() as folder, _surroundings() as (urls, others):
        for number, (name, key) in enumerate(KEYS.items()):
            if smoke and number > 1:
                break
            for world in worlds:
                tape = Path(folder) / f"{number}-{world}.jsonl"
                books = Books(Path(folder) / f"{number}-{world}")
                jobs = list(_jobs(name, key, urls, tape, found, books, others if number == 0 and not smoke else None))
                for outcome in run(world, jobs, at_once=16):
                    where = f"{world}, key {name}: {outcome.job.name}"
                    if outcome.error is not None:
                        failures += 1
                        repeats = "repeat-prompt" in outcome.job.name
                        ours = "late-key" not in outcome.job.name and " header" not in outcome.job.name
                        search_error(found, where, outcome.error, is_repeated=repeats, has_variables=ours)
                    found.search("repr of calls and requests", where, repr(outcome.result), "key")
                books.search(found, f"{world}, key {name}")
                found.search("logs of all loggers", f"{world}, key {name}", listener.taken())
                if spans is not None:
                    said = "\n".join(span.to_json() for span in spans.get_finished_spans())
                    found.search("spans", f"{world}, key {name}", said)
                    spans.clear()
                if tape.exists():
                    found.search("cassettes", f"{world}, key {name}", tape.read_bytes(), "key")
            failures += _wrong_use(found, name, key)
            found.search("logs of all loggers", f"wrong use, key {name}", listener.taken())
    yield Figure("failures", failures, "", None, f"{len(KEYS)} kinds of key")
    if others is None:
        yield Figure("a second source of faults", None, note=MISSING)
    for word in ("key", "prompt"):
        for sink in SINKS:
            if sink == "spans" and spans is None:
                yield Figure(f"{word} in {sink}", None, note="opentelemetry-sdk is not installed")
            elif word == "key" or sink in OF_PROMPTS:
                places = found.places.get((word, sink), [])
                note = f"{len(places)} places: {'; '.join(places[:3])}" if places else ""
                yield Figure(f"{word} in {sink}", found.bytes[word, sink], "bytes", 0, note)


@contextmanager
def _surroundings() -> Iterator[tuple[dict[str, str], Faults | None]]:
    with MockServer(handler=repeating) as mock, RawServer() as server, mute() as silent, full() as closed:
        with socket.socket() as unused, faults() as others:
            unused.bind(("127.0.0.1", 0))
            urls = {f"mock {family}": mock.base_url(FAMILIES[family]) for family in FAMILIES}  # type: ignore[arg-type]
            urls |= {f"raw {way}": server.base_url(way) for way in WAYS}
            urls |= {
                "refused": f"http://127.0.0.1:{unused.getsockname()[1]}/v1",
                "no connection": f"http://127.0.0.1:{closed}/v1",
                "mute TLS": f"https://127.0.0.1:{silent}/v1",
                "no TLS": server.base_url("echo").replace("http:", "https:"),
                "no such host": "http://nonexistent.invalid/v1",
            }
            yield urls, others


def _jobs(
    name: str, key: str, urls: dict[str, str], tape: Path, found: Found, books: Books, others: Faults | None
) -> Iterator[Job]:
    layers = (Keeper(found), *default_layers())
    usual: dict[str, Any] = {"timeouts": QUICK, "layers": layers, "retry": NO_RETRY, **books.options}
    words = (*SPECIAL_WORDS, "repeat-key", "repeat-prompt", "late-key", "strange")
    recorder = Recorder(tape)
    is_plain = key.isascii() and key.isprintable()
    for stream in (False, True):
        for family in FAMILIES:
            options = {**usual, "api_keys": {family: key}, "base_urls": {family: urls[f"mock {family}"]}}
            for word in words:
                call = {"model": f"{family}:mock-{word}", "label": word}
                yield Job(f"{family} {word}", "", PROMPT, stream, {**options, "retry": REPEAT}, call)
                if is_plain:
                    headers = {**call, "extra_headers": {"x-gateway-key": key, "x-prompt": PROMPT}}
                    options_of_it = {**options, "retry": REPEAT}
                    yield Job(f"{family} {word}, the key in a header", "", PROMPT, stream, options_of_it, headers)
                yield Job(f"{family} {word}, recorded", "", PROMPT, stream, {**options, "transport": recorder}, call)
        options = {**usual, "api_keys": {"openai": key}}
        for where, url in urls.items():
            if not where.startswith("mock"):
                call = {"label": where}
                yield Job(where, url, PROMPT, stream, options, call)
                yield Job(f"{where}, recorded", url, PROMPT, stream, {**options, "transport": recorder}, call)
        for what, prompt, call in _bad_calls(key):
            yield Job(what, urls["mock openai"], prompt, stream, options, {**call, "label": what})
        for scenario in others.scenarios if others else ():
            yield Job(f"fault_server {scenario}", others.base_url(scenario), PROMPT, stream, options)  # type: ignore[union-attr]


def _bad_calls(key: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    yield "a lone surrogate", f"{PROMPT} \ud83d", {}
    yield "NaN", PROMPT, {"temperature": float("nan")}
    yield "a wrong type", PROMPT, {"temperature": "hot"}
    yield "an unknown model", PROMPT, {"model": "no-such-model-anywhere"}
    yield "a wrong role", [("wizard", PROMPT)], {}
    yield "a tool result without a call", [ChatMessage.tool("call-1", PROMPT)], {}
    yield "an object as content", [("user", {"text": PROMPT})], {}
    yield "the key in a bad header", PROMPT, {"extra_headers": {"x-other-key": f"{key}\n"}}
    yield "the key in a header", PROMPT, {"extra_headers": {"authorization": f"Bearer {key}"}}
    yield "JSON was asked for", PROMPT, {"response_format": {"type": "json_object"}}


def _wrong_use(found: Found, name: str, key: str) -> int:
    """Use the library wrongly around a key; return how many errors that made."""
    proxied = f"http://someone:{key.strip()}@127.0.0.1:9"
    cases: dict[str, Callable[[], object]] = {
        "the key as user of a base URL": lambda: client(f"https://{key}@example.invalid/v1"),
        "the key in the query of a base URL": lambda: client(f"https://example.invalid/v1?key={key}"),
        "the key of an unknown provider": lambda: Fiber(api_keys={"nobody": key}),
        "a callable that returns the key and is wrong": lambda: _asked(api_keys={"openai": lambda: [key]}),
        "a callable that raises": lambda: _asked(api_keys={"openai": _raising}),
        "a proxy that is not there": lambda: _proxied(proxied, key),
        "a proxy of an unknown kind": lambda: _proxied(proxied.replace("http:", "gopher:"), key),
    }
    count = 0
    for what, wrong in cases.items():
        try:
            wrong()
        except Exception as error:
            count += 1
            search_error(found, f"key {name}: {what}", error, is_repeated=False, has_variables=False)
    fiber = Fiber(api_keys={"openai": key}, default_model="openai:gpt-mock")
    shown = [fiber, fiber.sync, fiber.bind(run=1), fiber.with_options(temperature=0), fiber.providers, vars(fiber)]
    shown += [fiber._settings, fiber.chat_stream(PROMPT), fiber.sync.chat_stream(PROMPT)]
    found.search("repr of clients", f"key {name}", "\n".join(f"{value!r} {value}" for value in shown), "key")
    return count


def _asked(**options: Any) -> object:
    return client("http://127.0.0.1:9/v1", timeouts=QUICK, retry=NO_RETRY, **options).sync.chat(PROMPT)


def _raising() -> str:
    raise FiberError("The vault is closed.")


def _proxied(proxy: str, key: str) -> object:
    os.environ["HTTP_PROXY"] = proxy
    try:
        fiber = client("http://example.invalid/v1", timeouts=QUICK, retry=NO_RETRY, api_keys={"openai": key})
        return fiber.sync.chat(PROMPT)
    finally:
        del os.environ["HTTP_PROXY"]


if __name__ == "__main__":
    sys.exit(script("G8 leaks", measure))
