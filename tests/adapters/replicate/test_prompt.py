"""The conversation in the inputs of a model."""

from __future__ import annotations

from typing import Any

import pytest

from fiber._errors import FiberCapabilityError
from fiber.types.content import Audio, Document, Image, Opaque, Reasoning, Text, ToolCall, ToolResult
from fiber.types.messages import ChatMessage
from tests.adapters.replicate.conftest import GPT, LLAMA, Tools

PIXEL = b"\x89PNG\r\n\x1a\n"
DATA_URL = "data:image/png;base64,iVBORw0KGgo="
TALK = (
    ChatMessage.system("Be brief."),
    ChatMessage.user("Where?"),
    ChatMessage.assistant("Here."),
    ChatMessage.developer("Be kind."),
    ChatMessage.user("And now?"),
)
NO_SYSTEM = "ada/own-model"


def test_question_is_the_prompt(tools: Tools) -> None:
    """And what the system says in front of it stands beside it."""
    asked = (ChatMessage.system("Be brief."), ChatMessage.developer("Be kind."), ChatMessage.user("Hi"))

    assert tools.sent(*asked) == {"prompt": "Hi", "system_prompt": "Be brief.\n\nBe kind."}
    assert tools.sent(*asked, model="google/gemini-2.5-flash")["system_instruction"] == "Be brief.\n\nBe kind."
    assert tools.notes(*asked) == []


def test_conversation_is_a_script_for_models_without_turns(tools: Tools) -> None:
    """Every turn has its speaker, the last word is the assistant's, and the receipt tells."""
    script = "User: Where?\n\nAssistant: Here.\n\nSystem: Be kind.\n\nUser: And now?\n\nAssistant:"

    assert tools.sent(*TALK) == {"prompt": script, "system_prompt": "Be brief."}
    assert tools.notes(*TALK) == [("mapped", "messages")]


def test_answer_that_was_begun_goes_on(tools: Tools) -> None:
    """Then the script ends with it."""
    begun = (ChatMessage.user("Count."), ChatMessage.assistant("One, two,"))

    assert tools.sent(*begun)["prompt"] == "User: Count.\n\nAssistant: One, two,"
    assert tools.sent(ChatMessage.assistant("One,"))["prompt"] == "Assistant: One,"


def test_conversation_is_sent_as_messages_where_the_model_takes_them(tools: Tools) -> None:
    """All of it, for then neither prompt nor system prompt is heeded; a single question stays a prompt."""
    assert tools.sent(*TALK, model=GPT) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Where?"},
            {"role": "assistant", "content": "Here."},
            {"role": "system", "content": "Be kind."},
            {"role": "user", "content": "And now?"},
        ]
    }
    assert tools.sent(*TALK[:2], model=GPT) == {"prompt": "Where?", "system_prompt": "Be brief."}
    assert tools.notes(*TALK, model=GPT) == []


def test_system_prompt_alone_is_the_prompt(tools: Tools) -> None:
    """Nothing is lost when there is no question."""
    assert tools.sent(ChatMessage.system("Say hello.")) == {"prompt": "Say hello."}


def test_system_prompt_stands_in_front_where_there_is_no_place_for_it(
    tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that is told."""
    from fiber.adapters.replicate import models

    monkeypatch.setitem(models.MODELS, "bare/", models.UNKNOWN._replace(system=""))  # type: ignore[index]

    assert tools.sent(*TALK[:2], model="bare/model") == {"prompt": "Be brief.\n\nWhere?"}
    assert tools.notes(*TALK[:2], model="bare/model") == [("mapped", "system prompt")]


@pytest.mark.parametrize(
    ("model", "member", "value"),
    [
        (NO_SYSTEM, "image", DATA_URL),
        ("anthropic/claude-4-sonnet", "image", DATA_URL),
        (GPT, "image_input", [DATA_URL]),
        ("google/gemini-2.5-flash", "images", [DATA_URL]),
    ],
)
def test_pictures_stand_beside_the_prompt(tools: Tools, model: str, member: str, value: Any) -> None:
    """As one URL or as a list of them, as the model has it."""
    asked = ChatMessage.user([Image(data=PIXEL), Text("What is it?")])

    assert tools.sent(asked, model=model) == {"prompt": "What is it?", member: value}
    assert tools.sent(ChatMessage.user([Image(data=PIXEL)]), model=model) == {"prompt": "", member: value}


def test_conversation_with_a_picture_is_a_script(tools: Tools) -> None:
    """Messages have no place for it."""
    asked = (*TALK[1:3], ChatMessage.user([Text("And this?"), Image(url="https://h.example/a.png")]))
    sent = tools.sent(*asked, model=GPT)

    assert sent["image_input"] == ["https://h.example/a.png"]
    assert sent["prompt"].endswith("User: And this?\n\nAssistant:")


@pytest.mark.parametrize(
    ("model", "parts", "said"),
    [
        (LLAMA, [Image(data=PIXEL)], "text only"),
        (NO_SYSTEM, [Image(data=PIXEL), Image(data=PIXEL)], "one picture"),
        (NO_SYSTEM, [Image(file_id="f1")], "URLs or bytes"),
        (LLAMA, [Audio(data=b"RIFF")], "no place"),
        (LLAMA, [Document(data=b"%PDF-1.7")], "text of documents only"),
        (LLAMA, [Document(url="https://h.example/a.txt")], "text of documents only"),
        (LLAMA, [Opaque('{"type":"new"}')], "no place"),
        (LLAMA, [ToolResult("c1", "sunny")], "know no tools"),
    ],
)
def test_part_that_cannot_be_sent_is_refused(tools: Tools, model: str, parts: list[Any], said: str) -> None:
    """With the reason, or left out where that was asked for."""
    message = ChatMessage.user([Text("x"), *parts])

    with pytest.raises(FiberCapabilityError, match=said):
        tools.build(message, model=model)
    assert tools.sent(message, model=model, on_unsupported="drop")["prompt"] == "x"


@pytest.mark.parametrize(
    "message",
    [
        ChatMessage.user([Image(data=PIXEL)]),
        ChatMessage.assistant(tool_calls=[ToolCall("c1", "weather")]),
        ChatMessage.tool("c1", "sunny"),
        ChatMessage("tool", (Text("sunny"),)),
    ],
)
def test_turn_of_which_nothing_can_be_sent_is_not_sent(tools: Tools, message: ChatMessage) -> None:
    """An earlier picture, a call, a result: refused, or left out with its turn."""
    asked = (message, ChatMessage.user("Hi"))

    with pytest.raises(FiberCapabilityError):
        tools.build(*asked, model=NO_SYSTEM)
    assert tools.sent(*asked, model=NO_SYSTEM, on_unsupported="drop") == {"prompt": "Hi"}


def test_text_documents_become_text_and_names_are_left_out(tools: Tools) -> None:
    """And both is told."""
    notes = Document(data=b"Rome is old.", media_type="text/plain")
    message = ChatMessage.user([notes, Text("Is it?")], name="Ada")

    assert tools.sent(message) == {"prompt": "Rome is old.\nIs it?"}
    assert tools.notes(message) == [("dropped", "name"), ("mapped", "Document content")]


def test_thoughts_of_others_are_left_out(tools: Tools) -> None:
    """Their text is never pasted instead."""
    message = ChatMessage.user([Text("x"), Opaque("{}", "openai"), Reasoning("secret")])

    assert tools.sent(message) == {"prompt": "x"}
    assert [kind for kind, _ in tools.notes(message)] == ["dropped", "dropped"]


def test_empty_question_is_sent(tools: Tools) -> None:
    """It is the caller's word."""
    assert tools.sent(ChatMessage.user("")) == {"prompt": ""}


def test_request_of_which_nothing_can_be_sent_is_empty(tools: Tools) -> None:
    """Where leaving out was asked for, the receipt tells of each part."""
    message = ChatMessage.tool("c1", "sunny")

    assert tools.sent(message, on_unsupported="drop") == {"prompt": ""}
    assert tools.notes(message, on_unsupported="drop") == [("dropped", "ToolResult content")]
