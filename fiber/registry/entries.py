"""
What a catalogue says about models, as it stands in its file.

The file is JSON, one model a line, made by `catalog/build.py`; it is read when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from fiber._errors import FiberValidationError

FORMAT = 1


class PriceRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"start": "from"}):
    """
    Rates, and when they hold; of several rows that hold, the last one.

    Attributes:
        rates: USD per million tokens, or per thousand uses of a tool, by component.
        start: First day, in UTC.
        tier: Service tier, like `batch`; its rates stand over the standard ones.
        above: Input tokens above which they hold, for the whole request.
        hours: `HH:MM-HH:MM` of the day, in UTC.
        weekdays: Not on Saturday and Sunday.
    """

    rates: Mapping[str, Decimal]
    start: date | None = None
    tier: str = ""
    above: int = 0
    hours: str = ""
    weekdays: bool = False


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    One model; what is missing is unknown.

    Attributes:
        aliases: Further names.
        kind: What it does, where that is not chat: `embedding`, `rerank`, ...
        context, max_input, max_output: Tokens.
        can, cannot: Names of capabilities, with spaces between them.
        shutdown: Day on which the provider ends it.
        regions: Multiplier of all rates per token, by region of processing.
        rates: The one price, instead of `prices`.
    """

    name: str = ""
    aliases: tuple[str, ...] = ()
    kind: str = ""
    context: int | None = None
    max_input: int | None = None
    max_output: int | None = None
    can: str = ""
    cannot: str = ""
    deprecated: bool = False
    shutdown: date | None = None
    regions: Mapping[str, Decimal] = {}
    rates: Mapping[str, Decimal] = {}
    prices: tuple[PriceRow, ...] = ()

    @property
    def price_rows(self) -> tuple[PriceRow, ...]:
        """The prices, however they were said."""
        return self.prices or ((PriceRow(self.rates),) if self.rates else ())


class Source(msgspec.Struct, frozen=True):
    """Where the data of a catalogue comes from."""

    name: str
    version: str
    licence: str
    gives: str


class Snapshot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    A whole file.

    Attributes:
        revision: Day of the data.
        rows: Providers that offer the models of another one, at its prices.
        models: Entries by provider and model.
    """

    format: int
    revision: date
    sources: tuple[Source, ...]
    rows: Mapping[str, str]
    models: dict[str, dict[str, Entry]]


@cache
def bundled() -> Snapshot:
    """Read the file of this library, once."""
    return snapshot_of(Path(__file__).with_name("catalog.json").read_bytes())


def read(path: str | Path) -> bytes:
    """
    Return the bytes of a file.

    Raises:
        FiberValidationError: It cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:  # a path may hold a zero
        raise FiberValidationError(
            f"The catalogue cannot be read: {error}.", parameter="path", outcome="not_sent"
        ) from None


def trusted(data: bytes, wanted: str | None, name: str | Path) -> Snapshot:
    """
    Read a file, when its digest is *wanted*.

    Raises:
        FiberValidationError: It has another one, or is not a catalogue.
    """
    found = sha256(data).hexdigest()
    if wanted is not None and found != wanted.lower():
        raise FiberValidationError(
            f"{name} is another file than you expect: its digest is {found}, not {wanted}.",
            parameter="sha256",
            outcome="not_sent",
        )
    return snapshot_of(data)


def snapshot_of(data: bytes) -> Snapshot:
    """
    Read a file.

    Raises:
        FiberValidationError: It is not a catalogue; the message says where.
    """
    try:
        snapshot = msgspec.json.decode(data, type=Snapshot)
    except (ValueError, RecursionError) as error:
        raise _no_catalogue(f"it cannot be read: {error}") from None
    if snapshot.format != FORMAT:
        raise _no_catalogue(f"its format is {snapshot.format}, and this release reads {FORMAT}")
    return snapshot


def entry_of(said: Mapping[str, Any], model: str) -> Entry:
    """
    Read what a user says about *model*.

    Raises:
        FiberValidationError: A field is not known, or has a wrong type.
    """
    try:
        # By way of JSON, which knows how exact numbers and days are written.
        return msgspec.json.decode(msgspec.json.encode(said, enc_hook=str), type=Entry)
    except (ValueError, TypeError) as error:
        raise FiberValidationError(
            f"The override of {model!r} is wrong: {error}. It may say {', '.join(Entry.__struct_fields__)}.",
            parameter="overrides",
            outcome="not_sent",
        ) from None


def over(entry: Entry, said: Mapping[str, Any], news: Entry) -> Entry:
    """Return *entry* with those fields of *news* that were *said*; of capabilities, with the names that were said."""
    changes = {name: getattr(news, name) for name in said}
    if "rates" in said or "prices" in said:
        changes = {**changes, "rates": news.rates, "prices": news.prices}
    can, cannot = news.can.split(), news.cannot.split()
    changes["can"] = " ".join([*(word for word in entry.can.split() if word not in cannot), *can])
    changes["cannot"] = " ".join([*(word for word in entry.cannot.split() if word not in can), *cannot])
    return msgspec.structs.replace(entry, **changes)


def _no_catalogue(why: str) -> FiberValidationError:
    return FiberValidationError(
        f"The file is no catalogue: {why}. catalog/build.py makes such files.", parameter="path", outcome="not_sent"
    )
