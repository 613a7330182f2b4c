"""`import fiber` against `import msgspec`, each in a process of its own."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from statistics import median


def run(*, smoke: bool) -> Iterator[str]:
    """Yield a line for the import, and one for making a client."""
    rounds = 3 if smoke else 15
    for statement in ("import fiber", "from fiber import Fiber; Fiber(api_keys={'openai': 'key'})"):
        ratios = []
        for _ in range(rounds):
            floor = _cpu_seconds("import msgspec")
            ratios.append(_cpu_seconds(statement) / floor)
        yield f"{median(ratios):5.2f} x `import msgspec`: {statement}"


def _cpu_seconds(statement: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
