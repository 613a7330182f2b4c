"""What strict modes take, as data."""

from __future__ import annotations

import pytest

from fiber.adapters.dialects import COMPATIBLE, OPENAI, Dialect, openai_dialect, sent_name
from fiber.types.http import Note
from fiber.types.target import Quirks, Target


@pytest.mark.parametrize(
    ("provider", "family", "dialect"),
    [
        ("openai", "", OPENAI),
        ("azure", "", OPENAI),
        ("azure-dated", "azure", OPENAI),
        ("openai-responses", "openai", OPENAI),
        ("groq", "", COMPATIBLE),
    ],
)
def test_dialect_is_that_of_the_family(provider: str, family: str, dialect: Dialect) -> None:
    """OpenAI and Azure hold a schema to more than those who took the format over."""
    target = Target(provider=provider, model="m", base_url="https://h", quirks=Quirks(family=family))

    assert openai_dialect(target) is dialect


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("River_1-b", "River_1-b"),
        ("my answer", "my_answer"),
        ("Größe", "Gr__e"),
        ("a" * 70, "a" * 64),
        ("", "response"),
    ],
)
def test_name_of_a_schema_is_made_to_fit(name: str, sent: str) -> None:
    """What OpenAI's formats do not take in a name is replaced, and a note says so."""
    notes: list[Note] = []

    assert sent_name(name, notes) == sent
    assert [note.subject for note in notes] == ([] if sent == name else ["response_format name"])
