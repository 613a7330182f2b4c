"""Which parser reads what comes over our own sockets."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from fiber._errors import FiberValidationError
from fiber.transports.wire import MakeWire

_WIRES = {"httptools": ("wire_httptools", "HTTPToolsWire"), "h11": ("wire_h11", "H11Wire")}


def wire_of(name: str = "") -> MakeWire:
    """
    Return what makes the HTTP side of a connection.

    Args:
        name: `httptools` or `h11`; any other name for the fastest one installed.

    Raises:
        FiberValidationError: It is not installed.
    """
    known = name if name in _WIRES else next(found for found in _WIRES if find_spec(found))
    module, kind = _WIRES[known]
    try:
        make: MakeWire = getattr(import_module(f"fiber.transports.{module}"), kind)
    except ImportError:
        raise FiberValidationError(
            f"The transport {known!r} needs a package that is not installed: pip install 'fiber-llm[speed]', or take"
            " transport='h11'.",
            parameter="transport",
            outcome="not_sent",
        ) from None
    return make
