"""The profile files of AWS."""

from __future__ import annotations

from pathlib import Path

import pytest

from fiber import FiberAuthError
from fiber.credentials.aws_files import keys_of, read_profile
from fiber.providers.aws import AWSKeys

CREDENTIALS = """
[default]
aws_access_key_id = AKIDDEFAULT
aws_secret_access_key = secret%of+default

[work]
aws_access_key_id = AKIDWORK
aws_secret_access_key = secret-of-work
aws_session_token = token-of-work
region = eu-west-1
"""
CONFIG = """
[default]
region = us-east-2
s3 =
    max_concurrent_requests = 20

[profile work]
region = eu-central-1
output = json
"""


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    """Write both files and name them."""
    (tmp_path / "credentials").write_text(CREDENTIALS, encoding="utf-8")
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    return {
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
    }


def test_a_profile_is_what_both_files_say(variables: dict[str, str]) -> None:
    """What the file of credentials says wins."""
    work, default = read_profile("work", variables), read_profile("default", variables)

    assert work is not None
    assert default is not None
    assert (work["region"], work["output"], default["region"]) == ("eu-west-1", "json", "us-east-2")
    assert keys_of("work", work, "r") == AWSKeys("AKIDWORK", "secret-of-work", "token-of-work", region="r")
    assert keys_of("default", default, "") == AWSKeys("AKIDDEFAULT", "secret%of+default")


def test_a_profile_that_stands_nowhere_is_none(variables: dict[str, str]) -> None:
    """Nor is one when there are no files."""
    assert read_profile("other", variables) is None
    assert read_profile("default", {name: f"{path}-not-there" for name, path in variables.items()}) is None


def test_the_files_lie_at_home(variables: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no variable names them."""
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("[default]\nregion = home\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))

    assert read_profile("default", {}) == {"region": "home"}


@pytest.mark.parametrize("content", [b"secret-line\n", b"[a]\nkey=1\nkey=2\n", b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_named_and_not_quoted(content: bytes, variables: dict[str, str]) -> None:
    """A line of it may be a key."""
    path = variables["AWS_CONFIG_FILE"]
    Path(path).write_bytes(content)

    with pytest.raises(FiberAuthError, match="cannot be read") as caught:
        read_profile("default", variables)

    assert path in str(caught.value)
    assert "secret-line" not in str(caught.value)


@pytest.mark.parametrize("way", ["role_arn", "credential_process", "sso_session", "sso_start_url"])
def test_ways_that_are_not_ours_are_told(way: str) -> None:
    """With what to do."""
    with pytest.raises(FiberAuthError, match=f"'work' says {way}, which boto3 knows"):
        keys_of("work", {way: "x"}, "")


def test_a_profile_without_a_word_of_keys_has_none() -> None:
    """Only a region, for instance."""
    assert keys_of("work", {"region": "eu-west-1"}, "") is None
