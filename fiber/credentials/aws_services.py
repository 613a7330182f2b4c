"""
The services that give out keys of AWS: for a web identity, to a container, to a machine.

Sources, read 2026-11-21: https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html,
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html; botocore 1.44.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from fiber.credentials.exchange import exchange, failed
from fiber.credentials.refreshing import Expiring
from fiber.providers.aws import AWSKeys
from fiber.transports.base import Transport, aside
from fiber.types.http import HTTPRequest, Secret

SERVICE_ENV = (
    *("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_ENDPOINT_URL_STS"),
    *("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    *("AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT"),
)
METADATA_SECONDS = 1.0
"""A machine answers at once, or is none of Amazon's."""

_CONTAINER = "http://169.254.170.2"
_MACHINE = "http://169.254.169.254"
_PLAIN_HOSTS = ("169.254.170.2", "169.254.170.23", "fd00:ec2::23", "127.0.0.1", "::1", "localhost")
"""Hosts that may be asked without TLS: those of ECS and EKS, and this machine."""
_SESSION_SECONDS = "21600"


class _Given(msgspec.Struct, rename="pascal"):
    access_key_id: str
    secret_access_key: str
    token: str = ""
    expiration: datetime | None = None


_given = msgspec.json.Decoder(_Given)
_MEMBER = re.compile(r"<(AccessKeyId|SecretAccessKey|SessionToken|Expiration)>([^<]+)</")


async def web_identity(
    variables: Mapping[str, str], region: str, transport: Transport, until: float | None
) -> Expiring | None:
    """Exchange the token in a file (of Kubernetes, of a build) for the keys of a role; None without such a file."""
    path, role = variables.get("AWS_WEB_IDENTITY_TOKEN_FILE"), variables.get("AWS_ROLE_ARN", "")
    if not path:
        return None
    if not role:
        raise failed("AWS_WEB_IDENTITY_TOKEN_FILE", "is set without AWS_ROLE_ARN")
    form = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": variables.get("AWS_ROLE_SESSION_NAME") or "fiber",
        "WebIdentityToken": await _read(path, transport),
    }
    host = f"sts.{region}.amazonaws.com{'.cn' * region.startswith('cn-')}" if region else "sts.amazonaws.com"
    request = HTTPRequest(
        "POST",
        (variables.get("AWS_ENDPOINT_URL_STS") or f"https://{host}").rstrip("/") + "/",
        (("content-type", "application/x-www-form-urlencoded; charset=utf-8"), ("accept", "text/xml")),
        urlencode(form).encode(),
    )
    body = await exchange(transport, request, until, source=f"the token service for {role}")
    said = dict(_MEMBER.findall(body.decode("utf-8", "replace")))
    try:
        given = _Given(said["AccessKeyId"], said["SecretAccessKey"], said["SessionToken"])
        given.expiration = datetime.fromisoformat(said["Expiration"])
    except (KeyError, ValueError):
        raise failed(f"the token service for {role}", "did not answer with keys") from None
    return _expiring(given, region)


async def container(
    variables: Mapping[str, str], region: str, transport: Transport, until: float | None
) -> Expiring | None:
    """Ask the service beside a container of ECS or EKS; None when no variable names it."""
    path, url = (variables.get(f"AWS_CONTAINER_CREDENTIALS_{kind}_URI", "") for kind in ("RELATIVE", "FULL"))
    url = f"{_CONTAINER}{path}" if path else url
    if not url:
        return None
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _PLAIN_HOSTS:
        raise failed("AWS_CONTAINER_CREDENTIALS_FULL_URI", "names another machine, which would be asked without TLS")
    token = variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN", "")
    if file := variables.get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"):
        token = await _read(file, transport)
    request = HTTPRequest("GET", url, (("authorization", Secret(token)),) if token else ())
    source = "the service of the container"
    return _decoded(await exchange(transport, request, until, source=source), source, region)


async def machine(
    variables: Mapping[str, str], region: str, transport: Transport, until: float | None
) -> Expiring | None:
    """Ask the metadata service of EC2, version 2; None when it is turned off."""
    if variables.get("AWS_EC2_METADATA_DISABLED", "").lower() == "true":
        return None
    base = (variables.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or _MACHINE).rstrip("/") + "/latest"
    source = "the metadata service of the machine"

    async def ask(method: str, path: str, name: str, value: str | Secret) -> bytes:
        request = HTTPRequest(method, base + path, ((name, value),))
        return await exchange(transport, request, until, source=source, seconds=METADATA_SECONDS)

    said = await ask("PUT", "/api/token", "x-aws-ec2-metadata-token-ttl-seconds", _SESSION_SECONDS)
    session = "x-aws-ec2-metadata-token", Secret(said.decode("ascii", "replace").strip())
    path = "/meta-data/iam/security-credentials/"
    role = (await ask("GET", path, *session)).decode("utf-8", "replace").partition("\n")[0].strip()
    return _decoded(await ask("GET", path + quote(role, safe=""), *session), source, region)


async def _read(path: str, transport: Transport) -> str:
    try:
        return await aside(transport, lambda: Path(path).read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError) as error:
        raise failed(f"the file {path}", f"cannot be read ({type(error).__name__})") from None


def _decoded(body: bytes, source: str, region: str) -> Expiring:
    try:
        return _expiring(_given.decode(body), region)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise failed(source, "did not answer with keys") from None


def _expiring(given: _Given, region: str) -> Expiring:
    keys = AWSKeys(given.access_key_id, given.secret_access_key, given.token, region=region)
    return Expiring(keys, None if given.expiration is None else given.expiration.timestamp())
