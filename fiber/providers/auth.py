"""Signers: pure functions that put a credential on a request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from fiber.types.http import HTTPRequest, Secret

Signer: TypeAlias = Callable[[HTTPRequest, Secret], HTTPRequest]

_DOTS_OF_A_JWT = 2


@dataclass(frozen=True, slots=True)
class Dated:
    """
    A signer whose signature holds the time.

    Attributes:
        sign: It is also given the seconds since 1970 (UTC).
    """

    sign: Callable[[HTTPRequest, Secret, float], HTTPRequest]


def signed(auth: Signer | Dated, request: HTTPRequest, secret: Secret, now: Callable[[], float]) -> HTTPRequest:
    """Sign *request*; *now* is asked for the time by signers that need it."""
    return auth.sign(request, secret, now()) if isinstance(auth, Dated) else auth(request, secret)


def bearer(request: HTTPRequest, secret: Secret) -> HTTPRequest:
    """`Authorization: Bearer KEY`; nothing without a key, for an empty token is no header at all."""
    if not secret:
        return request
    return request.with_headers(("authorization", Secret(f"Bearer {secret.reveal()}")))


def header(name: str) -> Signer:
    """Return a signer that sends the key in the header *name*."""

    def sign(request: HTTPRequest, secret: Secret) -> HTTPRequest:
        return request.with_headers((name, secret)) if secret else request

    return sign


def header_or_token(name: str) -> Signer:
    """Return a signer that sends a key in the header *name*, and a token (a JWT, of Entra for instance) as a bearer."""
    in_header = header(name)

    def sign(request: HTTPRequest, secret: Secret) -> HTTPRequest:
        is_token = secret.reveal().startswith("eyJ") and secret.reveal().count(".") >= _DOTS_OF_A_JWT
        return (bearer if is_token else in_header)(request, secret)

    return sign


def unsigned(request: HTTPRequest, secret: Secret) -> HTTPRequest:
    """Send no credential, unless one is given: then as a bearer token."""
    return bearer(request, secret)
