"""The package, run as a program."""

from __future__ import annotations

import runpy
import sys

import pytest


def test_the_package_runs_as_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m fiber` does what `fiber` does."""
    monkeypatch.setattr(sys, "argv", ["fiber", "tokens", "--json", "Name a river."])

    with pytest.raises(SystemExit) as ended:
        runpy.run_module("fiber", run_name="__main__")

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith('{"input_tokens":')
