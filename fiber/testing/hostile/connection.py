"""Faults of the connection: it breaks, falls silent, or stays busy without getting anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from fiber.testing.hostile.actions import Action, Close, End, HalfClose, Head, Part, Pause, Reset, Send, Stall
from fiber.testing.hostile.scene import EVENT_FORMATS, TEXT_FORMATS, Fault, Scene, good, half, once, opened

BREATH_SECONDS = 0.02
"""Before a break, so that the client has read what came: it may destroy what is on its way."""
RESET: tuple[Action, ...] = (Pause(BREATH_SECONDS), Reset())


def _opened(scene: Scene) -> Head:
    return opened(scene) if scene.streams else Head(headers=scene.headers(), length=len(scene.body()))


def _halves(scene: Scene) -> tuple[list[bytes], list[bytes]]:
    """Cut a good answer in two: its events, or the bytes of its JSON."""
    if scene.streams:
        events = scene.events()
        return half(events), events[len(half(events)) :]
    body = scene.body()
    return [half(body)], [body[len(half(body)) :]]


def begun(scene: Scene) -> list[Action]:
    """Send the first half of a good answer."""
    return [_opened(scene), *map(Part, _halves(scene)[0])]


def rest(scene: Scene) -> list[Action]:
    """Send what `begun` left out."""
    return [*map(Part, _halves(scene)[1]), End()]


def until_close(scene: Scene, body: bytes) -> list[Action]:
    """Send a body whose only end is that of the connection."""
    return [Head(headers={**scene.headers(), "connection": "close"}, chunked=False), Part(body), Close()]


def _bytes(scene: Scene) -> bytes:
    return b"".join(scene.events()) if scene.streams else scene.body()


def half_until_close(scene: Scene) -> list[Action]:
    """Send half of such a body."""
    return until_close(scene, b"".join(half(scene.events())) if scene.streams else half(scene.body()))


def _stale(last: Action) -> Callable[[Scene], list[Action]]:
    return lambda scene: [last] if scene.nth_on_connection > 1 else good(scene)


def ping(scene: Scene) -> bytes:
    """Return what the format sends to keep a connection alive."""
    if scene.format.name == "ollama":
        return b"\n"
    return b'event: ping\ndata: {"type": "ping"}\n\n' if scene.format.name == "anthropic" else b": keep-alive\n\n"


def _for_ever(scene: Scene, start: list[Action], sign: bytes) -> Iterator[Action]:
    yield from start
    for _ in scene.ticks:
        yield Part(sign)
        yield Pause(scene.tick_seconds)
    yield Close()


def _pings(scene: Scene) -> Iterator[Action]:
    return _for_ever(scene, begun(scene), ping(scene))


def _comments(scene: Scene) -> Iterator[Action]:
    return _for_ever(scene, begun(scene), b": still there\n\n")


def _pings_first(scene: Scene) -> Iterator[Action]:
    return _for_ever(scene, [opened(scene)], ping(scene))


def _spaces(scene: Scene) -> Iterator[Action]:
    # OpenRouter and DeepSeek keep the connection of a whole answer alive like this.
    start: list[Action] = begun(scene) if scene.streams else [opened(scene)]
    return _for_ever(scene, start, b"\n" if scene.streams else b" ")


def _endless_tokens(scene: Scene) -> Iterator[Action]:
    return _for_ever(scene, begun(scene), half(scene.events())[-1])


def _drip(scene: Scene) -> list[Action]:
    data = _bytes(scene)
    return [_opened(scene), *(Part(bytes([byte])) for byte in data), End()]


def _drip_head(scene: Scene) -> list[Action]:
    head = b"HTTP/1.1 200 OK\r\ncontent-type: %b\r\nconnection: close\r\n\r\n"
    head %= scene.headers()["content-type"].encode()
    return [*(Send(bytes([byte])) for byte in head), Send(_bytes(scene)), Close()]


FAULTS = (
    Fault("rst-before-headers", "C6", "The request is read, then the connection is reset.", lambda scene: [Reset()]),
    Fault("fin-before-headers", "C6", "The request is read, then the connection is closed.", lambda scene: [Close()]),
    Fault("rst-once", "C7", "The first request meets a reset, later ones are answered.", once(lambda scene: [Reset()])),
    Fault("fin-once", "C7", "The first request meets a close, later ones are answered.", once(lambda scene: [Close()])),
    Fault("rst-after-headers", "C8", "Status and headers, then a reset.", lambda scene: [_opened(scene), *RESET]),
    Fault("fin-after-headers", "C8", "Status and headers, then a close.", lambda scene: [_opened(scene), Close()]),
    Fault(
        "rst-after-headers-once",
        "C8",
        "Status and headers, then a reset; later requests are answered.",
        once(lambda scene: [_opened(scene), *RESET]),
    ),
    Fault("rst-mid-body", "C9", "Half of the answer, then a reset.", lambda scene: [*begun(scene), *RESET]),
    Fault("fin-mid-body", "C9", "Half of the answer, then a close.", lambda scene: [*begun(scene), Close()]),
    Fault(
        "rst-mid-body-once",
        "C9",
        "Half of the first answer, then a reset; later requests are answered.",
        once(lambda scene: [*begun(scene), *RESET]),
    ),
    Fault(
        "until-close", "C10", "A good answer whose end is that of the connection.", lambda s: until_close(s, _bytes(s))
    ),
    Fault("until-close-cut", "C10", "Half an answer whose end is that of the connection.", half_until_close),
    Fault("stale-keepalive", "C11", "A used connection is reset when its next request comes.", _stale(Reset())),
    Fault("stale-keepalive-fin", "C11", "A used connection is closed when its next request comes.", _stale(Close())),
    Fault(
        "idle-close", "C11", "A good answer; then the connection is closed unannounced.", lambda s: [*good(s), Close()]
    ),
    Fault("half-close", "C12", "A good answer; then the server only listens.", lambda s: [*good(s), HalfClose()]),
    Fault(
        "slow-headers",
        "C13",
        "Nothing for *slow_seconds*, then a good answer.",
        lambda s: [Pause(s.slow_seconds), *good(s)],
    ),
    Fault(
        "slow-headers-once",
        "C13",
        "The first request waits *slow_seconds* for its answer.",
        once(lambda scene: [Pause(scene.slow_seconds), *good(scene)]),
    ),
    Fault("never-headers", "C13", "Nothing at all.", lambda scene: [Stall()]),
    Fault("never-headers-once", "C13", "Nothing at all for the first request.", once(lambda scene: [Stall()])),
    Fault("stall-after-headers", "C14", "Status and headers, then nothing.", lambda scene: [_opened(scene), Stall()]),
    Fault("stall-mid-body", "C14", "Half of the answer, then nothing.", lambda scene: [*begun(scene), Stall()]),
    Fault(
        "slow-mid-body",
        "C14",
        "Half of the answer, *slow_seconds* of nothing, the other half.",
        lambda scene: [*begun(scene), Pause(scene.slow_seconds), *rest(scene)],
    ),
    Fault(
        "pings", "C15", "Half of the stream, then only the format's pings.", _pings, frozenset({"stream"}), TEXT_FORMATS
    ),
    Fault(
        "comments", "C15", "Half of the stream, then only comments.", _comments, frozenset({"stream"}), EVENT_FORMATS
    ),
    Fault(
        "pings-first",
        "C15",
        "Only the format's pings, from the beginning.",
        _pings_first,
        frozenset({"stream"}),
        TEXT_FORMATS,
    ),
    Fault("spaces", "C15", "Only white space; in a stream after half of it.", _spaces),
    Fault("endless-tokens", "L1", "Piece after piece of text, without end.", _endless_tokens, frozenset({"stream"})),
    Fault("drip", "C16", "A good answer, byte by byte.", _drip),
    Fault("drip-head", "C16", "A good answer whose head comes byte by byte.", _drip_head),
)
