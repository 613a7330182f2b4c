"""What every test of usage shares."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No close gives up because a machine is busy."""
    monkeypatch.setattr("fiber.metering.courier._CLOSE_SECONDS", 60.0)
