"""
Whole predictions.

Documentation: https://replicate.com/docs/reference/http#predictions.get, November 2026.
"""

from __future__ import annotations

from typing import Any

import msgspec

from fiber._errors import FiberParsingError
from fiber.adapters.assembly import Assembly, usage_of, with_partial
from fiber.adapters.failures import unreadable
from fiber.adapters.jsons import count, decode, decode_any, text, text_of, total
from fiber.adapters.replicate.errors import parse_error, unsuccessful
from fiber.adapters.replicate.schema import OUTPUTS, OVER, PREDICTION, Metrics, Prediction
from fiber.types.http import HTTPHead
from fiber.types.numbers import is_number
from fiber.types.receipt import Usage
from fiber.types.result import ChatResult
from fiber.types.target import Target

SUCCEEDED = "succeeded"
_FIRST_ERROR_STATUS = 300
OUTPUT = "output"
"""Kind of an output that is no text."""
_TIMINGS = {"predict": "predict_time", "total": "total_time", "first_token": "time_to_first_token"}


def parse_response(head: HTTPHead, body: bytes, target: Target) -> ChatResult:
    """
    Decode a prediction that is over.

    Args:
        head: Status 2xx.
        body: JSON, shape `{"id", "model", "status": "succeeded", "output": [str] | str, "error", "metrics": {...}}`.

    Raises:
        FiberError: It did not succeed, and what it gave until then is in `partial`; or it is an error under a 2xx.
        FiberParsingError: The body is not this format, or a prediction that is not over.
    """
    try:
        prediction = decode(body, PREDICTION)
    except FiberParsingError:
        raise unreadable(head, target, body, "something that is no prediction") from None
    status = text(prediction.status)
    if status not in OVER:
        if is_number(prediction.status) and prediction.status >= _FIRST_ERROR_STATUS:  # an error tells it, too
            raise parse_error(HTTPHead(int(prediction.status), head.headers), body, target)
        raise unreadable(head, target, body, "JSON without a prediction that is over")
    if status == SUCCEEDED and not bytes(prediction.output):
        raise unreadable(head, target, body, "a prediction without its output")
    assembly = Assembly(head, target)
    assembly.start(text(prediction.model), text(prediction.id) or None)
    _read(assembly, prediction.output)
    assembly.usage = _usage(prediction)
    if status != SUCCEEDED:
        error = unsuccessful(head, body, target, status=status, message=_words(prediction.error))
        raise with_partial(error, assembly.result(whole=False))
    assembly.finish("stop", status)  # whether the limit ended it is not told
    return assembly.result(body=body)


def _read(assembly: Assembly, output: msgspec.Raw) -> None:
    """Read a text, or a list of pieces of one; other values are kept as they are."""
    try:
        pieces = decode(bytes(output) or b"[]", OUTPUTS)  # what failed may have none
    except FiberParsingError:
        pieces = [output]
    for piece in pieces:
        value = decode_any(bytes(piece))
        if isinstance(value, str):
            assembly.text(value)
        elif value is not None:
            assembly.part(assembly.opaque(text_of(piece), OUTPUT))


def _usage(prediction: Prediction) -> Usage:
    metrics = prediction.metrics or Metrics()
    given, made = count(metrics.input_token_count), count(metrics.output_token_count)
    measured = {name: getattr(metrics, member) for name, member in _TIMINGS.items()}
    timings = {name: float(value) for name, value in measured.items() if is_number(value)}
    usage = usage_of(
        input_tokens=given,
        output_tokens=made,
        total_tokens=None if given is None or made is None else total(given, made),
    )
    return msgspec.structs.replace(usage, timings=timings) if timings else usage


def _words(error: Any) -> str:
    return text(error) if isinstance(error, str) or error is None else msgspec.json.encode(error).decode()
