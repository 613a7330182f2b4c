"""What both sides of the comparison with boto3 work on; standard library only, as the two import it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any, NamedTuple

KEYS = ("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
REGION = "eu-west-1"
CLAUDE = "us.anthropic.claude-sonnet-4-6-v1:0"
NOVA = "amazon.nova-2-lite-v1:0"
SIGNATURES = 10_000
FRAMES = 2_000

_SEGMENTS = ("..", ".", "", "a%3Ab", "%20", "%E2%82%AC", "a:b", "\u00e9", "a+b", "(x)", "model", "converse")
_HOSTS = (
    "bedrock-runtime.us-east-1.amazonaws.com",
    "Host.Example",
    "127.0.0.1:8080",
    "h:443",
    "h:80",
    "[::1]:9",
    "[::1]",
)
_PLAIN = "abcXYZ019-_.~"


class Unsigned(NamedTuple):
    """A request to sign, and with what."""

    method: str
    url: str
    headers: list[tuple[str, str]]
    body: bytes
    seconds: int
    region: str
    service: str
    access_key_id: str
    secret_access_key: str
    session_token: str


def unsigned() -> Iterator[Unsigned]:
    """Make random requests, always the same."""
    dice = random.Random("signatures")

    def word(letters: str, most: int) -> str:
        return "".join(dice.choice(letters) for _ in range(dice.randint(1, most)))

    for _ in range(SIGNATURES):
        segments = [dice.choice((*_SEGMENTS, word(_PLAIN, 8))) for _ in range(dice.randint(0, 6))]
        path = "/" + "/".join(segments) if segments or dice.random() < 0.5 else ""
        pairs = [word(_PLAIN + "%", 5) + dice.choice(("=", "", "=%20x", "=a=b")) for _ in range(dice.randint(0, 4))]
        names = ("content-type", "X-Amz-Foo", "x-amz-bar", "My-Header")
        values = ("a", "  a   b ", "a,b", "\ta b", "\u00e9")
        origin = f"{dice.choice(('https', 'http'))}://{dice.choice(_HOSTS)}"
        yield Unsigned(
            method=dice.choice(("GET", "POST", "put")),
            url=f"{origin}{path}{'?' if pairs else ''}{'&'.join(pairs)}",
            headers=[
                (f"{dice.choice(names)}{dice.randint(0, 2)}", dice.choice(values)) for _ in range(dice.randint(0, 5))
            ],
            body=dice.randbytes(dice.randint(0, 200)),
            seconds=dice.randint(0, 4_000_000_000),
            region=dice.choice(("us-east-1", "eu-west-3")),
            service=dice.choice(("bedrock", "bedrock-mantle")),
            access_key_id=word("ABC123", 20),
            secret_access_key=word("abc/+=1", 40),
            session_token=dice.choice(("", word("abc/+=", 60))),
        )


def described(headers: dict[str, Any], payload: bytes) -> dict[str, Any]:
    """Return a message of an event stream as JSON can say it."""
    said = {name: value.hex() if isinstance(value, bytes) else value for name, value in headers.items()}
    return {"headers": said, "payload": payload.hex()}
