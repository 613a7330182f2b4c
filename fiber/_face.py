"""What both faces of a client know without a call: its rows, keys and routes."""

from __future__ import annotations

from collections.abc import Mapping

from fiber._settings import Settings
from fiber.providers.row import Provider
from fiber.registry.models import Route


class Face:
    """A face of a client, over its settings."""

    _settings: Settings

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The rows of this client, by name."""
        return self._settings.rows

    def has_key(self, provider: str) -> bool:
        """Say whether calls to *provider* have a key, or need none."""
        name = self.route("-", provider=provider).provider
        return bool(self._settings.keys.get(name)) or not self._settings.rows[name].needs_key

    def route(self, model: str, *, provider: str | None = None) -> Route:
        """Return where *model* goes, without a call; errors as for `chat`."""
        return self._settings.registry.resolve(model, provider=provider)

    def explain(self, model: str, *, provider: str | None = None) -> tuple[str, ...]:
        """Return the steps by which *model* is routed, in words; no I/O."""
        return self._settings.registry.explain(model, provider=provider)
