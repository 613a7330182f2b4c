"""
What a well-behaved client makes of each fault: the yardstick, as data.

`EXPECTED` says it for whole answers and streams, `EXCEPTIONS` where one format differs, and why. Several words joined
by `|` are equally good. Nothing here may be weakened because the library does otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from fiber.testing import FAULTS
from tests.torture.by_mode import STREAM, WHOLE
from tests.torture.outcome import (
    AGAIN,
    ATTEMPTS,
    BROKEN,
    EITHER,
    EMPTY,
    FAILED,
    LIMITED,
    LOST,
    OK,
    OVERLOADED,
    REDIRECTED,
    REFUSED,
    SAID,
    SILENT,
    TOO_MUCH,
    TYPED,
    UNREADABLE,
    UNTRUSTED,
    WAVE,
    Mode,
    Outcome,
    waited,
)

_BOTH: Mapping[str, Outcome] = {
    "ok": OK,
    "redirected": OK,
    # Connection
    "rst-before-headers": LOST,
    "fin-before-headers": LOST,
    "rst-once": AGAIN,
    "fin-once": AGAIN,
    "rst-after-headers": LOST,
    "fin-after-headers": LOST,
    "rst-after-headers-once": AGAIN,
    "until-close": OK,
    "stale-keepalive": replace(OK, calls=2, requests=(3,)),
    "stale-keepalive-fin": replace(OK, calls=2, requests=(3,)),
    "idle-close": replace(OK, calls=2, requests=(2,)),
    "half-close": replace(OK, calls=2, requests=(2,)),
    "slow-headers": OK,
    "slow-headers-once": OK,
    "never-headers": SILENT,
    "never-headers-once": AGAIN,
    "stall-after-headers": SILENT,
    "slow-mid-body": OK,
    "drip": OK,
    "drip-head": OK,
    # TLS: a certificate does not mend itself; who hangs up may not the next time.
    "tls-wrong-host": replace(UNTRUSTED, mentions="not valid for '127.0.0.1'"),
    "tls-expired": replace(UNTRUSTED, mentions="certificate has expired"),
    "tls-untrusted": replace(UNTRUSTED, mentions="issuer"),
    "tls-too-old": UNTRUSTED,
    "tls-not-spoken": UNTRUSTED,
    **dict.fromkeys(("tls-handshake-cut", "tls-handshake-reset"), Outcome(word="connection", requests=(ATTEMPTS,))),
    "tls-handshake-stall": Outcome(word="timeout:connect|timeout:first_event", requests=(2,)),
    "tls-spoken": BROKEN,
    "tls-cut-in-head": LOST,
    "tls-cut-at-end": OK,  # the format says that it is complete, whatever the connection says
    "tls-cut-idle": replace(OK, calls=2, requests=(2,)),
    # Heads
    "not-http": BROKEN,
    "tls-alert": BROKEN,
    "bad-status-line": BROKEN,
    "bad-status": BROKEN,
    "bad-header": BROKEN,
    "bare-body": BROKEN,
    "cut-head": BROKEN,
    "huge-header": TYPED,
    "many-headers": TYPED,
    "endless-head": replace(TYPED, patient=True),
    "early-hints": OK,
    "many-early-hints": OK,
    "length-negative": BROKEN,
    "length-text": BROKEN,
    "lengths-differ": BROKEN,
    "lengths-equal": Outcome(word="ok|connection"),  # RFC 9110, section 8.6, lets a client do either
    "length-and-chunked": Outcome(word="ok|connection", requests=(1, 2)),
    "bad-chunk-size": BROKEN,
    "huge-chunk-size": BROKEN,
    "unasked-answer": OK,
    "http10": OK,
    "http10-length": OK,
    # Status
    "bad-request": REFUSED,
    "model-not-found": Outcome(word="model_not_found"),
    "too-large": REFUSED,
    "unprocessable": REFUSED,
    "bad-key": Outcome(word="auth"),
    "no-access": Outcome(word="auth"),
    "context-length": Outcome(word="context_length"),
    "content-filter": Outcome(word="content_filter"),
    "rate-limit": LIMITED,
    "quota": Outcome(word="quota"),
    "payment": Outcome(word="quota"),
    "server-error": FAILED,
    "bad-gateway": FAILED,
    "gateway-timeout": FAILED,
    "overloaded": OVERLOADED,
    "status-529": OVERLOADED,
    "status-599": FAILED,
    "request-timeout": Outcome(word="provider", requests=(ATTEMPTS,)),
    "conflict": Outcome(word="provider", requests=(1, ATTEMPTS)),
    "too-early": Outcome(word="provider", requests=(ATTEMPTS,)),
    "rate-limit-once": AGAIN,
    "server-error-once": AGAIN,
    "bad-gateway-once": AGAIN,
    "overloaded-once": AGAIN,
    "status-529-once": AGAIN,
    "request-timeout-once": AGAIN,
    "too-early-once": AGAIN,
    "retry-after-seconds": waited(1.0, 1.1),
    "retry-after-float": waited(0.2, 0.3),
    "retry-after-ms": waited(0.2, 0.3),
    "retry-after-date": waited(0.0, 1.1),
    "retry-after-zero": waited(0.0, 0.1),
    "retry-after-negative": waited(0.0, 0.1),
    "retry-after-nan": waited(0.0, 0.1),
    "retry-after-infinite": waited(0.0, 0.1),
    "retry-after-text": waited(0.0, 0.1),
    "retry-after-old-date": waited(0.0, 0.1),
    "retry-after-impossible-date": waited(0.0, 0.1),
    "retry-after-skewed": waited(1.0, 1.1),
    "retry-after-huge": Outcome(word="rate_limit", fact=("retry_after", 999999999.0)),
    "key-echoed": Outcome(word="auth"),
    "should-retry-false": Outcome(word="provider"),
    "html-502": FAILED,
    "html-429": LIMITED,
    "html-404": Outcome(word="bad_request|model_not_found"),
    "text-500": FAILED,
    "empty-500": FAILED,
    "list-500": FAILED,
    "cut-500": FAILED,
    "deep-500": FAILED,
    "odd-500": FAILED,
    "endless-500": Outcome(word="provider|connection", requests=(1, 2), patient=True),
    "stall-500": Outcome(word="provider|timeout:read", requests=(1, 2)),
    "html": UNREADABLE,
    "html-as-json": UNREADABLE,
    "text-200": UNREADABLE,
    "error-under-200": OVERLOADED,
    "quota-under-200": Outcome(word="quota"),
    "no-content": EMPTY,
    "empty-200": EMPTY,
    "null-200": EMPTY,
    "list-200": EMPTY,
    "object-200": EMPTY,
    "string-200": EMPTY,
    "redirect-other-host": replace(REDIRECTED, mentions="//localhost"),
    "redirect-same-host": REDIRECTED,
    "redirect-loop": REDIRECTED,
    "redirect-nowhere": REDIRECTED,
    "odd-rate-limits": OK,
    # Body
    "json-cut": UNREADABLE,
    "json-trailing": UNREADABLE,
    "json-control": UNREADABLE,
    "json-quotes": UNREADABLE,
    "json-nan": OK,
    "json-1e999": OK,
    "json-duplicate-keys": OK,
    "json-30-digits": EITHER,
    "json-5000-digits": EITHER,
    "json-deep": EITHER,
    "json-lone-surrogate": replace(OK, text=SAID + "\ufffd"),
    "json-surrogates": replace(OK, text=SAID + WAVE),
    "json-nul": replace(OK, text=SAID + "\0"),
    "json-lines": replace(OK, text=SAID + "\u2028\u2029\x85"),
    "json-odd-text": replace(OK, text=SAID + "\ufffde\u0301 \u05e9\u05dc\u05d5\u05dd"),
    "json-bom": OK,
    "json-invalid-utf8": replace(EITHER, text=SAID + "\ufffd"),
    "json-utf16": UNREADABLE,
    "usage-never": replace(OK, check="usage_unknown"),
    "usage-strings": OK,
    "usage-null": replace(OK, check="usage_unknown"),
    "usage-fractions": OK,
    "usage-negative": OK,
    "usage-huge": EITHER,
    "unknown-fields": OK,
    "unknown-finish": replace(OK, check="finish_unknown"),
    "tool-arguments-cut": replace(OK, text=None, check="arguments_cut"),
    "tool-arguments-empty": replace(OK, text=None, check="arguments_empty"),
    "tool-arguments-text": replace(OK, text=None, check="arguments_text"),
    "tool-arguments-list": replace(OK, text=None, check="arguments_list"),
    "tool-arguments-twice": replace(OK, text=None, check="arguments_twice"),
    "text-plain": OK,
    "octets": OK,
    "no-type": OK,
    # Codings
    "gzip-bomb": TOO_MUCH,
    "deflate-bomb": TOO_MUCH,
    "gzip-nested-bomb": replace(TOO_MUCH, requests=(1, 2)),
    "gzip-twice": Outcome(word="ok|parsing|connection|interrupted", requests=(1, 2)),
    "endless-body": TOO_MUCH,
    "endless-length": replace(TOO_MUCH, requests=(1, 2)),
    "gzip-broken": TYPED,
    "gzip-cut": TYPED,
    "gzip": OK,
    "gzip-members": OK,
    "deflate": OK,
    "deflate-raw": OK,
    "identity": OK,
    "coding-unknown": Outcome(word="ok|parsing|connection|interrupted", requests=(1, 2)),
    "gzip-undeclared": TYPED,
}
EXPECTED: Mapping[str, Mapping[Mode, Outcome]] = {
    name: {
        mode: own[name] if name in own else _BOTH[name]
        for mode, own in (("whole", WHOLE), ("stream", STREAM))
        if mode in fault.modes
    }
    for name, fault in FAULTS.items()
}
"""Fault and kind of chat -> outcome."""

_MODES: tuple[Mode, ...] = ("whole", "stream")
_IN_OBJECTS: tuple[tuple[str, Mode], ...] = (
    ("anthropic", "whole"),
    ("gemini", "whole"),
    ("gemini", "stream"),
    ("ollama", "whole"),
    ("ollama", "stream"),
)
_UNCODED = Outcome(word="bad_request|content_filter")
_UNTYPED = Outcome(word="provider", partial=True)

EXCEPTIONS: Mapping[tuple[str, str, Mode], Outcome] = {
    # These tell a filtered prompt in words alone, and words do not decide; Ollama filters nothing.
    **{
        ("content-filter", format, mode): _UNCODED
        for format in ("anthropic", "gemini", "ollama", "bedrock_converse")
        for mode in _MODES
    },
    # Errors have a status and no code here, so under a 200 there is nothing that tells them apart.
    **{("error-under-200", "cohere", mode): FAILED for mode in _MODES},
    **{("quota-under-200", format, mode): FAILED for format in ("cohere", "ollama") for mode in _MODES},
    # Bedrock says what an error is in a header, of which nothing is left under a 200.
    **{
        (fault, "bedrock_converse", mode): UNREADABLE
        for fault in ("error-under-200", "quota-under-200")
        for mode in _MODES
    },
    # Its streams are no text: white space, text and a byte order mark are bytes that do not fit, or too few of them.
    ("json-bom", "bedrock_converse", "stream"): UNREADABLE,
    ("spaces", "bedrock_converse", "stream"): Outcome(word="parsing|interrupted", partial=True),
    ("text-200", "bedrock_converse", "stream"): EMPTY,
    ("stream-error", "cohere", "stream"): _UNTYPED,
    ("stream-error-first", "cohere", "stream"): FAILED,
    ("stream-error-then-mark", "cohere", "stream"): _UNTYPED,
    ("stream-rate-limit", "cohere", "stream"): _UNTYPED,
    ("stream-rate-limit", "ollama", "stream"): _UNTYPED,
    # Words alone tell an error in a stream.
    ("stream-error", "replicate", "stream"): _UNTYPED,
    ("stream-error-first", "replicate", "stream"): FAILED,
    ("stream-error-then-mark", "replicate", "stream"): _UNTYPED,
    ("stream-rate-limit", "replicate", "stream"): _UNTYPED,
    # A model may well have nothing to say.
    ("empty-choices", "replicate", "whole"): Outcome(word="ok|parsing", text=None),
    # A stream has a connection of its own here, which none has used before.
    **{
        (fault, "replicate", "stream"): replace(OK, calls=2, requests=(2,))
        for fault in ("stale-keepalive", "stale-keepalive-fin")
    },
    # An empty answer that ends its turn is documented: https://docs.anthropic.com/en/api/handling-stop-reasons
    ("empty-choices", "anthropic", "whole"): Outcome(word="ok|parsing", text=None),
    # Arguments are an object here, so text in their place does not fit the format.
    **{
        (f"tool-arguments-{kind}", format, mode): Outcome(word="ok|parsing", text=None, check=f"arguments_{kind}")
        for kind in ("cut", "text", "list", "empty")
        for format, mode in _IN_OBJECTS
    },
}


_MOST_BEGUN = 2
"""Most requests for a stream of Replicate: it has begun to work by then, so the outcome is unknown whatever it says."""


def expected(fault: str, format: str, mode: Mode) -> Outcome:
    """Return what a cell must show."""
    outcome = EXCEPTIONS.get((fault, format, mode)) or EXPECTED[fault][mode]
    if (format, mode) == ("replicate", "stream") and FAULTS[fault].tls in (None, "good") and outcome.calls == 1:
        return replace(outcome, requests=tuple(sorted({min(count, _MOST_BEGUN) for count in outcome.requests})))
    return outcome
