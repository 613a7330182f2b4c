"""
Signature version 4.

The first cases are of the published test suite
(https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html, kept in awslabs/aws-c-auth): those with
normalized paths, for only S3 leaves them as they are, and nobody here asks S3. The session `interop` compares
thousands of random requests with botocore. Of a few requests that are no HTTP as they stand, the signature is the one
that AWS's SDK for JavaScript holds itself to (fixtures of @aws-sdk/signature-v4, read 2026-11-21).
"""

from __future__ import annotations

import pytest

from fiber.providers.sigv4 import Scope, authorization, canonical_request, host_of, timestamp

SCOPE = Scope("20150830T123600Z", "us-east-1", "service")
DATE = ("X-Amz-Date", SCOPE.time)
FORM = "application/x-www-form-urlencoded"
FORM_HASH = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
UNRESERVED = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
STS_TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthA"
    "x7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY"
    "9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
SUITE: dict[str, tuple[str, str, list[tuple[str, str]], bytes, str]] = {
    "get-vanilla": ("GET", "/", [], b"", VANILLA),
    "get-header-key-duplicate": (
        "GET",
        "/",
        [("My-Header1", "value2"), ("My-Header1", "value2"), ("My-Header1", "value1")],
        b"",
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    ),
    "get-header-value-order": (
        "GET",
        "/",
        [("My-Header1", f"value{number}") for number in (4, 1, 3, 2)],
        b"",
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    ),
    "get-header-value-trim": (
        "GET",
        "/",
        [("My-Header1", " value1"), ("My-Header2", ' "a   b   c"')],
        b"",
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    ),
    "get-relative-relative": (
        "GET",
        "/example1/example2/../..",
        [],
        b"",
        VANILLA,
    ),
    "get-slash-pointless-dot": (
        "GET",
        "/./example",
        [],
        b"",
        "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5",
    ),
    "get-space": (
        "GET",
        "/example space/",
        [],
        b"",
        "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
    ),
    "get-utf8": ("GET", "/\u1234", [], b"", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"),
    "get-unreserved": (
        "GET",
        f"/{UNRESERVED}",
        [],
        b"",
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    ),
    "get-vanilla-query-order-key-case": (
        "GET",
        "/?Param2=value2&Param1=value1",
        [],
        b"",
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    ),
    "get-vanilla-query-order-encoded": (
        "GET",
        "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
        [],
        b"",
        "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac",
    ),
    "get-vanilla-with-session-token": (
        "GET",
        "/",
        [("X-Amz-Security-Token", TOKEN)],
        b"",
        "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
    ),
    "post-header-key-sort": (
        "POST",
        "/",
        [("My-Header1", "value1")],
        b"",
        "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
    ),
    "post-x-www-form-urlencoded": (
        "POST",
        "/",
        [("Content-Type", FORM), ("Content-Length", "13"), ("x-amz-content-sha256", FORM_HASH)],
        b"Param1=value1",
        "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
    "get-header-value-multiline": (
        "GET",
        "/",
        [("My-Header1", "value1,value2,value3")],  # as a header of several lines is sent today
        b"",
        "ba17b383a53190154eb5fa66a1b836cc297cc0a3d70a5d00705980573d8ff790",
    ),
    "get-header-value-multiline, folded": (
        "GET",
        "/",
        [("My-Header1", "value1\n  value2\n     value3")],
        b"",
        "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd",
    ),
    "get-vanilla-query-order-key": (
        "GET",
        "/?Param1=value2&Param1=Value1",
        [],
        b"",
        "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1",
    ),
    "get-vanilla-query-order-value": (
        "GET",
        "/?Param1=value2&Param1=value1",
        [],
        b"",
        "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694",
    ),
    "get-special-character": (
        "GET",
        "/example/$delete",
        [],
        b"",
        "a853c9b21b528b19643d00910d35b83a10c366a10833ceefb45edd6c80e40f27",
    ),
    "get-relative": ("GET", "/example/..", [], b"", VANILLA),
    "get-slash-dot-slash": ("GET", "/./", [], b"", VANILLA),
    "get-slash": ("GET", "//", [], b"", VANILLA),
    "get-slashes": (
        "GET",
        "//example//",
        [],
        b"",
        "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84",
    ),
    "get-vanilla-empty-query-key": (
        "GET",
        "/?Param1=value1",
        [],
        b"",
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    ),
    "get-vanilla-query": ("GET", "/", [], b"", VANILLA),
    "get-vanilla-query-unreserved": (
        "GET",
        f"/?{UNRESERVED}={UNRESERVED}",
        [],
        b"",
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    ),
    "get-vanilla-utf8-query": (
        "GET",
        "/?%E1%88%B4=bar",  # as it is sent
        [],
        b"",
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    ),
    "post-header-value-case": (
        "POST",
        "/",
        [("My-Header1", "VALUE1")],
        b"",
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    ),
    "post-sts-header-before": (
        "POST",
        "/",
        [("X-Amz-Security-Token", STS_TOKEN)],
        b"",
        "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
    ),
    **dict.fromkeys(
        # The token of the second is added to a request that is signed already; the third writes its headers otherwise.
        ("post-vanilla", "post-sts-header-after", "post-header-key-case"),
        ("POST", "/", [], b"", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    ),
    **dict.fromkeys(
        ("post-vanilla-query", "post-vanilla-empty-query-value"),
        ("POST", "/?Param1=value1", [], b"", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"),
    ),
    "post-vanilla-query-nonunreserved": (
        "POST",
        "/?%40%23%24%25%5E=&%2B=%2F%2C%3F%3E%3C%60%22%3B%3A%5C%7C%5D%5B%7B%7D",  # as it is sent
        [],
        b"",
        "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e",
    ),
    "post-vanilla-query-space": (
        "POST",
        "/?p=",  # as AWS's own clients read what stands before a space
        [],
        b"",
        "e71688addb58a26418614085fb730ba3faa623b461c17f48f2fbdb9361b94a9b",
    ),
    "post-x-www-form-urlencoded-parameters": (
        "POST",
        "/",
        [
            ("Content-Type", f"{FORM}; charset=utf-8"),
            ("Content-Length", "13"),
            ("x-amz-content-sha256", FORM_HASH),
        ],
        b"Param1=value1",
        "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
    ),
}


@pytest.mark.parametrize("case", SUITE)
def test_published_requests_have_their_published_signatures(case: str) -> None:
    """What AWS has published is signed as published."""
    method, path, headers, body, expected = SUITE[case]

    said = authorization(
        method,
        f"https://example.amazonaws.com{path}",
        [*headers, DATE],
        body,
        scope=SCOPE,
        access_key_id="AKIDEXAMPLE",
        secret_access_key="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    )

    scheme, credential, signed, signature = said.split(" ")
    names = sorted({"host", "x-amz-date", *(name.lower() for name, _ in headers)})
    assert scheme == "AWS4-HMAC-SHA256"
    assert credential == "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request,"
    assert signed == f"SignedHeaders={';'.join(names)},"
    assert signature == f"Signature={expected}"


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("https://h", "/", ""),
        ("https://h/", "/", ""),
        ("https://h/a//b/./c/../d/", "/a/b/d/", ""),
        ("https://h/../..", "/", ""),
        ("https://h/model/a%3A0/converse", "/model/a%253A0/converse", ""),
        ("https://h/x?b=2&a=1&a=0&c", "/x", "a=0&a=1&b=2&c="),
    ],
)
def test_path_is_normal_and_encoded_once_more_and_the_query_sorted(url: str, path: str, query: str) -> None:
    """Dot segments and empty ones go, what is encoded is encoded again, and parameters stand in order."""
    canonical, signed = canonical_request("get", url, [], b"")

    assert canonical.split("\n")[:3] == ["GET", path, query]
    assert signed == "host"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://Bedrock.Example/x", "bedrock.example"),
        ("https://h:443/x", "h"),
        ("http://h:80", "h"),
        ("http://127.0.0.1:8080/x", "127.0.0.1:8080"),
        ("https://[::1]:8080/x", "[::1]:8080"),
        ("https://[::1]/x", "[::1]"),
    ],
)
def test_host_is_signed_as_it_is_sent(url: str, host: str) -> None:
    """A port stands in the header unless it is the scheme's own."""
    assert host_of(url) == host


def test_time_is_written_in_utc() -> None:
    """Seconds since 1970 become the compact form, whatever the machine's zone."""
    assert timestamp(1_440_938_160.9) == "20150830T123600Z"
