"""Packets for a StatsD server, over real sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from decimal import Decimal

import pytest

from fiber import MetricsSnapshot, StatsD
from fiber.types.metrics import MetricPoint
from tests.kit import scripted, whole
from tests.layers.test_budget import Flat


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Listen on a port of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(10)
        yield listening


def lines(server: socket.socket) -> list[str]:
    """Return the lines of the next packet."""
    return server.recv(65536).decode().split("\n")


def point(value: int | Decimal, model: str = "m", name: str = "tokens_in") -> MetricPoint:
    """Make a point."""
    return MetricPoint(name, {"provider": "p", "model": model}, value)


def test_counts_arrive_with_tags(server: socket.socket) -> None:
    """Numbers, costs, and number and sum of latencies; what is zero is not sent."""
    fiber, _ = scripted(whole(), prices=Flat())
    fiber.sync.chat("Hi")
    statsd = StatsD(port=server.getsockname()[1])

    statsd(fiber.metrics.snapshot())
    statsd.close()

    tags = "provider:openai,model:gpt-test,stream:false"
    assert [line for line in lines(server) if "latency_ms.sum" not in line] == [
        "fiber.request_count:1|c|#provider:openai,model:gpt-test,ok:true,stream:false",
        f"fiber.latency_ms.count:1|c|#{tags}",
        f"fiber.tokens_in:3|c|#{tags}",
        f"fiber.tokens_out:5|c|#{tags}",
        f"fiber.tokens_total:8|c|#{tags}",
        f"fiber.estimated_cost_usd:0.00008|c|#{tags}",
    ]


def test_only_what_was_added_is_sent(server: socket.socket) -> None:
    """Since the last time; and all of it after a reset."""
    statsd = StatsD(port=server.getsockname()[1], prefix="app.llm")

    for value in (3, 3, 5, 2):
        statsd(MetricsSnapshot((point(value),)))
    found = [lines(server) for _ in range(3)]
    statsd.close()

    assert found == [[f"app.llm.tokens_in:{value}|c|#provider:p,model:m"] for value in (3, 2, 2)]


def test_labels_may_be_parts_of_the_name(server: socket.socket) -> None:
    """For servers that know no tags; dots would be levels, and nothing is an empty level."""
    statsd = StatsD(port=server.getsockname()[1], tags=False)

    statsd(MetricsSnapshot((point(1, "gpt-4.1"), point(1, ""))))
    found = lines(server)
    statsd.close()

    assert found == ["fiber.tokens_in.p.gpt-4_1:1|c", "fiber.tokens_in.p.none:1|c"]


def test_names_cannot_break_the_format(server: socket.socket) -> None:
    """What has a meaning in a packet is replaced."""
    statsd = StatsD(port=server.getsockname()[1])

    statsd(MetricsSnapshot((point(1, "a:b|c#d,e\nf@é"),)))
    found = lines(server)
    statsd.close()

    assert found == ["fiber.tokens_in:1|c|#provider:p,model:a_b_c_d_e_f__"]


def test_packets_are_small(server: socket.socket) -> None:
    """Many lines are several packets, each below the size that a network divides; no line is lost."""
    statsd = StatsD(port=server.getsockname()[1])

    statsd(MetricsSnapshot(tuple(point(1, f"model-{number}") for number in range(100))))
    packets: list[bytes] = []
    while b"".join(packets).count(b"tokens_in") < 100:
        packets.append(server.recv(65536))
    statsd.close()

    assert len(packets) > 1
    assert max(map(len, packets)) <= 1432


def test_nothing_is_sent_when_nothing_was_counted() -> None:
    """Not even a socket is opened."""
    statsd = StatsD("host.invalid")

    statsd(MetricsSnapshot())

    assert statsd.dropped == 0


def test_a_server_that_cannot_be_reached_does_not_raise() -> None:
    """What could not be sent is counted."""
    statsd = StatsD("256.0.0.1")

    statsd(MetricsSnapshot((point(1),)))

    assert statsd.dropped == 1
