"""
Rows that installed packages offer, by entry points of the group `fiber.providers`; looked for only when asked.

Source: https://packaging.python.org/en/latest/specifications/entry-points/, November 2026.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from fiber._errors import FiberValidationError
from fiber.providers.row import Provider, with_row
from fiber.providers.table import PROVIDERS

GROUP = "fiber.providers"


def installed_providers(*names: str) -> tuple[Provider, ...]:
    """
    Return the rows that installed packages offer, for *providers* of `Fiber`; their code is imported by this.

    An entry point of the group `fiber.providers` names a `Provider`, or several; what they speak stands in them.

    Args:
        names: The entry points to load; all when none is named.

    Raises:
        FiberValidationError: There is no such entry point, it cannot be imported, it is no row, or a name or alias is
            taken by a row of the library or of another package.
    """
    points = entry_points(group=GROUP)
    missing = [name for name in names if name not in points.names]
    if missing:
        raise _refused(
            f"No installed package offers {', '.join(map(repr, missing))} to fiber:"
            f" there are {', '.join(map(repr, sorted(points.names))) or 'none'}."
        )
    rows = {row.name: row for row in PROVIDERS}
    own = len(rows)
    for point in sorted(points, key=lambda point: (point.name, point.value)):
        if not names or point.name in names:
            for row in _offered(point):
                try:
                    rows = with_row(rows, row, replace=False)
                except FiberValidationError as error:
                    raise _refused(f"{_named(point)} cannot be used: {error.message}") from None
    return tuple(rows.values())[own:]


def _offered(point: EntryPoint) -> list[Provider]:
    try:
        offered: Any = point.load()
    except Exception as error:
        raise _refused(f"{_named(point)} cannot be imported: {type(error).__name__}: {error}.") from error
    rows = [offered] if isinstance(offered, Provider) else list(offered) if isinstance(offered, Iterable) else []
    if not rows or not all(isinstance(row, Provider) for row in rows):
        raise _refused(f"{_named(point)} must be a Provider, or several of them, not {type(offered).__name__}.")
    return rows


def _named(point: EntryPoint) -> str:
    package = f" of the package {point.dist.name}" if point.dist is not None else ""
    return f"The provider {point.name!r}{package} ({point.value})"


def _refused(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="providers", outcome="not_sent")
