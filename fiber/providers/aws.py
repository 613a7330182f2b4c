"""Keys of AWS, and how requests to Amazon Bedrock are signed with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from fiber._errors import FiberAuthError, FiberValidationError
from fiber.providers.auth import Dated, bearer
from fiber.providers.sigv4 import Scope, authorization, timestamp
from fiber.types.http import HTTPRequest, Secret

REGION_ENV = ("AWS_REGION", "AWS_DEFAULT_REGION")
KEY_ENV = ("AWS_BEARER_TOKEN_BEDROCK", "AWS_ACCESS_KEY_ID")
"""Where a key of Bedrock is looked for: a bearer key, or the keys that sign."""

_SIGNED = re.compile(r"content-type|x-amz.*", re.IGNORECASE)
# bedrock-runtime.us-east-1.amazonaws.com, bedrock-mantle.eu-west-1.api.aws, vpce-1.bedrock-runtime.us-gov-west-1....
_HOST = re.compile(r"(?:^|\.)bedrock[a-z-]*\.([a-z]{2,}(?:-[a-z]+)+-\d+)\.")


class AWSKeys(Secret):
    """
    The keys of an AWS account, a role or a session; they sign requests and are never sent.

    Attributes:
        access_key_id: Names the keys.
        region: Region to ask, like `us-east-1`; where it is empty, the base URL tells.

    Raises:
        FiberAuthError: A key is empty, or has characters that AWS never gives.
    """

    __slots__ = ("_token", "access_key_id", "region")

    def __init__(
        self, access_key_id: str, secret_access_key: str, session_token: str = "", *, region: str = ""
    ) -> None:
        keys = [str(key).strip() for key in (access_key_id, secret_access_key, session_token)]
        if not all(keys[:2]) or not all(key.isascii() and key.isprintable() for key in keys if key):
            raise FiberAuthError(
                "AWSKeys needs an access key id and a secret access key, as AWS gave them: check where they are read"
                " from.",
                outcome="not_sent",
            )
        self.access_key_id, secret, self._token = keys
        self.region = region.strip()
        super().__init__(secret)

    def reveal(self) -> str:
        """
        Refuse: no part of these keys is a key of its own that could be sent.

        Raises:
            FiberAuthError: Always.
        """
        raise FiberAuthError(
            "AWSKeys sign requests to rows of AWS; this row needs a key that can be sent.", outcome="not_sent"
        )

    def texts(self) -> tuple[str, ...]:
        """Return what must be seen nowhere."""
        return tuple(filter(None, (self._value, self._token)))

    def sign(self, request: HTTPRequest, *, service: str, region: str, seconds: float) -> HTTPRequest:
        """
        Return *request* with its signature.

        Signed are the host, the content type, the body and AWS's own headers; what a proxy may change is not.

        Args:
            seconds: Now, since 1970 (UTC); AWS takes a signature for five minutes.
        """
        scope = Scope(timestamp(seconds), region, service)
        dated = request.with_headers(("x-amz-date", scope.time))
        if self._token:
            dated = dated.with_headers(("x-amz-security-token", Secret(self._token)))
        value = authorization(
            request.method,
            request.url,
            [
                (name, value.reveal() if isinstance(value, Secret) else value)
                for name, value in dated.headers
                if _SIGNED.fullmatch(name)
            ],
            request.body,
            scope=scope,
            access_key_id=self.access_key_id,
            secret_access_key=self._value,
        )
        return dated.with_headers(("authorization", Secret(value)))

    def __repr__(self) -> str:
        return "AWSKeys('***')"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AWSKeys) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> tuple[str, str, str, str]:
        return self.access_key_id, self._value, self._token, self.region


def from_environment(variables: Mapping[str, str], *, region: str = "") -> Secret | None:
    """
    Return the key that *variables* hold: `AWS_BEARER_TOKEN_BEDROCK`, else the keys that sign; None without any.

    The latter are `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for temporary ones, `AWS_SESSION_TOKEN`; they are
    made for *region*.
    """
    if token := variables.get(KEY_ENV[0], "").strip():
        return Secret(token)
    names = (KEY_ENV[1], "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    access_key_id, secret, session = (variables.get(name, "").strip() for name in names)
    return AWSKeys(access_key_id, secret, session, region=region) if access_key_id and secret else None


def signed_for(service: str) -> Dated:
    """Return the signer of *service*: by `AWSKeys` a signature, any other key is sent as a bearer token."""

    def sign(request: HTTPRequest, secret: Secret, seconds: float) -> HTTPRequest:
        if not isinstance(secret, AWSKeys):
            return bearer(request, secret)
        if not (region := region_of(request.url) or secret.region):
            raise FiberValidationError(
                "The region to sign for is not known: say AWSKeys(..., region='us-east-1').",
                parameter="api_keys",
                outcome="not_sent",
            )
        return secret.sign(request, service=service, region=region, seconds=seconds)

    return Dated(sign)


def region_of(url: str) -> str:
    """Return the region that a host of Bedrock names, else an empty string."""
    found = _HOST.search(urlsplit(url).hostname or "")
    return found[1] if found else ""
