"""Token counts of Gemini."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"promptTokenCount": 9, "candidatesTokenCount": 2, "totalTokenCount": 11}, (9, 2, 11)),
        (
            # 5 of the 12 are thoughts, so the candidates are without them.
            {
                "promptTokenCount": 4,
                "candidatesTokenCount": 3,
                "thoughtsTokenCount": 5,
                "totalTokenCount": 12,
            },
            (4, 8, 12),
        ),
        (
            # The candidates have the thoughts in them.
            {
                "promptTokenCount": 4,
                "candidatesTokenCount": 8,
                "thoughtsTokenCount": 5,
                "totalTokenCount": 12,
            },
            (4, 8, 12),
        ),
        (
            {
                "promptTokenCount": 4,
                "toolUsePromptTokenCount": 6,
                "candidatesTokenCount": 1,
                "totalTokenCount": 11,
            },
            (10, 1, 11),
        ),
        ({"promptTokenCount": 110, "totalTokenCount": 110}, (110, 0, 110)),
        ({"promptTokenCount": 6}, (6, None, None)),
        ({"candidatesTokenCount": 1, "totalTokenCount": 698}, (None, 1, 698)),
        ({"promptTokenCount": "5", "totalTokenCount": None}, (5, None, None)),
        ({"trafficType": "ON_DEMAND"}, (None, None, None)),
        ([], (None, None, None)),
        (None, (None, None, None)),
    ],
)
def test_usage_is_made_of_what_was_said(tools: Any, said: Any, expected: Any) -> None:
    """Input has the tools' part, output has the thoughts, and what is not said is unknown."""
    usage = tools.parse({**tools.answer({"text": "a"}), "usageMetadata": said}).usage

    assert (usage.input_tokens, usage.output_tokens, usage.total_tokens) == expected
    assert usage.cache_read_tokens is None


def test_modalities_are_counted(tools: Any) -> None:
    """Audio and pictures are parts of the counts; odd details are left out."""
    said = {
        "promptTokenCount": 9,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 2}, {"modality": 4}],
        "toolUsePromptTokensDetails": [{"modality": "IMAGE", "tokenCount": 3}],
        "candidatesTokensDetails": [
            {"modality": "AUDIO", "tokenCount": 5},
            {"modality": "IMAGE", "tokenCount": 7},
        ],
    }

    usage = tools.parse({**tools.answer({"text": "a"}), "usageMetadata": said}).usage

    assert (usage.audio_input_tokens, usage.audio_output_tokens, usage.image_tokens) == (2, 5, 10)
