"""A conversation about the lockfile, over a mock server that calls tools."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fiber.cli import main, output
from fiber.cli.lock_chat import MOST_ROUNDS
from fiber.registry.locking.parsing import parsed
from fiber.testing import Failure, MockCall, MockServer, Reply
from tests.registry.locking.samples import TEXT, lockfile

BIND = MockCall("bind_alias", {"alias": "fast", "models": ["openai:gpt-6-sol"]})


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    """Serve as OpenAI, beside a lockfile."""
    monkeypatch.chdir(tmp_path)
    lockfile(tmp_path, TEXT)
    with MockServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        yield server


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put lines on standard input, which may be a terminal."""

    def pipe(*lines: str, terminal: bool = False) -> None:
        stdin = io.StringIO("".join(f"{line}\n" for line in lines))
        monkeypatch.setattr(stdin, "isatty", lambda: terminal)
        monkeypatch.setattr(sys, "stdin", stdin)

    return pipe


def asked(server: MockServer) -> list[list[tuple[str, str]]]:
    """Return role and text of the messages of each request."""
    return [
        [(message["role"], message.get("content") or "") for message in request.json["messages"]]
        for request in server.requests
    ]


def test_a_change_is_written_when_the_next_line_agrees(
    server: MockServer, piped: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The model is told what became of it, and answers in words."""
    server.enqueue(Reply(tool_calls=[BIND]), Reply("Done."))
    piped("Let fast be sol.", "y")

    code = main(["lock", "chat", "--model", "openai:gpt-mock"])

    said = capsys.readouterr()
    assert code == 0
    assert '+models = ["openai:gpt-6-sol"]' in said.out
    assert said.out.endswith("Done.\n")
    assert "Write this? [y/N]" in said.err
    assert 'models = ["openai:gpt-6-sol"]' in Path("fiber.lock").read_text()
    assert asked(server)[1][-1] == ("tool", "Written.")


@pytest.mark.parametrize("answer", [["n"], ["what?"], []])
def test_anything_else_is_no(answer: list[str], server: MockServer, piped: Callable[..., None]) -> None:
    """The end of the input too."""
    server.enqueue(Reply(tool_calls=[BIND]), Reply("As you like."))
    piped("Let fast be sol.", *answer)

    code = main(["lock", "chat", "--model", "openai:gpt-mock"])

    assert code == 0
    assert Path("fiber.lock").read_text() == TEXT
    assert asked(server)[1][-1] == ("tool", "The user does not agree: it was not written.")


def test_nobody_is_asked_with_yes(
    server: MockServer, piped: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line is a turn then; as JSON, changes and answers are documents."""
    server.enqueue(Reply(tool_calls=[BIND]), Reply("Done."), Reply("You are welcome."))
    piped("Thanks.")

    code = main(["lock", "chat", "--yes", "--json", "-v", "--profile", "prod", "Let fast", "be sol."])

    change, *answers = map(json.loads, (said := capsys.readouterr()).out.splitlines())
    assert code == 0
    assert change["agreed"] is True
    assert "gpt-6-sol" in change["change"]
    assert [answer["choices"][0]["message"]["content"][0]["text"] for answer in answers] == [
        "Done.",
        "You are welcome.",
    ]
    assert said.err.count("tokens in") == 2
    assert parsed(Path("fiber.lock").read_text(), "f").profiles["prod"]["fast"].models == ("openai:gpt-6-sol",)


def test_a_person_is_asked_at_the_terminal(
    server: MockServer, piped: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And told beforehand that it will be so; the difference is drawn."""
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    server.enqueue(Reply(tool_calls=[BIND]), Reply("Done."))
    piped("Let fast be sol.", "yes", "/quit", terminal=True)

    code = main(["lock", "chat"])

    said = capsys.readouterr()
    assert code == 0
    assert said.err.startswith("fiber: each change is shown")
    assert "Write this? [y/N] " in said.out
    assert "openai:gpt-6-sol" in Path("fiber.lock").read_text()


def test_a_turn_that_fails_leaves_no_call_without_its_result(
    server: MockServer, piped: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The next one tells the model what its tools did; exit code 1 says that not all went well."""
    show = MockCall("show_model", {"model": "gpt-6-luna"})
    server.enqueue(Reply(tool_calls=[show]), Failure(status=400), Reply("It is small."))
    piped("What is luna?", "Well?")

    code = main(["lock", "chat"])

    assert code == 1
    assert "fiber: Fiber" in capsys.readouterr().err
    assert [role for role, _ in asked(server)[-1]] == ["system", "user", "assistant", "tool", "user"]


def test_a_model_that_calls_tools_for_ever_must_answer(server: MockServer, piped: Callable[..., None]) -> None:
    """After so many rounds."""
    server.enqueue(*[Reply(tool_calls=[MockCall("show_lockfile", {})])] * MOST_ROUNDS, Reply("Enough."))
    piped("Look at it.")

    code = main(["lock", "chat"])

    assert code == 0
    assert [request.json.get("tool_choice") for request in server.requests][-2:] == ["auto", "none"]
    assert len(server.requests) == MOST_ROUNDS + 1


def test_without_a_lockfile_nothing_is_asked(
    server: MockServer, piped: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor is one made."""
    Path("fiber.lock").unlink()
    piped("Let fast be sol.")

    assert main(["lock", "chat"]) == 1
    assert "make one with `fiber lock init`" in capsys.readouterr().err
    assert list(server.requests) == []
    assert list(Path.cwd().iterdir()) == []


def test_it_can_be_tried_without_a_key(
    server: MockServer, piped: Callable[..., None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mock model calls the first tool."""
    monkeypatch.delenv("OPENAI_API_KEY")
    piped("Which models are there?")

    assert main(["lock", "chat", "--mock"]) == 0
    assert "reference" in capsys.readouterr().out
