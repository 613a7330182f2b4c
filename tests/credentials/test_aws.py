"""Where AWS keeps credentials, in its own order."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import anyio
import pytest

from fiber import Fiber, FiberAuthError, FiberConnectionError
from fiber._engine import run_sync
from fiber.credentials import aws
from fiber.credentials.aws import REREAD_SECONDS, aws_credentials
from fiber.providers.aws import AWSKeys
from fiber.testing import MockServer
from fiber.testing.fake import FakeReply, FakeTransport, json_reply
from fiber.types.http import Secret
from tests.credentials.test_aws_services import ASSUMED, GIVEN, ROLE


@pytest.fixture(autouse=True)
def nothing_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let nothing be found that a test does not put there."""
    for name in aws.VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def found(*script: Any, **options: Any) -> Any:
    """Look for credentials; whoever is asked answers like *script*."""
    return run_sync(aws_credentials(**options).fresh(FakeTransport(*script), None))


def test_the_order_is_that_of_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Machine, container, profile, web identity, environment: each goes before those that are there already."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    machine = (FakeReply(chunks=(b"session",)), FakeReply(chunks=(b"role",)), json_reply(GIVEN))
    said = [found(*machine)]
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x")
    said.append(found(json_reply({**GIVEN, "AccessKeyId": "CONTAINER"})))
    (tmp_path / "credentials").write_text("[default]\naws_access_key_id=FILE\naws_secret_access_key=s\n", "utf-8")
    said.append(found())
    (tmp_path / "token").write_text("jwt", "utf-8")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", ROLE)
    said.append(found(FakeReply(chunks=(ASSUMED.replace(b"ASIAEXAMPLE", b"WEB"),))))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "VARIABLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    said.append(found())

    assert [keys.access_key_id for keys in said] == ["ASIAEXAMPLE", "CONTAINER", "FILE", "WEB", "VARIABLE"]
    assert {keys.region for keys in said} == {"eu-west-1"}


def test_a_bearer_key_of_the_environment_is_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """As for a client that is made from the environment."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", "bearer-key")

    assert found() == Secret("bearer-key")


def test_a_profile_may_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In the call, which then looks nowhere else, or by a variable."""
    (tmp_path / "config").write_text(
        "[profile work]\nregion=ap-south-1\naws_access_key_id=WORK\naws_secret_access_key=s\n[profile bare]\n", "utf-8"
    )
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "VARIABLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
    named = found(profile="work")
    with pytest.raises(FiberAuthError, match="'bare' has no keys"):
        found(profile="bare")
    with pytest.raises(FiberAuthError, match="'other' stands in no file"):
        found(profile="other")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_PROFILE", "work")

    assert named == found() == AWSKeys("WORK", "s", region="ap-south-1")
    assert aws_credentials().region == "ap-south-1"
    assert aws_credentials(region="eu-west-1").region == "eu-west-1"


def test_a_profile_is_read_anew_from_time_to_time(tmp_path: Path) -> None:
    """Other programs write new keys there."""
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id=OLD\naws_secret_access_key=s\n", "utf-8")
    credentials, transport = aws_credentials(), FakeTransport()
    keys: Any = run_sync(credentials.fresh(transport, None))
    file.write_text("[default]\naws_access_key_id=NEW\naws_secret_access_key=s\n", "utf-8")
    transport.clock += REREAD_SECONDS
    later: Any = run_sync(credentials.fresh(transport, None))

    assert (keys.access_key_id, later.access_key_id) == ("OLD", "NEW")


def test_where_there_is_nothing_the_error_says_where_was_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    """With what became of the last."""
    with pytest.raises(FiberAuthError, match=r"nor to a machine \(.*cannot be reached: no route\)") as caught:
        found(FiberConnectionError("no route."))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(FiberAuthError, match="AWS_EC2_METADATA_DISABLED turns it off"):
        found()

    assert not caught.value.is_retryable


class Metadata(BaseHTTPRequestHandler):
    """The metadata service of a machine."""

    asked: list[str]

    def do_PUT(self) -> None:
        """Give out a session."""
        self._answer(b"session")

    def do_GET(self) -> None:
        """Give out the role, or its keys."""
        self._answer(b"role" if self.path.endswith("/") else KEYS)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _answer(self, body: bytes) -> None:
        self.asked.append(self.path.rpartition("/")[2])
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


KEYS = b"""{"Code": "Success", "AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "secret", "Token": "token-of-role",
    "Expiration": "2100-01-01T00:00:00Z"}"""


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Serve metadata on this machine; what was asked is listed."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Metadata,), {"asked": asked}))
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    yield asked
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("world", ["asyncio", "trio", "blocking"])
def test_a_machine_asks_bedrock_with_the_keys_of_its_role(world: str, metadata: list[str]) -> None:
    """Over real sockets: the metadata are asked once for two calls, which are signed."""
    with MockServer() as server:
        fiber = Fiber(
            api_keys={"bedrock": aws_credentials(region="eu-west-1")},
            base_urls={"bedrock": server.base_url("bedrock")},
            default_model="bedrock:amazon.nova-lite-v1:0",
        )

        async def main() -> list[str]:
            async with fiber:
                return [await fiber.ask("one"), await fiber.ask("two")]

        if world == "blocking":
            said = [fiber.sync.ask("one"), fiber.sync.ask("two")]
            fiber.sync.close()
        else:
            said = anyio.run(main, backend=world)
        headers = [request.headers for request in server.requests]

    assert said == ["You said: one", "You said: two"]
    assert metadata == ["token", "", "role"]
    assert [header["x-amz-security-token"] for header in headers] == ["token-of-role"] * 2
    assert "Credential=ASIAEXAMPLE/" in headers[0]["authorization"]
    assert "/eu-west-1/bedrock/aws4_request" in headers[0]["authorization"]
