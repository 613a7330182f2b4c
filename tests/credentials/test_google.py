"""Access tokens of Google: what is asked of google-auth, and with the package itself the exchange on loopback."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.machinery import ModuleSpec
from pathlib import Path
from threading import Thread
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import anyio
import pytest

from fiber import Fiber, FiberAuthError, FiberValidationError
from fiber._engine import run_sync
from fiber.credentials.google import SCOPE, google_credentials
from fiber.testing import MockServer
from fiber.testing.fake import FakeTransport


class GoogleAuthError(Exception):
    """The package's own."""

    retryable = True


class Credentials:
    """Those of the package: they learn their token when they are refreshed."""

    def __init__(self, token: str, expiry: datetime | None, failure: Exception | None = None) -> None:
        self.given, self.expiry, self.failure = token, expiry, failure
        self.token = ""

    def refresh(self, request: Any) -> None:
        """Ask for a token."""
        if self.failure is not None:
            raise self.failure
        self.token = f"{self.given} over {request}"


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Stand in for google-auth; what was asked for is in `asked`."""
    fake = SimpleNamespace(asked=[], credentials=Credentials("token", datetime(2026, 1, 1, 1)))  # noqa: DTZ001

    def default(*, scopes: list[str]) -> tuple[Credentials, str]:
        fake.asked.append(("default", scopes))
        return fake.credentials, "project"

    def from_service_account_file(file: str, *, scopes: list[str]) -> Credentials:
        fake.asked.append((file, scopes))
        return fake.credentials

    accounts = SimpleNamespace(from_service_account_file=from_service_account_file)
    members: dict[str, dict[str, Any]] = {
        "google": {},
        "google.auth": {"default": default},
        "google.auth.exceptions": {"GoogleAuthError": GoogleAuthError},
        "google.auth.transport.requests": {"Request": lambda: "requests"},
        "google.oauth2.service_account": {"Credentials": accounts},
    }
    for name, content in members.items():
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return fake


def token(**options: Any) -> Any:
    """Ask for a token."""
    return run_sync(google_credentials(**options).fresh(FakeTransport(), None)).reveal()


def test_the_default_is_what_google_finds(package: SimpleNamespace) -> None:
    """For the scope of its cloud; the token is kept until its expiry, which is UTC."""
    credentials, transport = google_credentials(), FakeTransport()
    for clock in (0.0, 3600 - 301, 3600 - 299):
        transport.clock = clock
        run_sync(credentials.fresh(transport, None))

    assert package.asked == [("default", [SCOPE])] * 2


def test_a_key_file_and_other_scopes_may_be_named(package: SimpleNamespace, tmp_path: Path) -> None:
    """Then nothing else is looked for; a token without an expiry does not expire."""
    package.credentials = Credentials("token", None)

    assert token(file=tmp_path / "key.json", scopes=("a", "b")) == "token over requests"
    assert package.asked == [(str(tmp_path / "key.json"), ["a", "b"])]


def test_a_failure_is_told_in_words(package: SimpleNamespace) -> None:
    """The package's, cut short, and not its exception, which holds a request."""
    package.credentials = Credentials("", None, GoogleAuthError("invalid_grant" + "x" * 1000))

    with pytest.raises(FiberAuthError, match="google-auth says GoogleAuthError: invalid_grantx") as caught:
        token()

    assert len(str(caught.value)) < 400
    assert caught.value.is_retryable
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("package")
@pytest.mark.parametrize("missing", ["google", "google.auth"])
def test_without_the_package_the_error_says_what_to_install(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the credentials are made, not at the first call."""
    monkeypatch.setattr("fiber.credentials.google.find_spec", lambda name: None if name == missing else name)

    with pytest.raises(FiberValidationError, match=r"pip install 'fiber-llm\[google\]'"):
        google_credentials()


class Tokens(BaseHTTPRequestHandler):
    """Google's token service."""

    asked: list[dict[str, list[str]]]

    def do_POST(self) -> None:
        """Give out a token."""
        self.asked.append(parse_qs(self.rfile.read(int(self.headers["content-length"])).decode()))
        body = b'{"access_token": "token-of-the-account", "expires_in": 3599, "token_type": "Bearer"}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.mark.parametrize("world", ["asyncio", "trio", "blocking"])
def test_a_service_account_asks_vertex_with_its_token(
    world: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the package itself: it is asked once for two calls, and its signature is made with the account's key."""
    pytest.importorskip("google.auth.transport.requests")
    pytest.importorskip("cryptography")
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    asked: list[dict[str, list[str]]] = []
    service = HTTPServer(("127.0.0.1", 0), type("Handler", (Tokens,), {"asked": asked}))
    thread = Thread(target=service.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    account = {
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "1",
        "private_key": key.decode(),
        "client_email": "a@p.example",
        "token_uri": f"http://127.0.0.1:{service.server_port}/token",
    }
    (tmp_path / "key.json").write_text(json.dumps(account), "utf-8")
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "key.json"))
    with MockServer() as server:
        fiber = Fiber(
            api_keys={"vertex": google_credentials(tmp_path / "key.json" if world == "trio" else "")},
            base_urls={"vertex": server.base_url("gemini") + "/v1/projects/p/locations/global/publishers/google"},
            default_model="vertex:gemini-3.8-flash",
        )

        async def main() -> list[str]:
            async with fiber:
                return [await fiber.ask("one"), await fiber.ask("two")]

        if world == "blocking":
            said = [fiber.sync.ask("one"), fiber.sync.ask("two")]
            fiber.sync.close()
        else:
            said = anyio.run(main, backend=world)
        headers = [request.headers["authorization"] for request in server.requests]
    service.shutdown()
    service.server_close()
    thread.join()

    assert said == ["You said: one", "You said: two"]
    assert headers == ["Bearer token-of-the-account"] * 2
    assert [form["grant_type"] for form in asked] == [["urn:ietf:params:oauth:grant-type:jwt-bearer"]]
