"""The `fiber` command, run in this process against the built-in mock server."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys

import pytest

from fiber.cli import demo, main, output
from fiber.cli.client import mocked
from fiber.testing import MockServer, Reply
from fiber.types.result import ChatResult


@pytest.fixture(autouse=True)
def no_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give every test an empty standard input that is no terminal."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))


def typed(monkeypatch: pytest.MonkeyPatch, text: str, *, terminal: bool = False) -> None:
    """Put *text* on standard input."""
    stdin = io.StringIO(text)
    monkeypatch.setattr(stdin, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stdin", stdin)


def run(*arguments: str) -> int:
    """Run the command over the mock server."""
    return main([arguments[0], "--mock", *arguments[1:]])


def test_ask_prints_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """`fiber ask` prints the text and nothing else when output is piped."""
    code = run("ask", "hello", "there")

    assert (code, capsys.readouterr()) == (0, ("You said: hello there\n", ""))


def test_ask_reads_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without words the prompt comes from standard input."""
    typed(monkeypatch, "from a pipe\n")

    assert run("ask") == 0
    assert capsys.readouterr().out == "You said: from a pipe\n"


def test_ask_without_a_prompt_fails_and_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    """No prompt at all is exit code 1 with advice on standard error."""
    assert run("ask") == 1
    assert "give it as words or on standard input" in capsys.readouterr().err


def test_ask_streams(capsys: pytest.CaptureFixture[str]) -> None:
    """`--stream` prints the same text."""
    assert run("ask", "--stream", "hello") == 0
    assert capsys.readouterr().out == "You said: hello\n"


def test_ask_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json` prints one document that holds the result."""
    assert run("ask", "--json", "--no-stream", "hello") == 0

    result = json.loads(capsys.readouterr().out)
    assert result["choices"][0]["message"]["content"][0]["text"] == "You said: hello"
    assert result["provider"] == "openai"


def test_ask_prints_events_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json --stream` prints one event a line, from start to end."""
    assert run("ask", "--json", "--stream", "hello") == 0

    types = [json.loads(line)["type"] for line in capsys.readouterr().out.splitlines()]
    assert (types[0], types[-1]) == ("message-start", "message-end")


def test_ask_sends_system_model_and_options(capsys: pytest.CaptureFixture[str]) -> None:
    """The options reach the provider: a system prompt, a limit of tokens."""
    code = run("ask", "-m", "openai:gpt-mock", "-s", "be brief", "--max-tokens", "2", "-v", "a", "b", "c")

    captured = capsys.readouterr()
    assert (code, captured.out) == (0, "You said:\n")
    assert "finished: length" in captured.err


def test_ask_reports_a_failure_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """A failed call is exit code 1, with the error's type and words on standard error."""
    assert run("ask", "-m", "anthropic:claude-bad-key", "hi") == 1

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("fiber: FiberAuthError: ")


def test_wrong_usage_is_exit_code_2() -> None:
    """An unknown command ends as argparse does."""
    with pytest.raises(SystemExit) as exit_:
        main(["sing"])

    assert exit_.value.code == 2


def test_no_key_says_which_variables_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    """Without any key the command names the variables."""
    assert main(["ask", "hi"]) == 1
    assert "OPENAI_API_KEY" in capsys.readouterr().err


def test_chat_keeps_the_history(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every turn carries those before it; `/history` shows them and `/clear` forgets them."""
    typed(monkeypatch, "first\nsecond\n/history\n/clear\n/history\n\n/quit\nnever\n")

    assert run("chat", "-s", "be kind") == 0
    assert capsys.readouterr().out.splitlines() == [
        "You said: first",
        "You said: second",
        "system: be kind",
        "user: first",
        "assistant: You said: first",
        "user: second",
        "assistant: You said: second",
        "system: be kind",
    ]


def test_chat_takes_a_first_message_and_can_print_whole_answers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words after the command are the first turn; `--no-stream` waits for whole answers."""
    typed(monkeypatch, "two\n")

    assert run("chat", "--no-stream", "-v", "one") == 0
    assert capsys.readouterr().out == "You said: one\nYou said: two\n"


def test_chat_prints_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`--json --no-stream` prints one result a line."""
    assert run("chat", "--json", "--no-stream", "one") == 0
    assert json.loads(capsys.readouterr().out)["provider"] == "openai"


def test_chat_goes_on_after_a_failed_turn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed turn is told and forgotten; piped input then ends with code 1."""
    typed(monkeypatch, "again\n")

    assert run("chat", "-m", "openai:gpt-overloaded-bad-key", "hello") == 1
    assert capsys.readouterr().err.count("FiberAuthError") == 2


def test_chat_in_a_terminal_explains_itself(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a terminal the commands are named first, and failed turns do not change the exit code."""
    typed(monkeypatch, "hello\n", terminal=True)

    assert run("chat", "-m", "openai:gpt-bad-key") == 0
    assert "/clear" in capsys.readouterr().err


def test_models_lists_what_every_provider_offers(capsys: pytest.CaptureFixture[str]) -> None:
    """One line a model, prefixed with its provider; a list that two rows share is shown once."""
    assert main(["models", "--mock"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert {line.split(":")[0] for line in lines} == {"openai", "anthropic", "gemini", "cohere", "ollama"}
    assert "anthropic:claude-mock" in lines


def test_models_asks_a_server_on_this_machine_when_it_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a word nobody knows whether it runs."""
    with MockServer() as server:
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        assert main(["models"]) == 0
        alone = capsys.readouterr().out
        monkeypatch.setenv("OLLAMA_HOST", server.base_url("ollama"))
        assert main(["models"]) == 0

    assert "ollama:" not in alone
    assert "ollama:llama-mock" in capsys.readouterr().out


def test_models_of_one_provider_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """`--provider` and `--json` narrow and shape the list."""
    assert main(["models", "--mock", "--provider", "google", "--json"]) == 0

    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"provider": "gemini", "model": "gemini-mock"} in documents


def test_models_of_a_provider_without_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is asked, and it is told."""
    assert main(["models", "--mock", "--provider", "zai"]) == 1

    assert capsys.readouterr().err == "fiber: zai has no list of models.\n"


def test_models_asks_a_local_server_that_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are not asked: nobody knows whether they run."""
    with MockServer(models=["local"]) as server:
        monkeypatch.setenv("LLAMACPP_BASE_URL", server.url)

        assert main(["models"]) == 0
    assert capsys.readouterr().out == "llamacpp:local\n"


def test_models_tells_a_provider_that_fails(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider that refuses is told on standard error and makes the exit code 1."""
    with MockServer(api_key="the-key") as server:
        monkeypatch.setenv("OPENAI_API_KEY", "another")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))

        assert main(["models"]) == 1
    assert "openai: FiberAuthError" in capsys.readouterr().err


def test_demo_shows_every_step_on_every_format(capsys: pytest.CaptureFixture[str]) -> None:
    """`fiber demo` runs six steps on four formats and prints what each took."""
    assert main(["demo"]) == 0

    shown = capsys.readouterr().out
    table = shown[shown.index("What each call took") :].splitlines()[2:]
    assert len(table) == 24
    assert sum("reported as cut" in line for line in table) == 4
    assert sum("stop after 429" in line and "  2  " in line for line in table) == 4


def test_table_is_drawn_in_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal the table is drawn by rich."""
    monkeypatch.setattr(output, "is_terminal", lambda: True)

    output.print_table("Title", ("a", "b"), [("1", "2")])

    assert "┃" in capsys.readouterr().out


def test_table_is_plain_without_rich(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the table is plain, also in a terminal."""
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    monkeypatch.setitem(sys.modules, "rich.console", None)

    output.print_table("Title", ("a", "b"), [("1", "2")])

    assert capsys.readouterr().out == "Title\na  b\n1  2\n"


def test_stream_shows_reasoning_in_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reasoning comes before the answer in a terminal, with rich or dimmed without it; a pipe has the answer alone."""
    arguments = ("ask", "--stream", "-m", "anthropic:claude-mock-thinking", "hi")
    run(*arguments)
    piped = capsys.readouterr().out
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    run(*arguments)
    rich = capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "rich.console", None)
    run(*arguments)

    assert piped == "You said: hi\n"
    assert rich.split() == ["Let", "me", "think", "about", "it.", "You", "said:", "hi"]
    assert capsys.readouterr().out.startswith("\x1b[2mLet me")


def test_answers_are_rendered_in_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Markdown becomes what it means in a terminal, and stays text in a pipe; notes go to standard error."""
    monkeypatch.setattr(output, "is_terminal", lambda: True)
    with MockServer() as server:
        server.reply(Reply("* one\n* two"), times=2)
        fiber = mocked(server)
        output.print_answer(fiber.sync.chat("list"))
        output.print_stream(fiber.sync.chat_stream("list", top_k=1, on_unsupported="warn"), as_json=False)
        fiber.sync.close()

    captured = capsys.readouterr()
    assert captured.out.count(" • one") == 2
    assert "top_k dropped" in captured.out + captured.err


def test_tool_calls_and_notes_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """An answer that calls a tool says so, whole and streamed, and notes go to standard error."""
    tool = {"name": "add", "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}}}
    with MockServer() as server:
        fiber = mocked(server)
        output.print_answer(fiber.sync.chat("add", tools=[tool]))
        stream = fiber.sync.chat_stream("add", tools=[tool], top_k=3, on_unsupported="warn")
        output.print_stream(stream, as_json=False)
        fiber.sync.close()

    captured = capsys.readouterr()
    assert captured.out.count('[calls add({"n":1})]') == 2
    assert captured.err.startswith("fiber: top_k dropped")


def test_describe_says_what_is_not_known() -> None:
    """Unknown counts and seconds are question marks, not zeros."""
    said = output.describe(ChatResult(provider="openai", model="m"))

    assert said == "openai m: ?, ? tokens in, ? out, 0 attempts, finished: None"


def test_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends quietly with the shell's code for it."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fiber.cli.ask.prompt_of", interrupt)

    assert run("ask", "hi") == 130


def test_a_failed_check_ends_the_demo() -> None:
    """The demo does not go on when something is not as it should be."""
    with pytest.raises(SystemExit, match="it is not so that two and two are five"):
        demo._check(False, "two and two are five")


def test_a_stream_that_is_not_cut_ends_the_demo() -> None:
    """The step that shows a cut stream fails when no cut is reported."""
    with MockServer() as server:
        server.enqueue(Reply("all of it"))
        fiber = mocked(server)
        with pytest.raises(SystemExit, match="taken for a whole one"):
            demo._cut(fiber, "openai:gpt-mock")
        fiber.sync.close()


def test_words_and_a_pipe_are_one_prompt(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Words come first, then what is piped in."""
    typed(monkeypatch, "the text\n")
    monkeypatch.setattr("fiber.cli.ask._has_input", lambda: True)

    assert run("ask", "summarise") == 0
    assert "summarise\n\nthe text" in capsys.readouterr().out


def test_closed_pipe_ends_quietly() -> None:
    """`fiber ... | head -0` writes no traceback."""
    command = [sys.executable, "-m", "fiber", "models", "--mock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, errors = process.communicate(timeout=20)

    assert (process.returncode, errors) == (0, b"")


def test_providers_are_listed_with_the_state_of_their_keys(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Set, missing, not needed, or of no use without a base URL; the key itself is not shown."""
    for name in ("OPENAI_API_KEY", "VERTEX_ACCESS_TOKEN"):
        monkeypatch.setenv(name, "sk-canary-0123456789")
    assert main(["providers", "--json"]) == 0

    shown = capsys.readouterr().out
    states = {row["provider"]: row["key"] for row in map(json.loads, shown.splitlines())}
    assert (states["openai"], states["openai-responses"], states["groq"]) == ("set", "set", "missing")
    assert (states["lmstudio"], states["vertex"]) == ("not needed", "set, base URL missing")
    assert "canary" not in shown


def test_providers_are_listed_when_nothing_is_set(capsys: pytest.CaptureFixture[str]) -> None:
    """That is when the table is needed; it says which variable to set."""
    assert main(["providers"]) == 0

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Providers"
    assert [line.split()[:3] for line in lines if line.startswith("openai ")] == [
        ["openai", "missing", "OPENAI_API_KEY"]
    ]


@pytest.mark.parametrize("provider", ["openai", "openai-responses", "anthropic", "google", "bedrock", "cohere"])
def test_smoke_makes_three_calls(provider: str, capsys: pytest.CaptureFixture[str]) -> None:
    """All of them good is exit code 0."""
    code = run("smoke", "--provider", provider)

    shown = capsys.readouterr().out
    assert code == 0, shown
    assert [line.split("  ")[0] for line in shown.splitlines()[2:]] == ["chat", "stream", "tool call"]
    assert [line.split()[-1] for line in shown.splitlines()[2:]] == ["ok"] * 3


def test_smoke_names_the_model_and_tells_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """One document a call; a row without a default model has to be told one."""
    assert run("smoke", "--provider", "ollama", "--model", "llama-mock", "--timeout", "5", "--json") == 0

    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["step"], line["ok"], line["model"]) for line in told] == [
        ("chat", True, "llama-mock"),
        ("stream", True, "llama-mock"),
        ("tool call", True, "llama-mock"),
    ]
    assert run("smoke", "--provider", "ollama") == 1
    assert "ollama has no default model: say --model" in capsys.readouterr().err


def test_smoke_tells_what_failed_and_not_the_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 1, with the error of each call."""
    with MockServer(api_key="another") as server:
        monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-0123456789")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        code = main(["smoke", "--provider", "openai"])

    shown = "".join(capsys.readouterr())
    assert code == 1
    assert shown.count("FiberAuthError: ") == 3
    assert "canary" not in shown


def test_smoke_sees_answers_that_are_not_what_was_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer without text, a tool that is not called: the provider answered, and still it is not good."""
    with MockServer() as server:
        server.enqueue(Reply(""), Reply(""), Reply("No tool for me."))
        monkeypatch.setenv("OPENAI_API_KEY", "k")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        code = main(["smoke", "--provider", "openai"])

    shown = capsys.readouterr().out
    assert code == 1
    assert shown.count("no text came (finished: stop)") == 2
    assert shown.count("no tool was called (finished: stop)") == 1
