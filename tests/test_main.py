"""The package, run as a program."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import pytest

import fiber


def test_the_package_runs_as_the_command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m fiber` does what `fiber` does."""
    monkeypatch.setattr(sys, "argv", ["fiber", "tokens", "--json", "Name a river."])

    with pytest.raises(SystemExit) as ended:
        # By its path: pytest's loader of plugins, which this package is one of, has no code to give to `run_module`.
        runpy.run_path(str(Path(fiber.__file__).with_name("__main__.py")), run_name="__main__")

    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith('{"input_tokens":')
