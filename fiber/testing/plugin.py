"""
The pytest plugin: the tools of this folder as fixtures, with markers and an option.

pytest loads this module in every run of everybody who has the library installed, so nothing of ours, and nothing heavy,
is imported before a fixture is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from fiber._fiber import Fiber
    from fiber.testing.fake import FakeTransport
    from fiber.testing.recording import Recorder
    from fiber.testing.replay import Replay
    from fiber.testing.server import MockServer
    from fiber.testing.serving import Family
    from fiber.transports.base import HTTPResponse
    from fiber.types.config import Timeouts
    from fiber.types.http import HTTPRequest

KEYS: dict[str, str] = dict.fromkeys(("openai", "anthropic", "gemini", "bedrock", "cohere"), "fiber-test-key")
"""Of clients that talk to nobody real."""
MODEL = "openai:mock"
FAMILIES: tuple[Family, ...] = ("openai", "anthropic", "gemini", "bedrock", "cohere", "ollama", "replicate")
RECORD = ("none", "once", "all")
LOOPBACK = ("127.0.0.1", "::1", "localhost")

_MARKERS = (
    'fiber_cassette(path=None, *, record="none"): play the exchanges of this file, or record them: "once", when there'
    ' is no file yet, or "all".',
    "fiber_script(*replies): what fiber_transport answers.",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--fiber-record`."""
    parser.getgroup("fiber").addoption(
        "--fiber-record",
        choices=RECORD,
        help="Record cassettes, whatever their markers say: none, once (those that are missing), or all.",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add the markers."""
    for marker in _MARKERS:
        config.addinivalue_line("markers", marker)


@pytest.fixture
def fiber_server() -> Iterator[MockServer]:
    """A running `fiber.testing.MockServer`."""
    from fiber.testing.server import MockServer

    with MockServer() as server:
        yield server


@pytest.fixture
def fiber_transport(request: pytest.FixtureRequest) -> FakeTransport:
    """A `fiber.testing.FakeTransport` that plays the replies of the marker `fiber_script`."""
    from fiber.testing.fake import FakeTransport

    marker = request.node.get_closest_marker("fiber_script")
    return FakeTransport(*(marker.args if marker else ()))


@pytest.fixture
def fiber_redact() -> Callable[[str], str] | None:
    """What `fiber_cassette` gives to `Recorder` and `Replay` as *redact*: nothing, unless it is overridden."""
    return None


@pytest.fixture
def fiber_cassette(request: pytest.FixtureRequest, fiber_redact: Callable[[str], str] | None) -> Recorder | Replay:
    """The transport that plays the test's cassette, or records it when told to."""
    path, recording = _cassette(request)
    if recording:
        from fiber.testing.recording import Recorder

        return Recorder(path, redact=fiber_redact)
    from fiber.testing.replay import Replay

    return Replay(path, redact=fiber_redact)


@pytest.fixture
def fiber_client(request: pytest.FixtureRequest) -> Iterator[Fiber]:
    """
    A `Fiber` for both kinds of code that talks to `fiber_cassette` or `fiber_transport`, if the test uses one, else to
    `fiber_server`. Only when a cassette is recorded are keys and base URLs read from the environment.
    """
    from fiber import _env
    from fiber._fiber import Fiber
    from fiber.providers.table import PROVIDERS

    if _uses(request, "fiber_cassette"):
        transport = request.getfixturevalue("fiber_cassette")
        if _cassette(request)[1]:
            fiber = Fiber(api_keys=_env.keys(PROVIDERS), base_urls=_env.base_urls(PROVIDERS), transport=transport)
        else:
            fiber = Fiber(api_keys=KEYS, transport=transport)
    elif _uses(request, "fiber_transport", "fiber_script"):
        fiber = Fiber(api_keys=KEYS, default_model=MODEL, transport=request.getfixturevalue("fiber_transport"))
    else:
        server = request.getfixturevalue("fiber_server")
        urls: dict[str, str] = {family: server.base_url(family) for family in FAMILIES}
        fiber = Fiber(api_keys=KEYS, default_model=MODEL, base_urls=urls)
    yield fiber
    # Connections of an event loop were closed by that loop, which is over.
    fiber.sync.close()


@pytest.fixture
def fiber_no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every call of a client to another machine fail the test, except while its cassette is recorded."""
    from fiber.transports.lazy import Lazy

    if _uses(request, "fiber_cassette") and _cassette(request)[1]:
        return
    outgoing = Lazy.open

    async def refuse(lazy: Lazy, asked: HTTPRequest, timeouts: Timeouts, until: float | None) -> HTTPResponse:
        host = urlsplit(asked.url).hostname
        if host not in LOOPBACK:
            raise AssertionError(f"The test called {host}: use fiber_server, fiber_transport or fiber_cassette.")
        return await outgoing(lazy, asked, timeouts, until)

    monkeypatch.setattr(Lazy, "open", refuse)


def _uses(request: pytest.FixtureRequest, fixture: str, marker: str | None = None) -> bool:
    return fixture in request.fixturenames or request.node.get_closest_marker(marker or fixture) is not None


def _cassette(request: pytest.FixtureRequest) -> tuple[Path, bool]:
    """Return the test's cassette, and whether it is to be recorded."""
    module = request.path
    name = re.sub(r"[^\w.-]+", "-", request.node.name).strip("-")
    usual = Path("cassettes", module.stem, f"{name}.jsonl")
    marker = request.node.get_closest_marker("fiber_cassette")
    path, record = _marked(*marker.args, **marker.kwargs) if marker else _marked()
    place = module.parent / (path or usual)
    record = request.config.getoption("--fiber-record") or record
    return place, record == "all" or (record == "once" and not place.exists())


def _marked(path: str | Path | None = None, *, record: str = "none") -> tuple[str | Path | None, str]:
    """Read the arguments of the marker."""
    if record not in RECORD:
        raise pytest.UsageError(f"fiber_cassette: record is one of {', '.join(RECORD)}, not {record!r}.")
    return path, record
