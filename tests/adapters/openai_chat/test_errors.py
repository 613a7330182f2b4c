"""Errors: every shape, typed by code first, then by status; never an exception."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fiber._errors import (
    FiberAuthError,
    FiberBadRequestError,
    FiberContentFilterError,
    FiberContextLengthError,
    FiberError,
    FiberModelNotFoundError,
    FiberOverloadedError,
    FiberProviderError,
    FiberQuotaError,
    FiberRateLimitError,
)
from fiber.adapters.openai_chat import ADAPTER
from fiber.types.http import HTTPHead
from fiber.types.target import Target


def parse(status: int, body: Any, provider: str = "row", **headers: str) -> FiberError:
    """Make an error of *body*, a value or bytes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    target = Target(provider=provider, model="m", base_url="https://host.example/v1")
    return ADAPTER.parse_error(HTTPHead(status, named), data, target)


def error(**members: Any) -> dict[str, Any]:
    """Make an error body."""
    return {"error": members}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, FiberBadRequestError),
        (401, FiberAuthError),
        (402, FiberQuotaError),
        (403, FiberAuthError),
        (404, FiberBadRequestError),
        (408, FiberProviderError),
        (409, FiberProviderError),
        (413, FiberBadRequestError),
        (418, FiberProviderError),
        (422, FiberBadRequestError),
        (429, FiberRateLimitError),
        (500, FiberProviderError),
        (502, FiberProviderError),
        (503, FiberOverloadedError),
        (529, FiberOverloadedError),
    ],
)
def test_status_decides_without_a_code(status: int, kind: type[FiberError]) -> None:
    """Without a telling code the status decides, also over a general type."""
    assert type(parse(status, error(message="x", type="invalid_request_error"))) is kind
    assert type(parse(status, b"")) is kind


@pytest.mark.parametrize(
    ("status", "members", "kind"),
    [
        (429, {"code": "insufficient_quota"}, FiberQuotaError),
        (429, {"code": None, "type": "insufficient_quota"}, FiberQuotaError),
        (429, {"code": "rate_limit_exceeded", "type": "tokens"}, FiberRateLimitError),
        (413, {"code": "rate_limit_exceeded", "type": "tokens"}, FiberBadRequestError),
        (400, {"code": "context_length_exceeded"}, FiberContextLengthError),
        (400, {"code": "content_filter"}, FiberContentFilterError),
        (400, {"innererror": {"code": "ResponsibleAIPolicyViolation"}}, FiberContentFilterError),
        (400, {"code": "invalid_api_key"}, FiberAuthError),
        (404, {"code": "DeploymentNotFound"}, FiberModelNotFoundError),
        (498, {"code": "capacity_exceeded"}, FiberOverloadedError),
        (429, {"type": "engine_overloaded_error"}, FiberOverloadedError),
        (502, {"metadata": {"error_type": "provider_overloaded"}}, FiberOverloadedError),
        (400, {"details": [{"reason": "API_KEY_INVALID"}]}, FiberAuthError),
    ],
)
def test_code_decides_before_the_status(status: int, members: dict[str, Any], kind: type[FiberError]) -> None:
    """The provider's code or type decides where it is telling."""
    assert type(parse(status, error(message="x", **members))) is kind


@pytest.mark.parametrize(
    ("provider", "body", "kind"),
    [
        ("zai", error(code="1113", message="x"), FiberQuotaError),
        ("zai", error(code="1302", message="x"), FiberRateLimitError),
        ("zai", error(code="1314", message="x"), FiberQuotaError),
        ("minimax", {"base_resp": {"status_code": 1026, "status_msg": "x"}}, FiberContentFilterError),
        ("mistral", {"object": "error", "message": "x", "code": "1500"}, FiberModelNotFoundError),
        ("other", error(code="1113", message="x"), FiberRateLimitError),
    ],
)
def test_numbers_mean_something_at_home_only(provider: str, body: Any, kind: type[FiberError]) -> None:
    """Numeric codes are read for the provider that has them."""
    assert type(parse(429, body, provider)) is kind


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "This model's maximum context length is 10 tokens", FiberContextLengthError),
        (500, "Context size has been exceeded.", FiberContextLengthError),
        (429, "too many tokens per minute", FiberRateLimitError),
        (400, "a/b is not a valid model ID", FiberModelNotFoundError),
        (400, "Incorrect API key provided: x", FiberAuthError),
        (403, "Content violates usage guidelines.", FiberContentFilterError),
    ],
)
def test_words_decide_where_there_is_no_code(status: int, message: str, kind: type[FiberError]) -> None:
    """Providers without a code are read by their words."""
    assert type(parse(status, error(message=message))) is kind


def test_credit_that_comes_back() -> None:
    """A 402 that says when to come back is no exhausted quota (OpenRouter)."""
    waiting = parse(402, error(code=402, message="in flight"), retry_after="3")

    assert type(waiting) is FiberRateLimitError
    assert waiting.retry_after == 3.0


@pytest.mark.parametrize(
    ("body", "message", "code"),
    [
        (error(message="no", code="c"), "no", "c"),
        ([error(message="no", status="INVALID_ARGUMENT")], "no", "INVALID_ARGUMENT"),
        ({"error": "no"}, "no", None),
        ({"error": ["no", "not at all"]}, "no; not at all", None),
        ({"code": "a b", "error": "no"}, "no", "a b"),
        ({"detail": "no"}, "no", None),
        ({"detail": [{"loc": ["body", 0], "msg": "no"}]}, "body.0: no", None),
        ({"detail": {"message": "no", "type": "t"}}, "no", "t"),
        ({"message": "no", "type": "t", "code": "c"}, "no", "c"),
        ({"code": 400, "reason": "R", "message": "no"}, "no", "R"),
        ({"errors": [{"message": "no", "code": 7003}]}, "no", "7003"),
        ({"statusCode": 404, "message": "no"}, "no", "404"),
        ({"title": "no", "status": 400}, "no", "400"),
        ({"error": {"message": {"message": "no", "code": "c"}}}, "no", "c"),
        (error(message="Param Incorrect", param="no such model", code="400"), "no such model", "400"),
        (error(message="Upstream", metadata={"raw": "no"}), "Upstream: no", None),
        ({"error": "400", "details": error(message="no", code="c")}, "400: no", "c"),
        ("no", "no", None),
        (b"plain no", "plain no", None),
        (b"<html><head><title> 401 no </title>", "an HTML page, '401 no'", None),
        (b"<!DOCTYPE html>", "an HTML page", None),
        (b"", "HTTP 400 without a message", None),
        (b"null", "HTTP 400 without a message", None),
        (b"\xff\xfe", "\ufffd\ufffd", None),
    ],
)
def test_shapes(body: Any, message: str, code: str | None) -> None:
    """The message and the code are found in every shape."""
    found = parse(400, body)

    assert message in found.message
    assert found.provider_code == code
    assert found.provider == "row"
    assert found.model == "m"


def test_facts() -> None:
    """Parameter, request id, wait and raw answer stand on the error."""
    body = error(message="Please retry after 7 seconds.", param="messages[0]", code="429")

    found = parse(429, {**body, "request_id": "q"})

    assert found.parameter == "messages[0]"
    assert found.request_id == "q"
    assert found.retry_after == 7.0
    assert found.raw_response is not None
    assert found.raw_response.startswith('{"error"')


def test_deep_nesting_is_no_trap() -> None:
    """An error nested without end is read as far as is sensible."""
    for inside in ('{"error":', "["):
        outside = "}" if inside.startswith("{") else "]"
        body = (inside * 400 + '"x"' + outside * 400).encode()

        assert type(parse(500, body)) is FiberProviderError


def test_key_is_masked() -> None:
    """A key in the provider's words does not reach the error."""
    found = parse(401, error(message="bad key sk-abcdefghijklmnop", code="invalid_api_key"))

    assert "abcdefghijklmnop" not in f"{found} {found.raw_response}"


@given(
    status=st.integers(300, 599),
    body=st.one_of(
        st.binary(max_size=40),
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3),
                st.dictionaries(
                    st.sampled_from(["error", "message", "code", "detail", "metadata", "param"]),
                    inner,
                    max_size=3,
                ),
            ),
            max_leaves=8,
        ).map(lambda value: json.dumps(value).encode()),
    ),
)
def test_anything_becomes_an_error(status: int, body: bytes) -> None:
    """Whatever the body holds, an error comes back and nothing is raised."""
    assert isinstance(parse(status, body), FiberError)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(20.5, 20.0), (0, 0.0), (10**400, 86_400.0), (-1, None), ("soon", None), (True, None), (None, None)],
    ids=repr,
)
def test_a_model_that_loads_says_how_long(said: Any, seconds: float | None) -> None:
    """Hugging Face's estimate is the time to wait, at most a day; nonsense is none."""
    failure = parse(503, {"error": "Model is loading", "estimated_time": said})

    assert isinstance(failure, FiberOverloadedError)
    assert failure.retry_after == seconds
