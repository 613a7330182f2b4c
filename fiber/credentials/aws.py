"""
Where AWS keeps credentials, in its own order: environment, web identity, profile file, container, machine.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html, read 2026-11-21; botocore 1.44.
"""

from __future__ import annotations

from collections.abc import Mapping

from fiber import _env
from fiber._errors import FiberAuthError
from fiber.credentials.aws_files import FILES, PROFILE_ENV, keys_of, read_profile
from fiber.credentials.aws_services import SERVICE_ENV, container, machine, web_identity
from fiber.credentials.exchange import failed
from fiber.credentials.refreshing import AHEAD_SECONDS, Expiring, OverTransport, Refreshing
from fiber.providers.aws import KEY_ENV, REGION_ENV, from_environment
from fiber.transports.base import Transport, aside, wall

VARIABLES = (
    *(*REGION_ENV, *KEY_ENV, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *(*PROFILE_ENV, *FILES, *SERVICE_ENV),
)
REREAD_SECONDS = 900.0
"""How long keys of a profile file are taken for good: other programs write new ones there."""


def aws_credentials(*, profile: str = "", region: str = "", ahead_seconds: float = AHEAD_SECONDS) -> Refreshing:
    """
    Return the credentials that this machine, container, build or user has at AWS, for `api_keys`.

    They are looked for when first needed, over the client's own transport.

    Args:
        profile: Look in this profile of the files only, instead of everywhere.
        region: Region to ask; else `AWS_REGION`, `AWS_DEFAULT_REGION`, or that of the profile, which are read here.
        ahead_seconds: How long before their expiry they are fetched anew.

    Raises:
        FiberAuthError: A profile file cannot be read.
    """
    variables = _env.values(VARIABLES)
    region = region or next(filter(None, map(variables.get, REGION_ENV)), "") or _region_of(profile, variables)

    async def ask(transport: Transport, until: float | None) -> Expiring:
        variables = _env.values(VARIABLES)
        if profile:
            if found := await _of_profile(profile, variables, region, transport):
                return found
            raise failed(f"the AWS profile {profile!r}", "has no keys")
        if key := from_environment(variables, region=region):
            return Expiring(key)
        found = await web_identity(variables, region, transport, until)
        found = found or await _of_profile("", variables, region, transport)
        found = found or await container(variables, region, transport, until)
        return found or await _of_machine(variables, region, transport, until)

    return Refreshing(OverTransport(ask), ahead_seconds=ahead_seconds, region=region)


def _named(variables: Mapping[str, str]) -> str:
    return next(filter(None, map(variables.get, PROFILE_ENV)), "")


def _region_of(profile: str, variables: Mapping[str, str]) -> str:
    said = read_profile(profile or _named(variables) or "default", variables) or {}
    return said.get("region", "").strip()


async def _of_profile(profile: str, variables: Mapping[str, str], region: str, transport: Transport) -> Expiring | None:
    named = profile or _named(variables)
    name = named or "default"
    said = await aside(transport, lambda: read_profile(name, variables))
    if said is None and named:
        raise failed(f"the AWS profile {name!r}", "stands in no file")
    keys = keys_of(name, said or {}, region)
    return None if keys is None else Expiring(keys, wall(transport) + REREAD_SECONDS)


async def _of_machine(variables: Mapping[str, str], region: str, transport: Transport, until: float | None) -> Expiring:
    why = "AWS_EC2_METADATA_DISABLED turns it off"
    try:
        if found := await machine(variables, region, transport, until):
            return found
    except FiberAuthError as error:
        why = error.message.rstrip(".")
    raise failed("AWS", f"gives none in variables, in profile files or beside a container, nor to a machine ({why})")
