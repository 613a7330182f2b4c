"""The only reader of the environment."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fiber import _env
from fiber.providers.row import Provider
from fiber.providers.table import PROVIDERS
from fiber.types.http import Secret

ROWS = (
    Provider(name="a", base_url="https://a", key_env=("A_KEY", "A_OLD_KEY"), base_url_env=("A_URL",)),
    Provider(name="b", base_url="https://b", key_env=("B_KEY",), base_url_env=("B_URL", "B_OLD_URL")),
    Provider(name="c", base_url="https://c"),
)


def test_nothing_is_set_in_the_tests() -> None:
    """The tests see no key, URL or choice of the machine they run on."""
    assert _env.keys(PROVIDERS) == {}
    assert _env.base_urls(PROVIDERS) == {}
    assert _env.default_model() == ""


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({}, {}, id="none"),
        pytest.param({"A_KEY": "1"}, {"a": "1"}, id="one"),
        pytest.param({"A_KEY": "1", "A_OLD_KEY": "2", "B_KEY": "3"}, {"a": "1", "b": "3"}, id="first wins"),
        pytest.param({"A_OLD_KEY": "2"}, {"a": "2"}, id="second"),
        pytest.param({"A_KEY": "", "A_OLD_KEY": "2"}, {"a": "2"}, id="empty is not set"),
        pytest.param({"A_KEY": " \n", "B_KEY": " 3 \n"}, {"b": "3"}, id="white space"),
        pytest.param({"C_KEY": "4"}, {}, id="undocumented"),
    ],
)
def test_keys_are_read_by_row(
    variables: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first variable of a row that holds something is its key."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert _env.keys(ROWS) == expected


def test_base_urls_are_read_by_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first URL variable of a row that holds something is its base URL."""
    monkeypatch.setenv("A_URL", " http://local ")
    monkeypatch.setenv("B_URL", "")
    monkeypatch.setenv("B_OLD_URL", "http://old")

    assert _env.base_urls(ROWS) == {"a": "http://local", "b": "http://old"}


def test_row_reads_its_base_url_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OLLAMA_HOST` need not be a URL; `OLLAMA_BASE_URL` goes before it."""
    monkeypatch.setenv("OLLAMA_HOST", "0.0.0.0:8080")
    host = _env.base_urls(PROVIDERS)
    monkeypatch.setenv("OLLAMA_BASE_URL", "http://localhost:9090")

    assert (host, _env.base_urls(PROVIDERS)) == (
        {"ollama": "http://127.0.0.1:8080"},
        {"ollama": "http://localhost:9090"},
    )


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        pytest.param({"D_PROJECT": " p "}, {"d": "https://world.d/p"}, id="by its words"),
        pytest.param({"D_PROJECT": "p", "D_REGION": "eu"}, {"d": "https://eu.d/p"}, id="by all of them"),
        pytest.param({"D_REGION": "eu"}, {}, id="too few"),
        pytest.param({"D_PROJECT": "p", "D_URL": "https://own"}, {"d": "https://own"}, id="a whole one wins"),
    ],
)
def test_places_of_base_urls_are_read_by_row(
    variables: dict[str, str], expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A base URL with places is made of its variables, when all that it needs are there."""
    row = Provider(
        name="d",
        base_url="https://{region}.d/{project}",
        base_url_env=("D_URL",),
        places={"project": ("D_PROJECT",), "region": ("D_REGION",)},
        fill=lambda words: {"region": "world", **words},
    )
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert _env.base_urls([row]) == expected


def test_key_of_several_variables_is_made_by_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that reads its key itself is shown the environment; none is no key."""

    def read(variables: Mapping[str, str]) -> Secret | None:
        return Secret(variables["ONE"] + variables["TWO"]) if "TWO" in variables else None

    row = Provider(name="a", base_url="https://a", key_env=("ONE",), read_key=read)
    monkeypatch.setenv("ONE", "1")
    before = _env.keys([row])
    monkeypatch.setenv("TWO", "2")

    assert before == {}
    assert _env.keys([row]) == {"a": Secret("12")}


def test_one_key_serves_every_row_that_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows may share a variable."""
    monkeypatch.setenv("OPENAI_API_KEY", "k")

    assert _env.keys(PROVIDERS) == {"openai": "k", "openai-responses": "k"}


def test_choices_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the white space around them."""
    monkeypatch.setenv("FIBER_MODEL", " gpt-6 ")
    monkeypatch.setenv("FIBER_HTTP", "httpx2\n")
    monkeypatch.setenv("FIBER_LOCKFILE", " a.lock ")
    monkeypatch.setenv("FIBER_PROFILE", "prod ")

    assert (_env.default_model(), _env.http_library()) == ("gpt-6", "httpx2")
    assert (_env.lockfile(), _env.profile()) == ("a.lock", "prod")


def test_environment_is_read_at_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is remembered."""
    monkeypatch.setenv("A_KEY", "1")
    first = _env.keys(ROWS)
    monkeypatch.setenv("A_KEY", "2")

    assert (first, _env.keys(ROWS)) == ({"a": "1"}, {"a": "2"})


@pytest.mark.parametrize(
    ("variables", "scheme", "host", "expected"),
    [
        pytest.param({}, "https", "a.example", "", id="none"),
        pytest.param({"HTTPS_PROXY": "http://p"}, "https", "a.example", "http://p", id="https"),
        pytest.param({"https_proxy": "http://p"}, "https", "a.example", "http://p", id="lower case"),
        pytest.param({"HTTPS_PROXY": "http://p"}, "http", "a.example", "", id="another scheme"),
        pytest.param({"ALL_PROXY": "http://p"}, "http", "a.example", "http://p", id="all"),
        pytest.param({"ALL_PROXY": "http://p", "HTTP_PROXY": "http://q"}, "http", "a", "http://q", id="nearest"),
        pytest.param({"ALL_PROXY": "http://p", "NO_PROXY": "*"}, "https", "a.example", "", id="none for all"),
        pytest.param({"ALL_PROXY": "http://p", "NO_PROXY": "b, .example"}, "https", "a.example:8080", "", id="domain"),
        pytest.param(
            {"ALL_PROXY": "http://p", "NO_PROXY": "a.example:1"}, "https", "a.example:2", "http://p", id="port"
        ),
        pytest.param({"ALL_PROXY": "http://p", "NO_PROXY": "localhost,::1"}, "http", "[::1]:8080", "", id="IPv6"),
        pytest.param({"ALL_PROXY": "http://p", "NO_PROXY": "::1"}, "http", "[::1]", "", id="IPv6 without port"),
        pytest.param({"ALL_PROXY": "http://p", "NO_PROXY": "::1"}, "http", "[::2]:80", "http://p", id="another IPv6"),
        pytest.param({"NO_PROXY": "b"}, "https", "a.example", "", id="only exceptions"),
    ],
)
def test_the_proxy_to_an_origin_is_read(
    variables: dict[str, str], scheme: str, host: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As other programs read these variables; an IPv6 address is written in `NO_PROXY` with or without its port."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert _env.proxy_for(scheme, host) == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [({}, ""), ({"FIBER_TRANSPORT": " direct "}, "direct"), ({"FIBER_HTTP": "httpx2"}, "httpx")],
)
def test_the_transport_is_read(variables: dict[str, str], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who names a library of HTTP wants the transport that uses it."""
    monkeypatch.delenv("FIBER_HTTP", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert _env.transport() == expected


@pytest.mark.parametrize(
    ("said", "captures"),
    [("SPAN_ONLY", True), ("Span_And_Event", True), (" true ", True), ("EVENT_ONLY", False), ("1", False), ("", False)],
)
def test_content_is_captured_where_the_standard_variable_means_spans(
    said: str, captures: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In any case of letters; not when it is not set."""
    before = _env.captures_content()
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT", said)

    assert (before, _env.captures_content()) == (False, captures)
