"""The `fiber` command: `ask`, `chat`, `models`, `demo`."""

from __future__ import annotations

from fiber.cli.main import main

__all__ = ["main"]
