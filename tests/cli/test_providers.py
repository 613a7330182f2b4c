"""Who answers."""

from __future__ import annotations

import json
import sys

import pytest

from fiber.cli import main, output
from fiber.testing import MockServer


def test_those_with_a_key_are_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """Rows over one list once; all of them well is exit code 0."""
    code = main(["providers", "--mock", "--ping", "--json"])

    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert code == 0
    assert {answer["provider"] for answer in answers} >= {"openai", "anthropic", "gemini"}
    assert all(answer["ok"] and answer["seconds"] >= 0 for answer in answers)


def test_who_does_not_answer_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason and without the key; exit code 1."""
    with MockServer(api_key="another") as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        code = main(["providers", "--ping"])
        shown = capsys.readouterr().out
        main(["providers", "--ping", "--json"])
        document = json.loads(capsys.readouterr().out)

    assert code == 1
    assert "openai             FiberAuthError: " in shown
    assert document["error"]["status_code"] == 401
    assert "canary" not in shown


def test_one_provider_can_be_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name, or one that means it; without a list there is nothing to ask for."""
    good = main(["providers", "--mock", "--ping", "--provider", "google"])
    shown = capsys.readouterr().out
    without = main(["providers", "--mock", "--ping", "--provider", "zai"])
    said = capsys.readouterr().err
    listed = main(["providers", "--mock", "--provider", "google", "--json"])

    assert (good, without, listed) == (0, 1, 0)
    assert shown.splitlines()[-1].startswith("gemini ")
    assert "nobody can be asked" in said
    assert json.loads(capsys.readouterr().out)["provider"] == "gemini"


def test_what_is_in_brackets_is_shown_in_a_terminal_too(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not taken for markup."""
    monkeypatch.setattr(output, "is_terminal", lambda: True)

    output.print_table("Of [one]", ("outcome",), [("no [status_code=401] [/]",)])

    shown = capsys.readouterr().out
    assert "Of [one]" in shown
    assert "no [status_code=401] [/]" in shown
    assert "rich" in sys.modules
