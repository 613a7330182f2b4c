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
    """The message names the variable, for an argument was checked before, and lists the transports that do exist."""
    words = "FIBER_TRANSPORT is 'curl': set it to direct, h11, httptools or httpx"
    with pytest.raises(FiberValidationError, match=words) as caught:
        make(lambda: "curl", str, no_proxy)

    assert (caught.value.parameter, caught.value.outcome) == ("FIBER_TRANSPORT", "not_sent")


@pytest.mark.usefixtures("no_real_environment")
def test_a_client_is_told_when_the_environment_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """At its first call, before anything is sent."""
    monkeypatch.setenv("FIBER_TRANSPORT", "curl")
    fiber = Fiber(api_keys={"openai": "k"}, default_model="openai:m")

    with pytest.raises(FiberValidationError, match="environment variable FIBER_TRANSPORT"):
        fiber.sync.chat("Hi")


@pytest.mark.usefixtures("no_real_environment")
@pytest.mark.parametrize("said", ["curl", "", 5, object()])
def test_a_client_is_told_when_its_argument_names_none(monkeypatch: pytest.MonkeyPatch, said: Any) -> None:
    """At once, and whatever the environment says: it is the argument that is wrong."""
    monkeypatch.setenv("FIBER_TRANSPORT", "wget")

    with pytest.raises(FiberValidationError, match="The argument transport is") as caught:
        Fiber(transport=said)

    assert repr(said) in caught.value.message
    assert (caught.value.parameter, caught.value.outcome) == ("transport", "not_sent")
