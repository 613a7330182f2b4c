"""Whether requests are what the parameter table says, each time, and for streams too."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from fiber._errors import FiberCapabilityError
from fiber.adapters.base import Adapter
from fiber.types.http import HTTPRequest
from fiber.types.options import chat_request
from fiber.types.request import PARAMETERS, ChatRequest
from fiber.types.target import Target

_VALUES: Mapping[str, Any] = {
    # For each parameter one value that is not what happens anyway.
    "temperature": 0.5,
    "top_p": 0.5,
    "top_k": 5,
    "max_tokens": 2000,
    "stop": ["END"],
    "seed": 7,
    "frequency_penalty": 0.5,
    "presence_penalty": 0.5,
    "n": 2,
    "logprobs": True,
    "top_logprobs": 2,
    "logit_bias": {"50256": -100},
    "tools": [{"name": "weather", "description": "Say it.", "parameters": {"type": "object", "properties": {}}}],
    "tool_choice": "required",
    "parallel_tool_calls": False,
    "response_format": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    "reasoning": "low",
    "user": "user-1",
    "metadata": {"team": "blue"},
    "store": True,
    "previous_response_id": "resp_1",
    "service_tier": "default",
    "safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}],
}
_NEEDS: Mapping[str, tuple[str, ...]] = {
    "tool_choice": ("tools",),
    "parallel_tool_calls": ("tools",),
    "top_logprobs": ("logprobs",),
}


def parameters(adapter: Adapter) -> Iterator[str]:
    """Look for a place of every parameter."""
    for name in PARAMETERS:
        if name not in adapter.parameters:
            yield f"The parameter table has no {name!r}: say native, mapped or unsupported."
    for name, rule in adapter.parameters.items():
        if rule.support == "unsupported" and not rule.why:
            yield f"The parameter table refuses {name!r} without a reason."


def _asked(names: Iterable[str], on_unsupported: str) -> ChatRequest:
    said = {name: _VALUES[name] for name in names}
    messages = [("system", "Be brief."), ("user", "Where?"), ("assistant", "Here."), ("user", "And now?")]
    return chat_request(messages, on_unsupported=on_unsupported, **said)


def requests(adapter: Adapter, target: Target, stream_members: Collection[str]) -> Iterator[str]:
    """Build the same twice, and for a stream, with nothing and with everything said."""
    for names in ((), _VALUES):
        plain, again, streamed = _built(adapter, target, names)
        if plain != again:
            yield "build_request makes another request of the same values when it is asked again."
            return
        # What only one of the two can take is in its notes; the rest must be the same.
        told = {note.subject for note in {*plain.notes} ^ {*streamed.notes}}
        plain, _, streamed = _built(adapter, target, [name for name in names if name not in told])
        if other := sorted(_differing(plain, streamed) - set(stream_members)):
            yield f"build_request asks for something else in a stream, without a note: {', '.join(other)} differ."


def _built(adapter: Adapter, target: Target, names: Iterable[str]) -> list[HTTPRequest]:
    request = _asked(names, "drop")
    return [adapter.build_request(request, target, stream=stream) for stream in (False, False, True)]


def _differing(one: HTTPRequest, other: HTTPRequest) -> set[str]:
    """Name the members and headers that differ, but for what a client accepts."""
    first, second = _body(one), _body(other)
    names = {name for name in {**first, **second} if first.get(name) != second.get(name)}
    headers = set(one.headers) ^ set(other.headers)
    return names | {name for name, _ in headers if not name.lower().startswith("accept")}


def _body(request: HTTPRequest) -> dict[str, Any]:
    try:
        body = msgspec.json.decode(request.body)
    except ValueError:
        body = request.body
    return body if isinstance(body, dict) else {"body": body}


def table(adapter: Adapter, target: Target) -> Iterator[str]:
    """Hold the builder to the table: what is refused raises, and what is taken is sent or told of."""
    refused = {name for name, rule in adapter.parameters.items() if rule.support == "unsupported"}
    for name in PARAMETERS:
        needs = _NEEDS.get(name, ())
        try:
            made = adapter.build_request(_asked((*needs, name), "raise"), target, stream=False)
        except FiberCapabilityError:
            continue  # of what the table takes, a model may refuse a value
        if name in refused:
            yield f"build_request takes {name!r}, which the parameter table refuses: hold requests to it."
        elif made == adapter.build_request(_asked(needs, "raise"), target, stream=False):
            yield f"build_request neither sends {name!r} nor notes what became of it."
