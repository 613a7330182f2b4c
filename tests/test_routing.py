"""From the name of a model, or of an alias, to where a call goes."""

from __future__ import annotations

from typing import Any

import pytest

from fiber import (
    NO_RETRY,
    BatchRequest,
    Fiber,
    FiberAuthError,
    FiberError,
    FiberModelNotFoundError,
    FiberValidationError,
    Lockfile,
    ModelCatalog,
    PriceTable,
    Prompt,
    PromptDefaults,
)
from fiber.providers.first_party import OPENAI
from fiber.registry.lockfile import Binding
from fiber.testing.fake import FakeTransport
from tests.kit import KEY, refused, scripted, streamed, watched, whole

KEYS = {"openai": KEY, "anthropic": KEY, "groq": KEY}


def names(**aliases: list[str]) -> dict[str, Binding]:
    """Return bindings."""
    return {alias: Binding(tuple(models)) for alias, models in aliases.items()}


LOCKFILE = Lockfile(
    path="fiber.lock",
    default_profile="dev",
    profiles={
        "dev": names(
            fast=["openai:one", "groq:two", "openai:three"],
            single=["openai:only"],
            lost=["openai:one", "nobodys-model"],
            far=["mistral:m", "azure:m", "openai:near", "bedrock:m"],
            none=["mistral:m", "deepseek:m"],
        ),
        "prod": names(fast=["groq:big"]),
    },
    packages={"acme": Lockfile(package="acme", profiles={"default": names(short=["openai:s"])})},
)
BUSY = refused(503, retry_after="500")


def client(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client with aliases over *script*."""
    return scripted(*script, **{"lockfile": LOCKFILE, "api_keys": KEYS, **options})


def asked(transport: FakeTransport) -> list[str]:
    """Return the models that were asked."""
    return [request.json()["model"] for request in transport.requests]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"model": "fast"}, ("openai", "one"), id="alias"),
        pytest.param({"model": "fast", "profile": "prod"}, ("groq", "big"), id="of another profile"),
        pytest.param({"model": "acme:short"}, ("openai", "s"), id="of a package"),
        pytest.param({"model": "openai:gpt-9"}, ("openai", "gpt-9"), id="no alias"),
        pytest.param({"model": "fast", "provider": "groq"}, ("groq", "fast"), id="a provider wins"),
        pytest.param({"model": "far"}, ("openai", "near"), id="the first that is configured"),
    ],
)
def test_an_alias_goes_to_its_first_model(options: dict[str, Any], expected: tuple[str, str]) -> None:
    """Whole and streamed."""
    fiber, transport = client(whole(), streamed())

    result = fiber.sync.chat("x", **options)
    with fiber.sync.chat_stream("x", **options) as stream:
        again = stream.collect()

    assert (result.provider, again.provider) == (expected[0], expected[0])
    assert asked(transport) == [expected[1]] * 2


async def everywhere(fiber: Fiber) -> None:
    """Make a call of every kind with the alias `fast`."""
    prompt = Prompt("{x}", ("x",), PromptDefaults(model="fast"))
    await fiber.chat("x", model="fast")
    await fiber.ask("x", model="fast")
    await fiber.chat_stream("x", model="fast").collect()
    async for _ in fiber.ask_stream("x", model="fast"):
        pass
    await prompt.acall(fiber, x="y")
    await fiber.with_options(model="fast").chat("x")
    await fiber.batch_chat(["x", BatchRequest("x", {"profile": "prod"}), {"messages": "x"}], model="fast")


@pytest.mark.anyio
async def test_every_call_takes_an_alias() -> None:
    """Also prompts, batches, and defaults."""
    fiber, transport = client(whole(), whole(), streamed(), streamed(), *[whole()] * 5)

    await everywhere(fiber)

    assert sorted(asked(transport)) == ["big", *["one"] * 8]


def test_a_call_with_an_alias_is_validated() -> None:
    """As that of its first model."""
    fiber, transport = client()

    assert fiber.validate("x", model="fast") == ()
    assert [problem.parameter for problem in fiber.validate("x", model="fast", profile="stage")] == ["profile"]
    assert transport.requests == []


def test_the_default_model_may_be_an_alias() -> None:
    """In the profile of the client."""
    fiber, transport = client(whole(), whole(), default_model="fast", profile="prod")

    fiber.sync.chat("x")
    fiber.with_options(profile="dev").sync.chat("x")

    assert asked(transport) == ["big", "one"]


def test_the_other_models_of_an_alias_are_its_fallback() -> None:
    """In order; the call knows what it was asked for."""
    fiber, transport, watch = watched(BUSY, BUSY, whole("A"), lockfile=LOCKFILE, api_keys=KEYS)

    result = fiber.sync.chat("x", model="fast")

    assert asked(transport) == ["one", "two", "three"]
    assert result.text == "A"
    assert watch.calls[0].alias == "fast"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({"fallback": ["openai:mine"]}, ["one", "mine"], id="its own"),
        pytest.param({"fallback": []}, ["one"], id="none"),
        pytest.param({"fallback": ["single", "openai:x"]}, ["one", "only", "x"], id="an alias"),
        pytest.param({"fallback": ["fast"], "profile": "prod"}, ["big", "big"], id="an alias of the profile"),
        pytest.param({"model": "openai:x", "fallback": ["fast"]}, ["x", "one", "two", "three"], id="all of an alias"),
    ],
)
def test_a_call_may_have_a_fallback_of_its_own(options: dict[str, Any], expected: list[str]) -> None:
    """It is used instead of that of the alias, whether the call, a view or the client said it."""
    model = options.pop("model", "fast")
    for place in ("call", "view", "client"):
        said = [options if place == here else {} for here in ("client", "view", "call")]
        fiber, transport = client(*[BUSY] * 9, **said[0])
        with pytest.raises(FiberError, match=r"503|failed"):
            fiber.with_options(**said[1]).sync.chat("x", model=model, **said[2])

        assert asked(transport) == expected


def test_an_alias_without_a_configured_provider_says_what_its_first_one_needs() -> None:
    """As that model would itself."""
    fiber, transport = client()

    with pytest.raises(FiberAuthError, match="MISTRAL_API_KEY"):
        fiber.sync.chat("x", model="none", fallback=[])
    assert transport.requests == []


def test_a_model_of_nobody_in_an_alias_is_told() -> None:
    """Before anything is sent, though another one could be asked."""
    fiber, transport = client()

    with pytest.raises(FiberModelNotFoundError, match=r"'nobodys-model'.* It is a model of the alias 'lost'\."):
        fiber.sync.chat("x", model="lost")
    assert transport.requests == []


def test_an_unknown_name_is_told_with_what_may_be_meant() -> None:
    """An alias that must be asked for by its package; one of another profile is told by `explain` too."""
    fiber, _ = client(profile="prod")

    with pytest.raises(FiberModelNotFoundError, match="write acme:short"):
        fiber.sync.chat("x", model="short")
    with pytest.raises(FiberModelNotFoundError, match="bound in dev, and the profile is prod"):
        fiber.sync.route("single")
    with pytest.raises(FiberModelNotFoundError, match=r"add a prefix to ModelRegistry\.(?! Near)"):
        fiber.sync.route("zzz")


@pytest.mark.parametrize("name", ["stage", ["dev"]])
def test_an_unknown_profile_is_an_error_of_the_call(name: str) -> None:
    """With a lockfile and without."""
    fiber, transport = client()
    bare, _ = scripted()

    for each in (fiber, bare):
        with pytest.raises(FiberValidationError, match="There is no profile"):
            each.sync.chat("x", profile=name)
    with pytest.raises(FiberValidationError, match="There is no profile"):
        Fiber(profile="stage")
    assert transport.requests == []


def test_every_step_is_explained() -> None:
    """The alias, what is left out, and the route of the first; without a call."""
    fiber, _ = client()

    alias = fiber.explain("far")

    assert alias == fiber.route("far").steps
    assert alias == (
        "alias in fiber.lock, profile dev: mistral:m, azure:m, openai:near, bedrock:m",
        "mistral:m is left out: mistral has no key, or no place",
        "azure:m is left out: azure has no key, or no place",
        "bedrock:m is left out: bedrock has no key, or no place",
        "first of the alias: openai:near",
        "'openai' before the first ':' is a provider: openai",
    )
    assert fiber.explain("openai:x")[0] == "no alias in fiber.lock, profile dev"
    assert fiber.explain("openai:x") == fiber.route("openai:x").steps
    assert fiber.explain("x", provider="groq") == ("provider='groq' was given: groq",)


def test_a_step_that_fails_is_explained_too() -> None:
    """It is the last one."""
    fiber, _ = client()

    *steps, last = fiber.explain("lost")
    *before, unknown = fiber.explain("short")

    assert steps == ["alias in fiber.lock, profile dev: openai:one, nobodys-model"]
    assert last.endswith("It is a model of the alias 'lost'.")
    assert before == ["no alias in fiber.lock, profile dev", "no exact name", "no prefix"]
    assert unknown.endswith("write acme:short.")
    assert fiber.explain("")[-1].startswith("No model: ")


PRICED = ModelCatalog(
    overrides={
        "openai:dear": {"rates": {"input": "9", "output": "9"}},
        "groq:cheap": {"rates": {"input": "1", "output": "1"}, "cannot": "tools", "max_input": 8000},
        "anthropic:middle": {"rates": {"input": "5", "output": "1"}},
    }
)
POOL = Lockfile(
    path="fiber.lock",
    profiles={"default": names(any=["openai:unknown", "openai:dear", "anthropic:middle", "groq:cheap"])},
)
TOOLS = [{"name": "f"}]


def pool(*script: Any, **options: Any) -> tuple[Fiber, FakeTransport]:
    """Make a client of an alias whose models have prices."""
    return client(*script, **{"lockfile": POOL, "catalog": PRICED, **options})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "unknown"),
        ({"alias_order": "listed"}, "unknown"),
        ({"alias_order": "cost"}, "cheap"),
        ({"alias_order": "cost", "provider": "openai"}, "any"),
        ({"alias_order": "cost", "tools": TOOLS, "max_tokens": 9}, "dear"),
        ({"alias_order": "cost", "tools": TOOLS, "emulate_tools": True}, "cheap"),
        ({"alias_order": "cost", "model": "openai:dear"}, "dear"),
    ],
)
def test_the_cheapest_of_an_alias_is_first_where_that_is_asked_for(said: dict[str, Any], expected: str) -> None:
    """What it costs depends on what is asked; who is known not to take it, and whose price nobody knows, come later."""
    prices = {"anthropic:middle": {"input": "500", "output": "1"}}
    fiber, transport = pool(whole(), prices=PriceTable(prices))

    fiber.sync.chat("Hi", **{"model": "any", **said})

    assert asked(transport) == [expected]


def test_the_order_of_costs_is_that_of_the_fallback_too() -> None:
    """It is on the receipt and explained, which needs what is to be asked; a client may have it as default."""
    fiber, transport = pool(BUSY, BUSY, whole(), alias_order="cost", retry=NO_RETRY)
    order = (
        "by estimated cost: groq:cheap 0.001008 USD, anthropic:middle 0.001040 USD, openai:dear 0.009072 USD,"
        " openai:unknown has no price"
    )
    tools = ("by estimated cost: anthropic:middle ", "openai:unknown has no price, groq:cheap cannot take it")

    whole_answer = fiber.sync.chat("Hi", model="any", max_tokens=1000, alias_order="cost")

    assert asked(transport) == ["cheap", "middle", "dear"]
    assert whole_answer.receipt.mapped == ()
    assert fiber.explain("any", request="Hi")[-1] == order
    assert fiber.explain("any", request={"messages": "Hi", "tools": TOOLS})[-1].startswith(tools[0])
    assert fiber.explain("any", request={"messages": "Hi", "tools": TOOLS})[-1].endswith(tools[1])
    assert fiber.explain("any")[-1].startswith("alias_order is 'cost': the cheapest for what is asked")
    assert fiber.explain("openai:dear", request="Hi")[-1] == "'openai' before the first ':' is a provider: openai"
    kept, _ = pool(whole(), alias_order="cost")
    assert kept.sync.chat("Hi", model="any").receipt.mapped == (f"model: {order}",)


def test_an_unknown_order_is_refused() -> None:
    """The message lists those that there are."""
    with pytest.raises(FiberValidationError, match="use one of listed, cost") as caught:
        pool()[0].sync.chat("Hi", model="any", alias_order="price")

    assert caught.value.parameter == "alias_order"


def openai(api: Any, **options: Any) -> Fiber:
    """Make a client whose calls may leave open which API of OpenAI is asked."""
    return client(openai_api=api, lockfile=None, **options)[0]


def test_which_api_of_openai_is_explained() -> None:
    """Where the call leaves it open, and with what is to be asked, where that decides."""
    model = "gpt-6-sol"
    found = openai("auto").explain(model)
    last = [
        openai("auto").explain(model, request=request)[-1]
        for request in ("Hi", {"messages": "Hi", "seed": 1}, {"messages": "Hi", "seed": "x"})
    ]

    assert found[:-1] == openai("chat").explain(model) == openai("auto").route(model).steps
    assert found[-1].startswith("openai_api is 'auto': what is asked decides between openai and openai-responses")
    assert last[0].endswith("openai-responses, because the model reasons, and has no functions to call")
    assert last[1].endswith("openai, because the Responses API cannot take seed")
    assert last[2] == "seed must be a whole number, not 'x'."
    assert openai("responses").explain(model)[-1].endswith("openai-responses, because openai_api says so")
    for named in ("openai:gpt-6-sol", "openai-responses:gpt-6-sol", "claude-sonnet-5-5"):
        assert openai("auto").explain(named, request="Hi") == openai("chat").explain(named)


def test_an_api_that_is_another_server_is_not_chosen() -> None:
    """A call goes to no host, and with no key, that was not meant for it."""
    mine = OPENAI.replace(base_url="https://mine.example/v1")
    own = OPENAI.replace(adapter="anthropic")
    keyless = {"openai-responses": "", "openai": KEY}
    clients = {
        "another base URL": openai("auto", base_urls={"openai-responses": "https://other.example/v1"}),
        "has another base URL": openai("auto", providers=[mine]),
        "a row of your own": openai("auto", providers=[own]),
        "has no key": openai("auto", api_keys=keyless),
    }

    for why, fiber in clients.items():
        assert fiber.explain("gpt-6-sol", request="Hi")[-1].startswith("openai_api is 'auto': openai, because ")
        assert why in fiber.explain("gpt-6-sol", request="Hi")[-1]


def test_an_unknown_api_of_openai_is_refused() -> None:
    """The message lists those that there are."""
    with pytest.raises(FiberValidationError, match="use one of auto, chat, responses") as caught:
        openai("both")

    assert caught.value.parameter == "openai_api"


def test_an_estimate_takes_an_alias() -> None:
    """Its first model is what is paid for."""
    lockfile = Lockfile(profiles={"default": names(fast=["openai:gpt-6-luna"])})
    fiber, _ = scripted(lockfile=lockfile)

    direct = fiber.estimate_cost("x", model="openai:gpt-6-luna")

    assert fiber.estimate_cost("x", model="fast") == direct
    assert direct.usd is not None


def test_a_model_that_nobody_knows_is_answered_with_those_that_it_may_be() -> None:
    """By the catalogue of the client, as they are written; a name that is like none has no such sentence."""
    fiber = Fiber(api_keys=KEYS)

    with pytest.raises(FiberModelNotFoundError) as near:
        fiber.sync.chat("Hi", model="claud-opus-4-5")
    with pytest.raises(FiberModelNotFoundError) as far:
        fiber.sync.chat("Hi", model="xyzzy")

    assert " The catalogue has anthropic:claude-opus-4-5, " in near.value.message
    assert "catalogue" not in far.value.message
