"""`make bench`: every measure, or those named.

    python -m tests.bench [--rounds N] [--keep] [NAME ...]

Each runs in a process of its own, writes build/bench/<name>.json and prints its table. ``--keep``
also writes docs/speed.md anew from all that build/bench holds.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import pkgutil
import subprocess
import sys

from tests.bench import document, measures
from tests.bench.figures import keep, table


def names() -> list[str]:
    return sorted(m.name for m in pkgutil.iter_modules(measures.__path__))


def run(name: str, rounds: int) -> None:
    measure = importlib.import_module(f"tests.bench.measures.{name}").measure
    report = asyncio.run(measure(rounds))
    keep(report)
    print(f"\n## {name}\n\n{table(report.figures)}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", choices=[*names(), []], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="write docs/speed.md")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        run(given.names[0], given.rounds)
        return 0
    failed = []
    for name in given.names or names():
        print(f"measuring {name}", file=sys.stderr, flush=True)
        # A process each: what one leaves in memory or on the loop is no part of the next.
        command = [sys.executable, "-m", "tests.bench", "--here", "--rounds", str(given.rounds)]
        if subprocess.run([*command, name]).returncode != 0:
            failed.append(name)
    if given.keep:
        document.main()
    if failed:
        print(f"could not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
