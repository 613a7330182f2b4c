"""Where layers keep state: in memory, in files, in Redis, encrypted or not."""

from __future__ import annotations

from fiber.stores.base import Ledger, Pacer, Store
from fiber.stores.encrypted import EncryptedStore
from fiber.stores.file import FileStore
from fiber.stores.memory import MemoryStore
from fiber.stores.redis import RedisStore

__all__ = ["EncryptedStore", "FileStore", "Ledger", "MemoryStore", "Pacer", "RedisStore", "Store"]
