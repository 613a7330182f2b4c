"""Weighted turns."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import PROVIDERS, FiberModelNotFoundError, FiberValidationError, ModelRegistry, openai_compatible
from fiber.registry.balance import Balance, balances_of, check_names

REGISTRY = ModelRegistry(PROVIDERS)


def test_turns_of_a_heavy_model_lie_apart() -> None:
    """Those of the light ones come between them, the same in every round."""
    balance = Balance("fast", {"a": 5, "b": 1, "c": 1})

    assert "".join(balance.turn()[0] for _ in range(14)) == "aabacaa" * 2


@given(weights=st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 9), min_size=1), rounds=st.integers(1, 3))
def test_turns_are_as_many_as_the_weight_says(weights: dict[str, int], rounds: int) -> None:
    """After as many turns as all weights together, each model had its weight of them."""
    balance = Balance("fast", weights)

    turns = Counter(balance.turn()[0] for _ in range(rounds * sum(weights.values())))

    assert turns == {model: rounds * weight for model, weight in weights.items()}


def test_weights_may_be_parts() -> None:
    """They are compared with each other only."""
    balance = Balance("fast", {"a": 0.5, "b": 0.25})

    assert "".join(balance.turn()[0] for _ in range(6)) == "abaaba"


def test_the_others_follow_by_weight() -> None:
    """Each model is in each turn once."""
    balance = Balance("fast", {"a": 1, "b": 3, "c": 2})

    assert [balance.turn() for _ in range(3)] == [("b", "c", "a"), ("c", "b", "a"), ("a", "b", "c")]


def test_looking_takes_no_turn() -> None:
    """The next turn is known, and told with the weights."""
    balance = Balance("fast", {"a": 1, "b": 2.5})

    assert [balance.following, balance.following, balance.turn()[0], balance.following] == ["b", "b", "b", "a"]
    assert balance.models == ("b", "a")
    assert str(balance) == "'fast' is balanced over b (2.5), a (1): the next turn is that of a"


def test_a_copy_has_turns_of_its_own() -> None:
    """It begins where the other one is."""
    balance = Balance("fast", {"a": 2, "b": 1})
    balance.turn()

    copied = balance.copy()

    assert [copied.turn()[0], copied.turn()[0]] == ["b", "a"]
    assert balance.following == "b"


def test_threads_share_the_turns() -> None:
    """None is lost."""
    balance = Balance("fast", {"a": 3, "b": 1})

    with ThreadPoolExecutor(4) as pool:
        turns = Counter(turn[0] for turn in pool.map(lambda _: balance.turn(), range(400)))

    assert turns == {"a": 300, "b": 100}


@pytest.mark.parametrize(
    "weights",
    [{}, None, 3, ["openai:a"], *({"openai:a": weight} for weight in (0, -1, True, "3", float("nan"), float("inf")))],
)
def test_weights_are_positive_numbers(weights: Any) -> None:
    """Anything else is told with an example."""
    with pytest.raises(FiberValidationError, match="positive numbers") as caught:
        Balance("fast", weights)

    assert (caught.value.parameter, caught.value.outcome) == ("balance", "not_sent")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("openai", "name of a provider"),
        ("claude", "name of a provider"),
        ("gpt-fast", "goes to openai"),
        ("openai:fast", "goes to openai"),
        ("", "not empty"),
        (3, "not empty"),
    ],
)
def test_a_name_that_means_something_is_refused(name: Any, why: str) -> None:
    """Of a provider, its alias, or a model, by prefix too."""
    registry = ModelRegistry(
        [*PROVIDERS, openai_compatible("acme", "https://acme.test/v1").replace(aliases=("claude",))]
    )

    with pytest.raises(FiberValidationError, match=why) as caught:
        check_names([name], registry)

    assert caught.value.parameter == "balance"


def test_balances_are_made_by_name() -> None:
    """None makes none."""
    made = balances_of({"fast": {"openai:a": 1}, "eu:fast": {"openai:b": 1}}, REGISTRY)

    assert {name: balance.models for name, balance in made.items()} == {
        "fast": ("openai:a",),
        "eu:fast": ("openai:b",),
    }
    assert balances_of(None, REGISTRY) == {}


def test_what_is_no_table_is_refused() -> None:
    """Names with models and weights are asked for."""
    with pytest.raises(FiberValidationError, match="names with models"):
        balances_of(["fast"], REGISTRY)  # type: ignore[arg-type]


@pytest.mark.parametrize("model", ["nobodys-model", "fast"])
def test_models_must_be_known(model: str) -> None:
    """When the client is made, and not in the outage; a balance is no model."""
    with pytest.raises(FiberModelNotFoundError):
        balances_of({"fast": {"openai:a": 1}, "slow": {model: 1}}, REGISTRY)
