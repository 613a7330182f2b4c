"""fiber against servers that somebody else wrote: every case of a table, by every face, in every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import aimock_cases
import litellm_cases
import llama_cases
import servers
import transformers_cases
from faces import Face, faces, failed
from material import KEY
from outcomes import Outcome, compare

from fiber import NO_RETRY, FiberError, Provider, RetryPolicy

WORDS = ("expected", "fiber")
WRONG_KEY = "sk-wrong"
QUICK = RetryPolicy(max_attempts=3, base_backoff_seconds=0.05)


def aimock() -> Iterator[Outcome]:
    """Run every case of `aimock_cases`."""
    with servers.aimock(aimock_cases.fixtures(model for _, _, model in aimock_cases.ROWS.values())) as url:
        for format, (row, path, model) in aimock_cases.ROWS.items():
            yield from _mocked(f"aimock {format}", row, url + path, model, aimock_cases.CASES)


def litellm() -> Iterator[Outcome]:
    """Run every case of `litellm_cases`, by each format that stands behind the proxy."""
    models = litellm_cases.BEHIND
    with (
        servers.aimock(aimock_cases.fixtures(models)) as behind,
        servers.litellm(litellm_cases.models(behind)) as url,
    ):
        for model in models:
            address = url + litellm_cases.PATH
            yield from _mocked(f"litellm {model}", litellm_cases.ROW, address, model, litellm_cases.CASES)


def transformers() -> Iterator[Outcome]:
    """Run every case of `transformers_cases`."""
    with (
        servers.transformers() as url,
        faces(transformers_cases.ROW, url + transformers_cases.PATH) as made,
    ):
        for ask, expected in transformers_cases.CASES.items():
            for face in made:
                yield _outcome(f"transformers chat.{ask.__name__}.{face.name}", face, ask, expected)


def _mocked(
    label: str, row: Provider, url: str, model: str, cases: Mapping[str, aimock_cases.Case]
) -> Iterator[Outcome]:
    for name, case in cases.items():
        key = WRONG_KEY if name == "wrong_key" else KEY
        with faces(row, url, key=key, retry=QUICK if name == "flaky" else NO_RETRY) as made:
            for face in made:
                if face.streams or name not in aimock_cases.STREAMS_ONLY:
                    yield _outcome(f"{label}.{name}.{face.name}", face, _with_model(case.ask, model), case.expected)


def llama() -> Iterator[Outcome]:
    """Run every case of `llama_cases`, the second table against the model that calls tools."""
    for calls, table in ((False, llama_cases.CASES), (True, llama_cases.CALLING_CASES)):
        with servers.llama(calls=calls) as url:
            for format, (row, path) in llama_cases.ROWS.items():
                for ask, expected in table.items():
                    key = WRONG_KEY if ask is llama_cases.wrong_key else KEY
                    # llama-server closes a connection after each stream without saying so: a call may meet that.
                    with faces(row, url + path, key=key, retry=QUICK) as made:
                        for face in made:
                            yield _outcome(f"llama {format}.{ask.__name__}.{face.name}", face, ask, expected)


def _with_model(ask: Callable[[Face, str], dict[str, Any]], model: str) -> Callable[[Face], dict[str, Any]]:
    return lambda face: ask(face, model)


def _outcome(label: str, face: Face, ask: Callable[[Face], dict[str, Any]], expected: dict[str, Any]) -> Outcome:
    try:
        came = ask(face)
    except FiberError as error:
        came = failed(error) if "error" in expected else {"error": f"{type(error).__name__}: {error}"[:300]}
    except Exception as error:  # not even ours: always a fault
        came = {"error": f"{type(error).__name__}: {error}"[:300]}
    if "error" in came and "error" not in expected:
        return Outcome(label, (f"error: {came['error']}",))
    came = {name: value for name, value in came.items() if name in expected}
    return Outcome(label, (*compare(expected, came, words=WORDS), *face.faults))
