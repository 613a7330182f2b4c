"""Scripts of folders that are no packages, imported as they import each other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import pytest

Load: TypeAlias = Callable[[str], Any]


@contextmanager
def scripts_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Yield what imports a script of *folder*, and forget them all afterwards: their names are everyday words."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    yield import_module
    for name in set(sys.modules) - before:
        if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
