"""What may be fetched."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import FetchPolicy, FiberValidationError
from fiber.types.fetch import HOST

HOSTS = ("example.com", "*.Example.org", "example.net:8443", "192.0.2.1", "[2001:db8::1]", "[2001:db8::2]:444")
LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,9}[a-z0-9])?", fullmatch=True)


def test_defaults_are_what_models_read() -> None:
    """Images, audio, PDF and text, 20 MiB, half a minute."""
    policy = FetchPolicy(hosts=("example.com",))

    assert (policy.max_bytes, policy.timeout) == (20 * 2**20, 30.0)
    assert policy.media_types == ("image/", "audio/", "application/pdf", "text/plain")


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("example.com", 443),
        ("a.example.org", 443),
        ("a.b.example.org", 443),
        ("example.net", 8443),
        ("192.0.2.1", 443),
        ("2001:db8::1", 443),
        ("2001:db8::2", 444),
    ],
)
def test_listed_hosts_are_allowed(host: str, port: int) -> None:
    """By name, below a name, at a port of their own."""
    assert FetchPolicy(hosts=HOSTS).allows_host(host, port)


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("a.example.com", 443),
        ("example.com.evil.test", 443),
        ("notexample.com", 443),
        ("example.com.", 443),
        ("example.com", 8443),
        ("example.org", 443),
        ("evilexample.org", 443),
        ("a.example.org", 80),
        ("example.net", 443),
        ("192.0.2.2", 443),
        ("2001:db8::2", 443),
        ("", 443),
    ],
)
def test_other_hosts_are_not(host: str, port: int) -> None:
    """Neither what looks alike nor another port."""
    assert not FetchPolicy(hosts=HOSTS).allows_host(host, port)


@given(st.lists(LABELS, min_size=2, max_size=5).map(".".join), LABELS)
def test_a_star_covers_what_is_below_and_nothing_else(parent: str, label: str) -> None:
    """Not the name itself, and no name that only ends alike."""
    policy = FetchPolicy(hosts=(f"*.{parent}",))

    assert policy.allows_host(f"{label}.{parent}", 443)
    assert not policy.allows_host(parent, 443)
    assert not policy.allows_host(f"{label}{parent}", 443)
    assert not policy.allows_host(f"{label}.{parent}.{'x' * 20}", 443)


@pytest.mark.parametrize(
    ("media_type", "allowed"),
    [
        ("image/png", True),
        ("image/", True),
        ("application/pdf", True),
        ("application/pdfx", False),
        ("text/html", False),
        ("images/png", False),
        ("", False),
    ],
)
def test_types_are_allowed_by_family_or_one_by_one(media_type: str, allowed: bool) -> None:
    """A slash at the end means the family."""
    assert FetchPolicy(hosts=HOSTS, media_types=("image/", "application/pdf")).allows_type(media_type) is allowed


@pytest.mark.parametrize(
    ("host", "valid"),
    [
        ("example.com", True),
        ("a_b.example.com", True),
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        ("", False),
        (".example.com", False),
        ("example.com.", False),
        ("a..b", False),
        ("-a.example.com", False),
        ("fe80::1%25eth0", False),
        ("*.example.com", False),
        ("exämple.com", False),
        ("a/b", False),
    ],
)
def test_a_host_is_a_name_or_an_address(host: str, valid: bool) -> None:
    """In the letters of the name system."""
    assert bool(HOST.fullmatch(host)) is valid


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hosts": "example.com"}, r"hosts must be a tuple .* not 'example\.com'"),
        ({"hosts": ["example.com"]}, "hosts must be a tuple"),
        ({"hosts": ()}, "at least one"),
        ({"hosts": (1,)}, "hosts must be a tuple of strings"),
        ({"hosts": ("https://example.com/",)}, "without scheme and path"),
        ({"hosts": ("example.com/a",)}, "is no host"),
        ({"hosts": ("*",)}, "is no host"),
        ({"hosts": ("*.com",)}, "is no host"),
        ({"hosts": ("a.*.com",)}, "is no host"),
        ({"hosts": ("example.com:0",)}, "is no host"),
        ({"hosts": ("example.com:65536",)}, "is no host"),
        ({"hosts": ("2001:db8::1",)}, "is no host"),
        ({"hosts": ("example.com\n",)}, "is no host"),
        ({"hosts": HOSTS, "media_types": "image/"}, "media_types must be a tuple"),
        ({"hosts": HOSTS, "media_types": ()}, "at least one"),
        ({"hosts": HOSTS, "media_types": ("image",)}, "is no media type"),
        ({"hosts": HOSTS, "media_types": ("*/*",)}, "is no media type"),
        ({"hosts": HOSTS, "max_bytes": 0}, "max_bytes must be a whole number"),
        ({"hosts": HOSTS, "max_bytes": 1.5}, "max_bytes must be a whole number"),
        ({"hosts": HOSTS, "max_bytes": True}, "max_bytes must be a whole number"),
        ({"hosts": HOSTS, "timeout": 0}, "timeout must be a positive number"),
        ({"hosts": HOSTS, "timeout": float("inf")}, "timeout must be a positive number"),
        ({"hosts": HOSTS, "timeout": True}, "timeout must be a positive number"),
        ({"hosts": HOSTS, "timeout": None}, "timeout must be a positive number"),
    ],
)
def test_a_wrong_policy_is_refused_when_it_is_made(options: dict[str, Any], words: str) -> None:
    """With a message that names the field and shows what to write."""
    with pytest.raises(FiberValidationError, match=rf"FetchPolicy\..*{words}") as caught:
        FetchPolicy(**options)
    assert caught.value.parameter == "fetch"
