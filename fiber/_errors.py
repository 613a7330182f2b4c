"""
Every exception that a public call can raise.

    FiberError
    ├── FiberValidationError          the caller's value is wrong; nothing was sent
    ├── FiberModelNotFoundError       no provider for the model (nothing sent), or the provider has no such model
    ├── FiberCapabilityError          the provider or model cannot do what was asked; nothing was sent
    ├── FiberClosedError              the client was closed before the call
    ├── FiberConnectionError          no usable response: DNS, refused, reset, TLS
    ├── FiberTimeoutError             one of the five timers expired; `timer` says which
    ├── FiberProviderError            the provider said no
    │   ├── FiberBadRequestError      400, 404, 413, 422: the request itself is refused
    │   │   └── FiberContextLengthError   the input is longer than the model's window
    │   ├── FiberAuthError            401, 403, or no key configured (then `status_code` is None)
    │   ├── FiberRateLimitError       429: too fast, try later; or a rate limit of ours (then `status_code` is None)
    │   ├── FiberQuotaError           money or quota is used up; waiting does not help
    │   ├── FiberOverloadedError      503, 529: the provider has no capacity now
    │   └── FiberContentFilterError   the provider refuses the content
    ├── FiberParsingError             bytes do not fit the format, or JSON does not fit the type
    │   └── FiberStreamInterruptedError   a stream ended before its terminal marker
    ├── FiberBudgetError              a budget of ours refused the call
    ├── FiberCircuitOpenError         our breaker refused the call
    └── FiberFallbackError            every target failed; `errors` has the error of each

Facts live on the error as plain, picklable fields; whether to retry is decided in the retry layer.
This room is the bottom of the house: it imports nothing of ours at run time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from fiber.types.limits import RateLimits
    from fiber.types.receipt import Attempt
    from fiber.types.result import ChatResult

__all__ = [
    "FiberAuthError",
    "FiberBadRequestError",
    "FiberBudgetError",
    "FiberCapabilityError",
    "FiberCircuitOpenError",
    "FiberClosedError",
    "FiberConnectionError",
    "FiberContentFilterError",
    "FiberContextLengthError",
    "FiberError",
    "FiberFallbackError",
    "FiberModelNotFoundError",
    "FiberOverloadedError",
    "FiberParsingError",
    "FiberProviderError",
    "FiberQuotaError",
    "FiberRateLimitError",
    "FiberStreamInterruptedError",
    "FiberTimeoutError",
    "FiberValidationError",
    "Outcome",
]

Outcome = Literal["not_sent", "rejected", "unknown"]
"""
What is known about the provider's side of a failed attempt.

`not_sent`: the request did not leave; `rejected`: the provider answered that it did not do the work;
`unknown`: the work may have been done and billed.
"""
_SHOWN = ("provider", "model", "status", "code", "request_id")


class FiberError(Exception):
    """
    Base of every error of this library.

    Args:
        message: What happened, where, and what to do next.
        provider: Row name, like `openai`.
        model: Model as asked.
        status_code: HTTP status, or the status that an in-band error stands for.
        provider_code: The provider's own error code or type.
        request_id: The provider's request id.
        retry_after: Seconds the provider asked to wait; None when it said nothing.
        parameter: Name of the offending parameter.
        attempts: The attempts of the call, oldest first.
        raw_response: Start of the provider's answer, redacted, at most 2,000 characters.
        partial: What was read before the failure, usage included as far as it was told; its reasoning cannot be
            replayed. None when nothing was.
        outcome: What is known about the provider's side, see `Outcome`; by default `usual_outcome` of the class.
        rate_limits: Rate-limit headers, when present.
    """

    retryable: ClassVar[bool] = False
    usual_outcome: ClassVar[Outcome] = "rejected"

    def __init__(
        self,
        message: str,
        *,
        provider: str | None = None,
        model: str | None = None,
        status_code: int | None = None,
        provider_code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        parameter: str | None = None,
        attempts: tuple[Attempt, ...] = (),
        raw_response: str | None = None,
        outcome: Outcome | None = None,
        should_retry: bool | None = None,
        rate_limits: RateLimits | None = None,
        partial: ChatResult | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.partial = partial
        self.provider = provider
        self.model = model
        self.status_code = status_code
        self.provider_code = provider_code
        self.request_id = request_id
        self.retry_after = retry_after
        self.parameter = parameter
        self.attempts = attempts
        self.raw_response = raw_response
        self.outcome: Outcome = outcome or self.usual_outcome
        self.should_retry = should_retry
        self.rate_limits = rate_limits

    @property
    def is_retryable(self) -> bool:
        """True when the same request may succeed later: the provider's word, else the class's."""
        return self.retryable if self.should_retry is None else self.should_retry

    @property
    def attempt(self) -> int:
        """Number of attempts made, 0 when nothing was sent."""
        return len(self.attempts)

    def __str__(self) -> str:
        values = (self.provider, self.model, self.status_code, self.provider_code, self.request_id)
        facts = [f"{name}={value}" for name, value in zip(_SHOWN, values, strict=True) if value is not None]
        return f"{self.message} [{', '.join(facts)}]" if facts else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.__dict__)


def _restore(kind: type[FiberError], fields: dict[str, Any]) -> FiberError:
    error = kind.__new__(kind, fields["message"])
    error.__dict__.update(fields)
    return error


class FiberValidationError(FiberError):
    """A value of the caller is wrong; nothing was sent. `parameter` names it."""

    usual_outcome = "not_sent"


class FiberModelNotFoundError(FiberError):
    """No provider is known for the model, or (with a `status_code`) the provider does not have it."""


class FiberCapabilityError(FiberError):
    """The provider, API version or model cannot do what was asked; nothing was sent."""

    usual_outcome = "not_sent"


class FiberClosedError(FiberError):
    """The client was closed before the call; nothing was sent."""

    usual_outcome = "not_sent"


class FiberConnectionError(FiberError):
    """No usable response came: name lookup, connect, TLS, or a connection lost on the way."""

    retryable = True


class FiberTimeoutError(FiberError):
    """
    A timer expired.

    Attributes:
        timer: `connect`, `read`, `total`, `first_event` or `stall`.
        seconds: The limit that was set.
    """

    retryable = True

    def __init__(self, message: str, *, timer: str = "read", seconds: float | None = None, **facts: Any) -> None:
        super().__init__(message, **facts)
        self.timer = timer
        self.seconds = seconds

    @property
    def is_retryable(self) -> bool:
        """The `total` deadline is over for every attempt; the other timers are not."""
        return self.timer != "total" and super().is_retryable


class FiberProviderError(FiberError):
    """The provider answered with an error, by status or in the body."""

    @property
    def is_retryable(self) -> bool:
        """408, 409, 425, 429 and every 5xx may succeed later, unless the provider says otherwise."""
        if self.should_retry is not None:
            return self.should_retry
        status = self.status_code or 0
        transient = status >= 500 or status in (408, 409, 425, 429)
        return self.retryable or (type(self) is FiberProviderError and transient)


class FiberBadRequestError(FiberProviderError):
    """The provider refuses the request itself; sending it again changes nothing."""


class FiberContextLengthError(FiberBadRequestError):
    """The input is longer than the model's context window."""


class FiberAuthError(FiberProviderError):
    """The key is missing, wrong or not allowed."""


class FiberRateLimitError(FiberProviderError):
    """Too fast for the provider, or for a rate limit of ours; `retry_after` says how long to wait, if that is known."""

    retryable = True


class FiberQuotaError(FiberProviderError):
    """Money, credit or a daily quota is used up; retrying does not help."""


class FiberOverloadedError(FiberProviderError):
    """The provider has no capacity now."""

    retryable = True


class FiberContentFilterError(FiberProviderError):
    """The provider refuses the content of the request."""


class FiberParsingError(FiberError):
    """Bytes do not fit the format, or JSON does not fit the type asked for."""


class FiberStreamInterruptedError(FiberParsingError):
    """A stream ended before its terminal marker: what arrived, in `partial`, is not the whole answer."""

    retryable = True
    usual_outcome = "unknown"


class FiberBudgetError(FiberError):
    """A budget of ours refused the call; nothing was sent."""

    usual_outcome = "not_sent"


class FiberCircuitOpenError(FiberError):
    """The breaker of this target is open; `retry_after` says when the next probe is due."""

    usual_outcome = "not_sent"


class FiberFallbackError(FiberError):
    """
    Every target failed.

    Attributes:
        errors: The last error of each target that was asked, in their order; `attempts` lists every exchange.
    """

    def __init__(self, message: str, *, errors: tuple[FiberError, ...] = (), **facts: Any) -> None:
        super().__init__(message, **facts)
        self.errors = errors

    @property
    def is_retryable(self) -> bool:
        """True when one of the targets may answer later."""
        return any(error.is_retryable for error in self.errors)


def is_server_failure(error: BaseException) -> bool:
    """Say whether *error* is a timer but `total`, or a status of 500 and above that has no class of its own."""
    if isinstance(error, FiberTimeoutError):
        return error.timer != "total"
    return type(error) is FiberProviderError and (error.status_code or 0) >= 500
