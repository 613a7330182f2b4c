"""Several credentials of one provider, as one value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fiber._errors import FiberValidationError
from fiber.types.http import Secret

if TYPE_CHECKING:
    from fiber.providers.row import Credential


class KeyPool:
    """
    Several credentials of one provider, used in turn; a list of them means the same.

    Args:
        keys: Each is what a single credential may be.

    Raises:
        FiberValidationError: There is none, or one of them is no credential.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: Iterable[Credential]) -> None:
        said: object = keys
        given = tuple(keys) if isinstance(said, Iterable) and not isinstance(said, str | bytes) else ()
        self._keys = tuple(Secret(key) if isinstance(key, str) else key for key in given)
        wrong = [number for number, key in enumerate(self._keys, start=1) if not _is_key(key)]
        if wrong or not self._keys:
            # None of them is quoted.
            what = f"key {wrong[0]} is a {type(self._keys[wrong[0] - 1]).__name__}" if wrong else "there is none"
            raise FiberValidationError(
                "A pool of keys is a list of them, each a text that is not empty, a Secret, a callable or a credential"
                f" that expires: {what}.",
                parameter="api_keys",
                outcome="not_sent",
            )

    @property
    def keys(self) -> tuple[Credential, ...]:
        """The credentials, in the order of their numbers."""
        return self._keys

    @property
    def region(self) -> str:
        """The region that the first of them names that names one; empty for none."""
        return next((region for key in self._keys if (region := getattr(key, "region", ""))), "")

    def texts(self) -> tuple[str, ...]:
        """Return every text in them that must be seen nowhere; what is fetched later is not among them."""
        return tuple(text for key in self._keys if isinstance(key, Secret) for text in key.texts())

    def __len__(self) -> int:
        return len(self._keys)

    def __repr__(self) -> str:
        return f"KeyPool({len(self)} keys)"


def credential_of(said: Credential | Sequence[Credential]) -> Credential:
    """
    Return what a caller said as one credential: text as `Secret`, a list as `KeyPool`.

    Raises:
        FiberValidationError: It is a list, and no pool can be made of it.
    """
    if isinstance(said, str):
        return Secret(said)
    return KeyPool(said) if isinstance(said, Sequence) else said


def _is_key(key: object) -> bool:
    return bool(key) if isinstance(key, Secret) else callable(key) or hasattr(key, "fresh")
