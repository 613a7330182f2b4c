"""The catalogue, over the file of the library and over files of a test."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from fiber import FiberValidationError, ModelCatalog, PriceQuery, PriceSource
from fiber.registry import catalog as module
from fiber.registry.capabilities import FLAGS

CATALOG = ModelCatalog()
DAY = date(2026, 11, 21)
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
FILE = b"""{"format":1,"revision":"2026-01-02","sources":[],"rows":{"vertex":"gemini"},"models":{"openai":{
"gpt-9":{"aliases":["gpt-nine"],"can":"tools","rates":{"input":1,"output":2}},
"gpt-8":{"can":"tools","shutdown":"2026-06-01","rates":{"input":0.5,"output":2}},
"gpt-7":{"can":"tools","deprecated":true}}}}"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of three models."""
    path = tmp_path / "catalog.json"
    path.write_bytes(FILE)
    return path


def rates(catalog: ModelCatalog, model: str) -> dict[str, Decimal]:
    """Ask for standard rates at noon."""
    provider, _, name = model.partition(":")
    found = catalog.rates(PriceQuery(provider=provider, model=name, at=NOON))
    return {} if found is None else dict(found.usd)


def test_a_model_is_known_however_it_is_named() -> None:
    """Reference, bare name, snapshot and alias of the provider lead to one entry."""
    names = ("openai:gpt-6.1-sol", "gpt-6.1-sol", "openai/gpt-6.1-sol", "openai:gpt-6.1-sol-2026-09-29")
    found = [CATALOG.capabilities(name, at=DAY) for name in names]

    assert found[0] is not None
    assert (found[0].max_output_tokens, found[0].vision, found[0].input_usd) == (128_000, True, 2)
    assert found == [found[0]] * len(names)


def test_a_provider_that_offers_the_models_of_another_knows_them() -> None:
    """Claude stands with Google's models, which both Vertex rows offer."""
    vertex = CATALOG.capabilities("vertex-anthropic:claude-opus-5-5@20261001")

    assert vertex is not None
    assert vertex.reference == "vertex-anthropic:claude-opus-5-5"


def test_an_unknown_model_is_none() -> None:
    """Nothing is guessed, from whichever side."""
    assert CATALOG.capabilities("openai:gpt-never") is None
    assert CATALOG.capabilities("what-is-this") is None
    assert CATALOG.rates(PriceQuery(provider="nobody", model="m", at=NOON)) is None
    with pytest.raises(FiberValidationError):
        CATALOG.capabilities("m", provider="nobody")


def test_models_are_listed_by_provider_and_capability() -> None:
    """A capability counts where it is known."""
    claude = CATALOG.list_models(provider="claude", capability="computer_use")

    assert claude
    assert {(model.provider, model.computer_use) for model in claude} == {("anthropic", True)}
    assert len(CATALOG.list_models()) > len(CATALOG.list_models(capability="vision")) > len(claude)
    with pytest.raises(FiberValidationError, match="Did you mean 'vision'"):
        CATALOG.list_models(capability="visions")


@pytest.mark.parametrize("flag", FLAGS)
def test_every_capability_is_known_of_some_model(flag: str) -> None:
    """A name of which nothing is known would be of no use."""
    assert {getattr(model, flag) for model in CATALOG.list_models()} - {None}


def test_the_cheapest_model_that_meets_all_is_found() -> None:
    """The answer can be called as it stands, and meets what was asked."""
    found = CATALOG.find_model({"vision": True, "max_input_tokens": 900_000, "provider": "openai"}, at=DAY)

    assert found == "openai:gpt-6-luna"
    assert CATALOG.find_model({"vision": True, "output_usd": 0.000001}) is None
    assert CATALOG.find_model({"kind": "embedding"}) is not None
    with pytest.raises(FiberValidationError, match="no known capability"):
        CATALOG.find_model({"max_tokens": 1})


def test_a_model_that_is_over_is_not_found(path: Path) -> None:
    """Nor is a deprecated one, unless it is asked for."""
    catalog = ModelCatalog(path=path)

    assert catalog.find_model({"tools": True}, at=date(2026, 5, 31)) == "openai:gpt-8"
    assert catalog.find_model({"tools": True}, at=date(2026, 6, 1)) == "openai:gpt-9"
    assert catalog.find_model({"deprecated": True}) == "openai:gpt-7"


def test_the_end_of_a_model_is_told_once(path: Path) -> None:
    """A warning at every call would be noise."""
    catalog = ModelCatalog(path=path)

    assert catalog.notice("openai", "gpt-8") == "openai ends the model gpt-8 on 2026-06-01"
    assert catalog.notice("openai", "gpt-7-2026-01-01") == "openai calls the model gpt-7 deprecated"
    assert [catalog.notice("openai", name) for name in ("gpt-8", "gpt-7", "gpt-9", "gpt-1")] == [None] * 4


def test_a_catalogue_is_a_price_source() -> None:
    """Its answer carries the day of the data."""
    found = CATALOG.rates(PriceQuery(provider="openai", model="gpt-6-sol", at=NOON))

    assert isinstance(CATALOG, PriceSource)
    assert found is not None
    assert (found.source, found.revision, found.usd["output"]) == ("catalogue", str(CATALOG.revision), 10)


def test_a_dated_change_holds_from_its_day() -> None:
    """Gemini 4 Argon doubles on 1 December 2026."""
    before, after = (
        CATALOG.rates(PriceQuery(provider="gemini", model="gemini-4-argon", at=datetime(2026, *day, tzinfo=UTC)))
        for day in ((11, 30, 23, 59, 59), (12, 1))
    )

    assert before is not None
    assert after is not None
    assert (before.usd["output"], after.usd["output"]) == (10, 20)


def test_overrides_win(path: Path) -> None:
    """They change what they say, under any spelling, and the receipts will say whose price it was."""
    catalog = ModelCatalog(
        path=path,
        overrides={
            "openai:gpt-nine": {"max_output": 7, "rates": {"input": "3"}},
            "openai:mine": {"can": "vision"},
            "elsewhere:other": {"rates": {"input": 1}},
        },
    )
    model, mine = catalog.capabilities("gpt-9"), catalog.capabilities("openai:mine")

    assert model is not None
    assert (model.tools, model.max_output_tokens, model.input_usd, model.output_usd) == (True, 7, 3, None)
    assert mine is not None
    assert mine.vision
    assert rates(catalog, "elsewhere:other") == {"input": 1}
    found = catalog.rates(PriceQuery(provider="openai", model="gpt-9", at=NOON))
    assert found is not None
    assert found.source == "override"


def test_a_row_of_ones_own_has_the_models_of_another() -> None:
    """A proxy costs what stands behind it."""
    catalog = ModelCatalog(rows={"proxy": "openai-responses"})
    found = catalog.capabilities("proxy:gpt-6-sol")

    assert found is not None
    assert found.reference == "proxy:gpt-6-sol"
    assert rates(catalog, "proxy:gpt-6-sol")["input"] == 2
    assert catalog.list_models(provider="proxy")


@pytest.mark.parametrize("name", ["gpt-9", ":gpt-9", "openai:"])
def test_an_override_needs_a_provider(name: str) -> None:
    """A bare name would be a guess."""
    with pytest.raises(FiberValidationError, match="provider:model"):
        ModelCatalog(overrides={name: {}})


def test_a_file_of_ones_own_is_checked(path: Path, tmp_path: Path) -> None:
    """By its digest, when one is given."""
    catalog = ModelCatalog(path=str(path), sha256=sha256(FILE).hexdigest().upper())

    assert (catalog.revision, catalog.sources) == (date(2026, 1, 2), ())
    with pytest.raises(FiberValidationError) as caught:
        ModelCatalog(path=path, sha256="00")
    assert caught.value.parameter == "sha256"
    with pytest.raises(FiberValidationError, match="cannot be read"):
        ModelCatalog(path=tmp_path / "nothing.json")


def test_an_old_catalogue_is_told(path: Path) -> None:
    """The day of the limit itself is still fresh."""
    catalog = ModelCatalog(path=path)
    catalog.assert_fresh(timedelta(days=30), at=date(2026, 2, 1))

    with pytest.raises(FiberValidationError, match="31 days old"):
        catalog.assert_fresh(timedelta(days=30), at=date(2026, 2, 2))
    with pytest.raises(FiberValidationError, match="install a newer release"):
        catalog.assert_fresh(timedelta(days=1))
    assert "2026-01-02" in repr(catalog)


def test_names_that_were_asked_for_are_remembered_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that users invent do not fill the memory."""
    monkeypatch.setattr(module, "_MANY_NAMES", 2)
    catalog = ModelCatalog()
    for number in range(5):
        catalog.rates(PriceQuery(provider="openai", model=f"gpt-{number}", at=NOON))

    assert len(catalog._found) <= 2


@pytest.mark.parametrize(
    ("said", "first"),
    [
        ("claude-sonet-5-5", "anthropic:claude-sonnet-5-5"),
        ("openrouter:claude-sonet-5.5", "openrouter:anthropic/claude-sonnet-5.5"),
        ("gpt6luna", "openai:gpt-6-luna"),
    ],
)
def test_models_that_are_spelled_nearly_so_are_suggested(said: str, first: str) -> None:
    """Those of the provider that was said come first."""
    assert ModelCatalog().suggest(said)[0] == first
    assert len(ModelCatalog().suggest(said, most=1)) == 1


def test_nothing_is_suggested_for_what_is_unlike_all() -> None:
    """Rather than anything."""
    assert ModelCatalog().suggest("xyzzy") == ()
