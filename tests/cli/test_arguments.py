"""How the command line is read."""

from __future__ import annotations

import argparse
from datetime import date
from decimal import Decimal

import pytest

from fiber.cli.arguments import Parser, add_command, add_group, day, dollars, name_of, near, whole


def made() -> Parser:
    """Make a small parser."""
    top = Parser(prog="fiber")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = add_command(commands, "paint", "art:paint", "make a picture", "fiber paint red", "fiber paint blue")
    command.add_argument("colour", choices=("red", "blue"))
    command.add_argument("-s", "--size", type=whole, choices=(1, 2))
    add_command(add_group(commands, "shop", "buy and sell"), "buy", "art:buy", "buy a picture")
    return top


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what is said of *arguments*, which are wrong."""
    with pytest.raises(SystemExit) as ended:
        made().parse_args(arguments)
    said = capsys.readouterr()

    assert (ended.value.code, said.out) == (2, "")
    return said.err


def test_arguments_are_read() -> None:
    """With the function that is to run, as a name."""
    assert vars(made().parse_args(["paint", "red", "--size", "2"])) == {
        "command": "paint",
        "colour": "red",
        "size": 2,
        "run": "art:paint",
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["pant"], "'pant' is no command: use one of paint, shop. Did you mean paint?\nSee `fiber --help`.\n"),
        (["xyz"], "'xyz' is no command: use one of paint, shop.\nSee `fiber --help`.\n"),
        (["paint", "reed"], "'reed' is no value of colour: use one of red, blue. Did you mean red?\n"),
        (["paint", "red", "--siez=2"], "'--siez=2' is no option of `fiber paint`. Did you mean --size?\n"),
        (["paint", "red", "blue"], "'blue' is one argument too many of `fiber paint`.\nSee `fiber paint --help`.\n"),
        (["paint", "red", "--size", "0"], "argument -s/--size: '0' is not a whole number from 1\n"),
        (["paint"], "the following arguments are required: colour\nSee `fiber paint --help`.\n"),
    ],
)
def test_a_mistake_is_told_with_what_was_meant(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command that it was made at, with exit code 2."""
    assert refused(capsys, *arguments).startswith(f"fiber: {said}")


@pytest.mark.parametrize("arguments", [[], ["shop"]])
def test_without_a_command_there_is_help(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Of the commands that there are."""
    assert refused(capsys, *arguments).startswith(f"usage: {' '.join(['fiber', *arguments])} [-h] ")


def test_help_ends_with_examples(capsys: pytest.CaptureFixture[str]) -> None:
    """Each on a line of its own; what it does is a sentence."""
    with pytest.raises(SystemExit):
        made().parse_args(["paint", "--help"])

    said = capsys.readouterr().out
    assert "\nMake a picture.\n" in said
    assert said.endswith("examples:\n  fiber paint red\n  fiber paint blue\n")


def test_nothing_is_near_what_is_unlike_all() -> None:
    """Then nothing is asked."""
    assert near("zzz", ["paint"]) == ""


@pytest.mark.parametrize(
    ("action", "name"),
    [
        (argparse.Action(["-s", "--size"], "size"), "-s/--size"),
        (argparse.Action([], "colour"), "colour"),
        (argparse.Action([], "command", metavar="COMMAND"), "COMMAND"),
    ],
)
def test_an_argument_is_called_as_in_help(action: argparse.Action, name: str) -> None:
    """Not by the name of its variable."""
    assert name_of(action) == name


def test_numbers_and_amounts_are_read_strictly() -> None:
    """So that a slip of the finger is no order."""
    assert (whole("12"), dollars("2.50"), day("2026-11-20")) == (12, Decimal("2.5"), date(2026, 11, 20))
    with pytest.raises(argparse.ArgumentTypeError, match="is not a day, like 2026-11-20"):
        day("yesterday")
    for said in ("0", "-1", "1.5", "x"):
        with pytest.raises(argparse.ArgumentTypeError):
            whole(said)
    for said in ("-1", "nan", "inf", "x"):
        with pytest.raises(argparse.ArgumentTypeError):
            dollars(said)
