"""Pools of keys, as values."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from fiber import AWSKeys, FiberValidationError, KeyPool, Refreshing, Secret
from fiber.providers.keys import credential_of


def fetched() -> str:
    """Return a key."""
    return "sk-fetched"


def test_a_pool_holds_credentials_of_every_kind() -> None:
    """Text becomes a `Secret`; everything else stays what it is."""
    fresh = Refreshing(fetched)
    pool = KeyPool(["sk-one", Secret("sk-two"), fetched, fresh])

    assert pool.keys == (Secret("sk-one"), Secret("sk-two"), fetched, fresh)
    assert len(pool) == 4


def test_a_pool_shows_no_key() -> None:
    """Its `repr` has their number, and it cannot be pickled."""
    pool = KeyPool(["sk-one", "sk-two"])

    assert repr(pool) == str(pool) == "KeyPool(2 keys)"
    with pytest.raises(TypeError):
        pickle.dumps(pool)


def test_a_pool_names_all_that_is_to_be_masked() -> None:
    """The texts of every key that is there, in all its parts."""
    pool = KeyPool(["sk-one", fetched, AWSKeys("AKIA", "secret", "token")])

    assert set(pool.texts()) >= {"sk-one", "secret", "token"}


def test_a_pool_has_the_region_of_its_keys() -> None:
    """That of the first which has one."""
    assert KeyPool(["sk-one", Refreshing(fetched, region="eu-west-1")]).region == "eu-west-1"
    assert KeyPool(["sk-one"]).region == ""


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ([], "there is none"),
        ("sk-one", "there is none"),
        (7, "there is none"),
        (["sk-one", ""], "key 2 is a Secret"),
        ([None], "key 1 is a NoneType"),
        ([["sk-one"]], "key 1 is a list"),
        ([KeyPool(["sk-one"])], "key 1 is a KeyPool"),
    ],
)
def test_what_is_no_pool_is_refused(keys: Any, why: str) -> None:
    """The message says which is wrong, and quotes none."""
    with pytest.raises(FiberValidationError) as caught:
        KeyPool(keys)

    assert caught.value.message.endswith(f"{why}.")
    assert (caught.value.parameter, caught.value.outcome) == ("api_keys", "not_sent")
    assert "sk-one" not in caught.value.message


def test_a_list_is_a_pool() -> None:
    """So is a tuple; text and the rest are single credentials."""
    pool = KeyPool(["sk-one"])

    assert isinstance(credential_of(["sk-one"]), KeyPool)
    assert isinstance(credential_of(("sk-one", fetched)), KeyPool)
    assert credential_of("sk-one") == Secret("sk-one")
    assert [credential_of(said) for said in (pool, fetched, None)] == [pool, fetched, None]
