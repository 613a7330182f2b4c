"""
The `fiber` command.

`ask`, `chat`, `models`, `providers`, `smoke`, `info`, `find`, `cost`, `tokens`, `alias`, `lock`, `demo`.
"""

from __future__ import annotations

from fiber.cli.main import main

__all__ = ["main"]
