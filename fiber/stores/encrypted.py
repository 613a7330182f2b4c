"""
Any store, encrypted: whoever reads it learns only how long values are, and whoever writes to it changes none.

Each value has a key of its own, made of the store's key and a random salt, so that no number of values wears a key out.
Its name and its end belong to what is authenticated: a value neither passes for another nor lives longer.
"""

from __future__ import annotations

import hmac
import os
import struct
from base64 import urlsafe_b64decode
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from fiber._errors import FiberValidationError
from fiber.stores.base import Store

Key: TypeAlias = bytes | str
"""32 bytes, or these in urlsafe base64."""

_MAGIC = b"fiber encrypted\x01"
_SALT_BYTES, _NONCE_BYTES, _KEY_BYTES = 16, 12, 32
_HEAD = struct.Struct(f"{len(_MAGIC)}s{_SALT_BYTES}s{_NONCE_BYTES}s")
_EXPIRES = struct.Struct(">d")
"""Seconds since 1970, encrypted with the value."""


class EncryptedStore:
    """
    Keep values encrypted in *store* (extra `fiber-llm[crypto]`); a `Store`.

    AES-256-GCM. What is damaged, exchanged, over, or encrypted under another key is nothing.

    Args:
        store: Where the encrypted values are kept.
        key: 32 random bytes, or these in urlsafe base64; or several such keys, of which the first encrypts and all
            decrypt; or a function that returns them, which is called at each use.

    Attributes:
        unreadable: Values that were found and could not be decrypted.

    Raises:
        FiberValidationError: *key* is no key, or the package cryptography is missing.
    """

    def __init__(self, store: Store, key: Key | Sequence[Key] | Callable[[], Key | Sequence[Key]]) -> None:
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
        except ImportError:  # said now, for a layer that goes on without its store would hide it
            raise FiberValidationError(
                "EncryptedStore needs the package cryptography: pip install 'fiber-llm[crypto]'.",
                parameter="store",
                outcome="not_sent",
            ) from None
        self._cipher: Callable[[bytes], Any] = AESGCM
        self._invalid = InvalidTag
        self._store = store
        # Behind functions, so that no rendering of this object shows a key.
        self._keys: Callable[[], tuple[bytes, ...]]
        if callable(key):
            self._keys = lambda: _keys(key())
        else:
            keys = _keys(key)
            self._keys = lambda: keys
        self.quick = store.quick
        self.unreadable = 0

    def __repr__(self) -> str:
        return f"EncryptedStore({self._store!r})"

    def get(self, key: str, *, now: float) -> bytes | None:
        """Return what is kept under *key*."""
        content = self._store.get(key, now=now)
        if content is None:
            return None
        for secret in self._keys():
            if (opened := self._opened(secret, content, key)) is not None:
                (expires,) = _EXPIRES.unpack_from(opened)
                return None if now >= expires else opened[_EXPIRES.size :]
        self.unreadable += 1
        return None

    def set(self, key: str, value: bytes, *, seconds: float, now: float) -> None:
        """Keep *value*."""
        salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
        cipher = self._cipher(_derived(self._keys()[0], salt))
        sealed = cipher.encrypt(nonce, _EXPIRES.pack(now + seconds) + value, _name(key))
        self._store.set(key, _HEAD.pack(_MAGIC, salt, nonce) + sealed, seconds=seconds, now=now)

    def _opened(self, secret: bytes, content: bytes, key: str) -> bytes | None:
        if len(content) < _HEAD.size:
            return None
        magic, salt, nonce = _HEAD.unpack_from(content)
        if magic != _MAGIC:
            return None
        try:
            opened: bytes = self._cipher(_derived(secret, salt)).decrypt(nonce, content[_HEAD.size :], _name(key))
            return opened
        except self._invalid:
            return None


def _derived(secret: bytes, salt: bytes) -> bytes:
    return hmac.digest(secret, _MAGIC + salt, "sha256")


def _name(key: str) -> bytes:
    return key.encode("utf-8", "surrogatepass")


def _keys(given: object) -> tuple[bytes, ...]:
    several = given if isinstance(given, Sequence) and not isinstance(given, bytes | str) else [given]
    keys = tuple(_key(key) for key in several)
    if not keys or any(len(key) != _KEY_BYTES for key in keys):
        raise FiberValidationError(
            "EncryptedStore needs a key of 32 bytes, or these in urlsafe base64: make one with"
            " secrets.token_urlsafe(32).",
            parameter="key",
            outcome="not_sent",
        )
    return keys


def _key(given: object) -> bytes:
    if isinstance(given, bytes):
        return given
    try:
        return urlsafe_b64decode(given + "=" * (-len(given) % 4)) if isinstance(given, str) else b""
    except ValueError:
        return b""
