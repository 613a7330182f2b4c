"""Whether whole answers and refusals are read, and nothing else is taken for one."""

from __future__ import annotations

from collections.abc import Iterator

from fiber._errors import FiberError
from fiber.adapters.base import Adapter
from fiber.testing.conformance.strangers import GARBAGE, gist, with_strangers
from fiber.types.http import HTTPHead
from fiber.types.target import Target


def whole_answers(adapter: Adapter, target: Target, body: bytes) -> Iterator[str]:
    """Read the answer, the answer with unknown members, and what is none."""
    head = HTTPHead(200, {"content-type": "application/json"})
    result = adapter.parse_response(head, body, target)
    if result.body != body:
        yield "parse_response does not keep the body in the result."
    if result.finish_reason is None:
        yield "parse_response finds no finish reason in a whole answer."
    if gist(adapter.parse_response(head, with_strangers(body), target)) != gist(result):
        yield "parse_response reads another answer when objects have unknown members."
    for garbage in (b"", b"<html></html>"):
        try:
            adapter.parse_response(head, garbage, target)
        except FiberError:
            continue
        yield f"parse_response takes {garbage!r} for an answer: raise a FiberError."


def steps(adapter: Adapter, target: Target, body: bytes) -> Iterator[str]:
    """Ask where the answer is, when there it is, and when nothing says so."""
    head = HTTPHead(200, {"content-type": "application/json"})
    follow = adapter.follow
    if follow is None:
        return
    for said in (body, with_strangers(body), *GARBAGE):
        if follow(head, said, target, stream=False) or follow(head, said, target, stream=True):
            yield f"follow goes on from {said[:60]!r}, which is the answer itself, or none."
            return


def errors(adapter: Adapter, target: Target, error: bytes, status: int) -> Iterator[str]:
    """Read the refusal, whole and in part, and what no provider means to send."""
    for said in (error, with_strangers(error), error[: len(error) // 2], *GARBAGE):
        for number in (status, 500):
            head = HTTPHead(number, {"content-type": "application/json"})
            try:
                made: object = adapter.parse_error(head, said, target)
            except Exception as raised:
                yield f"parse_error raised {raised!r} for {said[:60]!r}: it must never raise, whatever comes."
                return
            if not isinstance(made, FiberError):
                yield f"parse_error returned {made!r}, which is no FiberError, for {said[:60]!r}."
                return
