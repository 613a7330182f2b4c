"""The pytest plugin, in runs of its own."""

from __future__ import annotations

import asyncio
import importlib.metadata
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fiber import Fiber, FiberConnectionError
from fiber.testing import MockServer, Recorder, Replay
from fiber.testing.cassette import load

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"^```py\n(.*?)^```$", (ROOT / "docs/features/testing.md").read_text("utf-8"), re.M | re.S)
"""The examples that need the plugin's fixtures."""

Run = Callable[..., pytest.RunResult]

RECORDED = """
    import pytest

    @pytest.mark.fiber_cassette("talk.jsonl")
    def test_talk(fiber_client):
        assert fiber_client.sync.ask("Hello", model="openai:mock") == "You said: Hello"
"""


@pytest.fixture(autouse=True, scope="module")
def everything_is_imported(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Import what the inner runs use: pytester forgets the modules that they are the first to import."""
    path = tmp_path_factory.mktemp("cassettes") / "x.jsonl"
    recorder = Recorder(path)
    with MockServer() as server:
        urls = {"openai": server.base_url("openai")}
        fiber = Fiber(api_keys={"openai": "k"}, base_urls=urls, default_model="openai:mock", transport=recorder)
        fiber.sync.ask("Hi")
        asyncio.run(fiber.ask("Hi"))
        fiber.sync.close()
    Replay(path)


@pytest.fixture
def run(pytester: pytest.Pytester) -> Run:
    """Run pytest over a file of this text, with the plugin as in the source tree."""

    def call(source: str, *arguments: str) -> pytest.RunResult:
        pytester.makepyfile(test_it=source)
        # Not by its entry point, which is there only when the package was installed.
        plugin = ("-p", "no:fiber", "-p", "fiber.testing.plugin")
        return pytester.runpytest_inprocess(*plugin, "-p", "no:cacheprovider", "--strict-markers", "-q", *arguments)

    return call


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[MockServer]:
    """A server that stands for the real provider, and a key for it, in the environment."""
    with MockServer(api_key="canary-of-the-environment") as server:
        monkeypatch.setenv("OPENAI_API_KEY", "canary-of-the-environment")
        monkeypatch.setenv("OPENAI_BASE_URL", server.base_url("openai"))
        yield server


def test_the_client_talks_to_the_server_in_every_format(run: Run) -> None:
    """From blocking code and from coroutines, on both event loops."""
    result = run(
        """
        import pytest

        ROWS = ["openai", "openai-responses", "anthropic", "gemini", "cohere", "ollama"]

        @pytest.mark.parametrize("model", [f"{row}:mock" for row in ROWS])
        def test_blocking(fiber_client, fiber_server, model):
            fiber_server.enqueue("A river.")
            assert fiber_client.sync.ask("Name one.", model=model) == "A river."
            assert fiber_server.requests[0].model == "mock"

        @pytest.mark.anyio
        async def test_async(fiber_client):
            assert await fiber_client.ask("Hello") == "You said: Hello"
        """
    )

    result.assert_outcomes(passed=8)


def test_what_a_fixture_opened_is_closed(run: Run) -> None:
    """The server and the client."""
    result = run(
        """
        import pytest
        from fiber import FiberClosedError
        kept = []

        def test_first(fiber_client, fiber_server):
            kept[:] = fiber_client, fiber_server.url

        def test_second(fiber_server):
            with pytest.raises(FiberClosedError):
                kept[0].sync.ask("Hello")
            assert kept[1] != fiber_server.url
        """
    )

    result.assert_outcomes(passed=2)


def test_the_client_plays_a_script(run: Run) -> None:
    """Of a marker, or of nothing."""
    result = run(
        """
        import pytest
        from fiber import FiberStreamInterruptedError
        from fiber.testing import sse_reply

        @pytest.mark.fiber_script(sse_reply({"choices": [{"index": 0, "delta": {"content": "The Rhine"}}]}, cut=True))
        def test_cut(fiber_client, fiber_transport):
            with pytest.raises(FiberStreamInterruptedError) as caught:
                fiber_client.sync.chat_stream("Hi").collect()
            assert caught.value.partial.text == "The Rhine"
            assert fiber_transport.closed == 1

        @pytest.mark.fiber_script(OSError())
        def test_marker_alone(fiber_client):
            with pytest.raises(OSError):
                fiber_client.sync.ask("Hi")

        def test_nothing(fiber_transport, fiber_client):
            with pytest.raises(AssertionError, match="the script has no answer"):
                fiber_client.sync.ask("Hi")
        """
    )

    result.assert_outcomes(passed=3)


def test_a_cassette_is_recorded_only_when_told(run: Run, pytester: pytest.Pytester, provider: MockServer) -> None:
    """Missing, it is an error; once recorded, it plays without a provider and without a key."""
    missing = run(RECORDED)
    recorded = run(RECORDED, "--fiber-record=once")
    asked = len(provider.requests)
    provider.close()
    played, again = run(RECORDED), run(RECORDED, "--fiber-record=once")

    missing.stdout.fnmatch_lines(["*FiberValidationError: *talk.jsonl cannot be read*record it first*"])
    for result in (recorded, played, again):
        result.assert_outcomes(passed=1)
    assert asked == 1
    assert b"canary" not in (pytester.path / "talk.jsonl").read_bytes()


def test_a_cassette_may_be_recorded_anew(run: Run, pytester: pytest.Pytester, provider: MockServer) -> None:
    """By the option; or by the marker, unless the option says otherwise."""
    marked = RECORDED.replace('"talk.jsonl"', '"talk.jsonl", record="all"')

    results = [run(RECORDED, "--fiber-record=all"), run(RECORDED, "--fiber-record=all"), run(marked)]
    asked = len(provider.requests)
    results.append(run(marked, "--fiber-record=none"))

    for result in results:
        result.assert_outcomes(passed=1)
    assert (asked, len(provider.requests)) == (3, 3)
    assert len(load(pytester.path / "talk.jsonl")) == 1


def test_a_cassette_is_named_after_its_test(run: Run, pytester: pytest.Pytester, provider: MockServer) -> None:
    """In a folder beside the file; a hook of the suite hides what it must not hold."""
    source = """
        import pytest

        @pytest.fixture
        def fiber_redact():
            return lambda text: text.replace("Ada", "[name]")

        @pytest.mark.parametrize("path", ["a/b"])
        def test_talk(fiber_client, fiber_cassette, path):
            fiber_client.sync.ask("I am Ada", model="openai:mock")
    """

    results = run(source, "--fiber-record=once"), run(source)

    for result in results:
        result.assert_outcomes(passed=1)
    (cassette,) = load(pytester.path / "cassettes" / "test_it" / "test_talk-a-b.jsonl")
    assert cassette.asked.json["messages"][0]["content"] == "I am [name]"


def test_a_wrong_marker_is_told(run: Run) -> None:
    """With what is right."""
    result = run(RECORDED.replace('"talk.jsonl"', 'record="twice"'))

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*record is one of none, once, all, not 'twice'*"])


def test_the_guard_lets_nothing_leave_the_machine(run: Run) -> None:
    """Neither awaited nor blocking calls; a server on the same machine is fine."""
    result = run(
        """
        import asyncio
        import pytest
        from fiber import Fiber

        pytestmark = pytest.mark.usefixtures("fiber_no_network")

        def test_here(fiber_client):
            assert fiber_client.sync.ask("Hello") == "You said: Hello"

        def test_elsewhere():
            fiber = Fiber(api_keys={"openai": "k"}, base_urls={"openai": "https://provider.invalid/v1"})
            with pytest.raises(AssertionError, match="The test called provider.invalid: use fiber_server"):
                fiber.sync.ask("Hello", model="openai:mock")
            with pytest.raises(AssertionError, match="provider.invalid"):
                asyncio.run(fiber.ask("Hello", model="openai:mock"))
        """
    )

    result.assert_outcomes(passed=2)


def test_the_guard_steps_aside_while_a_cassette_is_recorded(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the call goes out, and only then."""
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-for-nobody")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://provider.invalid/v1")
    source = f"""
        import pytest
        from fiber import {FiberConnectionError.__name__}, NO_RETRY

        @pytest.mark.fiber_cassette
        def test_talk(fiber_no_network, fiber_client):
            with pytest.raises(FiberConnectionError, match="No connection"):
                fiber_client.with_options(retry=NO_RETRY).sync.ask("Hello", model="openai:mock")
    """

    results = run(source, "--fiber-record=once"), run(source)

    for result in results:
        result.assert_outcomes(passed=1)


def test_the_plugin_is_declared_and_says_what_it_brings(run: Run) -> None:
    """pytest finds it by its entry point, and shows fixtures, markers and the option."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    fixtures, markers, helped = run("", "--fixtures"), run("", "--markers"), run("", "--help")

    assert project["entry-points"]["pytest11"] == {"fiber": "fiber.testing.plugin"}
    fixtures.stdout.fnmatch_lines_random(["fiber_client -- *", "fiber_no_network -- *"])
    markers.stdout.fnmatch_lines(["@pytest.mark.fiber_cassette(*", "@pytest.mark.fiber_script(*"])
    helped.stdout.fnmatch_lines(["*--fiber-record={none,once,all}*"])


@pytest.mark.skipif("TEST_INSTALLED_WHEEL" not in os.environ, reason="only nox installs the wheel")
def test_the_installed_package_has_the_entry_point() -> None:
    """As it is declared."""
    (found,) = importlib.metadata.entry_points(group="pytest11", name="fiber")

    assert found.value == "fiber.testing.plugin"


def test_the_plugin_is_light() -> None:
    """It is loaded in every run of pytest, so it brings nothing but itself and its packages."""
    program = (
        "import sys, pytest, urllib.parse; before = set(sys.modules)\n"
        "import fiber.testing.plugin\n"
        "print(*sorted(name for name in set(sys.modules) - before))"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["fiber", "fiber.testing", "fiber.testing.plugin"]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_documented_example_runs(run: Run, provider: MockServer, example: str) -> None:
    """As a file of its own; where it plays a cassette, that is recorded."""
    result = run(example, "--fiber-record=once")

    result.assert_outcomes(passed=len(re.findall(r"^def test_", example, re.M)))
