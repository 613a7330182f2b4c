"""The file of the catalogue, and what users say over it."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from decimal import Decimal
from importlib.resources import files

import pytest

from fiber import FiberValidationError
from fiber.registry.entries import Entry, PriceRow, bundled, entry_of, over, snapshot_of

DATA = (files("fiber.registry") / "catalog.json").read_bytes()


def test_the_file_is_small() -> None:
    """It stays under 300 kB."""
    assert len(DATA) < 300_000


def test_the_file_is_read_once_and_not_at_import() -> None:
    """Nobody who does not ask for it pays for it."""
    code = "import fiber, sys; assert not [name for name in sys.modules if name.startswith('fiber.registry')]"
    subprocess.run([sys.executable, "-c", code], check=True)

    assert bundled() is bundled()


def test_every_model_says_something_and_no_rate_is_negative() -> None:
    """An empty line would be a mistake of the script, a negative rate one of its sources."""
    for row, models in bundled().models.items():
        for model, entry in models.items():
            assert entry.price_rows or entry.max_input, (row, model)
            for price in entry.price_rows:
                assert price.rates, (row, model)
                assert all(rate >= 0 for rate in price.rates.values()), (row, model)


def test_sources_and_revision_are_told() -> None:
    """Everybody can see where the data comes from, and of when it is."""
    snapshot = bundled()

    assert snapshot.revision >= date(2026, 11, 21)
    assert {source.name for source in snapshot.sources} >= {"genai-prices", "litellm"}
    assert all(source.licence and source.version for source in snapshot.sources)


def test_rates_are_exact() -> None:
    """A number of the file is the number that it looks like."""
    entry = bundled().models["openai"]["gpt-6-luna"]

    assert entry.price_rows[0].rates["cache_read"] == Decimal("0.01")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"{", "cannot be read"),
        (b"[]", "cannot be read"),
        (DATA.replace(b'"format":1', b'"format":2', 1), "its format is 2"),
        (DATA.replace(b'"max_input":', b'"most_input":', 1), "most_input"),
    ],
)
def test_another_file_is_refused(data: bytes, why: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(FiberValidationError, match=why) as caught:
        snapshot_of(data)

    assert caught.value.parameter == "path"


def test_one_price_and_several_are_read_alike() -> None:
    """`rates` is short for one row of `prices`."""
    assert Entry(rates={"input": Decimal(1)}).price_rows == (PriceRow({"input": Decimal(1)}),)
    assert Entry().price_rows == ()


def test_what_a_user_says_is_exact() -> None:
    """Strings, numbers and Decimals are the same numbers."""
    entry = entry_of({"rates": {"input": "0.1", "output": Decimal("0.10"), "cache_read": 0.1}}, "m")

    assert set(entry.rates.values()) == {Decimal("0.1")}


@pytest.mark.parametrize("said", [{"rate": {}}, {"max_input": "many"}, {"rates": {"input": "cheap"}}])
def test_a_wrong_override_says_what_may_be_said(said: dict[str, object]) -> None:
    """The message names the model and the fields."""
    with pytest.raises(FiberValidationError, match=r"override of 'openai:x'.*max_input") as caught:
        entry_of(said, "openai:x")

    assert caught.value.parameter == "overrides"


def test_an_override_replaces_what_it_says() -> None:
    """Of capabilities it changes those that it names; a price replaces all prices."""
    known = Entry(
        max_input=1, max_output=2, can="tools vision", cannot="audio", prices=(PriceRow({"input": Decimal(1)}),)
    )
    said = {"max_output": 3, "can": "audio", "cannot": "vision", "rates": {"input": "2"}}

    changed = over(known, said, entry_of(said, "m"))

    assert (changed.max_input, changed.max_output) == (1, 3)
    assert (changed.can, changed.cannot) == ("tools audio", "vision")
    assert changed.price_rows == (PriceRow({"input": Decimal(2)}),)
    assert over(known, {"max_output": 3}, entry_of({"max_output": 3}, "m")).prices == known.prices
