"""
A store that a fleet of processes shares: Redis, or what speaks its protocol and runs its scripts.

Counters are moved by scripts, so that a reservation is one step on the server, on the server's own clock. All counters
of a prefix live in one slot of a cluster, for one reservation may touch several.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from importlib import import_module
from importlib.util import find_spec
from threading import Lock
from typing import Any, TypeVar

from fiber._errors import FiberConnectionError, FiberValidationError
from fiber.stores.base import Claim, Flow, Reserved, Spent, Standing, Turn
from fiber.stores.redis_pacing import LEAVE, TAKE

T = TypeVar("T")

_RELEASE = """
local function release(counter, amount)
    if tonumber(amount) > 0 then redis.call('HINCRBY', counter, 'held', '-' .. amount) end
end
"""

_CLEAN = (
    _RELEASE
    + """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function standing(counter, holds)
    for _, name in ipairs(redis.call('ZRANGEBYSCORE', holds, '-inf', now)) do
        release(counter, string.match(name, '%d+$'))
        redis.call('ZREM', holds, name)
    end
    local used, held = unpack(redis.call('HMGET', counter, 'used', 'held'))
    return tonumber(used or 0), tonumber(held or 0)
end
"""
)

_RESERVE = (
    _CLEAN
    + """
local answer = {-1}
for i = 1, #KEYS / 2 do
    local used, held = standing(KEYS[2 * i - 1], KEYS[2 * i])
    local amount, limit = tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
    table.insert(answer, used)
    table.insert(answer, held)
    if answer[1] < 0 and limit >= 0 and used + held + amount > limit then answer[1] = i - 1 end
end
if answer[1] >= 0 then return answer end
for i = 1, #KEYS / 2 do
    redis.call('HINCRBY', KEYS[2 * i - 1], 'held', ARGV[3 * i])
    redis.call('ZADD', KEYS[2 * i], now + ARGV[2], ARGV[1] .. ' ' .. ARGV[3 * i])
    redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[3 * i + 2])
    redis.call('PEXPIRE', KEYS[2 * i], ARGV[3 * i + 2])
end
return answer
"""
)

_SETTLE = (
    _RELEASE
    + """
for i = 1, #KEYS / 2 do
    if redis.call('ZREM', KEYS[2 * i], ARGV[1] .. ' ' .. ARGV[3 * i - 1]) == 1 then
        release(KEYS[2 * i - 1], ARGV[3 * i - 1])
    end
    redis.call('HINCRBY', KEYS[2 * i - 1], 'used', ARGV[3 * i])
    redis.call('PEXPIRE', KEYS[2 * i - 1], ARGV[3 * i + 1])
end
"""
)

_STANDINGS = (
    _CLEAN
    + """
local answer = {}
for i = 1, #KEYS / 2 do
    local used, held = standing(KEYS[2 * i - 1], KEYS[2 * i])
    table.insert(answer, used)
    table.insert(answer, held)
end
return answer
"""
)


class RedisStore:
    """
    Keep values, counters and lines in Redis (extra `fiber-llm[redis]`); a `Store`, a `Ledger` and a `Pacer`.

    Nothing is connected before the first use. No command is repeated: layers know better what a failure means.

    Args:
        url: Like `redis://localhost:6379/0`; `rediss://` for TLS.
        prefix: Beginning of every key.
        timeout_seconds: Longest wait for a connection, and for an answer.
        rest_seconds: After a failure nothing is asked for so long, and every use fails at once; then one use asks, and
            the others fail at once until it has an answer.

    Attributes:
        failures: Commands that failed; those that were not tried are not counted.
    """

    quick = False

    def __init__(
        self, url: str, *, prefix: str = "fiber", timeout_seconds: float = 0.025, rest_seconds: float = 1.0
    ) -> None:
        if not str(url).startswith(("redis://", "rediss://", "unix://")):
            raise FiberValidationError(
                "RedisStore needs a URL like 'redis://localhost:6379/0'.", parameter="url", outcome="not_sent"
            )
        if find_spec("redis") is None:  # said now, for a layer that goes on without its store would hide it
            raise FiberValidationError(
                "RedisStore needs the package redis: pip install 'fiber-llm[redis]'.",
                parameter="store",
                outcome="not_sent",
            )
        self._url = url
        self._prefix = prefix
        self._timeout = timeout_seconds
        self._rest = rest_seconds
        self._rested = 0.0
        self._lock = Lock()
        self.failures = 0

    def __repr__(self) -> str:
        return f"RedisStore(prefix={self._prefix!r})"

    def get(self, key: str, *, now: float) -> bytes | None:
        """Return what is kept under *key*."""
        value: bytes | None = self._do(now, lambda: self._client.get(self._value_key(key)))
        return value

    def set(self, key: str, value: bytes, *, seconds: float, now: float) -> None:
        """Keep *value*."""
        self._do(now, lambda: self._client.set(self._value_key(key), value, px=_milliseconds(seconds)))

    def reserve(self, claims: Sequence[Claim], hold: str, *, seconds: float, now: float) -> Reserved:
        """Hold all of *claims*, or none."""
        arguments: list[Any] = [hold, _milliseconds(seconds)]
        for claim in claims:
            arguments += [claim.amount, -1 if claim.limit is None else claim.limit, _milliseconds(claim.seconds)]
        refused, *numbers = self._run(now, _RESERVE, [claim.key for claim in claims], arguments)
        return Reserved(None if refused < 0 else refused, _standings(numbers))

    def settle(self, claims: Sequence[Claim], used: Sequence[int], hold: str, *, now: float) -> None:
        """End the reservation *hold*."""
        arguments: list[Any] = [hold]
        for claim, amount in zip(claims, used, strict=True):
            arguments += [claim.amount, amount, _milliseconds(claim.seconds)]
        self._run(now, _SETTLE, [claim.key for claim in claims], arguments)

    def standings(self, keys: Sequence[str], *, now: float) -> tuple[Standing, ...]:
        """Return how counters stand."""
        return _standings(self._run(now, _STANDINGS, keys, []))

    def reset(self, keys: Sequence[str], *, now: float) -> None:
        """Set counters to zero."""
        self._do(now, lambda: self._client.delete(*self._counter_keys(keys)))

    def take(
        self,
        key: str,
        name: str,
        flows: Sequence[Flow],
        *,
        places: int | None,
        seconds: float,
        longest: float | None,
        now: float,
    ) -> Turn:
        """Return when it is the turn of *name*."""
        bounds = [-1 if bound is None else bound for bound in (places, longest)]
        arguments = [name, *bounds, seconds, *_flows(flows, Spent())]
        refused, wait = self._do(now, lambda: self._scripts[TAKE](keys=self._line_keys(key), args=arguments))
        return Turn(float(wait), bool(refused))

    def leave(self, key: str, name: str, flows: Sequence[Flow], spent: Spent, *, now: float) -> None:
        """End the turn of *name*, or its wait."""
        arguments = [name, spent.seconds, "" if spent.pause is None else spent.pause, *_flows(flows, spent)]
        self._do(now, lambda: self._scripts[LEAVE](keys=self._line_keys(key), args=arguments))

    def _line_keys(self, key: str) -> list[str]:
        return [f"{{{self._prefix}}}:{key}{part}" for part in ("", ":order", ":dying")]

    def _value_key(self, key: str) -> str:
        return f"{self._prefix}:{key}"

    def _counter_keys(self, keys: Sequence[str]) -> list[str]:
        return [name for key in keys for name in (f"{{{self._prefix}}}:{key}", f"{{{self._prefix}}}:{key}:holds")]

    def _run(self, now: float, script: str, keys: Sequence[str], arguments: Sequence[Any]) -> Any:
        return self._do(now, lambda: self._scripts[script](keys=self._counter_keys(keys), args=arguments))

    def _do(self, now: float, command: Callable[[], T]) -> T:
        with self._lock:
            if now < self._rested:
                raise FiberConnectionError("Redis failed a moment ago and is left alone.", outcome="not_sent")
            if self._rested:  # one finds out whether it is back; the others need not wait for the same timer
                self._rested = now + self._rest
        try:
            answer = command()
            self._rested = 0.0
            return answer
        except self._errors as error:
            self.failures += 1
            self._rested = now + self._rest
            why = type(error).__name__
        raise FiberConnectionError(f"Redis gave no usable answer ({why}): check that it runs.", outcome="unknown")

    @cached_property
    def _errors(self) -> tuple[type[Exception], ...]:
        return (import_module("redis").RedisError, OSError, ValueError)

    @cached_property
    def _client(self) -> Any:
        # Its own retries would multiply the wait: ten seconds where fifty milliseconds were meant.
        never = import_module("redis.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
        return import_module("redis").Redis.from_url(
            self._url, socket_timeout=self._timeout, socket_connect_timeout=self._timeout, retry=never
        )

    @cached_property
    def _scripts(self) -> dict[str, Any]:
        return {script: self._client.register_script(script) for script in (_RESERVE, _SETTLE, _STANDINGS, TAKE, LEAVE)}


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))


def _standings(numbers: Sequence[int]) -> tuple[Standing, ...]:
    return tuple(Standing(used, held) for used, held in zip(numbers[::2], numbers[1::2], strict=True))


def _flows(flows: Sequence[Flow], spent: Spent) -> list[Any]:
    return [
        value for flow in flows for value in (*flow, spent.used.get(flow.meter, ""), spent.left.get(flow.meter, ""))
    ]
