"""
The profile files of AWS: `~/.aws/credentials` and `~/.aws/config`.

Source: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html, read 2026-11-21; botocore 1.44.
"""

from __future__ import annotations

from collections.abc import Mapping
from configparser import Error, RawConfigParser
from pathlib import Path

from fiber.credentials.exchange import failed
from fiber.providers.aws import AWSKeys

FILES = {"AWS_CONFIG_FILE": "~/.aws/config", "AWS_SHARED_CREDENTIALS_FILE": "~/.aws/credentials"}
"""Variables that name a file, and what it is called otherwise; what the later one says wins."""
PROFILE_ENV = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")

_KEYS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
_ELSEWHERE = ("role_arn", "credential_process", "sso_session", "sso_start_url")


def read_profile(name: str, variables: Mapping[str, str]) -> dict[str, str] | None:
    """
    Return what the files say about the profile *name*; None when neither knows it.

    Raises:
        FiberAuthError: A file cannot be read.
    """
    found: dict[str, str] | None = None
    for variable, usual in FILES.items():
        path = Path(variables.get(variable) or usual).expanduser()
        sections = RawConfigParser(default_section="")
        try:
            sections.read_string(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, UnicodeDecodeError, Error) as error:
            # Their words may quote a line of the file, which may be a key.
            raise failed(f"the file {path}", f"cannot be read ({type(error).__name__})") from None
        for section in (name, f"profile {name}"):
            if sections.has_section(section):
                found = {**(found or {}), **sections[section]}
    return found


def keys_of(name: str, profile: Mapping[str, str], region: str) -> AWSKeys | None:
    """
    Return the keys that *profile* holds; None when it says nothing of keys.

    Raises:
        FiberAuthError: It says to get them in a way that is not ours.
    """
    access_key_id, secret, token = (profile.get(key, "").strip() for key in _KEYS)
    if access_key_id and secret:
        return AWSKeys(access_key_id, secret, token, region=region)
    for way in _ELSEWHERE:
        if way in profile:
            raise failed(
                f"the AWS profile {name!r}",
                f"says {way}, which boto3 knows: give a callable that asks it (docs/features/credentials.md)",
            )
    return None
