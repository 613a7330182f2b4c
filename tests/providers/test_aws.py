"""Keys of AWS, and the signer of Bedrock."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from fiber._errors import FiberAuthError, FiberValidationError
from fiber.providers.auth import bearer
from fiber.providers.aws import AWSKeys, from_environment, region_of, signed_for
from fiber.types.http import HTTPRequest, Secret

ID, KEY, TOKEN = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "SESSIONTOKENEXAMPLE"
URL = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude-haiku-4-5-20251001-v1%3A0/converse"
BODY = b'{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}'
REQUEST = HTTPRequest("POST", URL, (("content-type", "application/json"), ("user-agent", "fiber-llm")), BODY)
NOON = 1_795_176_000.0
"""2026-11-20T12:00:00Z."""


def value(request: HTTPRequest, name: str) -> str:
    """Return a header as it is sent."""
    (found,) = [said for key, said in request.headers if key == name]
    return found.reveal() if isinstance(found, Secret) else found


@pytest.mark.parametrize(
    ("token", "names", "signature"),
    [
        ("", "content-type;host;x-amz-date", "fa60a3058c60df33f3774e7246fbd9d586a0a337a5a9060f0474d9fdc5dd27e7"),
        (
            TOKEN,
            "content-type;host;x-amz-date;x-amz-security-token",
            "3b8eaddb959a0a96cdcd4f37daafed90614ceec32ff6717459973fee9b8f50d1",
        ),
    ],
)
def test_request_to_bedrock_is_signed_as_botocore_signs_it(token: str, names: str, signature: str) -> None:
    """Body, host, content type and AWS's own headers are signed; a session shows its token."""
    signed = signed_for("bedrock").sign(REQUEST, AWSKeys(ID, KEY, token), NOON)

    assert value(signed, "authorization") == (
        f"AWS4-HMAC-SHA256 Credential={ID}/20261120/us-east-1/bedrock/aws4_request,"
        f" SignedHeaders={names}, Signature={signature}"
    )
    assert value(signed, "x-amz-date") == "20261120T120000Z"
    assert [key for key, _ in signed.headers].count("x-amz-security-token") == bool(token)
    assert (signed.url, signed.body) == (URL, BODY)


def test_bearer_key_is_sent_as_it_is() -> None:
    """A key of Bedrock that is no AWS key travels as a bearer token, unsigned."""
    signed = signed_for("bedrock").sign(REQUEST, Secret("bedrock-api-key-x"), NOON)

    assert signed == bearer(REQUEST, Secret("bedrock-api-key-x"))


def test_header_that_is_secret_is_signed_by_its_content() -> None:
    """A masked header of AWS's own is signed by what is sent, not by its mask."""
    open_, masked = (REQUEST.with_headers(("x-amz-foo", said)) for said in ("a", Secret("a")))

    one, other = (AWSKeys(ID, KEY).sign(r, service="s", region="r", seconds=0) for r in (open_, masked))

    assert value(one, "authorization") == value(other, "authorization")


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", "us-east-1"),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
        ("bedrock-mantle.eu-west-1.api.aws", "eu-west-1"),
        ("bedrock.ap-southeast-2.amazonaws.com", "ap-southeast-2"),
        ("vpce-1a-2b.bedrock-runtime.eu-central-1.vpce.amazonaws.com", "eu-central-1"),
        ("bedrock-runtime.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("bedrock-runtime.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("127.0.0.1", ""),
        ("proxy.example.com", ""),
        ("notbedrock-runtime.us-east-1.amazonaws.com", ""),
    ],
)
def test_region_is_read_from_the_host(host: str, region: str) -> None:
    """Hosts of Bedrock name their region; others name none."""
    assert region_of(f"https://{host}/x") == region


def test_region_of_the_host_wins_and_that_of_the_keys_serves_other_hosts() -> None:
    """A signature is for where the request goes; behind a proxy the keys have to say it."""
    keys = AWSKeys(ID, KEY, region="eu-west-3")
    proxied = HTTPRequest("POST", "http://127.0.0.1:8080/model/m/converse")

    direct, behind = (signed_for("bedrock").sign(request, keys, NOON) for request in (REQUEST, proxied))

    assert "/us-east-1/" in value(direct, "authorization")
    assert "/eu-west-3/" in value(behind, "authorization")


def test_signature_needs_a_region() -> None:
    """Without any word about the region nothing is sent."""
    with pytest.raises(FiberValidationError, match="region") as caught:
        signed_for("bedrock").sign(HTTPRequest("POST", "https://proxy.example.com"), AWSKeys(ID, KEY), NOON)

    assert caught.value.outcome == "not_sent"


def test_keys_are_seen_nowhere() -> None:
    """No rendering shows a key, no pickle carries it, and it is never revealed to be sent."""
    keys = AWSKeys(ID, KEY, TOKEN, region="us-east-1")

    signed = signed_for("bedrock").sign(REQUEST, keys, NOON)

    seen = f"{keys!r} {keys} {keys:>9} {signed!r}"
    assert all(secret not in seen for secret in (ID, KEY, TOKEN, "Signature"))
    assert keys.texts() == (KEY, TOKEN)
    assert AWSKeys(ID, KEY).texts() == (KEY,)
    with pytest.raises(TypeError, match="pickled"):
        pickle.dumps(keys)
    with pytest.raises(FiberAuthError, match="row needs a key that can be sent") as caught:
        bearer(REQUEST, keys)
    assert KEY not in str(caught.value)


def test_equal_keys_are_equal() -> None:
    """Keys compare by all their parts."""
    keys = AWSKeys(f" {ID}", f"{KEY}\n", region="us-east-1")

    assert keys == AWSKeys(ID, KEY, region="us-east-1")
    assert hash(keys) == hash(AWSKeys(ID, KEY, region="us-east-1"))
    assert keys != AWSKeys(ID, KEY, TOKEN, region="us-east-1")
    assert keys != Secret(KEY)
    assert keys.access_key_id == ID
    assert bool(keys)


@pytest.mark.parametrize("parts", [("", KEY), (ID, " "), (ID, "k\u00e9y"), (ID, KEY, "a\nb")])
def test_keys_that_cannot_be_are_refused(parts: Any) -> None:
    """What is empty or unprintable was read from the wrong place; it is not quoted."""
    with pytest.raises(FiberAuthError, match="access key id") as caught:
        AWSKeys(*parts)

    assert caught.value.outcome == "not_sent"
    assert "wJalr" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, None),
        ({"AWS_ACCESS_KEY_ID": ID}, None),
        ({"AWS_SECRET_ACCESS_KEY": KEY}, None),
        ({"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": KEY}, AWSKeys(ID, KEY)),
        (
            {"AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": KEY, "AWS_SESSION_TOKEN": TOKEN},
            AWSKeys(ID, KEY, TOKEN),
        ),
        (
            {"AWS_BEARER_TOKEN_BEDROCK": " b ", "AWS_ACCESS_KEY_ID": ID, "AWS_SECRET_ACCESS_KEY": KEY},
            Secret("b"),
        ),
    ],
)
def test_environment_holds_a_bearer_key_or_keys_that_sign(variables: dict[str, str], expected: Secret | None) -> None:
    """Bedrock's own variable wins; the general ones count only together."""
    assert from_environment(variables) == expected
