"""What the input of a model may hold."""

from __future__ import annotations

import pytest

from fiber.adapters.replicate.models import MODELS, UNKNOWN, inputs_of
from fiber.types.request import PARAMETERS


def test_longest_beginning_holds() -> None:
    """A model that differs from its family has a longer one."""
    assert inputs_of("openai/o4-mini").messages == ""
    assert inputs_of("openai/o1").messages == "messages"
    assert inputs_of("ada/own-model") is UNKNOWN


@pytest.mark.parametrize("prefix", MODELS)
def test_table_speaks_of_what_there_is(prefix: str) -> None:
    """What a model lacks are parameters, and every one has a place for its limit."""
    inputs = MODELS[prefix]

    assert set(inputs.lacks) <= set(PARAMETERS)
    assert inputs.limit
    assert "/" in prefix
