"""From a client's settings and a call's keywords to a `Call`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from fiber._chain import Alternative, Call, Journal
from fiber._errors import FiberCapabilityError, FiberValidationError
from fiber._operations import Chat, Raw, adapter_of
from fiber._routing import by_cost, routes
from fiber._settings import Settings, around, check_open, known
from fiber._ways import chat_of, further, row_of, way_to, ways
from fiber.layers.budgeting.ceilings import check_ceilings
from fiber.registry.fitting import CHECKED, misfits
from fiber.types import keywords, normalise
from fiber.types.calls import CALL_OPTIONS, KNOWN_RAW
from fiber.types.config import Timeouts
from fiber.types.http import Note
from fiber.types.options import chat_request
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_STEADY = frozenset(("model", "provider", "temperature", "top_p", "max_tokens", "reasoning", "on_unsupported"))
"""Keywords that a program says again and again; the others differ between its calls, or are not compared quickly."""

_SIMPLE = frozenset((str, int, float))
_MESSAGES = (list, str)
_UNLIKE = frozenset(("context", "cost_ceiling_usd", "token_budget"))
"""Defaults of a client by which calls differ that are alike."""

_MANY_PLANS = 64


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
    likeness = _likeness(messages, options, stream=stream)
    plan = settings.plans.get(likeness)
    call = _like(settings, plan, messages) if plan is not None else _made(settings, messages, options, stream=stream)
    if plan is None and likeness is not None:
        _keep(settings, likeness, call)
    chat: Any = call.operation
    if chat.request.on_unsupported == "raise" and settings.catalog.lacks(call.row.name, call.target.model):
        _check_fits(settings, chat.told, call.target, stream=stream)
    return call


# -- calls like an earlier one, as most of a program are: they differ in their messages only --------------------------


def _likeness(messages: Any, options: Mapping[str, Any], *, stream: bool) -> tuple[Any, ...] | None:
    """Return what is equal for calls that differ in their messages only; None when that is not to be told quickly."""
    kinds = tuple(map(type, options.values()))  # for 1 is True
    if type(messages) not in _MESSAGES or not _SIMPLE.issuperset(kinds) or not _STEADY.issuperset(options):
        return None
    return stream, kinds, *options.items()


def _keep(settings: Settings, likeness: tuple[Any, ...], call: Call) -> None:
    """Keep *call* for those like it, without what is its own, unless more of it hangs on its messages or its turn."""
    if type(call.operation) is not Chat or call.alias or call.fallbacks or call.notes or settings.balances:
        return
    if not _UNLIKE.isdisjoint(settings.defaults):
        return
    if len(settings.plans) >= _MANY_PLANS:
        settings.plans.clear()
    request = msgspec.structs.replace(call.operation.request, messages=())
    chat = Chat(request, call.operation.adapter)
    settings.plans[likeness] = call.replace(operation=chat, bound={}, context={}, journal=Journal())


def _like(settings: Settings, plan: Call, messages: Any) -> Call:
    """Return *plan* with *messages*; all else was checked when it was made."""
    check_open(settings)
    chat: Any = plan.operation
    request = msgspec.structs.replace(chat.request, messages=normalise.messages(messages))
    bound = {**around(), **settings.context}
    context = settings.telemetry.fields(bound)
    return plan.replace(operation=Chat(request, chat.adapter), bound=bound, context=context, journal=Journal())


# -- any call ----------------------------------------------------------------------------------------------------------


def _made(settings: Settings, messages: Any, options: Mapping[str, Any], *, stream: bool) -> Call:
    known(options)
    given = {name: value for name, value in options.items() if value is not None}
    said = {**_unsaid(messages, settings.defaults), **given}
    request = chat_request(messages, **{name: value for name, value in said.items() if name not in CALL_OPTIONS})
    own = keywords.checked(said, caches=settings.caches)
    profile, in_words = said.get("profile"), own.emulate_tools
    found = routes(settings, request.model, provider=said.get("provider"), profile=profile)
    if own.repair:
        keywords.check_repair(request, stream=stream)
    if own.alias_order == "cost" and found.alias and found.others:
        told = chat_of(request, row_of(settings, found.first.provider), in_words=in_words).told
        found = by_cost(settings, found, told, stream=stream)
    where, others = found.first, found.others
    if stream and own.forget_text and (request.response_format or in_words):
        raise FiberValidationError(
            "forget_text cannot stand beside response_format or emulate_tools, which read the text at the end of the"
            " stream: leave it out.",
            parameter="forget_text",
            outcome="not_sent",
        )
    first, *second = ways(settings, request, where, None, in_words=in_words)
    call = _call(settings, first, said, own, stream=stream)
    if found.alias:
        call = call.replace(alias=found.alias, profile=found.profile, lockfile_digest=settings.lockfile.digest)
    if found.why:
        call = call.replace(notes=(Note("mapped", "model", found.why), *call.notes))
    if (names := said.get("fallback")) is not None:
        others = further(settings, request.model, found, names, profile, own="fallback" in given)
    if others:
        second += (way for other in others for way in ways(settings, request, other, first.row, in_words=in_words))
    if second:
        call = call.replace(fallbacks=tuple(second))
    check_ceilings(call, said)
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
    row = row_of(settings, settings.registry.resolve("-", provider=provider).provider)
    parts = {name: value for name, value in options.items() if name not in CALL_OPTIONS}
    raw = Raw(method, path, adapter_of(row.adapter), **parts)
    return _call(settings, way_to(settings, raw, row, ""), options, keywords.NOTHING, stream=stream)


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


def _unsaid(messages: Any, defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the *defaults* of what a request given whole, as value or as dict, does not say."""
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
