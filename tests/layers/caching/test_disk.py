"""What a disk keeps of calls, and what becomes of calls when it does not."""

from __future__ import annotations

import errno
import logging
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fiber import Cache, EncryptedStore, FileStore
from fiber.stores.base import Store
from fiber.testing.fake import json_reply
from tests.kit import KEY, answer, scripted

CANARY = "canary"
SECRET = b"thirty-two bytes of a secret key"

STORES: dict[str, Callable[[Path], Store]] = {
    "plain": FileStore,
    "compressed": lambda path: FileStore(path, compress=True),
    "encrypted": lambda path: EncryptedStore(FileStore(path), SECRET),
}


def cached(store: Store) -> tuple[Any, Any, Cache]:
    """Make a client over *store*."""
    cache = Cache(store)
    replies = [json_reply(answer("A river."), set_cookie=f"id={CANARY}-cookie") for _ in range(3)]
    fiber, transport = scripted(*replies, cache=cache, cache_policy="write_through")
    return fiber, transport, cache


def entry(path: Path) -> Path:
    """Return the one entry below *path*."""
    (file,) = path.glob("*.fiber")
    return file


# -- what is kept -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("store", STORES)
def test_nothing_secret_is_kept(store: str, tmp_path: Path) -> None:
    """Of a call with secrets wherever they can stand, the disk has the answer, and not that where it is encrypted."""
    fiber, _, _ = cached(STORES[store](tmp_path))
    fiber.bind(tenant=f"{CANARY}-tenant", user=f"{CANARY}-user").sync.chat(
        f"{CANARY}-prompt",
        extra_headers={"x-secret": f"{CANARY}-header"},
        extra_query={"token": f"{CANARY}-query"},
        extra_body={"member": f"{CANARY}-body"},
        metadata={"who": f"{CANARY}-metadata"},
        user=f"{CANARY}-end-user",
        idempotency_key=f"{CANARY}-idempotency",
    )
    kept = entry(tmp_path).read_bytes() + entry(tmp_path).name.encode()

    assert CANARY.encode() not in kept
    assert KEY.encode() not in kept
    assert SECRET not in kept
    assert (b"A river." in kept) is (store == "plain")


@pytest.mark.parametrize("store", STORES)
@pytest.mark.parametrize("damage", ["cut", "changed", "empty", "older", "another's"])
def test_a_damaged_file_is_a_miss_and_is_replaced(store: str, damage: str, tmp_path: Path) -> None:
    """The call is answered by the provider, and the next one by the disk again."""
    fiber, transport, cache = cached(STORES[store](tmp_path))
    fiber.sync.chat("Hi")
    good = entry(tmp_path).read_bytes()
    STORES[store](tmp_path / "other").set("another", b"value", seconds=1e9, now=1.7e9)
    entry(tmp_path).write_bytes(
        {
            "cut": good[:-9],
            "changed": good[:60] + bytes([good[60] ^ 1]) + good[61:],
            "empty": b"",
            "older": b"fiber\x00" + good[6:],
            "another's": entry(tmp_path / "other").read_bytes(),
        }[damage]
    )

    said = [fiber.sync.chat("Hi") for _ in range(2)]

    assert [(result.text, result.cached) for result in said] == [("A river.", False), ("A river.", True)]
    assert (cache.stats.misses, cache.stats.hits, len(transport.requests)) == (2, 1, 2)


# -- a disk that does not -------------------------------------------------------------------------------------------


@contextmanager
def forbidden(path: Path, mode: int) -> Iterator[None]:
    """Have *path* be so, for a user who is held to it."""
    is_root = os.geteuid() == 0
    path.chmod(mode)
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        path.chmod(0o700)


@contextmanager
def full(path: Path) -> Iterator[None]:
    """Have every write meet a device that is full."""

    def made(*, suffix: str, dir: Path) -> tuple[int, str]:
        (dir / f"half{suffix}").touch()
        return os.open("/dev/full", os.O_WRONLY), str(dir / f"half{suffix}")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "mkstemp", made)
        yield


@contextmanager
def away(path: Path) -> Iterator[None]:
    """Have a file stand where the folder would be."""
    path.rename(path.with_name("moved"))
    path.write_bytes(b"")
    yield


@contextmanager
def broken(path: Path) -> Iterator[None]:
    """Have the device fail when it is read."""

    def read(self: Path) -> bytes:
        raise OSError(errno.EIO, "broken")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "read_bytes", read)
        yield


FAILURES: dict[str, Callable[[Path], Any]] = {
    "read-only": lambda path: forbidden(path, 0o500),
    "no permission": lambda path: forbidden(path, 0o000),
    "full": full,
    "no folder": away,
    "broken": broken,
}


@pytest.mark.skipif(not hasattr(os, "geteuid") or not os.path.exists("/dev/full"), reason="needs a Unix")
@pytest.mark.parametrize("failure", FAILURES)
def test_a_disk_that_fails_breaks_no_call(failure: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Calls are answered without it, with one warning; afterwards nothing half is left."""
    caplog.set_level(logging.WARNING, "fiber")
    folder = tmp_path / "answers"
    fiber, transport, cache = cached(FileStore(folder))
    fiber.sync.chat("Hi")
    fiber.sync.chat("Hi")

    with FAILURES[failure](folder):
        said = [fiber.sync.chat("What else?").text for _ in range(2)]

    assert said == ["A river."] * 2
    assert len(transport.requests) == 3
    assert cache.stats.errors >= 2
    assert [record.message for record in caplog.records] == ["cache_error"]
    assert list(tmp_path.rglob("*.tmp")) == []
