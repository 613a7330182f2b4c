"""What a row says."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from typing import Any

import pytest

from fiber._errors import FiberAuthError, FiberValidationError
from fiber.adapters import load
from fiber.providers.auth import bearer
from fiber.providers.aws import AWSKeys
from fiber.providers.compatible import openai_compatible
from fiber.providers.row import Provider, in_region_of, secret_of, with_row
from fiber.types.http import Secret
from fiber.types.target import Quirks


def test_row_has_defaults() -> None:
    """A name and a URL make a row for a server that speaks the OpenAI chat format and wants a key."""
    row = Provider(name="acme", base_url="https://acme.test/v1")

    assert (row.adapter, row.auth, row.needs_key, row.models_path) == ("openai_chat", bearer, True, "/models")
    assert row.quirks == Quirks()


@pytest.mark.parametrize("name", ["a", "acme-2", "my_server", "x.y"])
def test_row_name_is_accepted(name: str) -> None:
    """A lower-case word is a name."""
    assert Provider(name=name, base_url="https://h").name == name


@pytest.mark.parametrize("name", ["", "Acme", "a:b", "a/b", "a b"])
def test_row_name_is_refused(name: str) -> None:
    """A name that a reference could not hold is refused."""
    with pytest.raises(FiberValidationError, match="use lower-case letters, digits, '-' and '_'") as caught:
        Provider(name=name, base_url="https://h")

    assert (caught.value.parameter, caught.value.outcome) == ("providers", "not_sent")


@pytest.mark.parametrize("adapter", ["opneai_chat", "", None, 5, ["openai_chat"]])
def test_adapter_is_refused(adapter: Any) -> None:
    """A row names a format of this library, or brings its own; a misspelling is seen at once."""
    with pytest.raises(FiberValidationError, match="replicate, or an Adapter") as caught:
        Provider(name="acme", base_url="https://h", adapter=adapter)

    assert (caught.value.parameter, caught.value.outcome) == ("providers", "not_sent")


def test_adapter_may_be_a_value() -> None:
    """A format of one's own."""
    adapter = load("gemini")

    assert Provider(name="acme", base_url="https://h", adapter=adapter).adapter is adapter


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h", "https://h"),
        ("https://h/v1/", "https://h/v1"),
        ("http://127.0.0.1:8080/v1//", "http://127.0.0.1:8080/v1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("HTTPS://h", "HTTPS://h"),
    ],
)
def test_base_url_loses_its_last_slash(url: str, expected: str) -> None:
    """Paths are appended to the base URL, so it ends without a slash."""
    assert Provider(name="acme", base_url=url).base_url == expected


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "must start with https://"),
        ("acme.test/v1", "must start with https://"),
        ("ftp://acme.test", "must start with https://"),
        ("https://", "must start with https://"),
        ("file:///etc/passwd", "must start with https://"),
        ("http://[::1", "is no URL: Invalid IPv6 URL"),
        ("http://acme.test:port", "is no URL: Port could not be cast"),
        ("http://acme.test:99999", "is no URL: Port out of range"),
        ("https://ann:secret@acme.test", "must not carry credentials"),
        ("https://secret@acme.test", "must not carry credentials"),
        ("ann:secret@acme.test", "must not carry credentials"),
        ("ftp://ann:secret@acme.test", "must not carry credentials"),
        ("https://acme.test?key=secret", "must not carry credentials, a query or a fragment"),
        ("https://acme.test#secret", "must not carry credentials, a query or a fragment"),
    ],
)
def test_base_url_is_checked(url: str, complaint: str) -> None:
    """A base URL is http or https and holds nothing secret, and the error never quotes a secret."""
    with pytest.raises(FiberValidationError, match=f"The base URL of acme {complaint}") as caught:
        Provider(name="acme", base_url=url)

    assert (caught.value.parameter, caught.value.outcome) == ("base_urls", "not_sent")
    assert "secret" not in str(caught.value)


def test_row_is_changed_by_copy() -> None:
    """A changed row is a new one, checked again."""
    row = Provider(name="acme", base_url="https://h", prefixes=("a-",))

    other = row.replace(name="mine", base_url="https://local/")

    assert (other.name, other.base_url, other.prefixes) == ("mine", "https://local", ("a-",))
    assert row.name == "acme"
    with pytest.raises(FiberValidationError):
        row.replace(base_url="local")
    with pytest.raises(AttributeError):
        row.name = "x"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("key_env", "advice"),
    [
        (("A_KEY",), "set A_KEY and"),
        (("A_KEY", "B_KEY"), "set A_KEY or B_KEY and"),
        ((), "pass api_keys={'acme': ...}"),
    ],
)
def test_missing_key_names_the_variable(key_env: tuple[str, ...], advice: str) -> None:
    """The error for a missing key says where a key is looked for."""
    error = Provider(name="acme", base_url="https://h", key_env=key_env).missing_key("m")

    assert isinstance(error, FiberAuthError)
    assert error.message.startswith("No key for acme: ")
    assert advice in error.message
    assert (error.provider, error.model, error.status_code, error.outcome) == ("acme", "m", None, "not_sent")
    assert not error.is_retryable


@pytest.mark.parametrize("key", ["sk-1", " sk-1\n", Secret("sk-1")])
def test_key_becomes_a_secret(key: Any) -> None:
    """A key loses the white space around it and becomes a secret."""
    assert secret_of(key, "acme") == Secret("sk-1")


@pytest.mark.parametrize("key", ["", "  ", "sk-1\nsk-2", "schlüssel", "sk\0", "\ufeffsk-1"], ids=ascii)
def test_key_that_no_header_carries(key: str) -> None:
    """A key that cannot be sent is refused and never quoted."""
    with pytest.raises(FiberAuthError, match="The key for acme is empty or has characters") as caught:
        secret_of(key, "acme")

    assert (caught.value.provider, caught.value.outcome) == ("acme", "not_sent")
    assert not key.strip() or key.strip() not in "".join(traceback.format_exception_only(caught.value))


ROWS = {
    "one": Provider(name="one", base_url="https://one", aliases=("first",)),
    "two": Provider(name="two", base_url="https://two"),
}


def test_a_row_is_added_to_a_copy() -> None:
    """Last, and the rows that were there stay as they are."""
    row = Provider(name="three", base_url="https://three", aliases=("third",))

    assert list(with_row(ROWS, row, replace=False).items()) == [*ROWS.items(), ("three", row)]
    assert list(ROWS) == ["one", "two"]


def test_a_row_is_replaced_on_purpose_only() -> None:
    """In its place; an alias of its own is free."""
    row = Provider(name="one", base_url="https://other", aliases=("first", "best"))

    with pytest.raises(FiberValidationError, match="replace=True") as caught:
        with_row(ROWS, row, replace=False)

    assert (caught.value.parameter, caught.value.outcome) == ("row", "not_sent")
    assert list(with_row(ROWS, row, replace=True).items()) == [("one", row), ("two", ROWS["two"])]


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize(
    ("name", "aliases", "word"),
    [("first", (), "'first'"), ("three", ("two",), "'two'"), ("three", ("new", "first"), "'first'")],
)
def test_a_word_of_another_row_is_taken(name: str, aliases: tuple[str, ...], word: str, replace: bool) -> None:
    """Names and aliases are one namespace, and `replace` is for the row of the same name."""
    row = Provider(name=name, base_url="https://three", aliases=aliases)

    with pytest.raises(FiberValidationError, match=f"{word} already stands for") as caught:
        with_row(ROWS, row, replace=replace)

    assert caught.value.parameter == "row"


@pytest.mark.parametrize("host", ["gateway.internal", "10.0.0.7:8000", "[fd00::1]", "localhost.example"])
def test_a_plain_url_of_another_machine_needs_leave(host: str) -> None:
    """The key would travel readable; loopback needs none."""
    url = f"http://{host}/v1"

    with pytest.raises(FiberValidationError, match="allow_http=True") as caught:
        Provider(name="mine", base_url=url)

    assert caught.value.parameter == "base_urls"
    assert Provider(name="mine", base_url=url, allow_http=True).base_url == url
    assert openai_compatible("mine", url, allow_http=True).allow_http


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "127.1.2.3", "[::1]:8080", "localhost", "a.localhost"])
def test_a_plain_url_of_this_machine_needs_no_leave(host: str) -> None:
    """Nobody is on the way."""
    assert Provider(name="mine", base_url=f"http://{host}/v1").base_url == f"http://{host}/v1"


def _complete(words: Mapping[str, str]) -> Mapping[str, str]:
    region = words.get("region", "world")
    return {"region": region, "host": f"{region}.example", **words}


TEMPLATE = Provider(
    name="acme",
    base_url="https://{host}/v1/{project}/{region}",
    base_url_env=("ACME_URL",),
    places={"project": ("ACME_PROJECT", "PROJECT"), "region": ("ACME_REGION",)},
    fill=_complete,
)


@pytest.mark.parametrize(
    ("words", "url"),
    [
        ({"project": "p"}, "https://world.example/v1/p/world"),
        ({"project": "a/b", "region": "eu"}, "https://eu.example/v1/a%2Fb/eu"),
        ({"project": "p", "host": "mine"}, "https://mine/v1/p/world"),
    ],
)
def test_places_of_a_base_url_are_filled(words: dict[str, str], url: str) -> None:
    """Words are percent-encoded, some follow from others, and the environment does not replace the result."""
    row = TEMPLATE.at(**words)

    assert (row.base_url, row.base_url_env) == (url, ())
    assert row.is_placed
    assert not TEMPLATE.is_placed


@pytest.mark.parametrize("words", [{}, {"region": "eu"}, {"project": ""}, {"project": "p", "zone": "z"}])
def test_places_want_their_words(words: dict[str, str]) -> None:
    """All of them, and no others."""
    with pytest.raises(FiberValidationError, match="say project, region, and nothing else") as caught:
        TEMPLATE.at(**words)

    assert (caught.value.parameter, caught.value.outcome) == ("base_urls", "not_sent")


def test_a_place_may_have_no_variable() -> None:
    """Its word is said in code."""
    row = Provider(name="acme", base_url="https://{resource}.example")

    assert row.at(resource="r").base_url == "https://r.example"
    with pytest.raises(FiberValidationError, match="say resource"):
        row.at()


@pytest.mark.parametrize(
    ("row", "advice"),
    [
        (TEMPLATE, "set ACME_URL and ACME_PROJECT or PROJECT for project, ACME_REGION for region and use"),
        (Provider(name="acme", base_url="https://{r}.example"), "set nothing and use"),
    ],
)
def test_missing_place_names_the_variables(row: Provider, advice: str) -> None:
    """The error for a base URL that is not whole shows it, and says how to complete it."""
    error = row.missing_place()

    assert row.base_url in error.message
    assert advice in error.message
    assert "base_urls={'acme': ...}" in error.message
    assert (error.parameter, error.outcome) == ("base_urls", "not_sent")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h", "https://h/openai/v1"),
        ("https://h/", "https://h/openai/v1"),
        ("https://h/other/", "https://h/other"),
    ],
)
def test_a_bare_base_url_gets_the_path_of_its_row(url: str, expected: str) -> None:
    """Some providers' own clients want the host alone; a URL with a path is meant as it is."""
    assert Provider(name="acme", base_url=url, base_path="/openai/v1").base_url == expected


def test_a_key_goes_to_further_hosts_only_from_its_own_address() -> None:
    """A gateway may be anybody's; other paths of the same host are the provider's."""
    row = Provider(name="acme", base_url="https://{region}.acme.example", answer_hosts=(".acme.example",))
    home = row.at(region="eu")

    assert home.answer_hosts == row.answer_hosts
    assert home.replace(base_url="https://eu.acme.example/v2").answer_hosts == row.answer_hosts
    assert home.replace(base_url="https://gateway.example").answer_hosts == ()
    assert home.replace(base_url="https://gateway.example", answer_hosts=("b.example",)).answer_hosts == ("b.example",)
    with pytest.raises(FiberValidationError):
        home.replace(base_url="https://[")


def test_key_of_another_row_is_not_taken_to_another_address() -> None:
    """A base URL may be anybody's; places of the row's own are the provider's."""
    row = Provider(name="acme-chat", base_url="https://{region}.acme.example", key_of="acme")

    assert row.replace(base_url="https://other.example").key_of == ""
    assert row.replace(base_url="https://other.example", key_of="acme").key_of == "acme"
    assert (row.at(region="eu").key_of, row.replace(name="second").key_of) == ("acme", "acme")


def test_key_with_parts_is_taken_as_it_is() -> None:
    """What is more than one text has checked itself, and is not revealed for it; its region fills the place."""
    keys = AWSKeys("AKIDEXAMPLE", "secret-access-key", region="eu-west-1")
    row = Provider(name="placed", base_url="https://h.{region}.example/v1", places={"region": ("A_REGION",)})
    other = Provider(name="other", base_url="https://{resource}.example", places={"resource": ()})

    assert secret_of(keys, "placed") is keys
    assert in_region_of(row, keys).base_url == "https://h.eu-west-1.example/v1"
    assert in_region_of(row, "key") is row
    assert in_region_of(row, AWSKeys("AKIDEXAMPLE", "secret-access-key")) is row
    assert in_region_of(other, keys) is other


def test_headers_of_a_row_are_not_shown() -> None:
    """A header that goes with every request may be a gateway's key."""
    row = Provider(name="acme", base_url="https://acme.test", headers=(("x-gateway", "canary-0123456789"),))

    assert "canary" not in repr(row)
    assert "acme" in repr(row)
