"""
Measure other libraries beside `fiber`: `python benchmarks/peers.py [--write] [NAME ...]`.

Each has an environment of its own, made by pip when first needed (see `environments`); one that cannot be installed
is skipped and says so. A library whose stream has fewer deltas than were sent, or an answer of another length, has
no figure but the word "fails".
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import report
from cases import Case
from environments import SkippedError, python_of, version_in
from recording import printed, recorded
from roster import HTTPX, ROSTER, SOCKET, TRANSPORTS, Entry
from running import versions
from scenarios import SCENARIOS


@dataclass(frozen=True)
class Peer:
    """
    A library.

    Attributes:
        entry: How it is measured; its name is the distribution's.
        requirements: What pip installs, the library first.
    """

    entry: Entry
    requirements: Sequence[str]


_QUIET = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_TELEMETRY": "False"}
"""What litellm would ask the network for at its import."""

_BOTH = ("openai_chat", "anthropic")

PEERS: Mapping[str, Peer] = {
    peer.entry.name: peer
    for peer in (
        Peer(
            Entry("openai", "libraries:OpenAI", "import openai", ("openai_chat", "openai_responses")),
            ("openai==3.54.0",),
        ),
        Peer(Entry("anthropic", "libraries:Anthropic", "import anthropic", ("anthropic",)), ("anthropic==2.12.0",)),
        Peer(Entry("litellm", "libraries:LiteLLM", "import litellm", _BOTH, _QUIET), ("litellm==1.106.2",)),
        Peer(
            Entry("any-llm-sdk", "libraries:AnyLLM", "import any_llm", _BOTH),
            ("any-llm-sdk[openai,anthropic]==1.40.2",),
        ),
        Peer(
            Entry("pydantic-ai-slim", "libraries:PydanticAI", "import pydantic_ai", _BOTH),
            ("pydantic-ai-slim[openai,anthropic]==2.68.0",),
        ),
        Peer(
            Entry("llm-fiber", "libraries:LLMFiber", "import llm_fiber", ("openai_chat",)),
            ("llm-fiber==1.0.1",),
        ),
    )
}

_BESIDE = (SOCKET, HTTPX, *(f"fiber-{name}" for name in TRANSPORTS))
CASES: Mapping[str, Sequence[tuple[str, int]]] = {
    # What is measured of every library, and in which formats.
    "openai_chat": (
        ("call", 20),
        ("call", 200),
        ("inflight", 100),
        ("chunk", 1000),
        ("paced", 100),
        ("first", 1),
        ("import", 1),
        ("cold", 1),
    ),
    "anthropic": (("call", 20), ("call", 200), ("chunk", 1000), ("first", 1)),
}


def main() -> int:
    """Measure and print; what others fail at is a figure, and no failure."""
    parser = argparse.ArgumentParser(prog="benchmarks/peers.py")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PEERS)}; default: all")
    parser.add_argument("--scenario", action="append", choices=SCENARIOS, help="can be repeated")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5, help="CPU to spend on one figure")
    parser.add_argument("--write", action="store_true", help="renew the page in docs/")
    parser.add_argument("--out", type=Path, default=report.PEERS, help="file for the lines of results")
    options = parser.parse_args()
    if unheard := set(options.names) - set(PEERS):
        parser.error(f"no such name: {', '.join(sorted(unheard))}")
    if options.write and (options.names or options.scenario):
        parser.error("only a whole run can be written into the page")
    found, known = installed(options.names or list(PEERS))
    cases = [
        Case(scenario, size, format, blocking=False)
        for format, wanted in CASES.items()
        for scenario, size in wanted
        if scenario in (options.scenario or SCENARIOS)
    ]
    results = recorded(
        cases,
        [*(entry for name in _BESIDE if not (entry := ROSTER[name]).is_missing), *found],
        {**versions(("fiber-llm", "httpx", "httptools", "msgspec")), **known},
        rounds=options.rounds,
        seconds=options.seconds,
        out=options.out,
    )
    for line in printed(results):
        print(line)
    if options.write:
        report.write(peers_results=results)
    return 0


def installed(names: Sequence[str]) -> tuple[list[Entry], dict[str, str]]:
    """Return those of *names* that can be measured here, with their interpreters, and their versions."""
    entries, known = [], {}
    for name in names:
        peer = PEERS[name]
        try:
            python = python_of(name, peer.requirements)
        except SkippedError as error:
            print(f"{name} is skipped: {error}", file=sys.stderr, flush=True)
            continue
        entries.append(replace(peer.entry, python=python))
        known[name] = version_in(python, name)
    return entries, known


if __name__ == "__main__":
    sys.exit(main())
