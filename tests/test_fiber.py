"""The client: construction, environment, keys, views, closing."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import anyio
import msgspec
import pytest

from fiber import (
    NO_RETRY,
    PROVIDERS,
    ChatRequest,
    Fiber,
    FiberAuthError,
    FiberClosedError,
    FiberModelNotFoundError,
    FiberValidationError,
    ModelRegistry,
    Provider,
    Secret,
    Timeouts,
    openai_compatible,
)
from fiber.adapters import load
from fiber.testing.fake import FakeReply, FakeTransport
from fiber.types.http import HTTPRequest
from fiber.types.target import Target
from tests.kit import KEY, MODEL, scripted, streamed, watched, whole

OPENAI = PROVIDERS[0]


class Counted(FakeTransport):
    """Counts how often it is shut down."""

    shutdowns = 0

    async def shutdown(self) -> None:
        """Count."""
        self.shutdowns += 1


# -- construction -------------------------------------------------------------------------------------------------


def test_an_unknown_keyword_is_a_type_error() -> None:
    """A misspelled option is not lost."""
    with pytest.raises(TypeError, match="default_modle"):
        Fiber(default_modle="x")  # type: ignore[call-arg]


def test_construction_reads_no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys come only from arguments."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("FIBER_MODEL", MODEL)

    fiber = Fiber()

    assert not fiber.has_key("openai")
    assert "None" in repr(fiber)


def test_construction_loads_no_http_library_and_no_loop() -> None:
    """They wait for the first call."""
    program = (
        "import sys; from fiber import Fiber; f = Fiber(api_keys={'openai': 'k'}, default_model='openai:m')\n"
        "f.sync; f.chat_stream('Hi'); f.bind(a=1).sync\n"
        "print([m for m in ('httpx', 'httpx2', 'anyio', 'asyncio', 'structlog', 'opentelemetry') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("options", [{"api_keys": {"opnai": "k"}}, {"base_urls": {"opnai": "http://x"}}])
def test_an_unknown_provider_is_named_with_what_is_near(options: dict[str, dict[str, str]]) -> None:
    """In keys and URLs alike."""
    with pytest.raises(FiberValidationError, match="openai"):
        Fiber(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("url", ["ftp://x", "http://", "https://u:p@x", "https://x?a=b", "x"])
def test_a_wrong_base_url_is_refused(url: str) -> None:
    """At construction."""
    with pytest.raises(FiberValidationError):
        Fiber(base_urls={"openai": url})


def test_base_urls_replace_those_of_the_rows() -> None:
    """A slash at the end does not matter; `openai` stands for both of its formats."""
    fiber, transport = scripted(whole(), base_urls={"openai": "http://127.0.0.1:9/v1/"})

    fiber.sync.chat("Hi")

    assert transport.requests[0].url == "http://127.0.0.1:9/v1/chat/completions"
    assert fiber.providers["openai-responses"].base_url == "http://127.0.0.1:9/v1"
    assert PROVIDERS[0].base_url == "https://api.openai.com/v1"


def test_base_url_of_one_format_does_not_move_the_other() -> None:
    """When both are told, both hold."""
    fiber = Fiber(base_urls={"openai": "https://a/v1", "openai-responses": "https://b/v1"})

    assert fiber.providers["openai-responses"].base_url == "https://b/v1"


def test_aliases_stand_for_their_rows() -> None:
    """In keys, URLs and calls."""
    fiber = Fiber(api_keys={"claude": "k"}, base_urls={"google": "https://g"})

    assert fiber.has_key("anthropic")
    assert fiber.providers["gemini"].base_url == "https://g"


def test_second_instances_live_side_by_side() -> None:
    """One provider under two names, with two keys and two addresses."""
    second = OPENAI.replace(name="openai-eu", base_url="https://eu.example/v1")
    fiber, transport = scripted(
        whole(), whole(), whole(), providers=[second], api_keys={"openai": "k-us", "openai-eu": "k-eu"}
    )

    results = [
        fiber.sync.chat("Hi", model="openai-eu:m", label="B"),
        fiber.sync.chat("Hi", model="openai:m"),
        fiber.sync.chat("Hi", model="m", provider="openai-eu"),
    ]

    assert [result.provider for result in results] == ["openai-eu", "openai", "openai-eu"]
    assert [sent.headers["authorization"] for sent in transport.requests] == [
        "Bearer k-eu",
        "Bearer k-us",
        "Bearer k-eu",
    ]
    assert [sent.url.split("/")[2] for sent in transport.requests] == ["eu.example", "api.openai.com", "eu.example"]


def test_a_key_for_openai_serves_both_of_its_formats() -> None:
    """Unless the other has its own."""
    assert Fiber(api_keys={"openai": "k"}).has_key("openai-responses")
    both = Fiber(api_keys={"openai": "k", "openai-responses": "other"})._settings.keys
    assert both["openai-responses"] == Secret("other")


def test_repr_names_providers_but_no_key() -> None:
    """It may be logged."""
    fiber, _ = scripted()

    assert repr(fiber) == "Fiber(model='openai:gpt-test', keys=['openai', 'openai-responses'])"
    assert KEY not in f"{vars(fiber)}"


def test_timeouts_and_retry_of_the_client_reach_the_call() -> None:
    """And those of a view."""
    fiber, _, watch = watched(whole(), whole(), timeouts=Timeouts(total=7), retry=NO_RETRY)

    fiber.sync.chat("Hi")
    fiber.with_options(timeouts=Timeouts(total=8)).sync.chat("Hi")

    assert [(call.timeouts.total, call.retry.max_attempts) for call in watch.calls] == [(7, 1), (8, 1)]


# -- environment --------------------------------------------------------------------------------------------------


def test_from_env_takes_the_first_provider_with_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its default model becomes the client's."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", f" {KEY}\n")

    fiber = Fiber.from_env()

    assert fiber.has_key("anthropic")
    assert repr(fiber).startswith("Fiber(model='anthropic:claude")
    assert KEY not in repr(fiber)


def test_from_env_without_keys_names_the_variables() -> None:
    """Nothing is usable."""
    with pytest.raises(FiberValidationError, match=r"OPENAI_API_KEY.*ANTHROPIC_API_KEY"):
        Fiber.from_env()


def test_from_env_takes_a_server_without_a_key_when_something_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether one runs on this machine is not known; it has no default model, for its owner chose its models."""
    monkeypatch.setenv("OLLAMA_HOST", "localhost")

    fiber = Fiber.from_env()

    assert fiber.has_key("ollama")
    assert fiber.providers["ollama"].base_url == "http://localhost:11434"
    assert repr(fiber).startswith("Fiber(model=None")


def test_from_env_prefers_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arguments win over variables, `FIBER_MODEL` over the row's default."""
    monkeypatch.setenv("OPENAI_API_KEY", "env")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://env/v1")
    monkeypatch.setenv("FIBER_MODEL", "openai:env")
    transport = FakeTransport(*[whole()] * 2)

    Fiber.from_env(transport=transport).sync.chat("Hi")
    Fiber.from_env(
        transport=transport,
        api_keys={"openai": "own"},
        base_urls={"openai": "https://own/v1"},
        default_model="openai:own",
    ).sync.chat("Hi")

    sent = [(s.headers["authorization"], s.url, s.json()["model"]) for s in transport.requests]
    assert sent == [
        ("Bearer env", "https://env/v1/chat/completions", "env"),
        ("Bearer own", "https://own/v1/chat/completions", "own"),
    ]


def test_from_env_knows_keys_by_alias() -> None:
    """A key that is given under another name of the provider counts."""
    fiber = Fiber.from_env(api_keys={"claude": KEY})

    assert fiber.has_key("anthropic")


def test_from_env_knows_further_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """From any iterable; a row without key needs none, and a row without default model gives none."""
    monkeypatch.setenv("MINE_KEY", KEY)
    rows = (row for row in [openai_compatible("mine", "http://127.0.0.1:1/v1", key_env="MINE_KEY", needs_key=True)])

    fiber = Fiber.from_env(providers=rows)

    assert fiber.has_key("mine")
    assert repr(fiber).startswith("Fiber(model=None")


def test_from_env_takes_no_server_of_this_machine_for_granted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundled row without key counts when its base URL is said, or when it is given as a row of one's own."""
    llamacpp = next(row for row in PROVIDERS if row.name == "llamacpp")

    with pytest.raises(FiberValidationError, match="the base URL of a local server"):
        Fiber.from_env()
    given = Fiber.from_env(providers=[llamacpp])
    monkeypatch.setenv("LLAMACPP_BASE_URL", "http://127.0.0.1:9931")
    said = Fiber.from_env()
    told = Fiber.from_env(base_urls={"lm-studio": "http://127.0.0.1:1"})

    assert told.providers["lmstudio"].base_url == "http://127.0.0.1:1/v1"
    assert given.providers["llamacpp"].base_url == "http://127.0.0.1:8080/v1"
    assert said.providers["llamacpp"].base_url == "http://127.0.0.1:9931/v1"


def test_from_env_wants_a_key_and_a_whole_base_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key of a provider whose place is not known makes no provider usable."""
    monkeypatch.setenv("VERTEX_ACCESS_TOKEN", KEY)

    with pytest.raises(FiberValidationError, match="No provider has a key"):
        Fiber.from_env()
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "p")
    fiber = Fiber.from_env()

    place = "https://aiplatform.googleapis.com/v1/projects/p/locations/global/publishers/google"
    assert fiber.providers["vertex"].base_url == place
    assert repr(fiber).startswith("Fiber(model='vertex:gemini")


def test_a_base_url_that_is_not_whole_is_told_before_sending() -> None:
    """Chat and raw requests name the variables that complete it."""
    fiber, transport = scripted(api_keys={"azure": KEY})

    for call in (
        lambda: fiber.sync.chat("Hi", model="azure:mine"),
        lambda: fiber.sync.request("GET", "/models", provider="azure"),
    ):
        with pytest.raises(FiberValidationError, match="AZURE_OPENAI_ENDPOINT") as caught:
            call()
        assert (caught.value.parameter, caught.value.outcome) == ("base_urls", "not_sent")
    assert transport.requests == []


def test_keys_are_shared_by_the_rows_of_one_provider() -> None:
    """A key holds for each row of the provider that has none of its own; a base URL only where it is the same."""
    fiber, transport = scripted(
        whole(),
        whole(),
        api_keys={"xai": "k-1", "gemini": "k-2"},
        base_urls={"xai": "https://x", "gemini": "https://g"},
    )

    fiber.sync.chat("Hi", model="xai-chat:m")
    fiber.sync.chat("Hi", model="gemini-openai:m")

    assert [(sent.url, sent.headers["authorization"]) for sent in transport.requests] == [
        ("https://x/v1/chat/completions", "Bearer k-1"),
        ("https://generativelanguage.googleapis.com/v1beta/openai/chat/completions", "Bearer k-2"),
    ]


# -- calls --------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_the_asynchronous_calls() -> None:
    """Chat, text, streams, batches, raw requests."""
    fiber, transport = scripted(
        whole("A"),
        whole("B"),
        streamed("C"),
        streamed("D"),
        whole("E"),
        FakeReply(200, {}, (b"F",)),
        FakeReply(200, {}, (b"G",)),
    )

    said = [
        (await fiber.chat("Hi")).text,
        await fiber.ask("Hi"),
        (await fiber.chat_stream("Hi").collect()).text,
        "".join([text async for text in fiber.ask_stream("Hi")]),
        (await fiber.batch_chat(["Hi"]))[0].text,  # type: ignore[union-attr]
        (await fiber.request("GET", "/x", provider="openai")).body.decode(),
        *[chunk.decode() async for chunk in fiber.request_stream("GET", "/x", provider="openai")],
    ]

    assert said == ["A", "B", "C", "D", "E", "F", "G"]
    assert transport.closed == 7


# -- bind ---------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_one_bound_view_may_be_entered_by_many_tasks() -> None:
    """Each task leaves its own block."""
    fiber, _, watch = watched(*[whole()] * 10)
    scoped = fiber.bind(run="shared")

    async def work(number: int) -> None:
        with scoped:
            await anyio.sleep(0.001 * (number % 3))
            with fiber.bind(number=number):
                await anyio.sleep(0.001 * (number % 2))
                await fiber.chat("Hi", label=str(number))

    async with anyio.create_task_group() as group:
        for number in range(10):
            group.start_soon(work, number)

    assert len(watch.calls) == 10
    assert all(call.context == {"run": "shared", "number": int(call.label)} for call in watch.calls)


def test_bind_merges_and_leaves_the_parent_alone() -> None:
    """A view is a copy; the block ends with its indentation, also after an error."""
    fiber, _, watch = watched(*[whole()] * 3)

    with pytest.raises(ZeroDivisionError):
        with fiber.bind(a=1).bind(b=2) as scoped:
            fiber.sync.chat("Hi")
            scoped.with_options(temperature=0).sync.chat("Hi")
            raise ZeroDivisionError
    fiber.sync.chat("Hi")

    assert [call.context for call in watch.calls] == [{"a": 1, "b": 2}, {"a": 1, "b": 2}, {}]


# -- register_provider --------------------------------------------------------------------------------------------

ACME = Provider(name="acme", base_url="https://acme.test/v1", aliases=("ac",), prefixes=("acme-",))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("model", "provider"),
    [("acme-large", None), ("acme:acme-large", None), ("ac/acme-large", None), ("acme-large", "ac")],
)
async def test_a_registered_provider_is_known_everywhere(model: str, provider: str | None) -> None:
    """By name, alias and prefix, in routing, keys and calls."""
    fiber, transport = scripted(whole())
    view = fiber.register_provider(ACME, api_key="acme-key")

    result = await view.chat("Hi", model=model, provider=provider)

    sent = transport.requests[0]
    assert (sent.url, sent.json()["model"]) == ("https://acme.test/v1/chat/completions", "acme-large")
    assert (sent.headers["authorization"], result.provider) == ("Bearer acme-key", "acme")
    assert (view.providers["acme"], view.has_key("ac"), view.route("acme-x").provider) == (ACME, True, "acme")


def test_registering_leaves_the_client_alone() -> None:
    """The view is a copy; both share connections and end."""
    fiber, transport = scripted(whole(), default_temperature=0.1)
    view = fiber.bind(run="r1").register_provider(ACME, api_key="acme-key").with_options(max_tokens=5)

    assert "acme" not in fiber.providers
    with pytest.raises(FiberModelNotFoundError):
        fiber.route("acme-large")
    assert view.sync.chat("Hi", model="acme-large").provider == "acme"
    assert transport.requests[0].json()["temperature"] == 0.1
    fiber.sync.close()
    with pytest.raises(FiberClosedError):
        view.sync.chat("Hi", model="acme-large")


def test_a_row_may_bring_a_format_of_its_own() -> None:
    """An adapter is a value, so that a format needs no name in this library."""

    def build(request: ChatRequest, target: Target, *, stream: bool) -> HTTPRequest:
        made = adapter.build_request(request, target, stream=stream)
        return msgspec.structs.replace(made, url=f"{target.base_url}/talk")

    adapter = load("openai_chat")
    fiber, transport = scripted(whole("A"), streamed("B"))
    row = ACME.replace(adapter=replace(adapter, name="talk", build_request=build))
    view = fiber.register_provider(row, api_key="acme-key")

    assert view.sync.ask("Hi", model="acme-large") == "A"
    assert list(view.sync.ask_stream("Hi", model="acme-large")) == ["B"]
    assert {sent.url for sent in transport.requests} == {"https://acme.test/v1/talk"}


def test_a_row_without_a_key_says_so() -> None:
    """Unless it needs none."""
    fiber, transport = scripted(whole())

    with pytest.raises(FiberAuthError, match="acme"):
        fiber.register_provider(ACME).sync.chat("Hi", model="acme-large")
    fiber.register_provider(ACME.replace(needs_key=False)).sync.chat("Hi", model="acme-large")

    assert len(transport.requests) == 1
    assert "authorization" not in transport.requests[0].headers


def test_a_replaced_row_does_not_hand_down_its_key() -> None:
    """It may lead to another host; the key goes only where it was given for."""
    fiber, transport = scripted(whole())
    row = OPENAI.replace(base_url="https://elsewhere.test/v1")

    with pytest.raises(FiberValidationError, match="replace=True"):
        fiber.register_provider(row)
    view = fiber.register_provider(row, replace=True)
    with pytest.raises(FiberAuthError):
        view.sync.chat("Hi")

    assert transport.requests == []
    assert fiber.has_key("openai")
    view.register_provider(row, api_key=lambda: "other-key", replace=True).sync.chat("Hi")
    assert transport.requests[0].url.startswith("https://elsewhere.test/")
    assert transport.requests[0].headers["authorization"] == "Bearer other-key"


def test_a_registry_of_ones_own_learns_the_row_too() -> None:
    """What it was given stays before the row's prefixes."""
    registry = ModelRegistry(PROVIDERS, exact={"acme-special": "gemini"})
    fiber, _ = scripted(model_registry=registry)
    view = fiber.register_provider(ACME, api_key="acme-key")

    assert [view.route(model).provider for model in ("acme-large", "acme-special")] == ["acme", "gemini"]
    assert "acme" not in registry.providers


def test_repr_of_a_view_has_no_key_of_the_row() -> None:
    """Names only."""
    view = scripted()[0].register_provider(ACME, api_key="canary-key")

    assert "acme" in repr(view)
    assert "canary" not in repr(view) + repr(view._settings)


# -- close --------------------------------------------------------------------------------------------------------


@pytest.mark.anyio
async def test_a_block_closes_the_client() -> None:
    """Once more does no harm; calls after it are refused."""
    transport = Counted(whole())

    async with Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport) as fiber:
        await fiber.chat("Hi")
    await fiber.close()

    assert transport.shutdowns == 2
    with pytest.raises(FiberClosedError):
        await fiber.chat("Hi")
    with pytest.raises(FiberClosedError):
        fiber.sync.chat("Hi")


@pytest.mark.anyio
async def test_a_transport_may_bring_another_one_for_blocking_code() -> None:
    """Each face uses its own, and closing closes both."""
    transport, blocking = Counted(whole("awaited")), Counted(whole("blocking"))
    transport.blocking = blocking  # type: ignore[attr-defined]

    async with Fiber(api_keys={"openai": KEY}, default_model=MODEL, transport=transport) as fiber:
        texts = [fiber.sync.ask("Hi"), await fiber.ask("Hi")]

    assert texts == ["blocking", "awaited"]
    assert (transport.shutdowns, blocking.shutdowns) == (1, 1)


@pytest.mark.anyio
async def test_a_client_that_made_no_call_is_closed_without_loading_anything() -> None:
    """Neither face has opened anything."""
    fiber = Fiber(api_keys={"openai": KEY})

    await fiber.close()
    await fiber.bind(a=1).close()

    assert fiber._settings.state.closed


def test_a_client_may_be_given_leave_for_plain_urls() -> None:
    """For `base_urls`, from the environment too; without it the error says how."""
    urls = {"openai": "http://gateway.internal/v1"}

    with pytest.raises(FiberValidationError, match="allow_http"):
        Fiber(base_urls=urls)

    assert Fiber(base_urls=urls, allow_http=True).providers["openai"].base_url == "http://gateway.internal/v1"
    assert Fiber.from_env(base_urls=urls, api_keys={"openai": "k"}, allow_http=True).has_key("openai")
