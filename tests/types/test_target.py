"""Targets and quirks."""

from __future__ import annotations

import msgspec
import pytest

from fiber.types.target import Quirks, Target


@pytest.mark.parametrize(
    ("base_url", "host"),
    [
        ("https://api.openai.com/v1", "api.openai.com"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://[::1]:80/v1", "[::1]:80"),
    ],
)
def test_host_is_name_and_port(base_url: str, host: str) -> None:
    """The host of a target is the name and port of its URL."""
    assert Target(provider="p", model="m", base_url=base_url).host == host


def test_key_is_provider_and_model() -> None:
    """What is remembered of a target does not depend on its URL."""
    one, other = (Target(provider="p", model="m", base_url=url) for url in ("https://h", "https://i"))

    assert one.key == other.key == ("p", "m")


def test_default_quirks_change_nothing() -> None:
    """A row without quirks is the format's own home."""
    quirks = Target(provider="p", model="m", base_url="https://h").quirks

    assert quirks == Quirks()
    assert (quirks.system_role, quirks.terminal, quirks.unsupported) == ("as_is", "marker", {})


def test_quirks_survive_json() -> None:
    """Quirks, written as JSON and read again, are equal to themselves."""
    quirks = Quirks(max_tokens_field="max_tokens", terminal="eof", unsupported={"n": "no"})

    assert msgspec.json.decode(msgspec.json.encode(quirks), type=Quirks) == quirks
