"""Which parser reads."""

from __future__ import annotations

import sys

import pytest

from fiber import FiberValidationError
from fiber.transports import wires
from fiber.transports.wire_h11 import H11Wire
from fiber.transports.wire_httptools import HTTPToolsWire
from fiber.transports.wires import wire_of


@pytest.mark.parametrize(
    ("name", "kind"), [("", HTTPToolsWire), ("direct", HTTPToolsWire), ("httptools", HTTPToolsWire), ("h11", H11Wire)]
)
def test_a_parser_is_chosen_by_its_name(name: str, kind: type) -> None:
    """The fastest, unless somebody says otherwise."""
    assert wire_of(name) is kind


def test_without_the_extra_the_other_parser_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes with every installation."""
    monkeypatch.setattr(wires, "find_spec", lambda name: name == "h11" or None)

    assert wire_of("direct") is H11Wire


def test_a_parser_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to install it."""
    monkeypatch.delitem(sys.modules, "fiber.transports.wire_httptools")
    monkeypatch.setitem(sys.modules, "httptools", None)

    with pytest.raises(FiberValidationError, match=r"fiber-llm\[speed\]") as caught:
        wire_of("httptools")

    assert (caught.value.parameter, caught.value.outcome) == ("transport", "not_sent")
