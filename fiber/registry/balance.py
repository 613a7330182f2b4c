"""Names that stand for several models, which share the calls by weight."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from threading import Lock

from fiber._errors import FiberModelNotFoundError, FiberValidationError
from fiber.registry.models import ModelRegistry
from fiber.types.numbers import is_number


class Balance:
    """
    Whose turn it is: smooth weighted round robin, so that turns of a heavy model lie apart.

    Each turn adds to every model its weight; the one that has most then takes the turn, and gives back the sum of all.
    Source: `ngx_http_upstream_get_peer` in
    https://github.com/nginx/nginx/blob/master/src/http/ngx_http_upstream_round_robin.c, read 2026-11-21.

    Args:
        name: What calls say as model.
        weights: Models, as calls may name them, with positive numbers.

    Raises:
        FiberValidationError: There is no model, or a weight is no positive number.
    """

    def __init__(self, name: str, weights: Mapping[str, float]) -> None:
        said: object = weights
        if not isinstance(said, Mapping) or not said or not all(map(_is_weight, said.values())):
            raise _wrong(
                f"The balance {name!r} must be models with positive numbers, like {{'azure-eu:gpt-6': 3,"
                f" 'azure-us:gpt-6': 1}}, not {weights!r}."
            )
        self.name = name
        self._weights = dict(weights)
        self._gained = dict.fromkeys(weights, 0.0)
        self._lock = Lock()

    @property
    def models(self) -> tuple[str, ...]:
        """The models, the heaviest first."""
        return tuple(sorted(self._weights, key=self._weights.__getitem__, reverse=True))

    @property
    def following(self) -> str:
        """The model that has the next turn."""
        with self._lock:
            return self._best()

    def turn(self) -> tuple[str, ...]:
        """Return the models of one call: the one whose turn it is, then the others, the heaviest first."""
        with self._lock:
            best = self._best()
            for model, weight in self._weights.items():
                self._gained[model] += weight
            self._gained[best] -= math.fsum(self._weights.values())
        return (best, *(model for model in self.models if model != best))

    def copy(self) -> Balance:
        """Return one that has the same turn next; turns of either are none of the other's."""
        other = Balance(self.name, self._weights)
        with self._lock:
            other._gained.update(self._gained)
        return other

    def __str__(self) -> str:
        models = ", ".join(f"{model} ({self._weights[model]:g})" for model in self.models)
        return f"{self.name!r} is balanced over {models}: the next turn is that of {self.following}"

    def _best(self) -> str:
        return max(self._weights, key=lambda model: self._gained[model] + self._weights[model])


def balances_of(said: Mapping[str, Mapping[str, float]] | None, registry: ModelRegistry) -> dict[str, Balance]:
    """
    Return balances by name.

    Raises:
        FiberModelNotFoundError: No provider is known for one of their models.
        FiberValidationError: A name has a meaning for *registry*, or a balance is none.
    """
    if said is not None and not isinstance(said, Mapping):
        raise _wrong(f"balance must be names with models and weights, not {said!r}.")
    balances = {name: Balance(name, weights) for name, weights in (said or {}).items()}
    check_names(balances, registry)
    for balance in balances.values():
        for model in balance.models:
            registry.resolve(model)
    return balances


def check_names(names: Iterable[str], registry: ModelRegistry) -> None:
    """Raise when one of *names* has a meaning of its own for *registry*."""
    for name in names:
        said: object = name
        if not isinstance(said, str) or not said:
            raise _wrong(f"The name of a balance must be a text that is not empty, not {name!r}.")
        if name in registry.names:
            raise _wrong(f"The balance {name!r} has the name of a provider: give it another one.")
        try:
            provider = registry.resolve(name).provider
        except FiberModelNotFoundError:
            continue
        raise _wrong(
            f"The balance {name!r} has the name of a model, which goes to {provider}: give it another one, that begins"
            " otherwise."
        )


def _is_weight(weight: object) -> bool:
    return is_number(weight) and 0 < weight < math.inf


def _wrong(message: str) -> FiberValidationError:
    return FiberValidationError(message, parameter="balance", outcome="not_sent")
