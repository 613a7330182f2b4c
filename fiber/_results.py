"""From a decoded answer to what the caller gets: receipt, warnings, the parsed value."""

from __future__ import annotations

from datetime import datetime
from typing import cast

import msgspec

from fiber._chain import Call
from fiber._errors import FiberParsingError
from fiber._operations import Chat
from fiber.layers.budgeting.pricing import cost
from fiber.transports.base import utc
from fiber.types.cost import Cost
from fiber.types.http import Note
from fiber.types.receipt import Receipt
from fiber.types.request import ChatRequest
from fiber.types.result import ChatResult


def finished(call: Call, result: ChatResult) -> ChatResult:
    """
    Return *result* with receipt, warnings and `parsed`.

    Raises:
        FiberParsingError: JSON was asked for strictly, and the whole answer is not it; `partial` has the result.
    """
    result = receipted(call, result)
    told = [str(note) for note in notes_of(call)]
    ending = call.catalog.notice(result.provider, result.model)
    if told or ending is not None:
        warnings = (*told, *result.warnings) if ending is None else (*told, *result.warnings, ending)
        result = msgspec.structs.replace(result, warnings=warnings)
    return _parsed(call, result)


def receipted(call: Call, result: ChatResult) -> ChatResult:
    """Return *result*, whole or partial, with its cost and the receipt of *call*."""
    journal, ended_at = call.journal, utc(call.transport)
    spent = _cost(call, result, ended_at)
    first = journal.first_event
    usage = msgspec.structs.replace(result.usage, cost_usd=spent.usd, cost_status=spent.status)
    receipt = Receipt(
        receipt_id=journal.id,
        ended_at=ended_at,
        provider=result.provider,
        model=result.model,
        usage=usage,
        cached=result.cached,
        alias=call.alias,
        profile=call.profile,
        lockfile_digest=call.lockfile_digest,
        label=call.label,
        attempts=tuple(journal.attempts),
        seconds=call.transport.now() - journal.started,
        first_event_seconds=None if first is None else first - journal.started,
        cost_usd=spent.usd,
        cost_source="cache" if result.cached else spent.source,
        cost_revision=spent.revision,
        cost_lines=spent.lines,
        cost_note=spent.note,
        dropped=_notes(journal.notes, "dropped"),
        mapped=_notes(journal.notes, "mapped"),
        possible_duplicate_charge=journal.possible_duplicate_charge,
    )
    return msgspec.structs.replace(result, usage=usage, receipt=receipt)


def notes_of(call: Call) -> tuple[Note, ...]:
    """Return the adapter's notes that the caller wants to hear."""
    return tuple([note for note in call.journal.notes if _speaks(call, note)])


def _cost(call: Call, result: ChatResult, at: datetime) -> Cost:
    asked = call.journal.attempts[-1].model if call.journal.attempts else call.target.model
    return cost(call, result.usage, call.target, result.provider, (result.model, asked), at=at)


def _speaks(call: Call, note: Note) -> bool:
    # on_unsupported="drop" asks for quiet about parameters; lost parts and emulations are always told.
    request = cast(Chat, call.operation).request
    quiet = request.on_unsupported == "drop" and note.subject in ChatRequest.__struct_fields__
    return note.kind != "mapped" and not (note.kind == "dropped" and quiet)


def _notes(notes: tuple[Note, ...], kind: str) -> tuple[str, ...]:
    return tuple([f"{note.subject}: {note.detail}" for note in notes if note.kind == kind])


def _parsed(call: Call, result: ChatResult) -> ChatResult:
    operation = cast(Chat, call.operation)
    try:
        parsed = operation.parsed(result)
    except FiberParsingError as error:
        wanted = operation.request.response_format
        if wanted is not None and wanted.kind == "json_schema" and wanted.strict:
            error.partial = result
            error.provider, error.model = result.provider, result.model
            error.request_id, error.attempts = result.request_id, result.receipt.attempts
            raise
        return msgspec.structs.replace(result, warnings=(*result.warnings, error.message))
    return result if parsed is None else msgspec.structs.replace(result, parsed=parsed)
