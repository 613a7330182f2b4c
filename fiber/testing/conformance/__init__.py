"""
What every adapter owes the client, checked with a few samples: for the tests of an adapter of your own.

Each check is a generator of complaints. Nothing in here knows a wire format; JSON is all that is assumed of bodies.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from fiber.adapters.base import Adapter
from fiber.testing.conformance.answers import errors, steps, whole_answers
from fiber.testing.conformance.requests import parameters, requests, table
from fiber.testing.conformance.streams import Reader, chunkings, cuts, streams
from fiber.types.http import HTTPHead
from fiber.types.target import Quirks, Target


def check_adapter(
    adapter: Adapter,
    *,
    body: bytes,
    stream: bytes,
    error: bytes,
    error_status: int = 400,
    model: str = "sample-model",
    quirks: Quirks | None = None,
    stream_type: str = "text/event-stream",
    stream_members: Collection[str] = ("stream", "stream_options"),
) -> None:
    """
    Check that *adapter* keeps what the client relies on.

    Every parameter has its place, and what the table says of it is true; requests are the same each time, and for
    streams but for the members that ask for one; a stream reads the same however it is cut into chunks, and one that
    is cut off says so; bytes that are no answer become a `FiberError`; unknown members are passed over.

    Args:
        adapter: Its functions, as they would stand in a row.
        body: A whole answer of the provider.
        stream: The body of a whole stream; of one longer than 4,000 bytes not every place is cut.
        error: The body of a refusal.
        error_status: The status that it comes with.
        model: Model to ask for.
        quirks: Those of the row; with `terminal="eof"` a stream that is cut off cannot be told.
        stream_type: Content type of the stream.
        stream_members: Members of the request body that may differ for a stream.

    Raises:
        AssertionError: Something is not so; the message lists all of it.
    """
    target = Target(provider="sample", model=model, base_url="https://sample.example/v1", quirks=quirks or Quirks())
    reader = Reader(adapter, HTTPHead(200, {"content-type": stream_type}), target)
    checks: tuple[tuple[str, Iterable[str]], ...] = (
        ("parameters", parameters(adapter)),
        ("build_request", requests(adapter, target, stream_members)),
        ("build_request", table(adapter, target)),
        ("parse_response", whole_answers(adapter, target, body)),
        ("follow", steps(adapter, target, body)),
        ("parse_error", errors(adapter, target, error, error_status)),
        ("stream_decoder", streams(reader, stream)),
        ("stream_decoder", chunkings(reader, stream)),
        ("stream_decoder", cuts(reader, stream)),
    )
    complaints = [complaint for name, check in checks for complaint in _tried(name, check)]
    if complaints:
        listed = "\n".join(f"* {complaint}" for complaint in complaints)
        raise AssertionError(f"The adapter {adapter.name!r} does not conform:\n{listed}")


def _tried(name: str, check: Iterable[str]) -> Iterator[str]:
    try:
        yield from check
    except Exception as error:
        yield f"{name} raised {error!r}, where it should not raise."
