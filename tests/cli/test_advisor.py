"""What the advisor on a lockfile may do."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fiber import ModelCatalog, ToolCall
from fiber.cli.advisor import TOOLS, Advisor, difference, tools
from fiber.types.content import ToolResult
from tests.registry.locking.samples import TEXT, lockfile


class User:
    """Somebody who agrees, or not, and remembers what was shown; another may write meanwhile."""

    def __init__(self, *, agrees: bool = True) -> None:
        self.agrees = agrees
        self.shown: list[str] = []
        self.meanwhile = ""

    def __call__(self, diff: str) -> bool:
        """Answer."""
        self.shown.append(diff)
        if self.meanwhile:
            Path("fiber.lock").write_text(self.meanwhile)
        return self.agrees


@pytest.fixture
def user() -> User:
    """Agree to everything."""
    return User()


@pytest.fixture
def advisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, user: User) -> Advisor:
    """Advise on a lockfile of three bindings; keys are there for two providers."""
    monkeypatch.chdir(tmp_path)
    lockfile(tmp_path, TEXT)
    return Advisor("fiber.lock", ModelCatalog(), "dev", {"openai", "mistral"}.__contains__, user)


def told(advisor: Advisor, name: str, **arguments: Any) -> tuple[str, bool]:
    """Call a tool; return what the model is told, and whether as an error."""
    message = advisor.answered(ToolCall("c1", name, json.dumps(arguments)))

    (result,) = message.parts
    assert isinstance(result, ToolResult)
    assert isinstance(result.content, str)
    assert (result.call_id, result.name) == ("c1", name)
    return result.content, result.is_error


def test_every_tool_says_what_it_is_for() -> None:
    """And what each argument is; other arguments are refused."""
    for tool in tools():
        assert tool.description
        assert tool.parameters["additionalProperties"] is False
    assert [tool.name for tool in tools()] == list(TOOLS)


def test_models_are_found_by_what_they_can_and_cost(advisor: Advisor) -> None:
    """Of providers with a key; of others too when that is asked for."""
    wanted: dict[str, Any] = {"capabilities": ["vision"], "input_tokens": 100_000, "input_usd": 1, "output_usd": 9.5}
    usable, _ = told(advisor, "find_models", **wanted, limit=5)
    everything, _ = told(advisor, "find_models", **wanted, limit=5, with_key=False)
    one, _ = told(advisor, "find_models", provider="mistral", order="context", limit=1)

    found = json.loads(usable)
    assert len(found) == 5
    assert all(model["vision"] and model["max_input_tokens"] >= 100_000 for model in found)
    assert {model["provider"] for model in found} <= {"openai", "mistral"}
    assert {model["provider"] for model in json.loads(everything)} - {"openai", "mistral"}
    assert json.loads(one)[0]["reference"].startswith("mistral:")


def test_a_model_is_shown_as_it_is_known(advisor: Advisor) -> None:
    """What is unknown is left out; what is no model is answered with those that are near."""
    shown, _ = told(advisor, "show_model", model="openai:gpt-6-luna")
    unknown, is_error = told(advisor, "show_model", model="openai:gpt-6-lunatic")

    assert json.loads(shown)["input_usd"] == "0.1"
    assert "shutdown" not in json.loads(shown)
    assert is_error
    assert "Near: openai:gpt-6-luna" in unknown


def test_the_lockfile_is_shown_with_what_is_wrong_in_it(advisor: Advisor) -> None:
    """As it stands in the file."""
    shown, is_error = told(advisor, "show_lockfile")

    assert not is_error
    assert shown.startswith(TEXT)
    assert "note: dev, fast, anthropic:claude-haiku-5: the catalogue does not know it" in shown


def test_a_change_is_shown_and_written(advisor: Advisor, user: User) -> None:
    """In the profile that is in use, or in the one that is named; comments stay."""
    bound, _ = told(advisor, "bind_alias", alias="fast", models=["openai:gpt-6-luna", "openai:gpt-6-sol"])
    other, _ = told(advisor, "bind_alias", alias="fast", models=["openai:gpt-6-sol"], profile="prod")
    unbound, _ = told(advisor, "unbind_alias", alias="deep")
    default, _ = told(advisor, "set_default_profile", profile="prod")

    text = Path("fiber.lock").read_text()
    assert {bound, other, unbound, default} == {"Written."}
    assert 'models = ["openai:gpt-6-luna", "openai:gpt-6-sol"]' in text
    assert 'default_profile = "prod"' in text
    assert 'alias = "fast"  # cheap, too' in text
    assert "deep" not in text
    assert '-models = ["openai:gpt-6-luna", "anthropic:claude-haiku-5"]' in user.shown[0]
    assert '+models = ["openai:gpt-6-luna", "openai:gpt-6-sol"]' in user.shown[0]
    assert len(user.shown) == 4


def test_what_is_not_agreed_to_is_not_written(advisor: Advisor, user: User) -> None:
    """And the model is told so, as something that happens."""
    user.agrees = False

    assert told(advisor, "unbind_alias", alias="deep") == ("The user does not agree: it was not written.", False)
    assert Path("fiber.lock").read_text() == TEXT


def test_what_is_so_already_is_not_asked(advisor: Advisor, user: User) -> None:
    """Nor written."""
    assert told(advisor, "set_default_profile", profile="dev") == ("It says so already.", False)
    assert user.shown == []


@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("bind_alias", {"alias": "fast", "models": ["openai:gpt-7-invented"]}, "does not know 'openai:gpt-7-invented'"),
        (
            "bind_alias",
            {"alias": "fast", "models": ["openai:gpt-6-luna", "house:model"]},
            "does not know 'house:model'",
        ),
        ("bind_alias", {"alias": "fast", "models": []}, "length >= 1"),
        ("bind_alias", {"alias": "a b", "models": ["openai:gpt-6-luna"]}, "no name of an alias"),
        ("bind_alias", {"alias": "fast"}, "missing required field `models`"),
        ("unbind_alias", {"alias": "slow"}, "binds no alias 'slow'"),
        ("set_default_profile", {"profile": "stage"}, "use one of default, dev, prod"),
        ("find_models", {"capabilities": ["visoin"]}, "Did you mean 'vision'?"),
        ("find_models", {"limit": 0}, "`int` >= 1"),
        ("find_models", {"speed": "high"}, "unknown field `speed`"),
        ("drop_tables", {}, "There is no such tool: use find_models, show_model"),
    ],
)
def test_a_mistake_is_told_to_the_model(
    name: str, arguments: dict[str, Any], why: str, advisor: Advisor, user: User
) -> None:
    """So that it can do better; nothing is shown and nothing is written."""
    said, is_error = told(advisor, name, **arguments)

    assert is_error
    assert why in said
    assert user.shown == []
    assert Path("fiber.lock").read_text() == TEXT


def test_arguments_that_are_no_json_are_a_mistake_too(advisor: Advisor) -> None:
    """Models write such things; no arguments at all are fine where none are needed."""
    broken = advisor.answered(ToolCall("c1", "show_model", '{"model": "gpt'))
    empty = advisor.answered(ToolCall("c1", "show_lockfile", ""))

    assert [message.parts[0].is_error for message in (broken, empty)] == [True, False]  # type: ignore[union-attr]


def test_a_file_that_changed_meanwhile_is_not_overwritten(advisor: Advisor, user: User) -> None:
    """While the user was reading, an editor may have saved it."""
    user.meanwhile = TEXT + "# of somebody else\n"

    said, is_error = told(advisor, "unbind_alias", alias="deep")

    assert is_error
    assert "somebody else has changed the file" in said
    assert Path("fiber.lock").read_text() == user.meanwhile


def test_a_deprecated_model_is_bound_with_a_note_and_one_that_ended_is_not(advisor: Advisor) -> None:
    """The model may tell it, or choose another one."""
    ended = {"openai:gpt-6-luna": {"deprecated": True}, "openai:gpt-6-sol": {"shutdown": date(2026, 1, 1)}}
    advisor.catalog = ModelCatalog(overrides=ended)

    old, _ = told(advisor, "bind_alias", alias="old", models=["openai:gpt-6-luna"])
    gone, is_error = told(advisor, "bind_alias", alias="gone", models=["openai:gpt-6-sol"])

    assert old == "Written. note: dev, old, openai:gpt-6-luna: its provider calls it deprecated"
    assert is_error
    assert gone == "Not written. problem: dev, gone, openai:gpt-6-sol: its provider ends it on 2026-01-01"
    assert "gone" not in Path("fiber.lock").read_text()


def test_a_difference_is_told_as_diff_does() -> None:
    """Without the parts that are alike far away."""
    assert difference("a\nb\n", "a\nc\n", "f").splitlines() == ["--- f", "+++ f", "@@ -1,2 +1,2 @@", " a", "-b", "+c"]
