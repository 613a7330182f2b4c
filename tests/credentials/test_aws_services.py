"""The services that give out keys of AWS, as their documentation shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from fiber import FiberAuthError
from fiber._engine import run_sync
from fiber.credentials.aws_services import METADATA_SECONDS, container, machine, web_identity
from fiber.credentials.refreshing import Expiring
from fiber.providers.aws import AWSKeys
from fiber.testing.fake import EPOCH, FakeReply, FakeTransport, json_reply

GIVEN = {
    "Code": "Success",
    "AccessKeyId": "ASIAEXAMPLE",
    "SecretAccessKey": "secret/of+role",
    "Token": "token==",
    "Expiration": "2026-01-01T01:00:00Z",
}
KEYS = Expiring(AWSKeys("ASIAEXAMPLE", "secret/of+role", "token==", region="eu-west-1"), EPOCH + 3600)
ASSUMED = b"""
<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <AssumeRoleWithWebIdentityResult>
    <SubjectFromWebIdentityToken>system:serviceaccount:a:b</SubjectFromWebIdentityToken>
    <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/R/fiber</Arn></AssumedRoleUser>
    <Credentials>
      <SessionToken>token==</SessionToken>
      <SecretAccessKey>secret/of+role</SecretAccessKey>
      <Expiration>2026-01-01T01:00:00Z</Expiration>
      <AccessKeyId>ASIAEXAMPLE</AccessKeyId>
    </Credentials>
  </AssumeRoleWithWebIdentityResult>
</AssumeRoleWithWebIdentityResponse>
"""
ROLE = "arn:aws:iam::123456789012:role/R"


def ask(
    service: Callable[..., Any], variables: dict[str, str], *script: Any, region: str = "eu-west-1"
) -> tuple[Expiring | None, FakeTransport]:
    """Ask a service that answers like *script*."""
    transport = FakeTransport(*script)
    return run_sync(service(variables, region, transport, None)), transport


@pytest.fixture
def identity(tmp_path: Path) -> dict[str, str]:
    """Write a token into a file and name it."""
    (tmp_path / "token").write_text("jwt-of-the-pod\n", encoding="utf-8")
    return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "token"), "AWS_ROLE_ARN": ROLE}


# -- web identity -------------------------------------------------------------------------------------------------


def test_a_web_identity_is_exchanged_for_the_keys_of_a_role(identity: dict[str, str]) -> None:
    """At the token service of the region; the request is not signed."""
    found, transport = ask(web_identity, identity, FakeReply(chunks=(ASSUMED,)))

    request = transport.requests[0]
    assert found == KEYS
    assert (request.method, request.url) == ("POST", "https://sts.eu-west-1.amazonaws.com/")
    assert "authorization" not in request.headers
    assert parse_qs(request.body.decode()) == {
        "Action": ["AssumeRoleWithWebIdentity"],
        "Version": ["2011-06-15"],
        "RoleArn": [ROLE],
        "RoleSessionName": ["fiber"],
        "WebIdentityToken": ["jwt-of-the-pod"],
    }


@pytest.mark.parametrize(
    ("region", "more", "url"),
    [
        ("", {}, "https://sts.amazonaws.com/"),
        ("cn-north-1", {}, "https://sts.cn-north-1.amazonaws.com.cn/"),
        ("eu-west-1", {"AWS_ENDPOINT_URL_STS": "https://sts.example"}, "https://sts.example/"),
    ],
)
def test_the_token_service_is_that_of_the_region(
    region: str, more: dict[str, str], url: str, identity: dict[str, str]
) -> None:
    """Or the one that is named."""
    variables = {**identity, **more, "AWS_ROLE_SESSION_NAME": "build-7"}

    _, transport = ask(web_identity, variables, FakeReply(chunks=(ASSUMED,)), region=region)

    assert transport.requests[0].url == url
    assert b"RoleSessionName=build-7" in transport.requests[0].body


@pytest.mark.parametrize("answer", [b"<x/>", ASSUMED.replace(b"2026-01-01T", b"soon"), b"\xff"])
def test_an_answer_without_keys_is_told(answer: bytes, identity: dict[str, str]) -> None:
    """It names the role and quotes nothing."""
    with pytest.raises(FiberAuthError, match=r"role/R did not answer with keys") as caught:
        ask(web_identity, identity, FakeReply(chunks=(answer,)))

    assert "secret" not in str(caught.value)


def test_a_token_without_a_role_or_a_file_is_told(identity: dict[str, str]) -> None:
    """Half of what is needed is a mistake, nothing of it is not."""
    path = identity["AWS_WEB_IDENTITY_TOKEN_FILE"]

    with pytest.raises(FiberAuthError, match="set without AWS_ROLE_ARN"):
        ask(web_identity, {"AWS_WEB_IDENTITY_TOKEN_FILE": path})
    with pytest.raises(FiberAuthError, match=r"not-there cannot be read \(FileNotFoundError\)"):
        ask(web_identity, {**identity, "AWS_WEB_IDENTITY_TOKEN_FILE": f"{path}-not-there"})

    assert ask(web_identity, {"AWS_ROLE_ARN": ROLE})[0] is None


# -- container ----------------------------------------------------------------------------------------------------


def test_the_service_beside_a_container_is_asked() -> None:
    """A path is one of ECS."""
    found, transport = ask(
        container,
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/id", "AWS_CONTAINER_AUTHORIZATION_TOKEN": "pass"},
        json_reply(GIVEN),
    )

    request = transport.requests[0]
    assert found == KEYS
    assert (request.method, request.url) == ("GET", "http://169.254.170.2/v2/id")
    assert request.headers["authorization"] == "pass"


@pytest.mark.parametrize(
    "url",
    ["http://169.254.170.23/v1/credentials", "http://[fd00:ec2::23]/v1", "https://a.example/x", "http://localhost:1"],
)
def test_a_whole_url_is_asked_on_this_machine_or_with_tls(url: str, tmp_path: Path) -> None:
    """As EKS names it, with a token in a file, which is read anew each time."""
    (tmp_path / "token").write_text("of-the-pod\n", encoding="utf-8")
    variables = {
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": url,
        "AWS_CONTAINER_AUTHORIZATION_TOKEN": "old",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(tmp_path / "token"),
    }

    found, transport = ask(container, variables, json_reply({**GIVEN, "Expiration": None}))

    assert found == Expiring(KEYS.secret, None)
    assert (transport.requests[0].url, transport.requests[0].headers["authorization"]) == (url, "of-the-pod")


def test_no_other_machine_is_asked_without_tls() -> None:
    """Anyone on the way could read the keys."""
    with pytest.raises(FiberAuthError, match="without TLS"):
        ask(container, {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://a.example/x"})


def test_no_variable_is_no_container() -> None:
    """Nothing is asked; and without a token none is sent."""
    nothing, transport = ask(container, {})
    _, other = ask(container, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}, json_reply(GIVEN))

    assert (nothing, transport.requests) == (None, [])
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize("answer", [b"{}", b"<html>", b'{"AccessKeyId": "\xff"}'])
def test_a_container_without_keys_is_told(answer: bytes) -> None:
    """Whatever it answered."""
    with pytest.raises(FiberAuthError, match="the service of the container did not answer with keys"):
        ask(container, {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/x"}, FakeReply(chunks=(answer,)))


# -- machine ------------------------------------------------------------------------------------------------------


def test_a_machine_is_asked_in_a_session() -> None:
    """A token first, then the name of its role, then the keys of that."""
    found, transport = ask(
        machine, {}, FakeReply(chunks=(b"session==\n",)), FakeReply(chunks=(b"my role\nother",)), json_reply(GIVEN)
    )

    base = "http://169.254.169.254/latest"
    assert found == KEYS
    assert [(request.method, request.url) for request in transport.requests] == [
        ("PUT", f"{base}/api/token"),
        ("GET", f"{base}/meta-data/iam/security-credentials/"),
        ("GET", f"{base}/meta-data/iam/security-credentials/my%20role"),
    ]
    assert transport.requests[0].headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
    assert [request.headers["x-aws-ec2-metadata-token"] for request in transport.requests[1:]] == ["session=="] * 2


def test_a_machine_that_is_none_is_not_waited_for() -> None:
    """It answers at once, or never."""
    transport = FakeTransport(FakeReply(delay_seconds=60))

    with pytest.raises(FiberAuthError, match="metadata service of the machine did not answer"):
        run_sync(machine({}, "", transport, None))

    assert transport.clock == METADATA_SECONDS


def test_the_metadata_service_may_be_elsewhere_or_off() -> None:
    """By the variables that other clients read."""
    _, transport = ask(
        machine,
        {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://[fd00:ec2::254]/"},
        FakeReply(chunks=(b"s",)),
        FakeReply(chunks=(b"r",)),
        json_reply(GIVEN),
    )

    assert transport.requests[0].url == "http://[fd00:ec2::254]/latest/api/token"
    assert ask(machine, {"AWS_EC2_METADATA_DISABLED": "True"})[0] is None
