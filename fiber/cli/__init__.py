"""The `fiber` command: `ask`, `chat`, `models`, `providers`, `smoke`, `demo`."""

from __future__ import annotations

from fiber.cli.main import main

__all__ = ["main"]
