"""Requirements: what meets them, in which order."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from fiber import FiberValidationError, ModelCapabilities
from fiber.registry.capabilities import FLAGS, REQUIREMENTS, checked, described, known, meets, ranked
from fiber.registry.entries import Entry

MODEL = ModelCapabilities(
    provider="p", model="m", max_input_tokens=100, vision=True, audio=False, input_usd=Decimal("0.5")
)


@pytest.mark.parametrize(
    ("requirements", "met"),
    [
        ({}, True),
        ({"vision": True, "max_input_tokens": 100, "input_usd": 0.5}, True),
        ({"audio": False, "video": False, "deprecated": False}, True),
        ({"provider": "p", "kind": "chat"}, True),
        ({"provider": "q"}, False),
        ({"vision": False}, False),
        ({"video": True}, False),
        ({"max_input_tokens": 101}, False),
        ({"max_output_tokens": 1}, False),
        ({"input_usd": "0.49"}, False),
        ({"output_usd": 100}, False),
    ],
)
def test_requirements_are_met_by_what_is_known(requirements: dict[str, Any], met: bool) -> None:
    """Flags are equal, tokens are at least and prices at most so much; the unknown meets only a False."""
    exact = {name: Decimal(str(value)) if name.endswith("_usd") else value for name, value in requirements.items()}

    assert meets(MODEL, exact) is met


@pytest.mark.parametrize(
    "requirements", [{"vision": 1}, {"max_input_tokens": True}, {"input_usd": "1"}, {"kind": True}]
)
def test_a_requirement_of_a_wrong_type_is_refused(requirements: dict[str, Any]) -> None:
    """The error names it."""
    with pytest.raises(FiberValidationError) as caught:
        checked(requirements)

    assert caught.value.parameter == next(iter(requirements))


def test_a_price_is_checked_exactly() -> None:
    """A float is the number that it looks like."""
    assert checked({"input_usd": 0.1, "vision": True}) == {"input_usd": Decimal("0.1"), "vision": True}


def test_an_unknown_name_is_refused_with_a_hint() -> None:
    """The message has all names, and the near one."""
    with pytest.raises(FiberValidationError, match="Did you mean 'vision'"):
        known("visoin", FLAGS)
    with pytest.raises(FiberValidationError) as caught:
        known("qqqq", REQUIREMENTS)

    assert "Did you mean" not in caught.value.message


def test_models_are_ranked_and_the_unknown_come_last() -> None:
    """By cost the cheapest is first, by tokens the largest; equals stand by name."""
    cheap = ModelCapabilities(provider="p", model="b", input_usd=Decimal(1), output_usd=Decimal(1), max_output_tokens=1)
    dear = ModelCapabilities(provider="p", model="a", input_usd=Decimal(1), output_usd=Decimal(9), max_input_tokens=9)
    models = [MODEL, dear, cheap]

    assert ranked(models, "cost") == [cheap, dear, MODEL]
    assert ranked(models, "context") == [MODEL, dear, cheap]
    assert ranked(models, "output") == [cheap, dear, MODEL]
    with pytest.raises(FiberValidationError, match="'speed'"):
        ranked(models, "speed")  # type: ignore[arg-type]


def test_what_an_entry_does_not_say_is_unknown() -> None:
    """It is None, and neither a zero nor a False."""
    model = described("p", "m", Entry(can="tools", cannot="vision"), {})

    assert (model.tools, model.vision, model.audio) == (True, False, None)
    assert (model.max_input_tokens, model.input_usd, model.deprecated, model.shutdown) == (None, None, None, None)
    assert model.reference == "p:m"
