"""
What any client owes its caller in a cell: the words of `tests/torture/expected.py`, widened where clients may differ.

The same rules hold for all libraries, fiber included.
"""

from __future__ import annotations

from collections.abc import Mapping

from fiber.testing import FAULTS
from tests.torture.expected import expected
from tests.torture.outcome import SAID, Mode, Outcome

LEFT_OUT: Mapping[str, str] = {
    "redirected": "is where redirects lead, not a fault",
    **{name: "each client is told in another way whom to trust" for name, fault in FAULTS.items() if fault.tls},
    "empty-choices": "the empty list is there for the caller to see, so any result is defensible",
}
"""Faults that are not played, and why."""

WIDER: Mapping[str, tuple[str, str]] = {
    # Faults, words that are right besides, why.
    **dict.fromkeys(("redirect-same-host", "redirect-other-host"), ("ok", "following a redirect is a choice")),
    **dict.fromkeys(("json-nan", "json-bom"), ("parsing", "it is not JSON by RFC 8259")),
    "json-lone-surrogate": ("parsing", "the text cannot be encoded as it is"),
    "stream-split-surrogates": ("parsing", "each half cannot be encoded as it is"),
    "lengths-equal": ("connection", "RFC 9112 lets a client refuse it"),
    "many-early-hints": ("connection", "a limit is a choice"),
    "deflate-raw": ("parsing", "RFC 9110 asks for the wrapper"),
    **dict.fromkeys(("json-to-stream", "stream-to-plain"), ("parsing", "it is not what was asked")),
    **dict.fromkeys(("text-plain", "octets", "no-type", "odd-charset"), ("parsing", "the type says it is no JSON")),
    **dict.fromkeys(("stream-no-mark", "stream-no-final-blank"), ("parsing", "the end is not the documented one")),
    "stream-json-array": ("parsing", "it is not what was asked"),
    **dict.fromkeys(
        ("usage-strings", "usage-null", "usage-fractions", "usage-negative"), ("parsing", "it is against the schema")
    ),
    **dict.fromkeys(
        ("tool-arguments-cut", "tool-arguments-empty", "tool-arguments-text", "tool-arguments-list"),
        ("parsing", "the model's arguments are not usable"),
    ),
    **dict.fromkeys(
        ("rst-mid-body-once", "rst-after-headers-once"), ("connection", "the answer may have been paid for already")
    ),
    **dict.fromkeys(
        ("too-early-once", "status-529-once"), ("provider", "not every documented list of retried statuses has it")
    ),
    "null-content": ("parsing", "some formats do not allow it"),
    "usage-never": ("parsing", "some formats require it"),
    **dict.fromkeys(("error-under-200", "quota-under-200"), ("parsing", "it is not the documented answer")),
    **dict.fromkeys(("request-timeout", "gateway-timeout"), ("timeout", "the status itself tells of one")),
    "stream-endless-event": ("ok", "the text is good; the memory is what is counted"),
}
"""Faults that clients may well answer in another way than fiber does."""

RETRIED = frozenset(
    name for name in FAULTS if name.endswith("-once") or name.startswith(("retry-after-", "stale-"))
) - {"retry-after-huge"}
"""Faults that are about retries: two are set there, where elsewhere the library's default holds."""

LEAST_WAIT_SECONDS: Mapping[str, float] = {
    "retry-after-seconds": 1.0,
    "retry-after-float": 0.2,
    "retry-after-ms": 0.2,
}
"""What the answer asks to wait before the next request."""

_STARTS = frozenset({"json-lone-surrogate", "stream-after-mark"})
"""The text is good when it begins like the answer: what stands for half a character or behind the end is a choice."""
_FINAL = frozenset({"bad_request", "model_not_found", "auth", "context_length", "content_filter", "quota"})


def words(fault: str, format: str, mode: Mode) -> frozenset[str]:
    """Return the words that are right; `timeout` stands for every timer."""
    found = {word.partition(":")[0] for word in expected(fault, format, mode).word.split("|")}
    return frozenset(found | ({WIDER[fault][0]} if fault in WIDER else set()))


def is_final(fault: str, format: str, mode: Mode) -> bool:
    """Tell whether the answer is a refusal that the same request will always meet."""
    return words(fault, format, mode) <= _FINAL


def text_is_good(fault: str, format: str, mode: Mode, said: str, text: str) -> bool:
    """Tell whether a good answer says what the server said."""
    want = _outcome(fault, format, mode).text
    if fault in _STARTS:
        return text.startswith(said)
    return want is None or text == want.replace(SAID, said)


def check_of(fault: str, format: str, mode: Mode) -> str:
    """Return the name of the further check of a good answer, or nothing."""
    return _outcome(fault, format, mode).check


def is_patient(fault: str, format: str, mode: Mode) -> bool:
    """Tell whether the fault is a question of size."""
    return _outcome(fault, format, mode).patient


def calls_of(fault: str, format: str, mode: Mode) -> int:
    """Return how many calls are made, one after another."""
    return _outcome(fault, format, mode).calls


def _outcome(fault: str, format: str, mode: Mode) -> Outcome:
    return expected(fault, format, mode)
