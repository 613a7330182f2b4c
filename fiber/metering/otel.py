"""
The API of OpenTelemetry, for those who may have somebody that listens.

A host that sets up an SDK has imported the API, or names a provider in the environment. For all others it is not
imported: it would take a tenth of the time to a process's first call.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Any, Literal, TypeAlias

from fiber import _env

Part: TypeAlias = Literal["opentelemetry.metrics", "opentelemetry.trace"]

_VARIABLES = {
    "opentelemetry.metrics": "OTEL_PYTHON_METER_PROVIDER",
    "opentelemetry.trace": "OTEL_PYTHON_TRACER_PROVIDER",
}


def api(part: Part) -> Any:
    """Return *part* of the API; None while nobody can listen to it."""
    return _imported(part) if part in sys.modules or _named(part) else None


@cache
def _named(part: Part) -> bool:
    return bool(_env.values((_VARIABLES[part],)))


@cache
def _imported(part: Part) -> Any:
    # Not what stands in `sys.modules`: another thread may be in the midst of importing it.
    return import_module(part)


@cache
def propagator() -> Any:
    """Return what writes a span into headers as the W3C has it; only for those who have the API."""
    # Not the host's own: what that hands on to other services, like baggage, is not for a provider.
    return import_module("opentelemetry.trace.propagation.tracecontext").TraceContextTextMapPropagator()
