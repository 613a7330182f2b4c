"""Where a call may go: to whom it was addressed, and whom to ask when that fails; each with what that one is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from fiber._chain import Alternative, Operation
from fiber._errors import FiberValidationError
from fiber._operations import Chat, adapter_of
from fiber._routing import Routes, api_of, is_open, routes, target_of
from fiber._settings import Settings
from fiber.providers.first_party import OPENAI_RESPONSES
from fiber.providers.row import Provider
from fiber.registry.models import Route
from fiber.types.http import Note
from fiber.types.request import ChatRequest

_EXTRAS = ("extra_body", "extra_headers", "extra_query")
"""Members of a request that are in one provider's own words."""


def chat_of(request: ChatRequest, row: Provider, *, in_words: bool) -> Chat:
    """Return *request* through the adapter of *row*; *in_words*, its tools are told in words."""
    chat = Chat(request, adapter_of(row.adapter))
    if not in_words:
        return chat
    from fiber._emulation import emulated

    return emulated(chat)


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


def further(
    settings: Settings, model: str, found: Routes, said: Any, profile: str | None, *, own: bool
) -> tuple[Route, ...]:
    """
    Return whom to ask after the first of *found*: the models that were *said*, each with all that it stands for.

    The other models of a balanced name come before them, unless they are the call's *own*; where they have that name
    themselves, it stands for its other models, for it has one turn in a call.

    Raises:
        FiberValidationError: They are no list of models.
    """
    names = _models(said)
    others: list[Route] = [] if own or not found.balanced or model in names else list(found.others)
    for name in names:
        if found.balanced and name == model:
            others += found.others
        else:
            where = routes(settings, name, profile=profile)
            others += where.first, *where.others
    return tuple(others)


def ways(
    settings: Settings, request: ChatRequest, where: Route, first: Provider | None, *, in_words: bool
) -> tuple[Alternative, ...]:
    """
    Return *request* for a target, and after it for the API that is asked where that one does not have such a thing.

    There is none when it goes on with what only the *first* provider knows, which is asked before.
    """
    row = row_of(settings, where.provider)
    notes: tuple[Note, ...] = ()
    is_either = is_open(settings, where)
    if first is not None and first.name != row.name and not (is_either and first.name == OPENAI_RESPONSES.name):
        if request.previous_response_id is not None:
            return ()
        why = f"it was meant for {first.name}, {row.name} does not get it"
        notes = tuple(Note("dropped", name, why) for name in _EXTRAS if getattr(request, name))
        request = msgspec.structs.replace(request, **dict.fromkeys(_EXTRAS))
    chat = chat_of(request, row, in_words=in_words)
    if not is_either:
        return (way_to(settings, chat, row, where.model, notes),)
    choice = api_of(settings, where, chat.told)
    said = Note("mapped", "model", f"{choice.row} is asked, because {choice.why}")

    def way(name: str, *notes: Note, instead: bool = False) -> Alternative:
        row = row_of(settings, name)
        told, own = _stateless(request, row)
        chat = chat_of(told, row, in_words=in_words)
        return way_to(settings, chat, row, where.model, (*notes, *own), instead=instead)

    first_way = way(choice.row, *notes, said)
    return (first_way,) if choice.other is None else (first_way, way(choice.other, *notes, instead=True))


def _stateless(request: ChatRequest, row: Provider) -> tuple[ChatRequest, tuple[Note, ...]]:
    """Return *request* as *row* is told it, which nobody named: where it would keep answers, it is told not to."""
    from fiber.registry.openai_apis import keeps_state

    if row.name != OPENAI_RESPONSES.name or keeps_state(request):
        return request, ()
    why = "False is sent, for OpenAI keeps what this API answers unless it is told not to; say store=True to have it"
    return msgspec.structs.replace(request, store=False), (Note("mapped", "store", why),)


def way_to(
    settings: Settings,
    operation: Operation,
    row: Provider,
    model: str,
    notes: tuple[Note, ...] = (),
    *,
    instead: bool = False,
) -> Alternative:
    """Return *operation* as it goes to *model* at *row*."""
    return Alternative(
        operation=operation,
        row=row,
        target=target_of(row, model),
        credential=settings.keys.get(row.name),
        notes=notes,
        instead=instead,
    )


def row_of(settings: Settings, name: str) -> Provider:
    """Return the row called so; an error when there is none, or nobody said where it is."""
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
