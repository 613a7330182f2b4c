"""The `fiber` command; `commands` lists what it can do."""

from __future__ import annotations

from fiber.cli.main import main

__all__ = ["main"]
