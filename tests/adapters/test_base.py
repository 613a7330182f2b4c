"""What an adapter is."""

from __future__ import annotations

import pytest

from fiber import adapters
from fiber.adapters.base import Adapter
from fiber.types.request import PARAMETERS


@pytest.mark.parametrize("name", adapters.NAMES)
def test_adapter_is_loaded_by_name(name: str) -> None:
    """Every listed adapter has its name, all its functions, and a place for every parameter."""
    adapter = adapters.load(name)

    assert isinstance(adapter, Adapter)
    assert adapter.name == name
    assert set(adapter.parameters) == set(PARAMETERS)
    assert all(map(callable, (adapter.build_request, adapter.parse_response, adapter.parse_error)))
    assert callable(adapter.stream_decoder)


@pytest.mark.parametrize("name", adapters.NAMES)
def test_refused_parameter_says_why(name: str) -> None:
    """A parameter that a format lacks has its reason; one that it has, its place."""
    table = adapters.load(name).parameters

    assert [key for key, rule in table.items() if rule.support == "unsupported" and not rule.why] == []
    assert [key for key, rule in table.items() if rule.support != "unsupported" and not rule.path] == []


def test_names_are_sorted() -> None:
    """The list of adapters is in plain order."""
    assert list(adapters.NAMES) == sorted(adapters.NAMES)
