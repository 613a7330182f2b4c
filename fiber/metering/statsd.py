"""
Metrics as StatsD packets: what was added since the last time.

Format: https://github.com/statsd/statsd/blob/master/docs/metric_types.md; tags as Datadog's agent, Telegraf and the
exporter of Prometheus read them: https://docs.datadoghq.com/developers/dogstatsd/datagram_shell/ (read 2026-11-21).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, localcontext
from threading import Lock

from fiber.transports.datagrams import Datagrams
from fiber.types.metrics import EXACT, Distribution, MetricsSnapshot

_MOST_BYTES = 1432
"""What goes through an Ethernet without being divided, by the advice of statsd."""

_Key = tuple[str, tuple[tuple[str, str], ...]]


class StatsD:
    """
    Send metrics to a StatsD server over UDP, whenever it is called; nothing is sent by itself.

    Counters are sent as what was added since the last call, latencies as their number and their sum (`.count` and
    `.sum`, in milliseconds). A server that is not there does not raise.

    Args:
        host, port: Where it listens.
        prefix: Beginning of all names.
        tags: Send labels as tags; otherwise their values are parts of the names, for servers that know no tags.

    Attributes:
        dropped: Packets that could not be sent.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 8125, *, prefix: str = "fiber", tags: bool = True) -> None:
        self._datagrams = Datagrams(host, port)
        self._prefix, self._tags = prefix, tags
        self._last: Mapping[_Key, int | Decimal] = {}
        self._lock = Lock()
        self.dropped = 0

    def __call__(self, snapshot: MetricsSnapshot) -> None:
        """Send what *snapshot* has more than the one before."""
        now = dict(_numbers(snapshot))
        with self._lock, localcontext(EXACT):
            last, self._last = self._last, now
            for packet in _packets(self._lines(now, last)):
                self.dropped += not self._datagrams.send(packet)

    def close(self) -> None:
        """Close the socket."""
        self._datagrams.close()

    def _lines(self, now: Mapping[_Key, int | Decimal], last: Mapping[_Key, int | Decimal]) -> Iterator[bytes]:
        for key, number in now.items():
            before = last.get(key, 0)
            # Less than before: the counts were reset meanwhile.
            added = number - before if number >= before else number
            if added:
                yield self._line(*key, added)

    def _line(self, name: str, labels: tuple[tuple[str, str], ...], added: int | Decimal) -> bytes:
        if self._tags:
            tags = ",".join(f"{label}:{_plain(value)}" for label, value in labels)
            return f"{self._prefix}.{name}:{_shown(added)}|c|#{tags}".encode()
        values = [_plain(value).replace(".", "_") or "none" for _, value in labels]
        return f"{'.'.join([self._prefix, name, *values])}:{_shown(added)}|c".encode()


def _numbers(snapshot: MetricsSnapshot) -> Iterator[tuple[_Key, int | Decimal]]:
    for point in snapshot.points:
        labels = tuple(point.labels.items())
        if isinstance(point.value, Distribution):
            yield (f"{point.name}.count", labels), point.value.count
            yield (f"{point.name}.sum", labels), Decimal(f"{point.value.total:.3f}")
        else:
            yield (point.name, labels), point.value


def _shown(number: int | Decimal) -> str:
    return str(number) if isinstance(number, int) else f"{number.normalize():f}"


def _plain(value: str) -> str:
    """Return *value* without what has a meaning in the format."""
    return re.sub(r"[^\w./-]", "_", value, flags=re.ASCII)


def _packets(lines: Iterator[bytes]) -> Iterator[bytes]:
    packet = b""
    for line in lines:
        if packet and len(packet) + 1 + len(line) > _MOST_BYTES:
            yield packet
            packet = b""
        packet = packet + b"\n" + line if packet else line
    if packet:
        yield packet
