"""What of an exchange may be written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber.adapters.headers import _REQUEST_IDS
from fiber.testing.redaction import asked_of, kept_headers, masked_pieces, masked_text, masker, secrets
from fiber.types.http import HTTPRequest, Secret

KEY = "canary-key-0123456789"
REQUEST = HTTPRequest("POST", "https://api.x/v1", (("authorization", Secret(f"Bearer {KEY}")),))
MASK = masker(REQUEST, None)


def request(url: str = "https://api.x/v1", body: bytes = b"", **headers: str | Secret) -> HTTPRequest:
    """Make a request; header names are written with underscores."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return HTTPRequest("POST", url, named, body)


def test_only_harmless_headers_are_kept() -> None:
    """Those that say what a body is, how fast to come again, and which request it was; nothing else."""
    harmless = [
        *_REQUEST_IDS,
        *("Content-Type", "date", "retry-after", "retry-after-ms", "x-should-retry", "openai-version"),
        *("x-ratelimit-remaining-tokens", "anthropic-ratelimit-input-tokens-reset", "anthropic-version"),
        "x-amzn-errortype",
    ]
    others = ["set-cookie", "cookie", "x-api-key", "openai-organization", "cf-ray", "location", "x-new", "update"]

    kept = kept_headers(dict.fromkeys([*harmless, *others], "v"), MASK)

    assert list(kept) == [name.lower() for name in harmless]


def test_a_secret_header_is_shown_masked() -> None:
    """So that the file says that there was one."""
    asked = asked_of(request(X_Api_Key=Secret("k"), cookie="a=b", accept="text/plain"), MASK)

    assert asked.headers == {"accept": "text/plain", "x-api-key": "***"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://api.x/v1/chat", "https://api.x/v1/chat"),
        ("https://api.x/v1?alt=sse&empty=&flag", "https://api.x/v1?alt=sse&empty&flag"),
        ("https://api.x/v1?key=abc&a=1", "https://api.x/v1?key=***&a=1"),
        ("https://api.x/v1?X-Amz-Signature=abc", "https://api.x/v1?X-Amz-Signature=***"),
        ("https://api.x/v1?api%2Dkey=abc&sig=d", "https://api.x/v1?api%2Dkey=***&sig=***"),
        ("https://api.x/v1?page_token=2&max_tokens=3", "https://api.x/v1?page_token=2&max_tokens=3"),
        ("https://user:password@api.x:8/v1#part", "https://api.x:8/v1"),
        (f"https://api.x/{KEY}/chat", "https://api.x/***/chat"),
    ],
)
def test_a_url_is_shown_without_credentials(url: str, shown: str) -> None:
    """In its query, before its host, or in its path."""
    assert asked_of(request(url), MASK).url == shown


def test_credentials_are_looked_for_everywhere() -> None:
    """In secret headers whole and in words, in headers that sound secret, in the URL, and as a URL spells them."""
    found = secrets(
        request(
            "https://somebody:pass%2Fword@api.x/v1?token=tok%2Fen-12345",
            authorization=Secret("Bearer key/key/key"),
            x_auth="plain-auth-value",
            accept="application/json",
            x_goog_api_key="short",
        )
    )

    assert found == {
        *("Bearer key/key/key", "Bearer%20key%2Fkey%2Fkey", "key/key/key", "key%2Fkey%2Fkey"),
        *("pass/word", "pass%2Fword", "pass%252Fword"),
        *("tok%2Fen-12345", "tok%252Fen-12345", "tok/en-12345"),
        "plain-auth-value",
    }


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (f"the key is {KEY}!", "the key is ***!"),
        (f'{{"a": "{KEY}"}}', '{"a": "***"}'),
        ('{"a": "canary\\u002dkey-0123456789", "b": "\\n"}', '{"a": "***", "b": "\\n"}'),
        (f'data: {{"a": "\\"{KEY}\\""}}\n\n', 'data: {"a": "\\"***\\""}\n\n'),
        ('"\\x" is no JSON', '"\\x" is no JSON'),
        ("Incorrect key sk-abcdefghijklmnop!", "Incorrect key ***!"),
        ("key-0123456789", "key-0123456789"),
    ],
)
def test_a_key_is_masked_wherever_it_is_said(data: str, shown: str) -> None:
    """In any text, also behind JSON escapes; and so is what looks like a key."""
    assert MASK(data.encode()).decode() == shown


def test_a_request_without_credentials_keeps_its_text() -> None:
    """There is nothing to look for."""
    assert masker(request(), None)(b"plain \xff") == b"plain \xff"


def test_the_hook_sees_texts_as_they_are_meant() -> None:
    """Also what JSON has to escape, and beside bytes that are no text."""
    mask = masker(request(), lambda text: text.replace('my "café"\n', "#"))
    data = json.dumps({"a": 'my "café"\n'}).encode()

    assert mask(data + b"\xff") == b'{"a": "#"}\xff'
    assert mask('my "café"\n'.encode()) == b"#"


def test_a_header_may_hold_anything() -> None:
    """A lone surrogate is no reason to fail."""
    assert masked_text(f"\ud800 {KEY}", MASK) == "��� ***"


@given(
    st.lists(st.sampled_from(["a", "é", '"', "\\", "\n", KEY]) | st.text(max_size=3), max_size=8).map("".join),
    st.data(),
)
def test_no_cut_saves_a_key(text: str, data: st.DataObject) -> None:
    """However a body is cut, its masked pieces are the masked body, and pieces that say nothing secret stay."""
    body = text.encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]

    masked = masked_pieces(MASK, pieces)

    assert b"".join(masked) == MASK(body)
    assert len(masked) == len(pieces)
    assert KEY.encode() not in b"".join(masked)
    if MASK(body) == body:
        assert masked == pieces


def test_cuts_beside_a_key_stay() -> None:
    """Only those inside it go: the first piece has it all."""
    half = len(KEY) // 2
    pieces = ["one ", "two " + KEY[:half], KEY[half:-1], KEY[-1] + " three", " four"]

    masked = masked_pieces(MASK, [piece.encode() for piece in pieces])

    assert masked == [b"one ", b"two *** three", b"", b"", b" four"]


def test_a_hook_may_change_everything() -> None:
    """Then no cut means anything."""
    assert masked_pieces(lambda data: b"gone", [b"a", b"b", b"c"]) == [b"gone", b"", b""]
