"""From a client's settings and a call's keywords to a `Call`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fiber._chain import Alternative, Call, Operation
from fiber._errors import FiberCapabilityError, FiberValidationError
from fiber._operations import Chat, Raw, adapter_of
from fiber._routing import Routes, api_of, by_cost, is_open, routes, target_of
from fiber._settings import Settings, around, check_open, known
from fiber.layers.budgeting.ceilings import check_ceilings
from fiber.providers.first_party import OPENAI_RESPONSES
from fiber.providers.row import Provider
from fiber.registry.fitting import CHECKED, misfits
from fiber.registry.models import Route
from fiber.types import keywords
from fiber.types.calls import CALL_OPTIONS, KNOWN_RAW
from fiber.types.config import Timeouts
from fiber.types.http import Note
from fiber.types.options import chat_request
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_EXTRAS = ("extra_body", "extra_headers", "extra_query")
"""Members of a request that are in one provider's own words."""


def either(messages: Any, request: ChatRequest | None) -> Any:
    """Return the one that was given; giving both, or neither, is an error."""
    if (messages is None) == (request is None):
        raise FiberValidationError(
            "Give either messages or request, one of them.", parameter="messages", outcome="not_sent"
        )
    return messages if request is None else request


def prepare(settings: Settings, messages: Any, options: Mapping[str, Any], *, stream: bool) -> Call:
    """
    Check everything and make the `Call`; nothing is sent.

    Raises:
        TypeError: A keyword is not known.
        FiberError: A value is wrong, or no provider is known.
    """
    known(options)
    said = {**_unsaid(messages, settings.defaults), **_given(options)}
    request = chat_request(messages, **{name: value for name, value in said.items() if name not in CALL_OPTIONS})
    own = keywords.checked(said, caches=settings.caches)
    profile, in_words = said.get("profile"), own.emulate_tools
    found = routes(settings, request.model, provider=said.get("provider"), profile=profile)
    if own.repair:
        keywords.check_repair(request, stream=stream)
    if own.alias_order == "cost" and found.alias and found.others:
        told = _chat(request, _row(settings, found.first.provider), in_words=in_words).told
        found = by_cost(settings, found, told, stream=stream)
    where, others = found.first, found.others
    if stream and own.forget_text and (request.response_format or in_words):
        raise FiberValidationError(
            "forget_text cannot stand beside response_format or emulate_tools, which read the text at the end of the"
            " stream: leave it out.",
            parameter="forget_text",
            outcome="not_sent",
        )
    first, *second = _ways(settings, request, where, None, in_words=in_words)
    call = _call(settings, first, said, own, stream=stream)
    if found.alias:
        call = call.replace(alias=found.alias, profile=found.profile, lockfile_digest=settings.lockfile.digest)
    if found.why:
        call = call.replace(notes=(Note("mapped", "model", found.why), *call.notes))
    if (names := said.get("fallback")) is not None:
        others = _further(
            settings, request.model, found, _models(names), profile, own=options.get("fallback") is not None
        )
    if others:
        second += (way for other in others for way in _ways(settings, request, other, first.row, in_words=in_words))
    if second:
        call = call.replace(fallbacks=tuple(second))
    check_ceilings(call, said)
    if request.on_unsupported == "raise" and settings.catalog.lacks(first.row.name, where.model):
        chat: Any = first.operation
        _check_fits(settings, chat.told, call.target, stream=stream)
    return call


def prepare_raw(
    settings: Settings, method: str, path: str, provider: str, options: Mapping[str, Any], *, stream: bool
) -> Call:
    """
    Make the `Call` of a raw exchange with *provider*.

    Raises:
        TypeError: A keyword is not known.
        FiberValidationError: No such provider.
    """
    known(options, KNOWN_RAW)
    row = _row(settings, settings.registry.resolve("-", provider=provider).provider)
    parts = {name: value for name, value in options.items() if name not in CALL_OPTIONS}
    raw = Raw(method, path, adapter_of(row.adapter), **parts)
    return _call(settings, _way(settings, raw, row, ""), options, keywords.NOTHING, stream=stream)


def _given(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _chat(request: ChatRequest, row: Provider, *, in_words: bool) -> Chat:
    chat = Chat(request, adapter_of(row.adapter))
    if not in_words:
        return chat
    from fiber._emulation import emulated

    return emulated(chat)


def _check_fits(settings: Settings, request: ChatRequest, target: Target, *, stream: bool) -> None:
    """Raise when the catalogue knows that the model has no such thing as *request* holds."""
    model = settings.catalog.described(target.provider, target.model)
    lacking = (each for each in misfits(request, model, stream=stream) if each.capability in CHECKED) if model else ()
    for misfit in lacking:
        raise FiberCapabilityError(
            f"The catalogue says that {misfit.why}, which {misfit.parameter} needs: choose another model, see"
            ' validate(), or set on_unsupported="warn" to try it.',
            provider=target.provider,
            model=target.model,
            parameter=misfit.parameter,
            outcome="not_sent",
        )


def _models(names: Any) -> list[str]:
    is_list = isinstance(names, Iterable) and not isinstance(names, str | Mapping)
    models = list(names) if is_list else []
    if not is_list or not all(isinstance(name, str) and name for name in models):
        raise FiberValidationError(
            f"fallback must be a list of models, like ['anthropic:claude-5'], not {names!r}.",
            parameter="fallback",
            outcome="not_sent",
        )
    return models


def _further(
    settings: Settings, model: str, found: Routes, names: list[str], profile: str | None, *, own: bool
) -> tuple[Route, ...]:
    """
    Return whom to ask after the first of *found*: *names*, each with all that it stands for.

    The other models of a balanced name come before them, unless they are the call's *own*; where they have that name
    themselves, it stands for its other models, for it has one turn in a call.
    """
    others: list[Route] = [] if own or not found.balanced or model in names else list(found.others)
    for name in names:
        if found.balanced and name == model:
            others += found.others
        else:
            first, further, *_ = routes(settings, name, profile=profile)
            others += first, *further
    return tuple(others)


def _ways(
    settings: Settings, request: ChatRequest, where: Route, first: Provider | None, *, in_words: bool
) -> tuple[Alternative, ...]:
    """
    Return *request* for a target, and after it for the API that is asked where that one does not have such a thing.

    There is none when it goes on with what only the *first* provider knows, which is asked before.
    """
    row = _row(settings, where.provider)
    notes: tuple[Note, ...] = ()
    is_either = is_open(settings, where)
    if first is not None and first.name != row.name and not (is_either and first.name == OPENAI_RESPONSES.name):
        if request.previous_response_id is not None:
            return ()
        why = f"it was meant for {first.name}, {row.name} does not get it"
        notes = tuple(Note("dropped", name, why) for name in _EXTRAS if getattr(request, name))
        request = msgspec.structs.replace(request, **dict.fromkeys(_EXTRAS))
    chat = _chat(request, row, in_words=in_words)
    if not is_either:
        return (_way(settings, chat, row, where.model, notes),)
    choice = api_of(settings, where, chat.told)
    said = Note("mapped", "model", f"{choice.row} is asked, because {choice.why}")

    def way(name: str, *notes: Note, instead: bool = False) -> Alternative:
        row = _row(settings, name)
        told, own = _stateless(request, row)
        chat = _chat(told, row, in_words=in_words)
        return _way(settings, chat, row, where.model, (*notes, *own), instead=instead)

    first_way = way(choice.row, *notes, said)
    return (first_way,) if choice.other is None else (first_way, way(choice.other, *notes, instead=True))


def _stateless(request: ChatRequest, row: Provider) -> tuple[ChatRequest, tuple[Note, ...]]:
    """Return *request* as *row* is told it, which nobody named: where it would keep answers, it is told not to."""
    from fiber.registry.openai_apis import keeps_state

    if row.name != OPENAI_RESPONSES.name or keeps_state(request):
        return request, ()
    why = "False is sent, for OpenAI keeps what this API answers unless it is told not to; say store=True to have it"
    return msgspec.structs.replace(request, store=False), (Note("mapped", "store", why),)


def _way(
    settings: Settings,
    operation: Operation,
    row: Provider,
    model: str,
    notes: tuple[Note, ...] = (),
    *,
    instead: bool = False,
) -> Alternative:
    return Alternative(
        operation=operation,
        row=row,
        target=target_of(row, model),
        credential=settings.keys.get(row.name),
        notes=notes,
        instead=instead,
    )


def _row(settings: Settings, name: str) -> Provider:
    if name not in settings.rows:
        raise FiberValidationError(
            f"The model registry routes to {name!r}, which this client does not have: add its row to providers=[...].",
            parameter="model_registry",
            outcome="not_sent",
        )
    row = settings.rows[name]
    if not row.is_placed:
        raise row.missing_place()
    return row


def _unsaid(messages: Any, defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the *defaults* of what a request given whole, as value or as dict, does not say."""
    if type(messages) is list:  # which is what most give
        return defaults
    if isinstance(messages, ChatRequest):
        nothing = {"on_unsupported": "raise"}
        said = {name: getattr(messages, name, None) for name in defaults}
        return {name: value for name, value in defaults.items() if said[name] in (None, "", nothing.get(name))}
    if isinstance(messages, Mapping) and "messages" in messages:
        return {name: value for name, value in defaults.items() if messages.get(name) is None}
    return defaults


def _call(
    settings: Settings, first: Alternative, options: Mapping[str, Any], own: keywords.Keywords, *, stream: bool
) -> Call:
    check_open(settings)
    bound = {**around(), **settings.context, **(options.get("context") or {})}
    telemetry, label = settings.telemetry, options.get("label")
    return Call(
        operation=first.operation,
        row=first.row,
        target=first.target,
        credential=first.credential,
        notes=first.notes,
        transport=settings.transport,
        timeouts=_timeouts(settings, options.get("timeout")),
        retry=settings.retry,
        stream=stream,
        bound=bound,
        context=telemetry.fields(bound),
        label=(telemetry.left("label", label) or "") if label else "",
        telemetry=telemetry,
        cache_policy=own.cache_policy,
        idempotency_key=own.idempotency_key,
        keep_raw=own.keep_raw,
        forget_text=own.forget_text,
        heartbeats=own.heartbeats,
        repair=own.repair,
        catalog=settings.catalog,
        prices=settings.prices,
    )


def _timeouts(settings: Settings, timeout: float | Timeouts | None) -> Timeouts:
    if timeout is None:
        return settings.timeouts
    if isinstance(timeout, Timeouts):
        return timeout
    return msgspec.structs.replace(settings.timeouts, total=timeout)
