"""Names of models: `provider:model`, and the spellings of one name without snapshot, version or region."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fiber._errors import FiberValidationError

_PLACE = re.compile(r"^(?:arn:.*/|models/|publishers/[^/]+/models/)")
_VERSION = re.compile(r"(?:-v\d+)?(?::\d+)?$")
_DATE = re.compile(r"[-@](?:\d{8}|\d{4}-\d\d-\d\d)$|@default$|-00\d$")
# Not `global.`, whose models cost less than those of one region (Bedrock).
_REGION = re.compile(r"^(?:us-gov|apac|us|eu|jp|au|in|ca|sa)\.")


def spellings(model: str) -> Iterator[str]:
    """
    Yield the names under which a catalogue may know *model*, the most exact first; some come twice.

    Only what says nothing about the price is left out: dates and versions of snapshots, which stand under names of
    their own where they cost something else, and regions. `gpt-5-mini` is never looked for as `gpt-5`.
    """
    name = _PLACE.sub("", model.lower())
    for known in (name, _REGION.sub("", name)):
        yield known
        unversioned = _VERSION.sub("", known)
        yield unversioned
        yield _DATE.sub("", unversioned)


def reference(said: str, *, words: str, parameter: str) -> tuple[str, str]:
    """
    Split `provider:model`.

    Args:
        said: The reference.
        words: What it is called in the error.
        parameter: Where it was said.

    Raises:
        FiberValidationError: One of both is missing.
    """
    provider, _, model = said.partition(":")
    if not provider or not model:
        raise FiberValidationError(
            f"{words} names no provider: write provider:model.", parameter=parameter, outcome="not_sent"
        )
    return provider, model
