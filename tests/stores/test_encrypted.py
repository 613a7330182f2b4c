"""The store that encrypts."""

from __future__ import annotations

import base64
import secrets
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber import EncryptedStore, FiberValidationError, FileStore, MemoryStore, RedisStore
from tests.stores.server import free_port, needs_redis, running

KEY, OTHER = bytes(range(32)), b"other key, of thirty-two bytes.."
VALUE = b"a secret river"


def kept(store: MemoryStore, key: str = "a") -> bytes:
    """Return what is in *store*, as it is."""
    content = store.get(key, now=0)
    assert content is not None
    return content


@given(name=st.text(), value=st.binary(max_size=200))
def test_a_value_comes_back_as_it_was(name: str, value: bytes) -> None:
    """Under any name, also one that is no UTF-8, until its end."""
    store = EncryptedStore(MemoryStore(), KEY)
    for key in (name, name + "\ud800"):
        store.set(key, value, seconds=10, now=100)

        assert store.get(key, now=109) == value
        assert store.get(key, now=110) is None
    assert store.get(name + "x", now=100) is None
    assert store.unreadable == 0


def test_nothing_of_it_can_be_read(tmp_path: Path) -> None:
    """Neither value nor key is in the file, and the same value is never the same bytes."""
    store = EncryptedStore(FileStore(tmp_path), KEY)
    seen = []
    for _ in range(2):
        store.set("a", VALUE, seconds=10, now=0)
        (file,) = tmp_path.iterdir()
        seen.append(file.read_bytes())

    assert store.get("a", now=1) == VALUE
    assert not any(part in content for content in seen for part in (b"river", KEY, KEY[:8]))
    assert len({content[-len(VALUE) :] for content in seen}) == 2


def test_what_is_changed_is_nothing() -> None:
    """Cut at any byte, with any byte changed, or not encrypted at all; each is counted."""
    inner = MemoryStore()
    store = EncryptedStore(inner, KEY)
    store.set("a", VALUE, seconds=10, now=0)
    whole = kept(inner)
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :] for at in range(len(whole))]
    damaged += [whole + b"x", VALUE, b"\0" * 200]

    for content in damaged:
        inner.set("a", content, seconds=10, now=0)
        assert store.get("a", now=1) is None
    inner.set("a", whole, seconds=10, now=0)
    assert store.get("a", now=1) == VALUE
    assert store.unreadable == len(damaged)


def test_values_cannot_be_exchanged() -> None:
    """One that stands under another name is nothing."""
    inner = MemoryStore()
    store = EncryptedStore(inner, KEY)
    store.set("mine", VALUE, seconds=10, now=0)
    inner.set("yours", kept(inner, "mine"), seconds=10, now=0)

    assert store.get("yours", now=1) is None
    assert store.get("mine", now=1) == VALUE


def test_a_life_cannot_be_made_longer() -> None:
    """The end is encrypted with the value, whatever the store around it says."""
    inner = MemoryStore()
    store = EncryptedStore(inner, KEY)
    store.set("a", VALUE, seconds=10, now=0)
    inner.set("a", kept(inner), seconds=1000, now=0)

    assert store.get("a", now=9) == VALUE
    assert store.get("a", now=10) is None


def test_keys_are_exchanged_in_turn() -> None:
    """The first encrypts, all decrypt; one that was taken out opens nothing any more."""
    inner = MemoryStore()
    EncryptedStore(inner, KEY).set("old", b"1", seconds=10, now=0)
    both = EncryptedStore(inner, [OTHER, KEY])
    both.set("new", b"2", seconds=10, now=0)
    after = EncryptedStore(inner, OTHER)

    assert [both.get(name, now=1) for name in ("old", "new")] == [b"1", b"2"]
    assert [after.get(name, now=1) for name in ("old", "new")] == [None, b"2"]
    assert after.unreadable == 1


def test_a_key_has_several_spellings() -> None:
    """Bytes, urlsafe base64 with and without its padding, or a function that is asked each time."""
    inner = MemoryStore()
    key = b"\xff" * 32
    spelled = base64.urlsafe_b64encode(key).decode()
    turns = iter([key, [OTHER, spelled], OTHER])
    EncryptedStore(inner, key).set("a", VALUE, seconds=10, now=0)
    asked = EncryptedStore(inner, lambda: next(turns))

    for store in (EncryptedStore(inner, spelled), EncryptedStore(inner, spelled.rstrip("="))):
        assert store.get("a", now=1) == VALUE
    assert [asked.get("a", now=1) for _ in range(3)] == [VALUE, VALUE, None]
    EncryptedStore(inner, secrets.token_urlsafe(32))


@pytest.mark.parametrize("key", [b"", b"x" * 31, "x" * 64, "\xe9" * 43, "A", [], [KEY, b"x"], None, 32, [32]])
def test_a_key_of_another_kind_is_refused(key: Any) -> None:
    """When the store is made; what a function returns, when it is used."""
    with pytest.raises(FiberValidationError) as caught:
        EncryptedStore(MemoryStore(), key)
    asked = EncryptedStore(MemoryStore(), lambda: key)
    with pytest.raises(FiberValidationError, match="token_urlsafe"):
        asked.set("a", VALUE, seconds=10, now=0)

    assert (caught.value.parameter, caught.value.outcome) == ("key", "not_sent")
    assert "xxx" not in str(caught.value)


def test_no_rendering_shows_a_key() -> None:
    """Neither `repr` nor its members."""
    spelled = base64.urlsafe_b64encode(KEY).decode()
    store = EncryptedStore(RedisStore("redis://:hunter2@localhost"), [KEY, spelled])
    shown = f"{store!r} {store} {vars(store)}"

    assert repr(store) == "EncryptedStore(RedisStore(prefix='fiber'))"
    assert not any(part in shown for part in (spelled, repr(KEY), "hunter2"))


def test_it_waits_as_its_store_does(tmp_path: Path) -> None:
    """A layer calls it where it would call that one."""
    assert EncryptedStore(MemoryStore(), KEY).quick
    assert not EncryptedStore(FileStore(tmp_path), KEY).quick


def test_a_missing_package_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not when a value is lost."""
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)

    with pytest.raises(FiberValidationError, match=r"fiber-llm\[crypto\]"):
        EncryptedStore(MemoryStore(), KEY)


@needs_redis
def test_a_fleet_can_share_what_is_encrypted(tmp_path: Path) -> None:
    """Through Redis, which sees none of it."""
    port = free_port()
    with running(tmp_path, port):
        inner = RedisStore(f"redis://127.0.0.1:{port}", timeout_seconds=5)
        EncryptedStore(inner, KEY).set("a", VALUE, seconds=100, now=0)
        said = EncryptedStore(inner, KEY).get("a", now=1)
        content = inner.get("a", now=1)
        inner._client.close()

    assert said == VALUE
    assert content is not None
    assert VALUE not in content
