"""
Measure what the library promises about faults: `python benchmarks/reliability [--smoke] [--only NAME]`.

Each figure is a script of its own and runs in a process of its own, once for each transport it depends on. The
result is 1 when a goal was missed. `--smoke` takes less than two minutes and shows that everything still works.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
TRANSPORTS = ("direct", "httpx", "httpx2")
SCRIPTS = {
    # Name -> the transports on which the figure depends.
    "deadlines": TRANSPORTS,
    "memory": TRANSPORTS,
    "cancellation": TRANSPORTS,
    "leaks": TRANSPORTS,
    "parsing": ("direct",),
    "crossing": TRANSPORTS,
    "loop_health": TRANSPORTS,
    "amplification": ("direct",),
    "limits": ("direct",),
    "sharing": ("direct",),
    "ledger": ("direct",),
    "redis_outages": ("direct",),
}

BRIEFLY = {"memory", "leaks", "loop_health"}
"""What a smoke run does over our own sockets only, unless it is told a transport."""


def environment(transport: str) -> dict[str, str]:
    """Return this process's environment, changed so that *transport* serves."""
    hidden = ("FIBER_HTTP", "FIBER_TRANSPORT", "PYTHONASYNCIODEBUG")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in hidden and not name.lower().endswith("_proxy") and not name.endswith("_API_KEY")
    }
    return kept if transport == "direct" else {**kept, "FIBER_HTTP": transport}


def main() -> int:
    """Run what was asked for; return 1 when a goal was missed."""
    parser = argparse.ArgumentParser(prog="benchmarks/reliability")
    parser.add_argument("--smoke", action="store_true", help="less than two minutes in all")
    parser.add_argument("--only", action="append", choices=SCRIPTS, help="a figure; can be repeated; default: all")
    parser.add_argument("--transport", action="append", choices=TRANSPORTS, help="can be repeated; default: all")
    options = parser.parse_args()
    results: dict[str, str] = {}
    for name in options.only or SCRIPTS:
        for transport in SCRIPTS[name]:
            run = f"{name} on {transport}"
            asked = options.transport or (TRANSPORTS[:1] if options.smoke and name in BRIEFLY else TRANSPORTS)
            if transport not in asked:
                continue
            if transport != "direct" and importlib.util.find_spec(transport) is None:
                results[run] = f"skipped: {transport} is not installed"
                continue
            started = time.monotonic()
            command = [sys.executable, str(HERE / f"{name}.py"), *(["--smoke"] if options.smoke else [])]
            code = subprocess.run(command, env=environment(transport), check=False).returncode
            said = {0: "met", 1: "MISSED"}.get(code, f"BROKEN, exit code {code}")
            results[run] = f"{said} after {time.monotonic() - started:.0f} s"
            print(flush=True)
    for run, said in results.items():
        print(f"{run:28} {said}")
    return int(any(said.startswith(("MISSED", "BROKEN")) for said in results.values()))


if __name__ == "__main__":
    sys.exit(main())
