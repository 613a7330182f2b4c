"""Tests of faults in the arguments of a tool call."""

from __future__ import annotations

import pytest

from tests.testing.hostile.wire import FORMATS, body, played

BOTH = pytest.mark.parametrize("stream", [False, True])


@BOTH
@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("fault", ["tool-arguments-cut", "tool-arguments-text", "tool-arguments-list"])
def test_tool_arguments_are_wrong(fault: str, format: str, *, stream: bool) -> None:
    """A tool is called, and its arguments are no JSON object."""
    said = body(played(fault, format, stream=stream))

    assert b"get_weather" in said
    assert b'{"city":"Paris"}' not in said
