"""What is taken from a store, and never left behind; budgets and rate limits test it with their own stores."""

from __future__ import annotations

import pytest

from fiber._engine import run_sync
from fiber.stores.holding import secured
from fiber.testing.fake import FakeTransport


@pytest.mark.parametrize("quick", [True, False])
def test_what_is_taken_is_returned_and_kept(quick: bool) -> None:
    """Nobody lets it go while somebody waits for it."""
    undone: list[bool] = []

    taken = run_sync(secured(FakeTransport(), lambda: 5, lambda: undone.append(True), quick=quick))

    assert (taken, undone) == (5, [])


@pytest.mark.parametrize("quick", [True, False])
def test_a_store_that_fails_is_the_callers_to_know(quick: bool) -> None:
    """Its error comes through, and nothing is undone."""
    undone: list[bool] = []

    def take() -> None:
        raise OSError("down")

    with pytest.raises(OSError, match="down"):
        run_sync(secured(FakeTransport(), take, lambda: undone.append(True), quick=quick))
    assert undone == []
