"""
How far off estimates of tokens are, by provider: `python -m tests.estimates` writes the table of docs/features/cost.md.

The recorded requests that are plain text are estimated, each once, and held against the input that its answer counted.
"""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from fiber import FiberError, count_tokens
from fiber.types.http import HTTPHead
from tests.conformance.recordings import FOLDER, FORMATS, Recording, read
from tests.conformance.replay import row_of, target_of
from tests.markdown import code, table

PAGE = Path(__file__).parent.parent / "docs" / "features" / "cost.md"
BEGIN, END = "<!-- estimates: begin -->", "<!-- estimates: end -->"
FEWEST = 10
"""A provider with fewer requests is left out: its figures would say nothing."""

_UNSEEN = frozenset(("req-elided", "req-scrubbed"))
"""Tags of requests that were not kept as they were."""
_SAID = ("system", "instructions", "systemInstruction", "system_instruction", "messages", "input", "contents")
_INSIDE = ("content", "text", "parts")
_BESIDE = frozenset(("role", "type", "cache_control", "cachePoint", "id", "status", "name"))
_COSTLY = frozenset(
    (
        *("tools", "functions", "response_format", "toolConfig", "tool_config", "text", "format", "documents"),
        *("output_config", "output_format", "outputConfig", "previous_response_id", "prompt", "cachedContent"),
        *("mcp_servers", "plugins", "web_search_options", "search_parameters", "conversation", "container"),
    )
)
"""Members of a request that bring tokens which its texts do not show."""


def errors() -> dict[str, list[float]]:
    """Return the errors of all estimates, as parts of the true numbers, sorted, by provider."""
    found: dict[str, list[float]] = defaultdict(list)
    seen = set()
    for endpoint, format in FORMATS.items():
        for recording in _recordings(endpoint):
            said = _texts(recording)
            if not said or (endpoint, *said) in seen or (true := _counted(recording, format)) is None:
                continue
            seen.add((endpoint, *said))
            estimate = count_tokens([("user", text) for text in said])
            found[recording.provider].append(abs(estimate - true) / true)
    return {provider: sorted(each) for provider, each in found.items() if len(each) >= FEWEST}


def shown(found: dict[str, list[float]]) -> str:
    """Return the table of *found*, the nearest first."""
    rows = [
        [code(provider), str(len(each)), f"{statistics.median(each):.0%}", f"{each[len(each) * 95 // 100]:.0%}"]
        for provider, each in sorted(found.items(), key=lambda item: statistics.median(item[1]))
    ]
    return table(("Provider", "Requests", "Median error", "95 of 100 are off by at most"), rows)


def _recordings(endpoint: str) -> Iterator[Recording]:
    try:
        yield from (each for each in read(endpoint) if not each.is_error and not each.tags & _UNSEEN)
    except FileNotFoundError:
        return


def _texts(recording: Recording) -> tuple[str, ...]:
    """Return all texts of a request; none when there is anything else in it that may count."""
    request = recording.request
    if not isinstance(request, dict) or any(request.get(name) for name in _COSTLY):
        return ()
    try:
        return tuple(text for name in _SAID if name in request for text in _flat(request[name]) if text)
    except (KeyError, TypeError):
        return ()


def _flat(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _flat(each)
    elif not value.keys() <= _BESIDE.union(_INSIDE):
        raise KeyError(min(value.keys() - _BESIDE.union(_INSIDE)))
    else:
        for name in _INSIDE:
            if value.get(name) is not None:
                yield from _flat(value[name])


def _counted(recording: Recording, format: str) -> int | None:
    """Return the tokens of the input that the answer counted; None when it did not."""
    adapter = import_module(f"fiber.adapters.{format}").ADAPTER
    head = HTTPHead(recording.status, recording.headers)
    target = target_of(row_of(recording.provider, format), recording.provider)
    try:
        if not recording.is_framed:
            return adapter.parse_response(head, recording.body(format), target).usage.input_tokens or None
        decoder = adapter.stream_decoder(head, target)
        decoder.feed(recording.body(format))
        decoder.finish()
    except FiberError:
        return None
    return decoder.result().usage.input_tokens or None


def written(page: str, made: str) -> str:
    """Return *page* with the table *made* in its place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{made}\n\n{END}{after}"


if __name__ == "__main__":
    assert FOLDER.is_dir(), "../shared/wire is missing"
    made = shown(errors())
    print(made)
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")
