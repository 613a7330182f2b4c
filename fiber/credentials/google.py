"""
Access tokens of Google, by its package google-auth: of service accounts, of a user's login, of federated identities,
and of machines, by their metadata server.

The package blocks, so `Refreshing` runs it beside an event loop.

Source: https://google-auth.readthedocs.io, version 2.62, read 2026-11-21.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fiber._errors import FiberAuthError, FiberValidationError
from fiber.credentials.refreshing import AHEAD_SECONDS, Expiring, Refreshing

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

_SHOWN_CHARACTERS = 300


def google_credentials(
    file: str | os.PathLike[str] = "", *, scopes: Iterable[str] = (SCOPE,), ahead_seconds: float = AHEAD_SECONDS
) -> Refreshing:
    """
    Return access tokens for Vertex AI, for `api_keys`; they are asked for when first needed.

    Args:
        file: Key file of a service account; without one, Google's application default credentials: the file that
            `GOOGLE_APPLICATION_CREDENTIALS` names, the login of `gcloud`, the metadata server.
        scopes: What the tokens are for.
        ahead_seconds: How long before their expiry they are asked for anew.

    Raises:
        FiberValidationError: google-auth is not installed.
    """
    if find_spec("google") is None or find_spec("google.auth") is None:
        raise FiberValidationError(
            "google_credentials needs google-auth: pip install 'fiber-llm[google]'.",
            parameter="api_keys",
            outcome="not_sent",
        )
    wanted = list(scopes)
    return Refreshing(lambda: _token(os.fspath(file), wanted), ahead_seconds=ahead_seconds)


def _token(file: str, scopes: list[str]) -> Expiring:
    auth: Any = import_module("google.auth")
    exceptions: Any = import_module("google.auth.exceptions")
    requests: Any = import_module("google.auth.transport.requests")
    accounts: Any = import_module("google.oauth2.service_account")
    try:
        if file:
            credentials = accounts.Credentials.from_service_account_file(file, scopes=scopes)
        else:
            credentials, _ = auth.default(scopes=scopes)
        credentials.refresh(requests.Request())
    except exceptions.GoogleAuthError as error:
        raise FiberAuthError(
            f"No credential: google-auth says {type(error).__name__}: {str(error)[:_SHOWN_CHARACTERS]}",
            outcome="not_sent",
            should_retry=bool(getattr(error, "retryable", False)),
        ) from None
    # Its moments are UTC and do not say so.
    expiry = credentials.expiry
    return Expiring(credentials.token, None if expiry is None else expiry.replace(tzinfo=UTC).timestamp())
