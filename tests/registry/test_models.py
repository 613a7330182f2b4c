"""Prefix routing."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import FiberModelNotFoundError, FiberValidationError
from fiber.providers.row import Provider
from fiber.providers.table import PROVIDERS
from fiber.registry.models import ModelRegistry, Route


def row(name: str, *prefixes: str, aliases: tuple[str, ...] = ()) -> Provider:
    """A row of which only the names matter."""
    return Provider(name=name, base_url=f"https://{name}.test", prefixes=prefixes, aliases=aliases)


ROWS = (
    row("openai", "gpt-", "o1", "o3", "text-"),
    row("anthropic", "claude-", aliases=("claude",)),
    row("gemini", "gemini-", aliases=("google",)),
    row("ollama"),
    row("openrouter"),
    row("mirror", "gpt-", "gpt-6"),
)
REGISTRY = ModelRegistry(ROWS, exact={"gpt-6-special": "google", "o1/exact": "mirror"}, prefixes={"my-": "claude"})


def where(model: str, registry: ModelRegistry = REGISTRY, **options: Any) -> tuple[str, str]:
    """Provider and model of a route."""
    route = registry.resolve(model, **options)
    return route.provider, route.model


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        pytest.param("gpt-5", "anthropic", ("anthropic", "gpt-5"), id="provider wins over prefix"),
        pytest.param("gpt-6-special", "openai", ("openai", "gpt-6-special"), id="provider wins over exact"),
        pytest.param("claude:x", "openai", ("openai", "claude:x"), id="provider wins over reference"),
        pytest.param("openai:gpt-5", "openai", ("openai", "gpt-5"), id="provider twice"),
        pytest.param("google:x", "gemini", ("gemini", "x"), id="provider twice by alias"),
        pytest.param("gemini:x", "google", ("gemini", "x"), id="provider by alias"),
        pytest.param("openai:", "openai", ("openai", "openai:"), id="nothing behind the provider"),
        pytest.param("openai/gpt-5", "openrouter", ("openrouter", "openai/gpt-5"), id="slash belongs to the model"),
        pytest.param("llama3:8b", "ollama", ("ollama", "llama3:8b"), id="colon belongs to the model"),
        pytest.param("openrouter/auto", "openrouter", ("openrouter", "openrouter/auto"), id="slash is kept"),
        pytest.param("anything", "ollama", ("ollama", "anything"), id="no lookup"),
        pytest.param("openai:gpt-5", None, ("openai", "gpt-5"), id="colon"),
        pytest.param("ollama:llama3:8b", None, ("ollama", "llama3:8b"), id="first colon only"),
        pytest.param("claude:x", None, ("anthropic", "x"), id="colon behind an alias"),
        pytest.param("openai:gpt-6-special", None, ("openai", "gpt-6-special"), id="reference wins over exact"),
        pytest.param("ollama:a/b", None, ("ollama", "a/b"), id="colon before slash"),
        pytest.param("openai/gpt-5", None, ("openai", "gpt-5"), id="slash"),
        pytest.param("openrouter/openai/gpt-5", None, ("openrouter", "openai/gpt-5"), id="first slash only"),
        pytest.param("openrouter/a/b:free", None, ("openrouter", "a/b:free"), id="slash with a later colon"),
        pytest.param("google/x", None, ("gemini", "x"), id="slash behind an alias"),
        pytest.param("gpt-6-special", None, ("gemini", "gpt-6-special"), id="exact wins over prefix"),
        pytest.param("o1/exact", None, ("mirror", "o1/exact"), id="exact with a slash"),
        pytest.param("gpt-6-other", None, ("mirror", "gpt-6-other"), id="longest prefix"),
        pytest.param("gpt-6", None, ("mirror", "gpt-6"), id="prefix is the whole name"),
        pytest.param("gpt-5", None, ("openai", "gpt-5"), id="tie goes to the preferred"),
        pytest.param("gpt-5:tuned/x", None, ("openai", "gpt-5:tuned/x"), id="separators in the name"),
        pytest.param("text-embedding-9", None, ("openai", "text-embedding-9"), id="text"),
        pytest.param("o3-pro", None, ("openai", "o3-pro"), id="o"),
        pytest.param("claude-x", None, ("anthropic", "claude-x"), id="claude"),
        pytest.param("gemini-x", None, ("gemini", "gemini-x"), id="gemini"),
        pytest.param("my-model", None, ("anthropic", "my-model"), id="further prefix"),
    ],
)
def test_model_goes_to_its_provider(model: str, provider: str | None, expected: tuple[str, str]) -> None:
    """Provider, reference, exact name and longest prefix decide, in this order."""
    assert where(model, provider=provider) == expected


@pytest.mark.parametrize(
    ("model", "provider"),
    [
        ("gpt-6.1-mini", "openai"),
        ("chatgpt-4o-latest", "openai"),
        ("o1-pro", "openai"),
        ("o3", "openai"),
        ("o4-mini", "openai"),
        ("text-embedding-3-small", "openai"),
        ("claude-sonnet-5-5", "anthropic"),
        ("gemini-3.8-flash", "gemini"),
        ("openai-responses:gpt-6.1-mini", "openai-responses"),
    ],
)
def test_bundled_rows_know_their_models(model: str, provider: str) -> None:
    """The rows of this library route the names that people write."""
    assert where(model, ModelRegistry(PROVIDERS))[0] == provider


@pytest.mark.parametrize(
    ("preference", "expected"),
    [
        (None, "openai"),
        (("mirror", "openai"), "mirror"),
        (("copy", "mirror"), "copy"),
        (("double",), "copy"),
        (("gemini",), "copy"),
        (("mirror",), "mirror"),
    ],
    ids=str,
)
def test_preference_decides_among_ties(preference: Any, expected: str) -> None:
    """Among prefixes of equal length the preferred provider wins; others come after, sorted; aliases count."""
    rows = (*ROWS, row("copy", "gpt-", aliases=("double",)))

    assert where("gpt-5", ModelRegistry(rows, preference=preference))[0] == expected


def test_tie_without_preference_is_an_error() -> None:
    """Where nothing is preferred, a tie names its candidates and three remedies."""
    with pytest.raises(FiberModelNotFoundError) as caught:
        where("gpt-5", ModelRegistry(ROWS, preference=()))

    error = caught.value
    assert error.message == (
        "Model 'gpt-5' fits several providers (mirror, openai) and none is preferred:"
        " say provider=..., write mirror:gpt-5, or give the registry a preference."
    )
    assert (error.model, error.outcome) == ("gpt-5", "not_sent")


def test_one_provider_is_no_tie() -> None:
    """A prefix that one provider names twice is not a tie."""
    registry = ModelRegistry([row("a", "x-", "x-")], prefixes={"x-": "a"}, preference=())

    assert where("x-1", registry) == ("a", "x-1")


def test_name_wins_over_an_alias() -> None:
    """A row's name is its own, whatever another row calls itself; of two aliases, the first row's counts."""
    first, second, named = row("a", aliases=("c", "d")), row("b", aliases=("d",)), row("c")

    for rows in ([first, second, named], [named, first, second]):
        registry = ModelRegistry(rows)
        assert [registry.resolve(f"{name}:x").provider for name in "abcd"] == ["a", "b", "c", "a"]


def test_registry_without_rows_knows_nothing() -> None:
    """A registry of no rows finds no model."""
    registry = ModelRegistry([])

    assert (registry.providers, registry.prefixes) == ((), {})
    with pytest.raises(FiberModelNotFoundError):
        registry.resolve("gpt-5")


# -- errors -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["llama-9", "", "unknown:model", "unknown/model", "openai:", "GPT-5", ":", "/"])
def test_unknown_model_is_an_error(model: str) -> None:
    """A model that no row claims names the providers and three remedies."""
    with pytest.raises(FiberModelNotFoundError) as caught:
        REGISTRY.resolve(model)

    error = caught.value
    assert error.message.startswith(f"No provider is known for model {model!r}.")
    assert "Write provider:model (providers: anthropic, gemini, mirror, ollama, openai, openrouter)" in error.message
    assert "say provider=..., or add a prefix to ModelRegistry." in error.message
    assert (error.model, error.outcome, error.status_code) == (model, "not_sent", None)


@pytest.mark.parametrize(
    ("model", "near"),
    [
        ("gtp-5", "gpt-"),
        ("claud-x", "claude-"),
        ("GEMINI-", "gemini-"),
        ("gemni-3.8-flash", "gemini-"),
        ("opnai", "openai"),
    ],
)
def test_unknown_model_has_suggestions(model: str, near: str) -> None:
    """A misspelled name is answered with what is near it."""
    with pytest.raises(FiberModelNotFoundError, match=rf"Near: .*\b{near}"):
        REGISTRY.resolve(model)


def test_model_like_nothing_has_no_suggestion() -> None:
    """Where nothing is near, nothing is suggested."""
    with pytest.raises(FiberModelNotFoundError) as caught:
        REGISTRY.resolve("zzzzzzzzzzzz")

    assert "Near" not in caught.value.message


@pytest.mark.parametrize(
    "make",
    [
        lambda: REGISTRY.resolve("gpt-5", provider="opena1"),
        lambda: ModelRegistry(ROWS, exact={"x": "opena1"}),
        lambda: ModelRegistry(ROWS, prefixes={"x": "opena1"}),
        lambda: ModelRegistry(ROWS, preference=("opena1",)),
    ],
    ids=["call", "exact", "prefixes", "preference"],
)
def test_unknown_provider_is_an_error(make: Any) -> None:
    """A provider that no row has is refused wherever it is named, with what is near it."""
    with pytest.raises(FiberValidationError, match="Provider 'opena1' is not known: use one of anthropic") as caught:
        make()

    assert "Did you mean 'openai'?" in caught.value.message
    assert (caught.value.parameter, caught.value.outcome) == ("provider", "not_sent")


def test_unknown_provider_like_nothing() -> None:
    """Where nothing is near, no provider is suggested."""
    with pytest.raises(FiberValidationError) as caught:
        REGISTRY.resolve("gpt-5", provider="zzz")

    assert "Did you mean" not in caught.value.message


# -- diagnostics --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "options", "steps"),
    [
        ("x", {"provider": "google"}, ["provider='google' was given: gemini"]),
        ("claude:x", {}, ["'claude' before the first ':' is a provider: anthropic"]),
        (
            "openai/gpt-5:x",
            {},
            [
                "'openai/gpt-5' before the first ':' is no provider",
                "'openai' before the first '/' is a provider: openai",
            ],
        ),
        ("gpt-6-special", {}, ["exact name: gemini"]),
        ("gpt-6-x", {}, ["no exact name", "longest prefix 'gpt-6': mirror"]),
        ("gpt-5", {}, ["no exact name", "longest prefix 'gpt-': openai, mirror", "preference: openai"]),
    ],
)
def test_steps_of_a_route(model: str, options: Any, steps: list[str]) -> None:
    """Every step is told in words, the deciding one last, by the route and by `explain` alike."""
    assert list(REGISTRY.resolve(model, **options).steps) == steps
    assert list(REGISTRY.explain(model, **options)) == steps


@pytest.mark.parametrize(
    ("model", "options", "steps"),
    [
        ("x", {"provider": "zzz"}, ["Provider 'zzz' is not known"]),
        ("zzz", {}, ["no exact name", "no prefix", "No provider is known for model 'zzz'"]),
        (
            "a:b/c",
            {},
            [
                "'a' before the first ':' is no provider",
                "'a:b' before the first '/' is no provider",
                "no exact name",
                "no prefix",
                "No provider is known",
            ],
        ),
        (
            "openai:",
            {},
            ["'openai' before the first ':' has nothing after it", "no exact name", "no prefix", "No provider"],
        ),
    ],
)
def test_steps_of_a_failure(model: str, options: Any, steps: list[str]) -> None:
    """`explain` never raises: the failure is its last step."""
    found = REGISTRY.explain(model, **options)

    assert [step[: len(start)] for step, start in zip(found, steps, strict=True)] == steps


def test_steps_of_a_tie() -> None:
    """An undecided tie tells its candidates."""
    found = ModelRegistry(ROWS, preference=()).explain("gpt-5")

    assert found[1] == "longest prefix 'gpt-': mirror, openai"
    assert found[2].startswith("Model 'gpt-5' fits several providers")


def test_registry_can_be_read() -> None:
    """A registry tells its providers and prefixes, and its text holds nothing else."""
    registry = ModelRegistry([row("b", "y-", "x-", aliases=("c",)), row("a", "x-")])

    assert registry.providers == ("b", "a")
    assert registry.prefixes == {"x-": ("b", "a"), "y-": ("b",)}
    assert repr(registry) == "ModelRegistry(providers=['a', 'b'], prefixes=['x-', 'y-'])"


def test_route_is_a_value() -> None:
    """Routes compare by what they say."""
    assert Route("a", "m") == Route("a", "m", ())
    assert [REGISTRY.resolve(name).by_name for name in ("gpt-5", "openai:gpt-5")] == [True, False]
    assert not REGISTRY.resolve("gpt-5", provider="openai").by_name


NAMES = ("a", "b", "c", "d")


@given(
    st.lists(st.tuples(st.sampled_from(NAMES), st.text("xy", min_size=1, max_size=3)), max_size=8, unique=True),
    st.permutations(NAMES),
    st.text("xy", max_size=4),
    st.randoms(use_true_random=False),
)
def test_order_of_insertion_does_not_matter(
    pairs: list[tuple[str, str]], preference: list[str], model: str, random: Any
) -> None:
    """The longest prefix and the preference decide, in whatever order rows and prefixes were named."""

    def steps(names: list[str], pairs: list[tuple[str, str]]) -> tuple[str, ...]:
        rows = [row(name, *(prefix for owner, prefix in pairs if owner == name)) for name in names]
        return ModelRegistry(rows, preference=preference).explain(model)

    shuffled, names = list(pairs), list(NAMES)
    random.shuffle(shuffled)
    random.shuffle(names)

    fits = [(-len(prefix), preference.index(name)) for name, prefix in pairs if model.startswith(prefix)]
    found = steps(list(NAMES), pairs)
    assert steps(names, shuffled) == found
    assert not fits or found[-1].endswith(preference[min(fits)[1]])


# -- one more provider --------------------------------------------------------------------------------------------


def test_a_copy_knows_one_more_provider() -> None:
    """By name, alias and prefix; the registry itself stays as it is."""
    copy = REGISTRY.with_provider(row("acme", "acme-", aliases=("ac",)))

    assert [where(model, copy) for model in ("acme:x", "ac/x", "acme-large")] == [
        ("acme", "x"),
        ("acme", "x"),
        ("acme", "acme-large"),
    ]
    assert "acme" not in REGISTRY.providers
    with pytest.raises(FiberModelNotFoundError):
        REGISTRY.resolve("acme-large")


def test_a_copy_keeps_what_the_registry_was_given() -> None:
    """Exact names, further prefixes, and the order of preference, in which the new row is last."""
    copy = REGISTRY.with_provider(row("acme", "gpt-", "my-"))

    assert where("gpt-6-special", copy) == ("gemini", "gpt-6-special")
    assert where("my-model", copy) == ("anthropic", "my-model")
    assert where("gpt-4", copy) == ("openai", "gpt-4")


@pytest.mark.parametrize(
    ("preference", "provider"), [(("mirror",), "mirror"), (("mirror", "openai"), "mirror"), (("openai",), "openai")]
)
def test_a_copy_keeps_the_preference_that_was_given(preference: tuple[str, ...], provider: str) -> None:
    """A row that it does not name comes after those that it names."""
    copy = ModelRegistry(ROWS, preference=preference).with_provider(row("acme", "gpt-"))

    assert where("gpt-4", copy)[0] == provider


def test_a_copy_keeps_ties_an_error() -> None:
    """No preference is a choice too."""
    copy = ModelRegistry([row("openai", "gpt-")], preference=()).with_provider(row("acme", "gpt-"))

    with pytest.raises(FiberModelNotFoundError, match="none is preferred"):
        copy.resolve("gpt-4")


def test_a_row_takes_the_place_of_the_one_of_its_name() -> None:
    """Its prefixes and aliases are those that count, and its rank is the old one."""
    copy = REGISTRY.with_provider(row("openai", "gpt-", "new-"))

    assert where("new-1", copy) == ("openai", "new-1")
    assert where("gpt-4", copy)[0] == "openai"
    with pytest.raises(FiberModelNotFoundError):
        copy.resolve("o3-mini")
    assert copy.providers == REGISTRY.providers
