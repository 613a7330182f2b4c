"""What both faces of a client know without a call: its rows, keys, routes and prices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Unpack

from fiber import _routing
from fiber._calls import either
from fiber._errors import FiberValidationError
from fiber._settings import Settings, looking
from fiber._validation import Problem, problems_of
from fiber.metering.metrics import Metrics
from fiber.providers.row import Provider
from fiber.registry.catalog import ModelCatalog
from fiber.registry.estimating import estimated
from fiber.registry.lockfile import Lockfile
from fiber.registry.models import Route
from fiber.types.calls import ChatOptions
from fiber.types.cost import Cost
from fiber.types.options import chat_request
from fiber.types.request import ChatRequest


class Face:
    """A face of a client, over its settings."""

    _settings: Settings

    @property
    def catalog(self) -> ModelCatalog:
        """What this client knows about models."""
        return self._settings.catalog

    @property
    def metrics(self) -> Metrics:
        """The counts of this client and of those that share them; empty when it counts nothing."""
        return self._settings.metrics

    @property
    def providers(self) -> Mapping[str, Provider]:
        """The rows of this client, by name."""
        return self._settings.rows

    @property
    def lockfile(self) -> Lockfile:
        """The aliases of this client; empty when it has no lockfile."""
        return self._settings.lockfile

    def has_alias(self, name: str, *, profile: str | None = None) -> bool:
        """Say whether *name* is an alias, in *profile* or that of the client; False for an unknown profile too."""
        with suppress(FiberValidationError):
            return self.lockfile.find(name, profile or self._settings.defaults.get("profile")) is not None
        return False

    def require_aliases(self, names: Iterable[str], *, context: str = "", profile: str | None = None) -> None:
        """
        Check that all *names* are aliases, before any of them is needed.

        Args:
            context: Who needs them, for the message.
            profile: Where to look; that of the client when not given.

        Raises:
            FiberValidationError: Some are not: the message lists all of them, and names the file and *context*; or
                there is no such profile.
        """
        self.lockfile.require(names, context=context, profile=profile or self._settings.defaults.get("profile"))

    def has_key(self, provider: str) -> bool:
        """Say whether calls to *provider* have a key, or need none."""
        name = self.route("-", provider=provider).provider
        return bool(self._settings.keys.get(name)) or not self._settings.rows[name].needs_key

    def route(self, model: str, *, provider: str | None = None) -> Route:
        """Return where *model* goes, of an alias or a balance the one that comes first; errors as for `chat`."""
        return _routing.routes(looking(self._settings), model, provider=provider).first

    def estimate_cost(
        self,
        messages: Any,
        *,
        model: str | None = None,
        provider: str | None = None,
        max_tokens: int | None = None,
        tools: Iterable[Any] | None = None,
    ) -> Cost:
        """
        Return what a chat will cost, about: estimated input, and *max_tokens* of output; nothing is sent.

        Args:
            model: As for `chat`; else the default model.
            max_tokens: Output to count with; 1000 when not given, or what the model can at most.

        Raises:
            FiberError: As for `chat`: wrong messages, or no provider for the model.
        """
        request = chat_request(messages, tools=None if tools is None else tuple(tools))
        name = model or request.model or self._settings.defaults.get("model") or ""
        where = self.route(name, provider=provider)
        prices, now = self._settings.prices, datetime.now(UTC)
        return estimated(
            request, where.provider, where.model, at=now, catalog=self.catalog, sources=prices, max_tokens=max_tokens
        )

    def validate(
        self,
        messages: Any = None,
        *,
        request: ChatRequest | None = None,
        stream: bool = False,
        **options: Unpack[ChatOptions],
    ) -> tuple[Problem, ...]:
        """
        Return all that is wrong with a call at its model, each with models that would take it; nothing is sent.

        Args:
            messages, request, options: As for `chat`.
            stream: The call is to be streamed.

        Raises:
            TypeError: A keyword is not known.
        """
        return problems_of(self._settings, either(messages, request), options, stream=stream)

    def explain(self, model: str, *, provider: str | None = None, request: Any = None) -> tuple[str, ...]:
        """
        Return the steps by which *model*, an alias or a balance, is routed, in words; no I/O.

        Args:
            request: What is to be asked, where that decides between OpenAI's APIs: messages as for `chat`, a
                `ChatRequest`, or a dict of parameters with `messages` in it.
        """
        return _routing.explain(looking(self._settings), model, provider=provider, request=request)
