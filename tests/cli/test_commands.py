"""The commands that there are."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version

import pytest

from fiber.cli import main
from fiber.cli.commands import parser
from tests.cli.test_codes import PAGE
from tests.test_architecture import HEAVY


def walked(command: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield *command* and all below it."""
    yield command
    for action in command._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from walked(below)


COMMANDS = [command for command in walked(parser()) if command.get_default("run")]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.prog)
def test_a_command_has_a_function_a_sentence_and_examples_that_can_be_read(command: argparse.ArgumentParser) -> None:
    """What help shows can be typed."""
    module, _, name = command.get_default("run").partition(":")

    assert callable(getattr(import_module(module), name))
    assert re.fullmatch(r"[A-Z].*[^.]\.", command.description or "")
    for example in re.findall(rf"^  (?:.*\| )?({command.prog}.*)$", command.epilog or "", re.MULTILINE):
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|[^\s"]+', re.split(r"<|#|\|", example)[0])]
        assert parser().parse_args(words[1:]).run == command.get_default("run")


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.prog)
def test_a_command_can_answer_in_json(command: argparse.ArgumentParser) -> None:
    """But for those that answer to people, and to shells."""
    assert ("--json" in command._option_string_actions) is (command.prog not in ("fiber demo", "fiber completion"))


@pytest.mark.parametrize("command", list(walked(parser())), ids=lambda command: command.prog)
def test_help_fits_into_a_terminal(command: argparse.ArgumentParser, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of eighty columns, but for examples, which are typed as they stand."""
    monkeypatch.setenv("COLUMNS", "80")

    shown = command.format_help().partition("examples:")[0]
    assert max(map(len, shown.splitlines())) <= 80


def test_help_loads_nothing_heavy() -> None:
    """It comes at once."""
    probe = "import sys; from fiber.cli.commands import parser; parser().format_help(); print(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", probe], capture_output=True, check=True, text=True).stdout.split()

    assert [name for name in (*HEAVY, "msgspec", "rich") if name in loaded] == []


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """That of the distribution."""
    with pytest.raises(SystemExit) as ended:
        main(["--version"])

    assert ended.value.code == 0
    assert capsys.readouterr().out == f"fiber {version('fiber-llm')}\n"


def test_every_command_and_option_is_documented() -> None:
    """The page of the command line names each as code."""
    said = " ".join(re.findall(r"`([^`\n]+)`", PAGE.read_text("utf-8")))
    options = {name for command in COMMANDS for name in command._option_string_actions if name.startswith("--")}

    assert [command.prog for command in COMMANDS if command.prog not in said] == []
    assert sorted(options - set(re.findall(r"--[\w-]+", said)) - {"--help"}) == []
