"""Which transport serves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fiber import Fiber, FiberValidationError
from fiber._engine import run_sync
from fiber.transports.choice import HTTPXTransport, for_loops, for_threads
from fiber.transports.direct import DirectTransport
from fiber.transports.proxy import no_proxy


@pytest.mark.parametrize(
    ("make", "name", "kind"),
    [
        (for_loops, "", DirectTransport),
        (for_loops, "direct", DirectTransport),
        (for_loops, "httpx", HTTPXTransport),
        (for_loops, "h11", DirectTransport),
        (for_loops, "httptools", DirectTransport),
        (for_threads, "", DirectTransport),
        (for_threads, "direct", DirectTransport),
        (for_threads, "httpx", HTTPXTransport),
    ],
)
def test_a_transport_is_chosen_by_its_name(make: Callable[..., Any], name: str, kind: type) -> None:
    """Sockets of our own unless somebody says otherwise."""
    transport = make(lambda: name, str, no_proxy)

    assert type(transport) is kind
    if make is for_threads:
        run_sync(transport.shutdown())


@pytest.mark.parametrize("make", [for_loops, for_threads])
def test_a_transport_that_does_not_exist_is_refused(make: Callable[..., Any]) -> None:
    """The message lists those that do."""
    with pytest.raises(FiberValidationError, match="'curl': use direct, h11, httptools or httpx") as caught:
        make(lambda: "curl", str, no_proxy)

    assert (caught.value.parameter, caught.value.outcome) == ("transport", "not_sent")


@pytest.mark.usefixtures("no_real_environment")
def test_a_client_is_told_when_the_environment_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its first call, before anything is sent."""
    monkeypatch.setenv("FIBER_TRANSPORT", "curl")
    fiber = Fiber(api_keys={"openai": "k"}, default_model="openai:m")

    with pytest.raises(FiberValidationError, match="FIBER_TRANSPORT"):
        fiber.sync.chat("Hi")
