"""Prompts with named gaps."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberValidationError
from fiber._prompt import Prompt, PromptDefaults
from fiber.types.calls import KNOWN
from fiber.types.messages import ChatMessage


class Recorder:
    """A client that only says how it was called."""

    def __init__(self) -> None:
        self.sync = self

    def chat(self, messages: Any, **options: Any) -> Any:
        """Return the call, to be awaited or not."""
        return Answer(("chat", messages, options))

    def chat_stream(self, messages: Any, **options: Any) -> Any:
        """Return the call."""
        return ("chat_stream", messages, options)


class Answer(tuple[Any, ...]):
    """A call that can be awaited."""

    def __new__(cls, call: tuple[Any, ...]) -> Answer:
        return super().__new__(cls, call)

    def __await__(self) -> Any:
        yield from ()
        return tuple(self)


def rendered(prompt: Prompt, **values: Any) -> list[tuple[str, Any]]:
    """Roles and contents of the messages."""
    return [(message.role, message.content) for message in prompt.render(**values)]


# -- templates ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "inputs", "expected"),
    [
        pytest.param("hi", (), "hi", id="no gap"),
        pytest.param("", (), "", id="empty"),
        pytest.param("{a}", ("a",), "1", id="only a gap"),
        pytest.param("x{a}y{b}z", ("a", "b"), "x1y2z", id="two gaps"),
        pytest.param("{a}{a}", ("a",), "11", id="gap twice"),
        pytest.param("{{a}}", (), "{a}", id="braces"),
        pytest.param("{{{a}}}", ("a",), "{1}", id="braces around a gap"),
        pytest.param("}}{{", (), "}{", id="braces the other way"),
        pytest.param('{{"x": {a}}}', ("a",), '{"x": 1}', id="json"),
        pytest.param("{_a1}", ("_a1",), "?", id="identifier"),
        pytest.param("ü{a}\n", ("a",), "ü1\n", id="unicode"),
    ],
)
def test_gaps_are_filled(template: str, inputs: tuple[str, ...], expected: str) -> None:
    """A gap is filled with its value, and doubled braces are braces."""
    values = {name: {"a": 1, "b": "2"}.get(name, "?") for name in inputs}

    assert rendered(Prompt(template, inputs), **values) == [("user", expected)]


def test_turns_have_roles() -> None:
    """A template of pairs gives one message for each, and a gap may stand in several."""
    prompt = Prompt([("system", "Be {tone}."), ("user", "{text}"), ("assistant", "{tone}?")], ("tone", "text"))

    assert rendered(prompt, tone="kind", text="hi") == [("system", "Be kind."), ("user", "hi"), ("assistant", "kind?")]


@given(st.text(), st.text())
def test_values_are_inserted_as_they_are(a: str, b: str) -> None:
    """No value is formatted, unescaped or filled again."""
    assert rendered(Prompt("{a}|{b}", ("a", "b")), a=a, b=b) == [("user", f"{a}|{b}")]


@given(st.text())
def test_doubled_braces_give_any_text(text: str) -> None:
    """Any text is a template of itself once its braces are doubled."""
    assert rendered(Prompt(text.replace("{", "{{").replace("}", "}}"))) == [("user", text)]


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("{", "A lone '{' at character 0 of the template: write '{{'"),
        ("a}", "A lone '}' at character 1 of the template: write '}}'"),
        ("{}", "A lone '{' at character 0"),
        ("{0}", "A lone '{' at character 0"),
        ("{a.b}", "A lone '{' at character 0"),
        ("{a[0]}", "A lone '{' at character 0"),
        ("{a!r}", "A lone '{' at character 0"),
        ("{a:>5}", "A lone '{' at character 0"),
        ("{ a }", "A lone '{' at character 0"),
        ("{{a}", "A lone '}' at character 3"),
    ],
)
def test_lone_brace_is_refused(template: str, complaint: str) -> None:
    """A brace that is neither a gap nor doubled is refused, so that no formatting is ever expected to work."""
    with pytest.raises(FiberValidationError) as caught:
        Prompt(template, ("a",))

    assert caught.value.message.startswith(complaint)
    assert (caught.value.parameter, caught.value.outcome) == ("template", "not_sent")


@pytest.mark.parametrize(
    ("template", "inputs", "complaint", "parameter"),
    [
        ("{a}{b}", ("a",), "The template has {b}, which is not in inputs.", "b"),
        ("{a}", ("a", "b"), "Input 'b' has no {b} in the template.", "b"),
        ("{{a}}", ("a",), "Input 'a' has no {a} in the template.", "a"),
    ],
)
def test_template_and_inputs_must_agree(template: str, inputs: Any, complaint: str, parameter: str) -> None:
    """A prompt whose template and inputs disagree cannot be made."""
    with pytest.raises(FiberValidationError) as caught:
        Prompt(template, inputs)

    assert (caught.value.message, caught.value.parameter) == (complaint, parameter)


@pytest.mark.parametrize(
    ("template", "inputs"),
    [
        pytest.param([], (), id="no turn"),
        pytest.param(("user", "hi"), (), id="pair outside a list"),
        pytest.param([("bot", "hi")], (), id="role"),
        pytest.param([("user", 5)], (), id="number"),
        pytest.param([("user",)], (), id="short"),
        pytest.param([5], (), id="no pair"),
        pytest.param("{text}", "text", id="inputs as one word"),
    ],
)
def test_other_templates_are_refused(template: Any, inputs: Any) -> None:
    """A template is text or pairs, and inputs are names."""
    with pytest.raises(FiberValidationError, match=r"A template is text or .* pairs") as caught:
        Prompt(template, inputs)

    assert caught.value.parameter == "template"


def test_missing_value_is_named() -> None:
    """A gap without a value is refused."""
    with pytest.raises(FiberValidationError, match="Input 'b' is missing") as caught:
        Prompt("{a}{b}", ("a", "b")).render(a=1)

    assert caught.value.parameter == "b"


def test_value_without_a_gap_is_named() -> None:
    """A value that has no gap is refused."""
    with pytest.raises(FiberValidationError, match=r"'c' is neither an input \(a, b\) nor a keyword") as caught:
        Prompt("{a}{b}", ("a", "b")).render(a=1, b=2, c=3)

    assert caught.value.parameter == "c"


def test_prompt_is_immutable() -> None:
    """A prompt has no members to change, and says only its inputs."""
    prompt = Prompt("secret {a}", ("a",))

    assert repr(prompt) == "Prompt(inputs=('a',))"
    with pytest.raises(AttributeError):
        prompt.template = "x"  # type: ignore[attr-defined]


# -- calls --------------------------------------------------------------------------------------------------------


def calls_of(prompt: Prompt, **values: Any) -> list[Any]:
    """The four ways to call, in a client that only records."""
    fiber: Any = Recorder()

    async def awaited() -> Any:
        return await prompt.acall(fiber, **values)

    return [
        tuple(prompt.call(fiber, **values)),
        asyncio.run(awaited()),
        prompt.stream(fiber, **values),
        prompt.astream(fiber, **values),
    ]


def test_four_ways_send_the_same() -> None:
    """Plain or streamed, awaited or not, the messages and keywords are the same."""
    prompt = Prompt([("system", "s"), ("user", "{text}")], ("text",))
    messages = [ChatMessage.system("s"), ChatMessage.user("hi")]

    assert calls_of(prompt, text="hi", model="m") == [
        ("chat", messages, {"model": "m"}),
        ("chat", messages, {"model": "m"}),
        ("chat_stream", messages, {"model": "m"}),
        ("chat_stream", messages, {"model": "m"}),
    ]


def test_keywords_win_over_defaults() -> None:
    """A keyword of the call wins over the prompt's default, which is used where the caller says nothing."""
    defaults = PromptDefaults(model="m", temperature=0.0, max_tokens=5)
    prompt = Prompt("{text}", ("text",), defaults)

    for _, _, options in calls_of(prompt, text="hi", max_tokens=9, top_p=1, model=None):
        assert options == {"model": "m", "temperature": 0.0, "max_tokens": 9, "top_p": 1}


def test_values_are_checked_before_the_call() -> None:
    """A wrong name is neither an input nor a keyword, and nothing is called."""
    with pytest.raises(FiberValidationError, match="'tempature' is neither"):
        Prompt("{text}", ("text",)).call(Recorder(), text="hi", tempature=1)  # type: ignore[arg-type]


def test_inputs_may_be_named_like_our_own_parameters() -> None:
    """An input may have any name that is no keyword of chat, even those of the methods."""
    prompt = Prompt("{self} {fiber} {values}", ("self", "fiber", "values"))

    for _, messages, _ in calls_of(prompt, self=1, fiber=2, values=3):
        assert messages == [ChatMessage.user("1 2 3")]


def test_defaults_are_keywords_of_a_call() -> None:
    """Every default of a prompt is a keyword of a call, and none is set unless said."""
    assert {field.name for field in fields(PromptDefaults)} <= KNOWN
    assert {getattr(PromptDefaults(), field.name) for field in fields(PromptDefaults)} == {None}
