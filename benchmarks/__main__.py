"""
Run the benchmarks: `python benchmarks [--smoke] [NAME ...]`.

Every figure is CPU time of this process and is printed as a ratio to a floor measured in the same run, turn by turn;
single figures of a shared machine mean little. `--smoke` only shows that they still run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys

import call
import chain
import decode
import imports

BENCHMARKS = {"decode": decode.run, "chain": chain.run, "call": call.run, "imports": imports.run}


def main() -> int:
    """Run what was asked for and print the figures."""
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="default: all")
    parser.add_argument("--smoke", action="store_true", help="a few rounds only")
    options = parser.parse_args()
    packages = ("fiber-llm", "httpx", "msgspec", "anyio")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    print(f"{platform.python_implementation()} {platform.python_version()} on {platform.machine()}; {versions}")
    for name in options.names or BENCHMARKS:
        for line in BENCHMARKS[name](smoke=options.smoke):
            print(f"{name:8} {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
