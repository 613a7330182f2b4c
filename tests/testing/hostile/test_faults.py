"""Tests of the table of all faults."""

from __future__ import annotations

import re

import pytest

from fiber.testing import FAULTS
from tests.testing.hostile.wire import FORMATS, played

LIKE_GOOD = {"ok", "redirected", "stale-keepalive", "stale-keepalive-fin"}
"""Faults that show nothing in the first answer."""


@pytest.mark.parametrize("name", FAULTS)
def test_fault_differs_from_a_good_answer(name: str) -> None:
    """A recipe does not answer well in any format and mode that it concerns, and always does the same."""
    fault = FAULTS[name]
    found = {
        (format, stream): (played(name, format, stream=stream), played("ok", format, stream=stream))
        for format in (*FORMATS, "replicate")
        for stream in (False, True)
        if fault.concerns(format, "stream" if stream else "whole")
    }

    assert found
    for (format, stream), (actions, good) in found.items():
        assert actions == played(name, format, stream=stream)
        assert (actions == good) is (name in LIKE_GOOD), (format, stream)


@pytest.mark.parametrize("name", FAULTS)
def test_fault_says_what_it_is(name: str) -> None:
    """A name fits into a path, a matrix id has group and number, a meaning is a sentence."""
    fault = FAULTS[name]

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)
    assert re.fullmatch(r"[CSBEL]\d+", fault.matrix) or name == "ok"
    assert fault.name == name
    assert re.fullmatch(r".*\.", fault.meaning)
