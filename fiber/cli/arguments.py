"""Arguments that several commands take."""

from __future__ import annotations

import argparse


def add_json(command: argparse.ArgumentParser) -> None:
    """Add `--json` to *command*."""
    command.add_argument("--json", action="store_true", help="one JSON document a line")


def add_mock(command: argparse.ArgumentParser) -> None:
    """Add `--mock` to *command*."""
    command.add_argument("--mock", action="store_true", help="use the built-in mock server; no key, no network")


def add_profile(command: argparse.ArgumentParser) -> None:
    """Add `--profile` to *command*."""
    command.add_argument("--profile", help="profile of the lockfile; FIBER_PROFILE, or the lockfile's own, by default")


def add_prompt(command: argparse.ArgumentParser) -> None:
    """Add the words of a prompt to *command*; `ask.prompt_of` reads them."""
    command.add_argument("prompt", nargs="*", help="the prompt; `-`, or nothing, reads standard input")
