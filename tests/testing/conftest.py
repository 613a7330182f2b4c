"""What the tests of the mock server share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from fiber.testing import MockServer


@pytest.fixture
def server() -> Iterator[MockServer]:
    """Run a server for one test."""
    with MockServer() as server:
        yield server
