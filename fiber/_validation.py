"""All that is wrong with a call, said before it is made, each with models that would take it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import islice
from typing import Any, Literal

import msgspec

from fiber._calls import prepare
from fiber._errors import FiberCapabilityError, FiberError, FiberModelNotFoundError, FiberValidationError
from fiber._operations import adapter_of
from fiber._routing import target_of
from fiber._settings import Settings, known, looking
from fiber.providers.row import Provider
from fiber.registry.fitting import Misfit, misfits
from fiber.types.calls import CALL_OPTIONS
from fiber.types.options import chat_request
from fiber.types.request import ChatRequest
from fiber.types.target import Target

_MOST_ALTERNATIVES = 3


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """
    Something that is wrong with a call.

    Attributes:
        kind: `invalid`: it is refused whatever the model; `unsupported`: the provider has no such parameter, see
            *on_unsupported*; `incapable`: the catalogue says that the model cannot.
        parameter: Keyword that it is about.
        message: Why.
        alternatives: Models of providers with a key that would take it, as calls name them; at most three.
    """

    kind: Literal["invalid", "unsupported", "incapable"]
    parameter: str
    message: str
    alternatives: tuple[str, ...] = ()


def problems_of(settings: Settings, messages: Any, options: Mapping[str, Any], *, stream: bool) -> tuple[Problem, ...]:
    """
    Return what is wrong with a call; nothing is sent.

    Raises:
        TypeError: A keyword is not known.
    """
    known(options)
    if wrong := tuple(_wrong(messages, options)):
        return wrong
    try:
        call = prepare(looking(settings), messages, {**options, "on_unsupported": "drop"}, stream=stream)
    except FiberError as error:
        return (_invalid(error),)
    chat: Any = call.operation
    request: ChatRequest = msgspec.structs.replace(chat.told, on_unsupported="raise")
    refused = _refused(request, call.row, call.target, stream=stream)
    model = settings.catalog.described(call.target.provider, call.target.model)
    unfit = misfits(request, model, stream=stream) if model is not None else ()
    return (
        *(
            Problem(
                kind="unsupported",
                parameter=name,
                message=f"{call.target.name} cannot take it: {why}.",
                alternatives=_takers(settings, request, name, stream=stream),
            )
            for name, why in refused.items()
        ),
        *(
            Problem(
                kind="incapable",
                parameter=each.parameter,
                message=f"{each.why}.",
                alternatives=_able(settings, each),
            )
            for each in unfit
            if each.parameter not in refused
        ),
    )


def _wrong(messages: Any, options: Mapping[str, Any]) -> Iterator[Problem]:
    """Check messages and each parameter for itself, so that the first that is wrong does not hide the others."""
    parts = [(messages, {}), *(("-", {name: said}) for name, said in options.items() if name not in CALL_OPTIONS)]
    for said, parameters in parts:
        try:
            chat_request(said, **parameters)
        except FiberError as error:
            yield _invalid(error)


def _invalid(error: FiberError) -> Problem:
    parameter = "model" if isinstance(error, FiberModelNotFoundError) else getattr(error, "parameter", None)
    return Problem(kind="invalid", parameter=parameter or "", message=error.message)


def _refused(request: ChatRequest, row: Provider, target: Target, *, stream: bool) -> dict[str, str]:
    """Return what *row* cannot take of *request*, with reasons."""
    adapter = adapter_of(row.adapter)
    try:
        adapter.build_request(request, target, stream=stream)
        return {}
    except FiberCapabilityError as first:
        refused = {first.parameter or "": first.message}
    try:
        built = adapter.build_request(msgspec.structs.replace(request, on_unsupported="drop"), target, stream=stream)
    except FiberError:  # something that cannot be left out
        return refused
    return {note.subject: note.detail for note in built.notes if note.kind in ("dropped", "lossy")}


def _takers(settings: Settings, request: ChatRequest, name: str, *, stream: bool) -> tuple[str, ...]:
    """Return models that take *name*, one of a provider."""
    takers: dict[str, str] = {}
    for row in _usable(settings):
        family = row.key_of or row.name
        if family not in takers and (taker := _taker(settings, row, request, name, stream=stream)) is not None:
            takers[family] = taker
            if len(takers) == _MOST_ALTERNATIVES:
                break
    return tuple(takers.values())


def _taker(settings: Settings, row: Provider, request: ChatRequest, name: str, *, stream: bool) -> str | None:
    """Return the model of *row* that takes *name*: its default one, else the one that reads most."""
    rule = adapter_of(row.adapter).parameters.get(name)
    if name in row.quirks.unsupported or (rule is not None and rule.support == "unsupported"):
        return None  # no model changes that, and there may be hundreds
    for model in _models(settings, row):
        target = target_of(row, model)
        known = settings.catalog.described(row.name, model)
        unfit = () if known is None else misfits(request, known, stream=stream)
        if name not in {each.parameter for each in unfit} | _refused(request, row, target, stream=stream).keys():
            return target.name
    return None


def _models(settings: Settings, row: Provider) -> Iterator[str]:
    """Return the default model of *row*, then those of the catalogue; what is long gone has no known window."""
    if row.default_model:
        yield row.default_model
    with suppress(FiberValidationError):  # a row of the caller's own is in no catalogue
        yield from (model.model for model in settings.catalog.find_models({"provider": row.name}, order="context"))


def _able(settings: Settings, misfit: Misfit) -> tuple[str, ...]:
    """Return the cheapest models that are known to have what one lacks."""
    names = {row.name for row in _usable(settings)}
    needed = {misfit.capability: True if misfit.least is None else misfit.least}
    able = (model.reference for model in settings.catalog.find_models(needed) if model.provider in names)
    return tuple(islice(able, _MOST_ALTERNATIVES))


def _usable(settings: Settings) -> Iterator[Provider]:
    """Return the rows that a call could go to now."""
    rows = settings.rows.values()
    return (row for row in rows if row.is_placed and settings.keys.get(row.name) is not None)
