"""The hostile server: the URL says which fault a request meets."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from urllib.parse import parse_qsl, urlsplit

import msgspec

from fiber.testing.certificates import issuer
from fiber.testing.formats import PROMISED, PROMISING, Route, route
from fiber.testing.formats.common import Asked
from fiber.testing.hostile.actions import Action
from fiber.testing.hostile.faults import FAULTS
from fiber.testing.hostile.play import play
from fiber.testing.hostile.scene import Fault, Scene, good, refused, whole
from fiber.testing.hostile.tls import greet
from fiber.testing.http1 import Connection, RawRequest
from fiber.testing.listening import HOST, Listener
from fiber.testing.recorded import MockRequest
from fiber.testing.script import Failure, RefusedError
from fiber.testing.serving import VERSIONS, Family, LoopbackServer, watched
from fiber.testing.view import ChatView, refuse


class HostileServer(LoopbackServer):
    """
    A provider on 127.0.0.1 that fails in every way that real ones do, in eight formats.

        with HostileServer() as server:
            fiber = Fiber(api_keys={"openai": "x"}, base_urls={"openai": server.base_url("openai", "stream-cut")})
            with pytest.raises(FiberStreamInterruptedError):
                fiber.sync.chat_stream("Hello", model="openai:gpt-x").collect()

    `FAULTS` lists the faults with a sentence for each. The fault `ok` is none: its answer repeats what was said. A
    request that a fault does not concern (a whole answer, where it is about streams) gets a good answer. A format whose
    streams have an address of their own meets it there: what leads there, and what ends the work, is answered well.

    Args:
        slow_seconds: What is slow takes so long.
        tick_seconds: Between two signs of life of an answer that gets nowhere.
        limit_seconds: No answer lasts longer; it ends sooner when the client leaves or the server closes.
        bulk_bytes: What is huge decodes to so much.
        flood_events: Pieces of text, comments or empty events of a flood.
        port: 0 chooses a free one.
        tls: Speak TLS, which some faults are about; needs trustme (`pip install 'fiber-llm[testing]'`).

    Raises:
        ImportError: trustme is not installed.
    """

    def __init__(
        self,
        *,
        slow_seconds: float = 1.0,
        tick_seconds: float = 0.02,
        limit_seconds: float = 60.0,
        bulk_bytes: int = 256 * 1024 * 1024,
        flood_events: int = 100_000,
        port: int = 0,
        tls: bool = False,
    ) -> None:
        super().__init__(port)
        self._slow_seconds = slow_seconds
        self._tick_seconds = tick_seconds
        self._limit_seconds = limit_seconds
        self._bulk_bytes = bulk_bytes
        self._flood_events = flood_events
        self._met: Counter[str] = Counter()
        self._carried: Counter[int] = Counter()
        self._issuer = issuer() if tls else b""
        self._others: dict[str, Listener] = {}
        self._promised: dict[int, ChatView] = {}

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of all faults."""
        return tuple(FAULTS)

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return super().url.replace("http:", "https:") if self._issuer else super().url

    @property
    def issuer(self) -> bytes:
        """
        Whom clients must trust: the certificate of the issuer, as PEM; empty without TLS.

        It is the same for all servers of a process.
        """
        return self._issuer

    def base_url(self, family: Family, fault: str = "ok") -> str:
        """
        Return the base URL with which a client of this family of providers meets *fault*.

        Raises:
            ValueError: There is no such fault, or it is about TLS and the server does not speak it.
        """
        if fault not in FAULTS:
            raise ValueError(f"No fault {fault!r}; HostileServer.faults lists all {len(FAULTS)}.")
        if FAULTS[fault].tls and not self._issuer:
            raise ValueError(f"The fault {fault!r} is about TLS: it needs HostileServer(tls=True).")
        return f"{self._origin(FAULTS[fault])}/{fault}{VERSIONS[family]}"

    def count(self, fault: str) -> int:
        """Return how many requests met *fault* since the last `reset`."""
        with self._lock:
            return self._met[fault]

    def reset(self) -> None:
        """Forget the requests, so that faults of the first request happen again."""
        with self._lock:
            self._requests.clear()
            self._met.clear()
            self._promised.clear()

    def close(self) -> None:
        """Close every connection and wait for all threads."""
        for listener in self._others.values():
            listener.close()
        self._others.clear()
        super().close()

    def _origin(self, fault: Fault) -> str:
        """Return where the fault is met: a handshake that fails has a port of its own, for no path is seen in it."""
        if fault.tls in (None, "good"):
            return self.url
        if fault.name not in self._others:
            self._others[fault.name] = Listener(partial(self._greet, fault), 0)
        scheme = "http" if fault.tls == "unasked" else "https"
        return f"{scheme}://{HOST}:{self._others[fault.name].port}"

    def _serve(self, connection: Connection) -> None:
        if self._issuer:
            greet(connection, "good", self._limit_seconds)
        super()._serve(connection)

    def _greet(self, fault: Fault, connection: Connection) -> None:
        with self._lock:
            self._met[fault.name] += 1
        greet(connection, fault.tls or "good", self._limit_seconds)
        super()._serve(connection)

    def _exchange(self, connection: Connection, raw: RawRequest) -> bool:
        target = urlsplit(raw.target)
        name, _, path = target.path.removeprefix("/").partition("/")
        query = dict(parse_qsl(target.query, keep_blank_values=True))
        found = route(raw.method, f"/{path}", raw.headers, query)
        request = self._record(connection, raw, found, query, name)
        scene = Scene(
            format=found.format,
            view=ChatView(model=found.model),
            number=request.number,
            api_key=request.api_key,
            origin=self.url,
            rest=f"{path}?{target.query}" if target.query else path,
            now=time.time(),
            slow_seconds=self._slow_seconds,
            tick_seconds=self._tick_seconds,
            limit_seconds=self._limit_seconds,
            bulk_bytes=self._bulk_bytes,
            flood_events=self._flood_events,
        )
        actions = self._aside(scene, request, found)
        if actions is None:
            actions = _actions(self._meeting(scene, request), request, found)
        with watched(request):
            return play(connection, raw, request, actions, self._limit_seconds)

    def _meeting(self, scene: Scene, request: MockRequest) -> Scene:
        """Count a request that meets its fault."""
        with self._lock:
            self._met[request.fault] += 1
            self._carried[request.connection] += 1
            return replace(scene, nth=self._met[request.fault], nth_on_connection=self._carried[request.connection])

    def _aside(self, scene: Scene, request: MockRequest, found: Route) -> Iterable[Action] | None:
        """Answer well what only leads to a stream, or ends the work for it; None for a request that meets its fault."""
        promising = PROMISING.get(found.format.name)
        if promising is None or request.fault not in FAULTS:
            return None
        place, number = f"{scene.origin}/{request.fault}", request.number
        with self._lock:
            if found.kind in PROMISED:
                number = int(found.verb)
                view = self._promised.get(number, scene.view)
                if found.kind != "stop":
                    request.view = replace(view, stream=found.kind == "stream")
                    return None
                said = promising.stopped(view, number, place)
            else:
                try:
                    view = _seen(scene, request, found).view
                except RefusedError:
                    return None
                if not view.stream:
                    return None
                self._promised[number] = view
                said = promising.promise(view, number, place)
        # Real streams are on another host, and so on another connection.
        return whole(scene, said.body, said.status, {"connection": "close"})


def _actions(scene: Scene, request: MockRequest, found: Route) -> Iterable[Action]:
    """Find what to do: the fault's recipe, or a refusal of what makes no sense."""
    fault = FAULTS.get(request.fault)
    if fault is None or found.kind in ("unknown", "count"):
        message = f"Invalid URL ({request.method} {request.path}): no such fault or path."
        return refused(scene, Failure(404, "model_not_found", message=message))
    try:
        scene = _seen(scene, request, found)
    except RefusedError as error:
        return refused(scene, error.failure)
    concerned = fault.concerns(scene.format.name, "stream" if scene.streams else "whole")
    return fault.play(scene) if concerned else good(scene)


def _seen(scene: Scene, request: MockRequest, found: Route) -> Scene:
    """Let the scene see what is asked."""
    if found.kind == "models":
        return replace(scene, models=found.format.models(("mock",)))
    if found.kind in PROMISED and request.view is not None:
        return replace(scene, view=request.view)
    try:
        body = msgspec.json.decode(request.body)
    except msgspec.DecodeError:
        body = None
    if not isinstance(body, dict):
        raise refuse("The body of the request is not a JSON object.")
    request.json = body
    asked = Asked(body, request.headers, found.model, found.verb, request.query)
    request.view = found.format.read(asked)
    request.model = request.view.model
    return replace(scene, view=request.view)
