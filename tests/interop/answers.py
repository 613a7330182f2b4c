"""The answers that both sides are given, in the words of `fiber.testing`; the model's name chooses one."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.testing import MockCall, Reply

USAGE = (30, 12)
ANSWERS: Mapping[str, Reply] = {
    # Model -> answer.
    "said": Reply("Zürich: 21 °C, 你好 👋🏽\n\n\ttabbed — “done”.", usage=USAGE),
    "nothing": Reply("", usage=(30, 0)),
    "long": Reply("word " * 200 + "end", usage=(30, 201), words_per_event=1),
    "called": Reply(tool_calls=[MockCall("get_weather", {"city": "Zürich 👋", "days": 3}, id="call_a")], usage=USAGE),
    "called-twice": Reply(
        tool_calls=[
            MockCall("get_weather", {"city": 'a "quoted" \\ name', "at": [1, 2.5, {"z": None}]}, id="call_a"),
            MockCall("get_time", {}, id="call_b"),
        ],
        usage=USAGE,
    ),
    "said-and-called": Reply(
        "Let me look.", tool_calls=[MockCall("get_time", {"zone": "UTC"}, id="call_a")], usage=USAGE
    ),
    "full": Reply("This stops in the mid", finish_reason="length", usage=USAGE),
    "filtered-out": Reply("This is", finish_reason="content_filter", usage=USAGE),
    "thought": Reply("42", reasoning="First I count. Then I answer.", usage=(30, 20, 0, 15)),
    "remembered": Reply("Again.", usage=(1000, 12, 900)),
}
FORMATS = ("chat", "responses", "messages", "generate", "cohere", "ollama")
