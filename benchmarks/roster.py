"""Who is measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec

TRANSPORTS: Mapping[str, Mapping[str, str]] = {
    # Name, which is that of the module it needs, too -> the environment that chooses it.
    "httptools": {"FIBER_TRANSPORT": "httptools"},
    "h11": {"FIBER_TRANSPORT": "h11"},
    "httpx": {"FIBER_TRANSPORT": "httpx", "FIBER_HTTP": "httpx"},
}

HTTPX, SOCKET = "httpx", "socket"
_SYNC = ".sync"


@dataclass(frozen=True)
class Entry:
    """
    One client.

    Attributes:
        name: As it is asked for and printed; the blocking ones end with `.sync`.
        place: `module:class` of it, in this folder.
        statement: What a program writes to import it.
        formats: What it speaks; empty for all.
        environment: Variables to set.
        needs: Module without which it cannot be measured; empty for none.
        python: Interpreter; empty for this one.
    """

    name: str
    place: str
    statement: str
    formats: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    needs: str = ""
    python: str = ""

    @property
    def blocks(self) -> bool:
        """It has no event loop."""
        return self.name.endswith(_SYNC)

    @property
    def is_missing(self) -> bool:
        """It needs what is not installed."""
        return bool(self.needs) and find_spec(self.needs) is None


def floor_of(client: str, floor: str) -> str:
    """Return the name of *floor* (`HTTPX` or `SOCKET`) that *client* is compared with: like with like."""
    return floor + _SYNC if client.endswith(_SYNC) else floor


FLOORS = (
    Entry(SOCKET, "bare_socket:BareSocket", "import msgspec"),
    Entry(SOCKET + _SYNC, "bare_socket:BlockingSocket", "import msgspec"),
    Entry(HTTPX, "bare_httpx:BareHTTPX", "import httpx, msgspec"),
    Entry(HTTPX + _SYNC, "bare_httpx:BlockingHTTPX", "import httpx, msgspec"),
)

OURS = tuple(
    Entry(f"fiber-{name}{ending}", f"ours:{kind}", "import fiber", environment=environment, needs=name)
    for ending, kind in (("", "AsyncFiber"), (_SYNC, "BlockingFiber"))
    for name, environment in TRANSPORTS.items()
)

ROSTER: Mapping[str, Entry] = {entry.name: entry for entry in (*FLOORS, *OURS)}
