"""Faults told by a status, and what stands in the place of an answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate

from fiber.testing.hostile.actions import Action, Close, Head, Part, Stall
from fiber.testing.hostile.scene import Fault, Recipe, Scene, good, half, once, refused, whole
from fiber.testing.script import Failure

_HTML = b"<html><head><title>%b</title></head><body><center><h1>%b</h1></center><hr>nginx</body></html>\n"
_TYPES = {"html": "text/html; charset=utf-8", "text": "text/plain", "json": "application/json"}
_BLOCK = b" " * 65_536
_LIMIT = Failure(429, "rate_limit")

_SAID: Mapping[str, tuple[str, Failure]] = {
    # Name -> id in the matrix, failure in the provider's own shape.
    "bad-request": ("S1", Failure(code="bad_request")),
    "model-not-found": ("S1", Failure(code="model_not_found")),
    "too-large": ("S1", Failure(413, "bad_request", message="The request is too large.")),
    "unprocessable": ("S1", Failure(422, "bad_request", message="The request cannot be processed.")),
    "bad-key": ("S2", Failure(code="bad_key")),
    "no-access": ("S2", Failure(code="permission")),
    "context-length": ("S3", Failure(code="context_length")),
    "content-filter": ("S3", Failure(code="content_filter")),
    "rate-limit": ("S4", _LIMIT),
    "quota": ("S8", Failure(code="quota")),
    "payment": ("S8", Failure(402, "quota", message="Your credit is used up.")),
    "server-error": ("S9", Failure(code="server_error")),
    "bad-gateway": ("S9", Failure(502, "server_error", message="Bad gateway.")),
    "gateway-timeout": ("S9", Failure(504, "server_error", message="Gateway timeout.")),
    "overloaded": ("S9", Failure(code="overloaded")),
    "status-529": ("S9", Failure(529, "overloaded")),
    "status-599": ("S9", Failure(599, "server_error", message="Unheard of.")),
    "request-timeout": ("S18", Failure(408, "server_error", message="The request took too long to arrive.")),
    "conflict": ("S18", Failure(409, "server_error", message="Another request is in the way.")),
    "too-early": ("S18", Failure(425, "server_error", message="Too early.")),
}
_ONCE = ("rate-limit", "server-error", "bad-gateway", "overloaded", "status-529", "request-timeout", "too-early")
_ASKED: Mapping[str, tuple[str, str, str]] = {
    # Name -> id in the matrix, header, its value.
    "seconds": ("S5", "retry-after", "1"),
    "float": ("S5", "retry-after", "0.2"),
    "ms": ("S5", "retry-after-ms", "200"),
    "zero": ("S5", "retry-after", "0"),
    "negative": ("S6", "retry-after", "-5"),
    "nan": ("S6", "retry-after", "nan"),
    "infinite": ("S6", "retry-after", "inf"),
    "text": ("S6", "retry-after", "soon"),
    "old-date": ("S6", "retry-after", "Thu, 01 Jan 1970 00:00:00 GMT"),
    "impossible-date": ("S6", "retry-after", "Thu, 99 Foo 99999 99:99:99 GMT"),
}


def _refusal(failure: Failure, headers: Mapping[str, str] | None = None) -> Recipe:
    return lambda scene: refused(scene, failure, headers)


def _date(scene: Scene) -> list[Action]:
    return refused(scene, _LIMIT, {"retry-after": formatdate(scene.now + 1, usegmt=True)})


def _skewed(scene: Scene) -> list[Action]:
    slow = scene.now - 3600
    headers = {"retry-after": formatdate(slow + 1, usegmt=True), "date": formatdate(slow, usegmt=True)}
    return refused(scene, _LIMIT, headers)


def _echo(scene: Scene) -> list[Action]:
    message = f"Incorrect API key provided: {scene.api_key}."
    return refused(scene, Failure(401, "bad_key", message=message), {"x-your-key": scene.api_key})


def page(status: int, body: bytes, kind: str = "json") -> Recipe:
    """Answer with this body, whatever was asked."""
    return lambda scene: whole(scene, body, status, {"content-type": _TYPES[kind]})


def _error_body(failure: Failure, status: int, *, cut: bool = False) -> Recipe:
    def play(scene: Scene) -> list[Action]:
        body = scene.format.error(failure, scene.view.model).body
        headers = {"content-type": scene.format.content_type}
        return whole(scene, half(body) if cut else body, status, headers)

    return play


def _endless_error(scene: Scene) -> Iterator[Action]:
    yield Head(500, {"content-type": "text/plain"})
    for _ in range(scene.bulk_bytes // len(_BLOCK)):
        yield Part(_BLOCK)
    yield Close()


def _no_content(scene: Scene) -> list[Action]:
    return [Head(204, scene.format.headers(scene.number), length=0)]


def _redirect(target: Callable[[Scene], str]) -> Recipe:
    return lambda scene: whole(scene, b"", 307, {"location": target(scene)})


def _elsewhere(scene: Scene) -> str:
    # Another name for this machine is another origin: credentials must not follow.
    return f"{scene.origin.replace('127.0.0.1', 'localhost')}/redirected/{scene.rest}"


def _odd_limits(scene: Scene) -> list[Action]:
    headers = dict(scene.headers())
    for name in headers:
        if "ratelimit" in name:
            headers[name] = "6m0s" if "reset" not in name else "1e999"
    answer = good(scene)
    odd = {"x-ratelimit-reset-requests": "-1", "x-ratelimit-remaining-tokens": "", "x-ratelimit-limit-tokens": "many"}
    return [Head(headers={**headers, **odd}, length=_length(answer[0])), *answer[1:]]


def _length(action: Action) -> int | None:
    return action.length if isinstance(action, Head) else None


FAULTS = (
    *(Fault(name, row, f"The provider's own answer: {name}.", _refusal(said)) for name, (row, said) in _SAID.items()),
    *(
        Fault(f"{name}-once", _SAID[name][0], f"The first request meets {name}.", once(_refusal(_SAID[name][1])))
        for name in _ONCE
    ),
    *(
        Fault(
            f"retry-after-{name}",
            row,
            f"The first request meets 429 with {header}: {value}.",
            once(_refusal(_LIMIT, {header: value})),
        )
        for name, (row, header, value) in _ASKED.items()
    ),
    Fault("retry-after-date", "S5", "The first request meets 429 with a date one second ahead.", once(_date)),
    Fault(
        "retry-after-skewed",
        "S5",
        "The first request meets 429 with a date one second ahead, by a clock an hour slow.",
        once(_skewed),
    ),
    Fault("retry-after-huge", "S7", "429 with retry-after: 999999999.", _refusal(_LIMIT, {"retry-after": "999999999"})),
    Fault("key-echoed", "S2", "401 whose body and headers repeat the key.", _echo),
    Fault(
        "should-retry-false",
        "S11",
        "500 with x-should-retry: false.",
        _refusal(Failure(500), {"x-should-retry": "false"}),
    ),
    Fault("html-502", "S12", "502 with a page of a proxy.", page(502, _HTML % ((b"502 Bad Gateway",) * 2), "html")),
    Fault("html-429", "S12", "429 with a page of a proxy.", page(429, _HTML % ((b"Too Many Requests",) * 2), "html")),
    Fault("html-404", "S12", "404 with a page of a proxy.", page(404, _HTML % ((b"404 Not Found",) * 2), "html")),
    Fault("text-500", "S12", "500 with a line of text.", page(500, b"upstream connect error\n", "text")),
    Fault("empty-500", "S12", "500 without a body.", page(500, b"", "text")),
    Fault("list-500", "S12", "500 with a JSON list.", page(500, b'[1, "two", null]')),
    Fault("cut-500", "S12", "500 whose JSON is cut in half.", _error_body(Failure(500), 500, cut=True)),
    Fault("deep-500", "S12", "500 with JSON of 100,000 levels.", page(500, b"[" * 100_000 + b"]" * 100_000)),
    Fault(
        "odd-500",
        "S12",
        "500 whose members have unheard-of types.",
        page(500, b'{"error": {"message": {"a": [1]}, "code": []}}'),
    ),
    Fault("endless-500", "S12", "500 with *bulk_bytes* of white space.", _endless_error),
    Fault("stall-500", "S12", "500 whose body never comes.", lambda scene: [Head(500, length=100), Stall()]),
    Fault("html", "S13", "200 with the page of a login form.", page(200, _HTML % ((b"Please log in",) * 2), "html")),
    Fault("html-as-json", "S13", "200 with a page that is said to be JSON.", page(200, _HTML % ((b"Log in",) * 2))),
    Fault("text-200", "S13", "200 with a line of text.", page(200, b"OK\n", "text")),
    Fault(
        "error-under-200",
        "S14",
        "200 with the provider's error of an overload.",
        _error_body(Failure(code="overloaded"), 200),
    ),
    Fault(
        "quota-under-200",
        "S14",
        "200 with the provider's error of a used-up quota.",
        _error_body(Failure(code="quota"), 200),
    ),
    Fault("no-content", "S15", "204.", _no_content),
    Fault("empty-200", "S15", "200 without a body.", page(200, b"")),
    Fault("null-200", "S15", "200 with null.", page(200, b"null")),
    Fault("list-200", "S15", "200 with an empty JSON list.", page(200, b"[]")),
    Fault("object-200", "S15", "200 with an empty JSON object.", page(200, b"{}")),
    Fault("string-200", "S15", "200 with a JSON string.", page(200, b'"Hello"')),
    Fault("redirect-other-host", "S16", "307 to another origin.", _redirect(_elsewhere)),
    Fault("redirect-same-host", "S16", "307 to the same origin.", _redirect(lambda scene: f"/redirected/{scene.rest}")),
    Fault("redirect-loop", "S16", "307 to itself.", _redirect(lambda scene: f"/redirect-loop/{scene.rest}")),
    Fault("redirect-nowhere", "S16", "307 without a location.", page(307, b"")),
    Fault("odd-rate-limits", "S17", "A good answer whose rate-limit headers make no sense.", _odd_limits),
)
