"""How fast calls may be: so much in a minute, and so many at one time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

import msgspec

from fiber._errors import FiberValidationError

Meter: TypeAlias = Literal["requests", "tokens", "input_tokens", "output_tokens"]
"""What is counted by the minute."""


class RateLimit(msgspec.Struct, frozen=True, kw_only=True):
    """
    How fast calls may be; at least one limit.

    Attributes:
        requests: HTTP requests in a minute.
        tokens: Tokens in a minute, of input and output together.
        input_tokens: Tokens of input in a minute.
        output_tokens: Tokens of output in a minute.
        concurrency: Requests at one time; a stream is one until it ends.
    """

    requests: float | None = None
    tokens: float | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    concurrency: int | None = None

    def __post_init__(self) -> None:
        for name in get_args(Meter):
            limit: object = getattr(self, name)
            if limit is None:
                continue
            if isinstance(limit, bool) or not isinstance(limit, int | float) or not 0 < limit < math.inf:
                raise _wrong(f"{name} must be a number above 0, in a minute, not {limit!r}")
        if self.concurrency is not None and (type(self.concurrency) is not int or self.concurrency < 1):
            raise _wrong(f"concurrency must be a whole number from 1, not {self.concurrency!r}")
        if not self.meters and self.concurrency is None:
            raise _wrong(f"say at least one of {', '.join(self.__struct_fields__)}")

    @property
    def meters(self) -> Mapping[Meter, float]:
        """What was said by the minute."""
        said: dict[Meter, float | None] = {
            "requests": self.requests,
            "tokens": self.tokens,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
        }
        return {name: limit for name, limit in said.items() if limit is not None}


def _wrong(what: str) -> FiberValidationError:
    return FiberValidationError(f"RateLimit: {what}.", parameter="rate_limits", outcome="not_sent")
