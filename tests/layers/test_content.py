"""Questions and answers in the log."""

from __future__ import annotations

import json
import logging
from typing import Any

import anyio
import pytest

from fiber import Fiber, FiberAuthError, FiberStreamInterruptedError, FiberValidationError
from fiber.layers import default_layers
from fiber.testing.fake import json_reply, sse_reply
from tests.kit import KEY, START, piece, refused, scripted, streamed, whole
from tests.layers.test_budget import WORLDS

SYSTEM, ASKED, ANSWERED = "gen_ai.system_instructions", "gen_ai.input.messages", "gen_ai.output.messages"


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """What is said of content."""
    caplog.set_level(logging.INFO, "fiber.content")
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the fields of the lines that have content."""
    return [vars(record) for record in log.records if record.name == "fiber.content"]


def texts(line: dict[str, Any], name: str) -> list[str]:
    """Return the texts of the messages in a field."""
    return [part["content"] for message in json.loads(line[name]) for part in message["parts"]]


@pytest.mark.parametrize("world", WORLDS)
def test_question_and_answer_are_one_line(world: str, log: pytest.LogCaptureFixture) -> None:
    """In the convention's shape, with the id of the call's receipt and events."""
    fiber, _ = scripted(streamed() if "stream" in world else whole(), log_content=1.0)

    with fiber.bind(tenant="t9", model="mine"):
        result = WORLDS[world](fiber)
    (line,) = lines(log)

    assert (line["msg"], line["levelno"], line["outcome"]) == ("content", logging.INFO, "complete")
    assert (texts(line, ASKED), texts(line, ANSWERED)) == (["Hi"], ["Hello"])
    assert line["call_id"] == result.receipt.receipt_id
    assert (line["provider"], line["model"]) == ("openai", "gpt-test")
    assert (line["tenant"], line["context_model"]) == ("t9", "mine")


@pytest.mark.parametrize("share", [None, 0, 0.0])
def test_nothing_is_logged_unless_asked_for(share: float | None, caplog: pytest.LogCaptureFixture) -> None:
    """Not at any level."""
    caplog.set_level(logging.DEBUG)
    fiber, _ = scripted(whole("canary"), log_content=share)

    fiber.sync.chat("canary")

    assert lines(caplog) == []
    assert "canary" not in str([vars(record) for record in caplog.records])


def test_a_share_of_the_calls_is_logged(log: pytest.LogCaptureFixture) -> None:
    """Which, their ids say: about so many, and the same wherever one looks."""
    fiber, _ = scripted(*(whole() for _ in range(400)), log_content=0.25)

    ids = [fiber.sync.chat("Hi").receipt.receipt_id for _ in range(400)]
    logged = [line["call_id"] for line in lines(log)]

    assert logged == [made for made in ids if int(made, 16) < 0.25 * 2**128]
    assert 40 < len(logged) < 160  # 100, and seven standard deviations


def test_a_text_is_what_redaction_leaves_of_it(log: pytest.LogCaptureFixture) -> None:
    """Of instructions, questions and answers, each told by the name of its field."""

    def redact(name: str, value: Any) -> Any:
        return None if name == SYSTEM else str(value).replace("canary", f"<{name}>")

    fiber, _ = scripted(whole("a canary"), log_content=1, redact=redact)

    fiber.sync.chat([("system", "canary"), ("user", "the canary")], label="canary")
    (line,) = lines(log)

    assert (texts(line, ASKED), texts(line, ANSWERED)) == ([f"the <{ASKED}>"], [f"a <{ANSWERED}>"])
    assert SYSTEM not in line
    assert line["label"] == "<label>"


def test_what_redaction_failed_on_is_left_out(log: pytest.LogCaptureFixture) -> None:
    """The call goes on."""

    def broken(name: str, value: Any) -> Any:
        raise LookupError("canary")

    fiber, _ = scripted(whole("canary"), log_content=1, redact=broken)

    assert fiber.sync.ask("canary") == "canary"
    assert "canary" not in str(lines(log))


def test_a_call_that_failed_has_its_question_alone(log: pytest.LogCaptureFixture) -> None:
    """The key is not in the line either."""
    fiber, _ = scripted(refused(401, "bad_key", KEY), log_content=1)

    with pytest.raises(FiberAuthError):
        fiber.sync.chat("Hi")
    (line,) = lines(log)

    assert (line["outcome"], texts(line, ASKED), ANSWERED in line) == ("error", ["Hi"], False)
    assert KEY not in str(line)


def test_a_stream_that_was_cut_has_what_came(log: pytest.LogCaptureFixture) -> None:
    """And says that it was cut."""
    fiber, _ = scripted(sse_reply(START, piece("Hel")), log_content=1)

    with pytest.raises(FiberStreamInterruptedError):
        fiber.sync.chat_stream("Hi").collect()
    (line,) = lines(log)

    assert (line["outcome"], texts(line, ANSWERED)) == ("truncated", ["Hel"])


def test_a_cancelled_call_is_logged_as_cancelled(log: pytest.LogCaptureFixture) -> None:
    """By whoever cancelled it."""

    async def waits(call: Any, next: Any) -> Any:
        await anyio.sleep_forever()

    async def give_up() -> None:
        with anyio.move_on_after(0.01):
            await fiber.chat("Hi")

    fiber, _ = scripted(layers=(*default_layers(log_content=1), waits))

    anyio.run(give_up)

    assert [line["outcome"] for line in lines(log)] == ["cancelled"]


def test_a_raw_request_has_no_content_that_is_known(log: pytest.LogCaptureFixture) -> None:
    """So it has no line."""
    fiber, _ = scripted(json_reply({"canary": 1}), log_content=1)

    fiber.sync.request("POST", "/files", provider="openai", json={"canary": 1})

    assert lines(log) == []


def test_a_broken_log_does_not_break_the_call(log: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does one that nobody reads cost anything."""

    def broken(record: logging.LogRecord) -> bool:
        raise OSError("canary")

    fiber, _ = scripted(whole(), whole(), log_content=1)
    monkeypatch.setattr(logging.getLogger("fiber.content"), "filters", [broken])
    first = fiber.sync.ask("Hi")
    log.set_level(logging.WARNING, "fiber.content")

    assert first == fiber.sync.ask("Hi") == "Hello"


@pytest.mark.parametrize("wrong", [-0.1, 1.1, True, "0.5", float("nan")])
def test_a_wrong_share_is_refused(wrong: Any) -> None:
    """When the client is made."""
    with pytest.raises(FiberValidationError) as caught:
        Fiber(log_content=wrong)

    assert (caught.value.parameter, caught.value.outcome) == ("log_content", "not_sent")


def test_other_layers_name_their_own_share() -> None:
    """The keyword is part of the default ones."""
    with pytest.raises(FiberValidationError, match="default_layers"):
        Fiber(log_content=0.5, layers=())
