"""The table of all faults."""

from __future__ import annotations

from collections.abc import Mapping

from fiber.testing.hostile import body, coding, connection, framing, heads, status, stream, tls, tool_calls
from fiber.testing.hostile.scene import Fault, good

_ROOMS = (connection, heads, status, body, tool_calls, coding, framing, stream, tls)

FAULTS: Mapping[str, Fault] = {
    fault.name: fault
    for fault in (
        Fault("ok", "", "A good answer, which repeats the last words of the user.", good),
        Fault("redirected", "S16", "Where redirects lead: a good answer that no request should reach.", good),
        *(fault for room in _ROOMS for fault in room.FAULTS),
    )
}
"""Every fault by its name, which is also the first word of the path that leads to it."""
