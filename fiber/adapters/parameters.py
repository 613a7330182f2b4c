"""
The parameter table of an adapter, and how it is held to.

Every request parameter is *native* (sent as it is), *mapped* (sent as something else) or *unsupported*. The table
is data: it drives the refusal of what cannot be sent, the placing of plain values and the support matrix in the
docs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from fiber._errors import FiberCapabilityError
from fiber.adapters.instructions import json_in_words
from fiber.types.http import Note
from fiber.types.request import ChatRequest, said
from fiber.types.target import Target


class Parameter(NamedTuple):
    """
    What becomes of one parameter.

    Attributes:
        support: `native`, `mapped` or `unsupported`.
        path: Member of the body, with dots for nesting; placed by `place` when `plain`.
        plain: The value is sent unchanged at `path`.
        why: For `unsupported`: the reason, and what to do instead.
    """

    support: Literal["native", "mapped", "unsupported"]
    path: str = ""
    plain: bool = False
    why: str = ""


def native(path: str) -> Parameter:
    """Sent unchanged at *path*."""
    return Parameter("native", path, plain=True)


def renamed(path: str) -> Parameter:
    """Sent unchanged under another name."""
    return Parameter("mapped", path, plain=True)


def mapped(path: str) -> Parameter:
    """Sent in another shape at *path*, by the adapter's own code."""
    return Parameter("mapped", path)


def unsupported(why: str) -> Parameter:
    """Not in this format; *why* says so and what to do instead."""
    return Parameter("unsupported", why=why)


NEUTRAL: Mapping[str, Any] = {"n": 1, "logprobs": False, "store": False, "parallel_tool_calls": True}
"""Values that ask for what happens anyway; where the parameter does not exist they are left out without a word."""


def of_row(table: Mapping[str, Parameter], target: Target) -> Mapping[str, Parameter]:
    """Return *table* with what the row of *target* has elsewhere, or beyond its format."""
    members = target.quirks.members
    return {**table, **{name: renamed(path) for name, path in members.items()}} if members else table


def settle(
    request: ChatRequest,
    table: Mapping[str, Parameter],
    target: Target,
    refused_by_model: Mapping[str, str] | None = None,
) -> tuple[ChatRequest, list[Note]]:
    """
    Hold *request* against the table, the row's and the model's refusals.

    JSON mode (`json_object`) is never refused: where there is no switch it is asked for in words.

    Args:
        refused_by_model: Parameters this model or API version refuses, each with the reason; or kinds of them, like
            `tool_choice.required`.

    Returns:
        The request without what cannot be sent as it is, and a note for each such parameter.

    Raises:
        FiberCapabilityError: Something cannot be sent and `on_unsupported` is `raise`; the message names all of it.
    """
    refused: dict[str, str] = {}
    neutral: list[str] = []
    notes: list[Note] = []
    elsewhere = {**(refused_by_model or {}), **target.quirks.unsupported}
    for name in said(request):
        value = getattr(request, name)
        rule = table[name]
        why = rule.why if rule.support == "unsupported" else elsewhere.get(name, elsewhere.get(_kind(name, value)))
        if why is None:
            continue
        if NEUTRAL.get(name) is value:
            neutral.append(name)
        elif name == "response_format" and value.kind == "json_object":
            request, note = json_in_words(request, why)
            notes.append(note)
        else:
            refused[name] = why
    if neutral:
        request = msgspec.structs.replace(request, **dict.fromkeys(neutral))
    if not refused:
        return request, notes
    if request.on_unsupported == "raise":
        listed = "; ".join(f"{name}: {why}" for name, why in refused.items())
        raise FiberCapabilityError(
            f"{target.provider} cannot take {', '.join(refused)} for {target.model!r} ({listed})."
            ' Leave it out, choose another model, or set on_unsupported="warn" or "drop".',
            provider=target.provider,
            model=target.model,
            parameter=next(iter(refused)),
            outcome="not_sent",
        )
    kept = msgspec.structs.replace(request, **dict.fromkeys(refused))
    return kept, notes + [Note("dropped", name, why) for name, why in refused.items()]


def _kind(name: str, value: Any) -> str:
    """Name the kind of a value that has one: a mode of choosing tools, a kind of answer."""
    return f"{name}.{getattr(value, 'mode', getattr(value, 'kind', None))}"


def refuse(request: ChatRequest, target: Target, notes: list[Note], subject: str, why: str) -> None:
    """
    Treat *subject* (a content part, a tool, an option) as unsupported: raise, or note that it is dropped.

    Raises:
        FiberCapabilityError: `on_unsupported` is `raise`.
    """
    if request.on_unsupported == "raise":
        raise FiberCapabilityError(
            f"{target.provider} cannot take {subject} for {target.model!r}: {why}."
            ' Leave it out, choose another model, or set on_unsupported="warn" or "drop".',
            provider=target.provider,
            model=target.model,
            parameter=subject,
            outcome="not_sent",
        )
    notes.append(Note("dropped", subject, why))


def place(body: dict[str, Any], request: ChatRequest, table: Mapping[str, Parameter]) -> None:
    """Put every plain parameter that was said at its path in *body*."""
    values = {name: getattr(request, name) for name in said(request)}
    for name, rule in table.items() if values else ():
        if rule.plain and name in values:
            put(body, rule.path, values[name])


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set the member at the dotted *path*, making the objects on the way."""
    *parents, last = path.split(".")
    for parent in parents:
        body = body.setdefault(parent, {})
    body[last] = value


def merge(body: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return *body* with *extra* merged in deeply: objects member by member, everything else replaced."""
    merged = dict(body)
    for name, value in extra.items():
        old = merged.get(name)
        merged[name] = merge(old, value) if isinstance(old, dict) and isinstance(value, Mapping) else value
    return merged
